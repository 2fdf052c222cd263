"""Which visits a person sees, by channel, account and sign-in (S3-18, S3-19, S3-20).

https://hl7.org/fhir/R4/appointment.html
"""

from typing import Final

import pytest

from fhir_server.access.principal import Principal
from fhir_server.access.visibility import VisitRules, seen
from fhir_server.search.evaluate import Record, Resources, satisfies
from fhir_server.search.index.bookings import BOOKED_BY, CHANNEL
from fhir_server.search.indexing import Indexer
from fhir_server.search.plan import UNRESTRICTED, Nothing
from fhir_server.search.registry import Registry
from fhir_server.search.values import IndexValues
from tests.support.fhir import JsonObject

INDEXER: Final = Indexer(Registry(), "http://test/fhir")
RULES: Final = VisitRules(by_channel=True)
CHANNELS: Final = ("e-queue", "doctor", "registry", "infomat", "mobile", "call-centre", "mis")
EMAIL, STRONG = 1, 3


def visit(channel: str | None, booked_by: str | None, *patients: str) -> JsonObject:
    said: list[JsonObject] = []
    if channel is not None:
        said.append({"url": CHANNEL, "valueCode": channel})
    if booked_by is not None:
        said.append({"url": BOOKED_BY, "valueReference": {"reference": booked_by}})
    people = [{"actor": {"reference": f"Patient/{each}"}} for each in patients]
    resource = {"resourceType": "Appointment", "id": "v", "participant": people}
    return {**resource, "extension": said} if said else resource


def principal(level: int, user: str | None = "Patient/me") -> Principal:
    return Principal("app", (), patient="me", user=user, represented=("me",), level=level)


def is_seen(resource: JsonObject, who: Principal, rules: VisitRules = RULES) -> bool:
    kind, id_ = resource["resourceType"], resource["id"]
    record = Record(kind, id_, 0, INDEXER.values(resource))
    by = seen(rules, who, frozenset({"me"}))
    found = {
        letter: satisfies(Resources({}, UNRESTRICTED), record, of(kind))
        for letter, of in by.items()
    }
    assert set(found) == set("ruds")
    assert len(set(found.values())) == 1  # what one cannot see one cannot change
    return found["r"]


@pytest.mark.parametrize(
    ("channel", "booked_by", "patients", "by_email", "strongly"),
    [
        ("portal", "Patient/me", ["me"], True, True),
        ("portal", "Patient/other", ["me"], True, True),
        ("portal", None, ["me"], True, True),
        *((each, None, ["me"], False, True) for each in CHANNELS),
        ("registry", "Patient/me", ["me"], False, True),
        (None, "Patient/me", ["me"], False, True),
        (None, None, ["me"], False, True),
        ("Portal", None, ["me"], False, True),
        ("portal", "Patient/me", ["child"], True, True),
        ("portal", "http://test/fhir/Patient/me", ["child"], True, True),
        ("portal", "http://evil/fhir/Patient/me", ["child"], False, False),
        ("portal", "Patient/me2", ["child"], False, False),
        ("portal", "Patient/child", ["child"], False, False),
        ("portal", None, ["child"], False, False),
        *((each, "Patient/me", ["child"], False, False) for each in CHANNELS),
        (None, "Patient/me", ["child"], False, False),
        # Who takes part sees the visit as an own one.
        ("registry", None, ["child", "me"], False, True),
        ("portal", "Patient/child", ["child", "me"], True, True),
    ],
)
def test_a_visit_is_seen(
    channel: str | None,
    booked_by: str | None,
    patients: list[str],
    *,
    by_email: bool,
    strongly: bool,
) -> None:
    resource = visit(channel, booked_by, *patients)
    assert is_seen(resource, principal(EMAIL)) is by_email
    assert is_seen(resource, principal(STRONG)) is strongly


@pytest.mark.parametrize(
    ("level", "least", "expected"), [(1, 2, False), (2, 2, True), (3, 2, True)]
)
def test_the_level_is_the_operators(level: int, least: int, *, expected: bool) -> None:
    rules = VisitRules(by_channel=True, level=least)
    assert is_seen(visit("doctor", None, "me"), principal(level), rules) is expected


def test_nothing_is_limited_by_default() -> None:
    assert seen(VisitRules(), principal(EMAIL), frozenset({"me"})) == {}


def test_a_new_visit_is_not_judged() -> None:
    """The server writes its channel."""
    assert "c" not in seen(RULES, principal(EMAIL), frozenset({"me"}))


def test_who_is_nobody_sees_no_visit() -> None:
    assert seen(RULES, principal(STRONG, None), frozenset())["r"]("Appointment") == Nothing()


def test_a_version_that_was_indexed_before_is_hidden() -> None:
    values = INDEXER.values(visit("portal", "Patient/me", "me"))
    old = IndexValues(references=values.references, compartments=values.compartments)
    node = seen(RULES, principal(EMAIL), frozenset({"me"}))["r"]("Appointment")
    assert not satisfies(Resources({}, UNRESTRICTED), Record("Appointment", "v", 0, old), node)


def test_what_a_contained_visit_says_is_not_the_visits() -> None:
    inner = {**visit("portal", "Patient/me", "me"), "id": "c"}
    outer = {**visit("registry", None, "me"), "contained": [inner]}
    assert not is_seen(outer, principal(EMAIL))


def event(kind: str, target: str, patient: str) -> JsonObject:
    if kind == "AuditEvent":
        named = (f"Patient/{patient}", target)
        entities = [{"what": {"reference": each}} for each in named]
        return {"resourceType": kind, "id": "e", "entity": entities}
    url = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Provenance.patient"
    whose = {"url": url, "valueReference": {"reference": f"Patient/{patient}"}}
    target_ = [{"reference": target}]
    return {"resourceType": kind, "id": "e", "target": target_, "extension": [whose]}


@pytest.mark.parametrize("kind", ["AuditEvent", "Provenance"])
@pytest.mark.parametrize(
    ("target", "patient", "by_email", "strongly"),
    [
        ("Appointment/v", "me", False, True),
        ("Appointment/v/_history/2", "me", False, True),
        ("Appointment/v", "child", False, False),
        ("Observation/o", "me", True, True),
        ("Observation/o", "child", True, True),
    ],
)
def test_what_is_told_of_a_visit(
    kind: str, target: str, patient: str, *, by_email: bool, strongly: bool
) -> None:
    resource = event(kind, target, patient)
    assert is_seen(resource, principal(EMAIL)) is by_email
    assert is_seen(resource, principal(STRONG)) is strongly


def communication(category: str, patient: str) -> JsonObject:
    system = "https://fhir-server.example/CodeSystem/notice"
    return {
        "resourceType": "Communication",
        "id": "c",
        "status": "completed",
        "category": [{"coding": [{"system": system, "code": category}]}],
        "subject": {"reference": f"Patient/{patient}"},
    }


@pytest.mark.parametrize("level", [EMAIL, STRONG])
@pytest.mark.parametrize(
    ("category", "patient", "expected"),
    [
        ("visit", "me", True),
        ("visit", "child", False),
        ("break-glass", "child", True),
    ],
)
def test_what_is_told_of_visits_is_for_the_patient(
    category: str, patient: str, level: int, *, expected: bool
) -> None:
    assert is_seen(communication(category, patient), principal(level)) is expected
