"""What a person says in a visit, and what is the clinic's to say, at every door.

https://hl7.org/fhir/R4/appointment-definitions.html
"""

from typing import Any, Final

import httpx
import pytest

from fhir_server.access.principal import Principal
from fhir_server.cabinet.booking.names import CANCELLATIONS, EXHAUSTED, REPLACES
from tests.spec.booking.abreast import Request
from tests.spec.booking.conftest import Clinic, code, person
from tests.spec.booking.doors import TO_MOVE, bundled, made, move
from tests.spec.booking.test_book import booked, operate
from tests.spec.booking.waiting import Line
from tests.support.fhir import JsonObject
from tests.support.worlds import ROOT

SERVICE: Final = {"coding": [{"system": "urn:services", "code": "consultation"}]}
OTHER: Final = {"coding": [{"system": "urn:services", "code": "surgery"}]}
_PATCH: Final = (("Content-Type", "application/json-patch+json"),)
DOORS: Final = ("PUT", "conditional", "PATCH", "conditional patch", "transaction", "batch")

Change = dict[str, Any]
"""Elements with their new values; None: it is taken away."""


def written(who: Principal, door: str, visit: JsonObject, change: Change) -> Request:
    """`visit`, as it is stored, with `change`."""
    path, query = f"/Appointment/{visit['id']}", f"/Appointment?_id={visit['id']}"
    if "patch" in door.lower():
        rows = [_operation(visit, name, value) for name, value in change.items()]
        return Request(who, "PATCH", path if door == "PATCH" else query, rows, _PATCH)
    body = {name: value for name, value in {**visit, **change}.items() if value is not None}
    found = Request(who, "PUT", query if door == "conditional" else path, body)
    return bundled(door, found) if door in {"transaction", "batch"} else found


def _operation(visit: JsonObject, name: str, value: Any) -> JsonObject:
    if value is None:
        return {"op": "remove", "path": f"/{name}"}
    return {"op": "replace" if name in visit else "add", "path": f"/{name}", "value": value}


def sent(clinic: Clinic, request: Request) -> httpx.Response:
    headers = dict(request.headers)
    return clinic.ask(request.who, request.method, request.path, request.body, headers)


