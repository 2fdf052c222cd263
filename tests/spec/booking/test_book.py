"""$hold, $book, $confirm, $cancel, $reschedule.

https://profiles.ihe.net/ITI/Scheduling/
"""

from typing import Any

import httpx
import pytest

from fhir_server.access.principal import Principal
from fhir_server.cabinet.booking.names import BLOCKED, BOOKED_BY, CHANNEL, FLAGS, POLICY
from tests.spec.booking.conftest import Clinic, code, person
from tests.support.fhir import JsonObject
from tests.support.worlds import ROOT

NOBODY = "Patient/somebody-else"


def parameters(**values: Any) -> JsonObject:
    rows = [
        {"name": name.replace("_", "-"), **_value(value)}
        for name, many in values.items()
        for value in (many if isinstance(many, list) else [many])
    ]
    found: JsonObject = {"resourceType": "Parameters"}
    return {**found, "parameter": rows} if rows else found


def _value(value: Any) -> JsonObject:
    if isinstance(value, dict):
        key = "resource" if "resourceType" in value else "valueReference"
        return {key: value}
    return {"valueString": value}


def operate(clinic: Clinic, who: Principal, path: str, **values: Any) -> httpx.Response:
    return clinic.ask(who, "POST", path, parameters(**values))


def booked(clinic: Clinic, who: Principal, *slots: str) -> JsonObject:
    answer = operate(clinic, who, "/Appointment/$book", slot=list(slots))
    assert answer.status_code == 201, answer.text
    found: JsonObject = answer.json()["entry"][0]["resource"]
    return found


def policy(**parts: JsonObject) -> JsonObject:
    rows = [{"url": name.replace("_", "-"), **value} for name, value in parts.items()]
    return {"extension": [{"url": POLICY, "extension": rows}]}


def values(resource: JsonObject) -> dict[str, Any]:
    return {
        each["url"]: next(v for k, v in each.items() if k.startswith("value"))
        for each in resource.get("extension", ())
    }


def test_a_slot_is_booked_with_its_times_and_people(clinic: Clinic) -> None:
    patient, slot = clinic.patient(), clinic.slot(clinic.schedule())
    visit = booked(clinic, person(patient), slot)
    place = clinic.get(f"/Slot/{slot}")
    assert visit["status"] == "booked"
    assert (visit["start"], visit["end"]) == (place["start"], place["end"])
    actors = {each["actor"]["reference"] for each in visit["participant"]}
    assert actors == {f"Patient/{patient}", "Practitioner/dr"}
    assert values(visit)[BOOKED_BY] == {"reference": f"Patient/{patient}"}
    assert values(visit)[CHANNEL] == "portal"
    assert place["status"] == "busy"


def test_nobody_says_who_booked(clinic: Clinic) -> None:
    patient, slot = clinic.patient(), clinic.slot(clinic.schedule())
    forged = {"url": BOOKED_BY, "valueReference": {"reference": NOBODY}}
    visit = clinic.visit(patient, slot, extension=[forged])
    made = clinic.ask(person(patient), "POST", "/Appointment", visit).json()
    assert values(made)[BOOKED_BY] == {"reference": f"Patient/{patient}"}
    changed = {**made, "extension": [forged]}
    answer = clinic.ask(person(patient), "PUT", f"/Appointment/{made['id']}", changed)
    assert values(answer.json())[BOOKED_BY] == {"reference": f"Patient/{patient}"}


