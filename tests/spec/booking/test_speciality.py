"""Coming visits are counted by speciality, also of who waits for a doctor and names none.

https://hl7.org/fhir/R4/appointment-definitions.html#Appointment.specialty
"""

from typing import Final

import pytest

from fhir_server.access.principal import Principal
from tests.spec.booking.conftest import Clinic, code, person
from tests.spec.booking.test_book import booked, operate
from tests.spec.booking.waiting import OPEN, Line, answered, staff

LIMITED: Final = {**OPEN, "most_ahead": {"valueInteger": 1}}


def for_a_doctor_alone(line: Line) -> tuple[Principal, str]:
    """A new patient's entry without a speciality."""
    who = person(line.clinic.patient())
    entry = {**line.for_doctor(str(who.patient))}
    del entry["specialty"]
    answer = line.clinic.ask(who, "POST", "/Appointment", entry)
    assert answer.status_code == 201, answer.text
    return who, str(answer.json()["id"])


@pytest.mark.parametrize("by", ["the queue", "staff"])
def test_what_came_of_the_queue_is_counted(clinic: Clinic, by: str) -> None:
    line = Line(clinic, rules=LIMITED)
    slot, visit = line.kept()
    who, entry = for_a_doctor_alone(line)
    if by == "the queue":
        line.free(visit)
    else:
        slot = clinic.slot(line.schedule, days=8)
        path = f"/Appointment/{entry}/$waitlist-offer"
        assert operate(clinic, staff(), path, slot=slot).is_success
    assert answered(clinic, who, entry).is_success
    assert clinic.status(slot) == "busy"
    other = clinic.slot(line.schedule, days=9)
    answer = operate(clinic, who, "/Appointment/$book", slot=other)
    assert (answer.status_code, code(answer)) == (422, "too-many-bookings")


def test_who_has_as_many_visits_as_may_be_is_passed_over(clinic: Clinic) -> None:
    line = Line(clinic, rules=LIMITED)
    _, visit = line.kept()
    who, entry = for_a_doctor_alone(line)
    _, second = for_a_doctor_alone(line)
    elsewhere = Line(clinic, rules=LIMITED, code=line.code)
    booked(clinic, who, clinic.slot(elsewhere.schedule, days=12))
    line.free(visit)
    assert line.at(entry)["status"] == "waitlist"
    assert line.at(second)["status"] == "proposed"