def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, code and element of a refusal; of a batch of its entry."""
    body = answer.json()
    status = str(answer.status_code)
    if body["resourceType"] == "Bundle":
        (entry,) = body["entry"]
        status, body = entry["response"]["status"], entry["response"]["outcome"]
    issue = body["issue"][0]
    named = issue["expression"][0].rpartition(".")[2]
    return int(status[:3]), issue["details"]["coding"][0]["code"], named


def visiting(clinic: Clinic) -> tuple[Principal, JsonObject]:
    """A booked visit of which the clinic has said something too."""
    who = person(clinic.patient())
    slot = clinic.slot(clinic.schedule(), serviceType=[SERVICE])
    visit = booked(clinic, who, slot)
    said = {
        "priority": 5,
        "patientInstruction": "Come fasting",
        "identifier": [{"system": "urn:mis", "value": visit["id"]}],
        "supportingInformation": [{"display": "The clinic's paper"}],
        "extension": [*visit["extension"], {"url": "urn:mis", "valueString": "room 4"}],
    }
    answer = clinic.ask(ROOT, "PUT", f"/Appointment/{visit['id']}", {**visit, **said})
    assert answer.is_success, answer.text
    return who, answer.json()


CLINICS: Final[tuple[tuple[str, Any], ...]] = (
    ("priority", 1),
    ("priority", None),
    ("patientInstruction", "Nothing to prepare"),
    ("patientInstruction", None),
    ("serviceType", [OTHER]),
    ("serviceCategory", [OTHER]),
    ("specialty", [OTHER]),
    ("appointmentType", OTHER),
    ("minutesDuration", 240),
    ("created", "2001-01-01"),
    ("identifier", None),
    ("supportingInformation", [{"display": "Mine"}]),
    ("extension", [{"url": "urn:mis", "valueString": "room 1"}]),
)


@pytest.mark.parametrize(("name", "value"), CLINICS)
def test_the_clinics_word_stays(clinic: Clinic, name: str, value: Any) -> None:
    who, visit = visiting(clinic)
    for door in DOORS:
        answer = sent(clinic, written(who, door, visit, {name: value}))
        assert refusal(answer) == (403, "staff-only", name), door
    assert clinic.get(f"/Appointment/{visit['id']}")["meta"] == visit["meta"]


@pytest.mark.parametrize("door", DOORS)
def test_the_persons_word_is_the_persons(clinic: Clinic, door: str) -> None:
    who, visit = visiting(clinic)
    paper = {"display": "My blood pressure of a month"}
    change: Change = {
        "comment": "I may be late",
        "description": "A cough",
        "reasonCode": [{"text": "cough"}],
        "supportingInformation": [*visit["supportingInformation"], paper],
    }
    answer = sent(clinic, written(who, door, visit, change))
    assert answer.is_success, answer.text
    stored = clinic.get(f"/Appointment/{visit['id']}")
    assert {name: stored[name] for name in change} == change
    assert stored["priority"] == 5


@pytest.mark.parametrize("door", ["PUT", "conditional", "transaction"])
def test_a_hold_is_booked_as_it_was_sent(clinic: Clinic, door: str) -> None:
    """Its speciality the server has added, and does so again."""
    slot, who = clinic.slot(clinic.schedule(specialty=[SERVICE])), person(clinic.patient())
    body = clinic.visit(who.patient or "", slot, status="pending")
    held = sent(clinic, made(who, "POST", body)).json()
    assert held["specialty"] == [SERVICE]
    change: Change = {"status": "booked", "specialty": None}
    answer = sent(clinic, written(who, door, held, change))
    assert answer.is_success, answer.text
    stored = clinic.get(f"/Appointment/{held['id']}")
    assert (stored["status"], stored["specialty"]) == ("booked", [SERVICE])


def test_a_doctor_is_not_made_to_decline(clinic: Clinic) -> None:
    who, visit = visiting(clinic)
    mine, doctor = visit["participant"]
    people = [mine, {**doctor, "status": "declined"}]
    for given in (
        people,
        [mine],
        [*visit["participant"], {"actor": {"display": "Dr Who"}, "status": "accepted"}],
    ):
        answer = sent(clinic, written(who, "PUT", visit, {"participant": given}))
        assert answer.status_code in {403, 422}, answer.text
    answer = sent(
        clinic,
        written(who, "PUT", visit, {"participant": [{**mine, "status": "tentative"}, doctor]}),
    )
    assert answer.is_success, answer.text


def test_a_visit_is_not_said_to_replace_another_afterwards(clinic: Clinic) -> None:
    who, visit = visiting(clinic)
    replaces = {"url": REPLACES, "valueReference": {"reference": "Appointment/another"}}
    change = {"extension": [*visit["extension"], replaces]}
    answer = sent(clinic, written(who, "PUT", visit, change))
    assert refusal(answer) == (403, "staff-only", "extension")


def test_why_it_is_cancelled_is_said_with_it_and_not_later(clinic: Clinic) -> None:
    who, visit = visiting(clinic)
    path = f"/Appointment/{visit['id']}/$cancel"
    assert operate(clinic, who, path, reason="pat", comment="I am well").is_success
    ended = clinic.get(f"/Appointment/{visit['id']}")
    answer = sent(clinic, written(who, "PUT", ended, {"cancelationReason": {"text": "prov"}}))
    assert refusal(answer) == (403, "staff-only", "cancelationReason")
    assert sent(clinic, written(who, "PUT", ended, {"comment": "Sorry"})).is_success


def test_the_queues_reason_is_the_servers(clinic: Clinic) -> None:
    who, visit = visiting(clinic)
    reason = {"coding": [{"system": CANCELLATIONS, "code": EXHAUSTED}]}
    change = {"status": "cancelled", "cancelationReason": reason}
    answer = sent(clinic, written(who, "PUT", visit, change))
    assert refusal(answer) == (403, "staff-only", "cancelationReason")


@pytest.mark.parametrize("door", ["POST", "conditional", "transaction", "batch"])
@pytest.mark.parametrize(
    ("name", "value"),
    [("priority", 1), ("patientInstruction", "Bring gold"), ("minutesDuration", 240)],
)
def test_the_clinics_word_is_not_in_what_a_person_makes(
    clinic: Clinic, door: str, name: str, value: Any
) -> None:
    slot, who = clinic.slot(clinic.schedule()), person(clinic.patient())
    visit = clinic.visit(who.patient or "", slot, **{name: value})
    assert refusal(sent(clinic, made(who, door, visit))) == (403, "staff-only", name)
    assert clinic.status(slot) == "free"


def test_what_is_as_long_as_its_places_may_say_so(clinic: Clinic) -> None:
    slot, who = clinic.slot(clinic.schedule(), minutes=20), person(clinic.patient())
    visit = clinic.visit(who.patient or "", slot, minutesDuration=20, serviceType=[OTHER])
    assert sent(clinic, made(who, "POST", visit)).status_code == 201


@pytest.mark.parametrize("door", TO_MOVE)
def test_a_moved_visit_takes_the_clinics_word_along(clinic: Clinic, door: str) -> None:
    who, visit = visiting(clinic)
    slot = clinic.slot(clinic.schedule(), days=9)
    body = clinic.visit(who.patient or "", slot, patientInstruction="Come fasting")
    answer = sent(clinic, move(who, door, visit["id"], body))
    assert answer.is_success, answer.text


def test_a_moved_visit_brings_no_words_of_its_own(clinic: Clinic) -> None:
    who, visit = visiting(clinic)
    slot = clinic.slot(clinic.schedule(), days=9)
    body = clinic.visit(who.patient or "", slot, patientInstruction="Nothing to prepare")
    answer = sent(clinic, move(who, "POST", visit["id"], body))
    assert refusal(answer) == (403, "staff-only", "patientInstruction")


@pytest.mark.parametrize("door", DOORS)
def test_nobody_buys_a_better_place_in_the_queue(clinic: Clinic, door: str) -> None:
    line = Line(clinic)
    who, entry = line.joined()
    answer = sent(clinic, written(who, door, line.at(entry), {"priority": 1}))
    assert refusal(answer) == (403, "staff-only", "priority")
    assert "priority" not in line.at(entry)


@pytest.mark.parametrize("door", ["POST", "conditional", "transaction", "batch"])
def test_nobody_joins_before_others(clinic: Clinic, door: str) -> None:
    line, who = Line(clinic), person(clinic.patient())
    entry = line.entry(who.patient or "", priority=1)
    assert refusal(sent(clinic, made(who, door, entry))) == (403, "staff-only", "priority")


def test_who_is_urgent_for_staff_stays_so_and_can_comment(clinic: Clinic) -> None:
    line = Line(clinic)
    who, entry = line.joined()
    urgent = {**line.at(entry), "priority": 2}
    assert clinic.ask(ROOT, "PUT", f"/Appointment/{entry}", urgent).is_success
    answer = sent(clinic, written(who, "PATCH", line.at(entry), {"comment": "Any time"}))
    assert answer.is_success, answer.text
    assert (line.at(entry)["priority"], line.at(entry)["comment"]) == (2, "Any time")


@pytest.mark.parametrize("status", ["accepted", "declined", "tentative"])
def test_one_answers_for_own_visits_alone(clinic: Clinic, status: str) -> None:
    _, visit = visiting(clinic)
    who = person(clinic.patient())
    for id_ in (visit["id"], "none"):
        answer = clinic.ask(
            who,
            "POST",
            "/AppointmentResponse",
            {
                "resourceType": "AppointmentResponse",
                "appointment": {"reference": f"Appointment/{id_}"},
                "actor": {"reference": f"Patient/{who.patient}"},
                "participantStatus": status,
            },
        )
        assert (answer.status_code, code(answer)) == (422, "unknown-visit")