def test_a_hold_becomes_a_booking(clinic: Clinic) -> None:
    patient, slot = clinic.patient(), clinic.slot(clinic.schedule())
    who = person(patient)
    held = operate(clinic, who, "/Appointment/$hold", slot=slot).json()["entry"][0]["resource"]
    assert held["status"] == "pending"
    assert clinic.status(slot) == "busy-tentative"
    other = operate(clinic, person(clinic.patient()), "/Appointment/$book", slot=slot)
    assert (other.status_code, code(other)) == (409, "slot-taken")
    path = "/Appointment/$book"
    answer = operate(clinic, who, path, appointment_reference=f"Appointment/{held['id']}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["entry"][0]["resource"]["status"] == "booked"
    assert clinic.status(slot) == "busy"


def test_a_visit_is_moved_or_stays(clinic: Clinic) -> None:
    schedule = clinic.schedule()
    first, second = clinic.slot(schedule), clinic.slot(schedule, days=8)
    gone = clinic.slot(schedule, days=9, status="busy")
    who = person(clinic.patient())
    visit = booked(clinic, who, first)
    path = f"/Appointment/{visit['id']}/$reschedule"
    refused = operate(clinic, who, path, slot=gone)
    assert (refused.status_code, code(refused)) == (409, "slot-taken")
    assert clinic.get(f"/Appointment/{visit['id']}")["status"] == "booked"
    moved = operate(clinic, who, path, slot=second)
    assert moved.status_code == 201, moved.text
    assert clinic.get(f"/Appointment/{visit['id']}")["status"] == "cancelled"
    assert (clinic.status(first), clinic.status(second)) == ("free", "busy")


@pytest.mark.parametrize("door", ["$cancel", "PUT", "PATCH", "conditional", "DELETE", "Bundle"])
def test_a_deadline_holds_at_every_door(clinic: Clinic, door: str) -> None:
    rules = policy(cancel_days={"valueInteger": 30}, cancel_time={"valueTime": "18:00:00"})
    slot = clinic.slot(clinic.schedule(**rules))
    who = person(clinic.patient())
    visit = booked(clinic, who, slot)
    answer = _cancelled(clinic, who, visit, door)
    expected = "status-not-allowed" if door == "DELETE" else "cancel-deadline-passed"
    assert (answer.status_code, code(answer)) == (422, expected), answer.text
    assert clinic.status(slot) == "busy"
    assert _cancelled(clinic, ROOT, visit, door).is_success  # staff and systems may
    assert clinic.status(slot) == "free"


def _cancelled(clinic: Clinic, who: Principal, visit: JsonObject, door: str) -> httpx.Response:
    id_ = visit["id"]
    path, ended = f"/Appointment/{id_}", {**visit, "status": "cancelled"}
    match door:
        case "$cancel":
            return operate(clinic, who, f"{path}/$cancel", reason="pat")
        case "PUT":
            return clinic.ask(who, "PUT", path, ended)
        case "PATCH":
            patch = [{"op": "replace", "path": "/status", "value": "cancelled"}]
            kind = {"Content-Type": "application/json-patch+json"}
            return clinic.ask(who, "PATCH", path, patch, kind)
        case "conditional":
            return clinic.ask(who, "PUT", f"/Appointment?_id={id_}", ended)
        case "DELETE":
            return clinic.ask(who, "DELETE", path)
        case _:
            entry = {"resource": ended, "request": {"method": "PUT", "url": path[1:]}}
            bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
            return clinic.ask(who, "POST", "/", bundle)


def test_too_late_to_move(clinic: Clinic) -> None:
    schedule = clinic.schedule()
    first, second = clinic.slot(schedule, days=0.5), clinic.slot(schedule, days=8)
    who = person(clinic.patient())
    visit = booked(clinic, who, first)
    answer = operate(clinic, who, f"/Appointment/{visit['id']}/$reschedule", slot=second)
    assert (answer.status_code, code(answer)) == (422, "reschedule-too-late")
    assert (clinic.status(first), clinic.status(second)) == ("busy", "free")


def test_only_own_bookings_are_cancelled(clinic: Clinic) -> None:
    patient, slot = clinic.patient(), clinic.slot(clinic.schedule())
    made = clinic.ask(ROOT, "POST", "/Appointment", clinic.visit(patient, slot)).json()
    answer = operate(clinic, person(patient), f"/Appointment/{made['id']}/$cancel")
    assert (answer.status_code, code(answer)) == (403, "not-own-booking")


def test_a_patient_is_not_in_two_places(clinic: Clinic) -> None:
    one, other = clinic.slot(clinic.schedule()), clinic.slot(clinic.schedule(), minutes=60)
    who = person(clinic.patient())
    booked(clinic, who, one)
    answer = operate(clinic, who, "/Appointment/$book", slot=other)
    assert (answer.status_code, code(answer)) == (409, "overlap")
    assert clinic.status(other) == "free"


def test_a_visit_takes_no_endless_number_of_places(clinic: Clinic) -> None:
    patient, schedule = clinic.patient(), clinic.schedule()
    visit = clinic.visit(patient, clinic.slot(schedule))
    visit["slot"] += [{"reference": f"Slot/none{n}"} for n in range(50)]
    answer = clinic.ask(person(patient), "POST", "/Appointment", visit)
    assert (answer.status_code, code(answer)) == (422, "slot-required")


def test_past_places_are_not_booked(clinic: Clinic) -> None:
    slot = clinic.slot(clinic.schedule(), days=-1)
    answer = operate(clinic, person(clinic.patient()), "/Appointment/$book", slot=slot)
    assert (answer.status_code, code(answer)) == (422, "slot-past")


def test_a_block_stops_booking_until_it_is_lifted(clinic: Clinic) -> None:
    patient, slot = clinic.patient(), clinic.slot(clinic.schedule())
    flag = {
        "resourceType": "Flag",
        "id": f"block-{patient}",
        "status": "active",
        "code": {"coding": [{"system": FLAGS, "code": BLOCKED}]},
        "subject": {"reference": f"Patient/{patient}"},
        "period": {"end": "2099-01-01"},
    }
    clinic.put(flag)
    answer = operate(clinic, person(patient), "/Appointment/$book", slot=slot)
    assert (answer.status_code, code(answer)) == (403, "booking-blocked")
    clinic.put({**flag, "status": "inactive"})
    assert operate(clinic, person(patient), "/Appointment/$book", slot=slot).is_success


PATCH = {"Content-Type": "application/json-patch+json"}
LIFT = [{"op": "replace", "path": "/status", "value": "inactive"}]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/Flag/{id}", {"status": "inactive"}),
        ("PUT", "/Flag/{id}", {"code": {"text": "nothing"}}),
        ("PUT", "/Flag?_id={id}", {"status": "inactive"}),
        ("PATCH", "/Flag/{id}", LIFT),
        ("PATCH", "/Flag?_id={id}", LIFT),
        ("DELETE", "/Flag/{id}", None),
        ("DELETE", "/Flag?_id={id}", None),
        ("POST", "/Flag", {}),
    ],
)
@pytest.mark.parametrize("scope", ["patient/*.cruds", "user/*.cruds"])
def test_a_block_is_not_a_persons_to_lift(
    clinic: Clinic, method: str, path: str, body: Any, scope: str
) -> None:
    patient = clinic.patient()
    flag = {
        "resourceType": "Flag",
        "id": f"block-{patient}",
        "status": "active",
        "code": {"coding": [{"system": FLAGS, "code": BLOCKED}]},
        "subject": {"reference": f"Patient/{patient}"},
    }
    clinic.put(flag)
    given = {**flag, **body} if isinstance(body, dict) else body
    headers = PATCH if method == "PATCH" else None
    who, path = person(patient, scope), path.format(id=flag["id"])
    answer = clinic.ask(who, method, path, given, headers)
    assert (answer.status_code, code(answer)) == (403, "booking-blocked")
    assert clinic.get(f"/Flag/{flag['id']}")["meta"]["versionId"] == "1"


