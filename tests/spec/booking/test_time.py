"""What becomes of holds, deadlines and blocks as time goes by.

https://hl7.org/fhir/R4/appointment.html
"""

from datetime import datetime, timedelta
from typing import Final

from fhir_server.cabinet.booking.policy import DAY, HOUR, MINUTE
from tests.spec.booking.conftest import Clinic, code, person
from tests.spec.booking.test_book import booked, operate, policy
from tests.support.fhir import JsonObject
from tests.support.polling import until

UCUM: Final = "http://unitsofmeasure.org"


def test_a_hold_that_is_over_is_free_for_others_at_once(clinic: Clinic) -> None:
    slot, who = clinic.slot(clinic.schedule()), person(clinic.patient())
    held = operate(clinic, who, "/Appointment/$hold", slot=slot).json()["entry"][0]["resource"]
    clinic.clock.forward(11 * MINUTE)
    late = operate(clinic, who, "/Appointment/$book", appointment_reference=held["id"])
    assert code(late) in {"hold-expired", "status-not-allowed"}  # the job may have ended it
    booked(clinic, person(clinic.patient()), slot)
    assert clinic.get(f"/Appointment/{held['id']}")["status"] == "cancelled"


def test_holds_that_are_over_are_ended(clinic: Clinic) -> None:
    schedule = clinic.schedule()
    slots = [clinic.slot(schedule), clinic.slot(schedule, days=7 + 1 / 48)]
    who = person(clinic.patient())
    held = operate(clinic, who, "/Appointment/$hold", slot=slots).json()["entry"][0]["resource"]
    clinic.clock.forward(11 * MINUTE)
    assert until(lambda: clinic.status(slots[0]) == "free")
    assert clinic.status(slots[1]) == "free"
    assert clinic.get(f"/Appointment/{held['id']}")["status"] == "cancelled"


def test_who_cancels_late_is_blocked_and_staff_lift_it(clinic: Clinic) -> None:
    days = {"value": 14, "code": "d", "system": "http://unitsofmeasure.org"}
    schedule = clinic.schedule(**policy(late_block={"valueDuration": days}))
    early, late = clinic.slot(schedule, days=3), clinic.slot(schedule, days=0.25)
    who = person(clinic.patient())
    found: list[JsonObject] = []
    for slot, blocks in ((early, 0), (late, 1)):
        visit = booked(clinic, who, slot)
        assert operate(clinic, who, f"/Appointment/{visit['id']}/$cancel").is_success
        found = clinic.get(f"/Flag?patient={who.patient}").get("entry", [])
        assert len(found) == blocks
    answer = operate(clinic, who, "/Appointment/$book", slot=early)
    assert (answer.status_code, code(answer)) == (403, "booking-blocked")
    clinic.put({**found[0]["resource"], "status": "inactive"})
    booked(clinic, who, early)


def test_of_several_schedules_any_blocks_who_cancels_late(clinic: Clinic) -> None:
    two, nine = (
        policy(late_block={"valueDuration": {"value": value, "code": "d", "system": UCUM}})
        for value in (2, 9)
    )
    schedules = [clinic.schedule(), clinic.schedule(**nine), clinic.schedule(**two)]
    slots = [clinic.slot(each, days=0.25) for each in schedules]
    who = person(clinic.patient())
    visit = booked(clinic, who, *slots)
    assert operate(clinic, who, f"/Appointment/{visit['id']}/$cancel").is_success
    (found,) = clinic.get(f"/Flag?patient={who.patient}")["entry"]
    until_ = datetime.fromisoformat(found["resource"]["period"]["end"])
    assert until_ - clinic.clock.today > timedelta(days=8)


def test_the_cut_off_comes_in_mid_session(clinic: Clinic) -> None:
    today = clinic.clock.today
    cut = today + timedelta(hours=1)
    rules = policy(
        cancel_days={"valueInteger": 1}, cancel_time={"valueTime": cut.time().isoformat()}
    )
    who, schedule = person(clinic.patient()), clinic.schedule(**rules)
    # On the day behind that of the cut-off, whatever time of day it is now.
    noon = cut.replace(hour=12, minute=0, second=0) + timedelta(days=1)
    first, second = (
        clinic.slot(schedule, days=(noon + timedelta(hours=each) - today) / timedelta(days=1))
        for each in (0, 1)
    )
    visits = [booked(clinic, who, first), booked(clinic, who, second)]
    assert operate(clinic, who, f"/Appointment/{visits[0]['id']}/$cancel").is_success
    clinic.clock.forward(HOUR + MINUTE)
    answer = operate(clinic, who, f"/Appointment/{visits[1]['id']}/$cancel")
    assert (answer.status_code, code(answer)) == (422, "cancel-deadline-passed")
    clinic.clock.forward(DAY)
