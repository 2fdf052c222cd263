"""$hold and $book as three specifications say them: their own examples, one row each.

https://profiles.ihe.net/ITI/Scheduling/ITI-117.html
https://fhir.org/guides/argonaut/scheduling/patient-scheduling.html
https://simplifier.net/guide/isik-terminplanung-v4
"""

from datetime import datetime, timedelta
from typing import Any, Final

import httpx
import pytest

from fhir_server.access.principal import Principal
from fhir_server.cabinet.booking.names import REPLACES
from tests.spec.booking.conftest import Clinic, code, person
from tests.spec.booking.test_book import booked, operate, parameters, values
from tests.support.fhir import JsonObject
from tests.support.worlds import ROOT

ISIK_SPECIALTY: Final = [{"coding": [{"code": "010", "system": "urn:oid:1.2.276.0.76.5.114"}]}]


def post(
    clinic: Clinic, who: Principal, body: JsonObject, name: str = "$book"
) -> httpx.Response:
    return clinic.ask(who, "POST", f"/Appointment/{name}", body)


def only(answer: httpx.Response, status: int = 200) -> JsonObject:
    """The one Appointment of a Bundle."""
    assert answer.status_code == status, answer.text
    bundle = answer.json()
    assert (bundle["resourceType"], bundle["type"], bundle["total"]) == (
        "Bundle",
        "searchset",
        1,
    )
    found: JsonObject = bundle["entry"][0]["resource"]
    return found


class Wish:
    """A patient, a free place, and the Appointment that is meant."""

    def __init__(self, clinic: Clinic) -> None:
        self.patient = clinic.patient()
        self.who = person(self.patient)
        self.schedule = clinic.schedule()
        self.slot = clinic.slot(self.schedule)
        self.resource = clinic.visit(self.patient, self.slot, status="pending")


@pytest.fixture
def wish(clinic: Clinic) -> Wish:
    return Wish(clinic)


def test_ihe_books_a_pending_resource(clinic: Clinic, wish: Wish) -> None:
    answer = operate(clinic, wish.who, "/Appointment/$book", appointment_resource=wish.resource)
    assert only(answer, 201)["status"] == "booked"


def test_ihe_cancels_by_the_resource(clinic: Clinic, wish: Wish) -> None:
    visit = booked(clinic, wish.who, wish.slot)
    reason = {"coding": [{"code": "pat"}]}
    ended = {**visit, "status": "cancelled", "cancelationReason": reason}
    found = only(operate(clinic, wish.who, "/Appointment/$book", appointment_resource=ended))
    assert (found["status"], found["cancelationReason"]) == ("cancelled", reason)
    assert clinic.status(wish.slot) == "free"


def test_ihe_modifies_what_may_be_modified(clinic: Clinic, wish: Wish) -> None:
    visit = booked(clinic, wish.who, wish.slot)
    path, changed = "/Appointment/$book", {**visit, "description": "a cough"}
    found = only(operate(clinic, wish.who, path, appointment_resource=changed))
    assert (found["id"], found["description"]) == (visit["id"], "a cough")
    elsewhere = {**changed, "slot": [{"reference": "Slot/other"}]}
    refused = operate(clinic, wish.who, path, appointment_resource=elsewhere)
    assert (refused.status_code, code(refused)) == (422, "use-reschedule")


def test_a_hold_of_what_is_gone_is_fatal_and_not_found(clinic: Clinic, wish: Wish) -> None:
    booked(clinic, wish.who, wish.slot)
    other = person(clinic.patient())
    answer = operate(clinic, other, "/Appointment/$hold", slot=wish.slot)
    issue = answer.json()["issue"][0]
    assert (answer.status_code, issue["severity"], issue["code"]) == (409, "fatal", "not-found")
    assert code(answer) == "slot-taken"


def test_argonaut_books_by_id_for_a_patient_with_a_comment(clinic: Clinic, wish: Wish) -> None:
    rows = [
        {"name": "appt-id", "valueUrl": f"Appointment/slot.{wish.slot}"},
        {"name": "patient-id", "valueUrl": f"Patient/{wish.patient}"},
        {"name": "comment", "valueString": "this is an appointment comment"},
    ]
    found = only(post(clinic, wish.who, {"resourceType": "Parameters", "parameter": rows}))
    assert (found["status"], found["comment"]) == ("booked", "this is an appointment comment")


@pytest.mark.parametrize("is_bare", [False, True])
def test_argonaut_books_a_pending_resource(
    clinic: Clinic, wish: Wish, *, is_bare: bool
) -> None:
    resource = {**wish.resource, "id": "proposed-appt2"}
    body = resource if is_bare else parameters(appt_resource=resource)
    found = only(post(clinic, wish.who, body))
    assert found["status"] == "booked"
    assert found["id"] != "proposed-appt2"


