"""$find does not offer what others wait for, and offers whatever can be booked.

https://profiles.ihe.net/ITI/Scheduling/ITI-115.html
"""

from collections.abc import Iterator
from typing import Any

import pytest

from fhir_server.access.decisions import Policy
from fhir_server.access.policy import AccessPolicy
from fhir_server.access.principal import Principal
from tests.spec.booking.conftest import Clinic, code, person, serving
from tests.spec.booking.test_book import operate
from tests.spec.booking.waiting import Line, staff
from tests.support.fhir import JsonObject
from tests.support.worlds import ROOT


@pytest.fixture(scope="module")
def still(mongodb_uri: str) -> Iterator[Clinic]:
    """A clinic where what is free is offered to nobody while a test looks."""
    access = AccessPolicy(Policy("all-normal"))
    with serving(mongodb_uri, access, booking_seconds=3600.0) as found:
        yield found


def shown(clinic: Clinic, who: Principal, schedule: str) -> tuple[list[str], int]:
    path = f"/Appointment/$find?schedule={schedule}"
    bundle = clinic.ask(who, "GET", path).json()
    proposals = [each["resource"] for each in bundle.get("entry", ())]
    slots = [each["slot"][0]["reference"].removeprefix("Slot/") for each in proposals]
    return slots, bundle["total"]


def waits(line: Line, *, doctor: str = "", **more: Any) -> str:
    """A patient who waits for the doctor, or for anybody of the speciality."""
    clinic, patient = line.clinic, line.clinic.patient()
    entry = clinic.visit(patient, status="waitlist", specialty=[line.concept], **more)
    if doctor:
        other = {"actor": {"reference": doctor}, "status": "needs-action"}
        entry["participant"] = [*entry["participant"], other]
    answer = clinic.ask(ROOT, "POST", "/Appointment", entry)
    assert answer.status_code == 201, answer.text
    return patient


def check(line: Line, who: Principal, slot: str, *, is_offered: bool) -> None:
    """What is shown is what can be booked."""
    slots, total = shown(line.clinic, who, line.schedule)
    assert (slot in slots, total) == (is_offered, int(is_offered))
    answer = operate(line.clinic, who, "/Appointment/$book", slot=slot)
    expected = (201, "") if is_offered else (409, "slot-taken")
    assert (answer.status_code, code(answer) if not is_offered else "") == expected


def test_a_place_that_somebody_waits_for_is_not_offered(still: Clinic) -> None:
    line = Line(still)
    waits(line)
    slot = still.slot(line.schedule)
    check(line, person(still.patient()), slot, is_offered=False)


def test_it_is_offered_to_the_first_in_the_line(still: Clinic) -> None:
    line = Line(still)
    first = waits(line)
    waits(line)
    slot = still.slot(line.schedule)
    check(line, person(first), slot, is_offered=True)


def test_without_a_queue_it_is_offered(still: Clinic) -> None:
    line = Line(still, rules={"waitlist": {"valueBoolean": False}})
    waits(line)
    slot = still.slot(line.schedule)
    check(line, person(still.patient()), slot, is_offered=True)


def test_a_place_that_comes_too_soon_for_an_offer_is_offered(still: Clinic) -> None:
    line = Line(still)
    waits(line)
    slot = still.slot(line.schedule, days=0.05)
    check(line, person(still.patient()), slot, is_offered=True)


def test_who_waits_at_another_time_is_not_in_the_way(still: Clinic) -> None:
    line = Line(still)
    waits(line, requestedPeriod=[{"start": "2090-01-01", "end": "2090-02-01"}])
    slot = still.slot(line.schedule)
    check(line, person(still.patient()), slot, is_offered=True)


def test_who_cannot_come_is_not_in_the_way(still: Clinic) -> None:
    line = Line(still)
    waiting = waits(line)
    slot = still.slot(line.schedule)
    place = still.get(f"/Slot/{slot}")
    elsewhere = still.slot(still.schedule(), start=place["start"], end=place["end"])
    visit = still.visit(waiting, elsewhere)
    assert still.ask(ROOT, "POST", "/Appointment", visit).is_success
    check(line, person(still.patient()), slot, is_offered=True)


@pytest.mark.parametrize("named", ["person", "role"])
def test_who_waits_for_the_doctor_is_found_by_all_roles(still: Clinic, named: str) -> None:
    line = Line(still)
    role = f"{line.code}-role"
    doctor = {"reference": line.doctor}
    still.put({"resourceType": "PractitionerRole", "id": role, "practitioner": doctor})
    waits(line, doctor=line.doctor if named == "person" else f"PractitionerRole/{role}")
    slot = still.slot(line.schedule)
    check(line, person(still.patient()), slot, is_offered=False)


def test_staff_see_what_others_wait_for(still: Clinic) -> None:
    line = Line(still)
    waits(line)
    slot = still.slot(line.schedule)
    assert shown(still, staff(), line.schedule) == ([slot], 1)


def test_a_page_tells_nothing_of_who_waits(still: Clinic) -> None:
    line = Line(still)
    waiting = waits(line)
    still.slot(line.schedule)
    path = f"/Appointment/$find?schedule={line.schedule}"
    answer: JsonObject = still.ask(person(still.patient()), "GET", path).json()
    assert waiting not in str(answer)
    assert answer["total"] == 0
