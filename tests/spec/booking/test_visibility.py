"""What people see of visits by the way they were booked and how they signed in (S3-18…20).

https://hl7.org/fhir/R4/appointment.html
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import pytest

from fhir_server.access.decisions import Policy
from fhir_server.access.policy import AccessPolicy
from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.access.visibility import VisitRules
from fhir_server.assembly.consents import access_policy
from fhir_server.settings import Settings
from tests.spec.booking.conftest import Clinic, person, serving
from tests.spec.booking.test_book import booked, operate
from tests.support.fhir import JsonObject
from tests.support.relations import relation

DESK: Final = Principal(
    "desk", parse_scopes("user/*.cruds"), user="Practitioner/desk", staff=True, purpose="TREAT"
)
EMAIL, STRONG = 1, 3
PATCH: Final = {"Content-Type": "application/json-patch+json"}
CANCELLED: Final = [{"op": "replace", "path": "/status", "value": "cancelled"}]


@pytest.fixture(scope="module")
def ruled(mongodb_uri: str) -> Iterator[Clinic]:
    policy = AccessPolicy(Policy("all-normal"), visits=VisitRules(by_channel=True))
    with serving(mongodb_uri, policy) as found:
        yield found


def mail(patient: str, **more: Any) -> Principal:
    return person(patient, **{"level": EMAIL, **more})


def at_the_desk(clinic: Clinic, patient: str, *slots: str) -> JsonObject:
    answer = clinic.ask(DESK, "POST", "/Appointment", clinic.visit(patient, *slots))
    assert answer.status_code == 201, answer.text
    found: JsonObject = answer.json()
    return found


def ids(clinic: Clinic, who: Principal, path: str = "/Appointment?_total=accurate") -> set[str]:
    page = clinic.ask(who, "GET", path).json()
    found = {each["resource"]["id"] for each in page.get("entry", ())}
    assert page.get("total", len(found)) == len(found)
    return found


def test_e_mail_sees_what_the_portal_booked_and_a_strong_sign_in_all(ruled: Clinic) -> None:
    patient, schedule = ruled.patient(), ruled.schedule()
    own = booked(ruled, mail(patient), ruled.slot(schedule))["id"]
    desk = at_the_desk(ruled, patient, ruled.slot(schedule, days=8))["id"]
    assert ids(ruled, mail(patient)) == {own}
    assert ids(ruled, mail(patient, level=STRONG)) == {own, desk}
    assert ids(ruled, DESK, f"/Appointment?patient={patient}") == {own, desk}


def test_what_one_cannot_see_one_cannot_change(ruled: Clinic) -> None:
    patient, schedule = ruled.patient(), ruled.schedule()
    slot, other = ruled.slot(schedule), ruled.slot(schedule, days=8)
    visit = at_the_desk(ruled, patient, slot)
    who, path = mail(patient), f"/Appointment/{visit['id']}"
    absent = "/Appointment/absent"
    for method, body, headers in (
        ("GET", None, None),
        ("PUT", visit, None),
        ("PATCH", CANCELLED, PATCH),
        ("DELETE", None, None),
    ):
        sent = {**body, "id": "absent"} if isinstance(body, dict) else body
        hidden = ruled.ask(who, method, path, body, headers)
        nothing = ruled.ask(who, method, absent, sent, headers)
        assert hidden.status_code == nothing.status_code in {403, 404}, hidden.text
        assert hidden.text.replace(visit["id"], "absent") == nothing.text
    for name, values in (("$cancel", {}), ("$confirm", {}), ("$reschedule", {"slot": other})):
        assert not operate(ruled, who, f"{path}/{name}", **values).is_success
    assert ruled.get(path) == visit
    assert ruled.status(slot) == "busy"


@pytest.mark.parametrize("kind", ["AuditEvent", "Provenance"])
def test_nothing_is_told_of_what_is_hidden(ruled: Clinic, kind: str) -> None:
    patient = ruled.patient()
    visit = at_the_desk(ruled, patient, ruled.slot(ruled.schedule()))
    told = {}
    for level in (EMAIL, STRONG):
        found = ruled.ask(mail(patient, level=level), "GET", f"/{kind}?patient={patient}")
        told[level] = f"Appointment/{visit['id']}" in found.text
    assert told == {EMAIL: False, STRONG: True}


def test_a_place_is_taken_by_whomever_it_is(ruled: Clinic) -> None:
    """A Slot names nobody: its status is the same for all."""
    patient, slot = ruled.patient(), ruled.slot(ruled.schedule())
    at_the_desk(ruled, patient, slot)
    assert ruled.ask(mail(patient), "GET", f"/Slot/{slot}").json()["status"] == "busy"


def test_a_visit_does_not_take_the_place_of_one_that_is_hidden(ruled: Clinic) -> None:
    patient, schedule = ruled.patient(), ruled.schedule()
    visit = at_the_desk(ruled, patient, ruled.slot(schedule))
    new = ruled.visit(patient, ruled.slot(schedule, days=8))
    url = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.replaces"
    answers = []
    for named in (visit["id"], "absent"):
        value = {"reference": f"Appointment/{named}"}
        body = {**new, "extension": [{"url": url, "valueReference": value}]}
        answers.append(ruled.ask(mail(patient), "POST", "/Appointment", body))
    assert answers[0].status_code == answers[1].status_code
    assert answers[0].text == answers[1].text
    assert ruled.get(f"/Appointment/{visit['id']}")["status"] == "booked"


def test_of_a_child_one_sees_what_one_has_booked(ruled: Clinic) -> None:
    child, mother, schedule = ruled.patient(), ruled.patient(), ruled.schedule()
    born = {"resourceType": "Patient", "id": child, "birthDate": "2020-01-01"}
    for each in (born, *relation(child, mother)):
        ruled.put(each)
    own = mail(mother, scope="user/*.cruds", level=STRONG)
    who = replace(own, patient=child, represented=(mother, child))
    hers = booked(ruled, who, ruled.slot(schedule))["id"]
    booked(ruled, mail(child), ruled.slot(schedule, days=8))
    at_the_desk(ruled, child, ruled.slot(schedule, days=9))
    assert ids(ruled, who) == {hers}
    assert operate(ruled, who, f"/Appointment/{hers}/$cancel").is_success


def test_an_own_booking_is_seen_and_moved_as_ever(ruled: Clinic) -> None:
    who, schedule = mail(ruled.patient()), ruled.schedule()
    first, second = ruled.slot(schedule), ruled.slot(schedule, days=8)
    visit = booked(ruled, who, first)
    moved = operate(ruled, who, f"/Appointment/{visit['id']}/$reschedule", slot=second)
    assert moved.status_code == 201, moved.text
    assert len(ids(ruled, who)) == 2
    assert (ruled.status(first), ruled.status(second)) == ("free", "busy")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, VisitRules()),
        ({"booking_visibility": "by-channel"}, VisitRules(by_channel=True)),
        (
            {"booking_visibility": "by-channel", "booking_visibility_level": 2},
            VisitRules(by_channel=True, level=2),
        ),
    ],
)
def test_the_operator_says_so(given: dict[str, Any], expected: VisitRules) -> None:
    assert access_policy(Settings(**given)).visits == expected