def test_argonaut_books_what_it_held(clinic: Clinic, wish: Wish) -> None:
    resource = parameters(appt_resource=wish.resource)
    held = only(post(clinic, wish.who, resource, "$hold"))
    assert held["status"] == "pending"
    found = only(post(clinic, wish.who, parameters(appt_id=held["id"], comment="yes")))
    assert (found["status"], found["id"], found["comment"]) == ("booked", held["id"], "yes")


def test_argonaut_cancels_by_the_id_alone(clinic: Clinic, wish: Wish) -> None:
    visit = booked(clinic, wish.who, wish.slot)
    found = only(post(clinic, wish.who, parameters(cancelled_appt_id=visit["id"])))
    assert (found["id"], found["status"]) == (visit["id"], "cancelled")
    again = post(clinic, wish.who, parameters(cancelled_appt_id="none"))
    assert (again.status_code, code(again)) == (422, "unknown-visit")


@pytest.mark.parametrize("status", ["pending", "proposed"])
def test_a_visit_is_moved_with_the_id_of_the_old_one(
    clinic: Clinic, wish: Wish, status: str
) -> None:
    """Argonaut says `pending`, ISiK `proposed`, and an absolute URL."""
    visit = booked(clinic, wish.who, wish.slot)
    other = clinic.slot(wish.schedule, days=9)
    url = f"http://test/fhir/Appointment/{visit['id']}"
    fresh = clinic.visit(wish.patient, other, status=status)
    body = parameters(appt_resource=fresh, cancelled_appt_id=url)
    answer = post(clinic, wish.who, body)
    found = only(answer) if status == "pending" else answer.json()
    assert found["status"] == "booked"
    assert values(found)[REPLACES] == {"reference": f"Appointment/{visit['id']}"}
    assert clinic.get(f"/Appointment/{visit['id']}")["status"] == "cancelled"


def _isik(wish: Wish, **more: Any) -> JsonObject:
    return {**wish.resource, "status": "proposed", "specialty": ISIK_SPECIALTY, **more}


@pytest.mark.parametrize("is_bare", [False, True])
def test_isik_answers_with_the_appointment(
    clinic: Clinic, wish: Wish, *, is_bare: bool
) -> None:
    body = _isik(wish) if is_bare else parameters(appt_resource=_isik(wish))
    answer = post(clinic, wish.who, body)
    assert answer.status_code == 201, answer.text
    found = answer.json()
    assert (found["resourceType"], found["status"]) == ("Appointment", "booked")
    assert found["specialty"] == ISIK_SPECIALTY
    assert found["slot"] == [{"reference": f"Slot/{wish.slot}"}]


def test_isik_finds_the_slots_of_a_schedule(clinic: Clinic, wish: Wish) -> None:
    first = clinic.get(f"/Slot/{wish.slot}")
    end = (datetime.fromisoformat(first["end"]) + timedelta(minutes=15)).isoformat()
    clinic.put({**first, "id": f"{wish.slot}-b", "start": first["end"], "end": end})
    wanted = {k: v for k, v in _isik(wish).items() if k != "slot"}
    body = parameters(
        appt_resource={**wanted, "end": end},
        schedule={"reference": f"Schedule/{wish.schedule}"},
    )
    answer = post(clinic, wish.who, body)
    assert answer.status_code == 201, answer.text
    taken = [each["reference"] for each in answer.json()["slot"]]
    assert taken == [f"Slot/{wish.slot}", f"Slot/{wish.slot}-b"]
    gone = post(clinic, person(clinic.patient()), body)
    assert gone.status_code in (403, 409)


def test_isik_does_not_patch_times_and_places(clinic: Clinic, wish: Wish) -> None:
    visit = booked(clinic, wish.who, wish.slot)
    patch = [{"op": "replace", "path": "/start", "value": "2030-01-01T00:00:00Z"}]
    kind = {"Content-Type": "application/json-patch+json"}
    answer = clinic.ask(wish.who, "PATCH", f"/Appointment/{visit['id']}", patch, kind)
    assert answer.status_code in (400, 422), answer.text
    assert (
        clinic.ask(ROOT, "GET", f"/Appointment/{visit['id']}").json()["start"] == visit["start"]
    )


def test_a_visit_is_named_once(clinic: Clinic, wish: Wish) -> None:
    twice = parameters(slot=wish.slot, appt_id="x")
    assert post(clinic, wish.who, twice).status_code == 400
    assert post(clinic, wish.who, parameters()).status_code == 400