def test_another_patient_cannot_be_booked_for(clinic: Clinic) -> None:
    other, slot = clinic.patient(), clinic.slot(clinic.schedule())
    visit = clinic.visit(other, slot)
    answer = clinic.ask(person(clinic.patient()), "POST", "/Appointment", visit)
    assert answer.status_code == 403
    assert clinic.status(slot) == "free"


@pytest.mark.parametrize(
    "part", [{"most_ahead": {"valueInteger": -1}}, {"zone": {"valueString": "Europe/Nowhere"}}]
)
def test_rules_that_cannot_be_followed_are_not_stored(
    clinic: Clinic, part: dict[str, JsonObject]
) -> None:
    resource = {
        "resourceType": "Schedule",
        "actor": [{"reference": "Practitioner/dr"}],
        **policy(**part),
    }
    answer = clinic.ask(ROOT, "POST", "/Schedule", resource)
    assert (answer.status_code, code(answer)) == (422, "bad-policy")


def test_the_speciality_of_the_schedule_is_limited_too(clinic: Clinic) -> None:
    speciality = [{"coding": [{"system": "http://test", "code": "limited"}]}]
    rules = policy(most_ahead={"valueInteger": 1})
    schedule = clinic.schedule(**rules, specialty=speciality)
    who = person(clinic.patient())
    assert booked(clinic, who, clinic.slot(schedule))["specialty"] == speciality
    other = clinic.slot(schedule, days=9)
    answer = operate(clinic, who, "/Appointment/$book", slot=other)
    assert (answer.status_code, code(answer)) == (422, "too-many-bookings")
