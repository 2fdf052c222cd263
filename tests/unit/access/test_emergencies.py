"""What a declared emergency adds to the predicate, and that it adds nothing else.

https://profiles.ihe.net/ITI/PCF/volume-1.html
"""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from fhir_server.access.consents import Consent
from fhir_server.access.decisions import Implicit, Policy, consent_nodes
from fhir_server.access.emergencies import is_staff, reaches
from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.access.voting import Urgent
from fhir_server.core.messages import Language
from fhir_server.core.types import JsonObject
from fhir_server.interactions.notices import language_of, words
from fhir_server.search.plan import Node
from tests.support.consenting import (
    AS_USUAL,
    asking,
    caller,
    consent,
    holds,
    label,
    observation,
    purpose,
    read,
)

BTG: JsonObject = {"type": "permit", "purpose": purpose("BTG")}
BTG_DENIED: JsonObject = {"type": "deny", "purpose": purpose("BTG")}
TREAT_DENIED: JsonObject = {"type": "deny", "purpose": purpose("TREAT")}
NARROW: JsonObject = {**BTG, "class": [
    {"system": "http://hl7.org/fhir/resource-types", "code": "Condition"}]}  # fmt: skip


HIDDEN: JsonObject = {"provision": [{"type": "deny"}]}
HIDDEN_BUT: JsonObject = {"provision": [{"type": "deny", "provision": [BTG]}]}


def of(patient: str, provision: JsonObject, **more: Any) -> list[Consent]:
    about = {"id": patient, "patient": {"reference": f"Patient/{patient}"}}
    return read(consent(provision, **about, **more))


CONSENTS: dict[str, list[Consent]] = {
    "btg": of("btg", BTG),
    "denied": of("denied", BTG_DENIED),
    "treat-denied": of("treat-denied", TREAT_DENIED),
    "narrow": of("narrow", NARROW),
    "hidden": of("hidden", HIDDEN, policyRule=AS_USUAL),
    "hidden-but": of("hidden-but", HIDDEN_BUT, policyRule=AS_USUAL),
}
PATIENTS = (*CONSENTS, "silent", "other", "other-btg")
KNOWN = {**CONSENTS, "other-btg": of("other-btg", BTG)}
EVERYTHING = Policy("basic-normal", urgent="everything")


def predicate(kind: str, policy: Policy, *declared: str, closed: str = "") -> Node:
    urgent = Urgent(caller(for_="BTG"), frozenset(declared), frozenset((closed,)))
    request = replace(asking(), urgent=urgent if declared else None)
    return consent_nodes(KNOWN, request, policy)(kind)


def about(patient: str, level: str) -> list[JsonObject]:
    subject = {"reference": f"Patient/{patient}"}
    meta = {"security": [label(level)]}
    return [
        observation(patient, level, subject=subject),
        {"resourceType": "Patient", "id": patient, "meta": meta},
        {"resourceType": "Task", "id": patient, "meta": meta, "for": subject},
        {"resourceType": "Communication", "id": patient, "meta": meta, "subject": subject},
        {"resourceType": "Binary", "id": patient, "meta": meta, "securityContext": subject},
    ]


@pytest.mark.parametrize(
    ("patient", "policy", "expected"),
    [
        ("btg", Policy("basic-normal"), True),
        ("btg", Policy("deny"), True),
        ("denied", Policy("basic-normal"), False),
        ("denied", EVERYTHING, False),
        ("treat-denied", EVERYTHING, False),
        ("narrow", Policy("basic-normal"), False),
        ("hidden", EVERYTHING, False),
        ("hidden-but", EVERYTHING, True),
        ("hidden-but", Policy("break-glass-only"), True),
        ("hidden-but", Policy("basic-normal"), False),  # as if nothing were hidden
        ("silent", Policy("basic-normal"), False),
        ("silent", Policy("deny"), False),
        ("silent", EVERYTHING, True),
        ("silent", Policy("deny", urgent="everything"), True),
        ("silent", Policy("break-glass-only"), True),
    ],
)
def test_what_is_restricted_flows_as_consent_or_house_permit(
    patient: str, policy: Policy, expected: bool
) -> None:
    for resource in about(patient, "R"):
        node = predicate(resource["resourceType"], policy, patient)
        assert holds(node, resource) is expected, resource["resourceType"]


@pytest.mark.parametrize("implicit", ["deny", "basic-normal", "all-normal", "break-glass-only"])
@pytest.mark.parametrize("urgent", ["consented", "everything"])
@pytest.mark.parametrize("level", ["N", "R"])
def test_it_adds_to_the_declared_and_changes_nothing_of_others(
    implicit: Implicit, urgent: Any, level: str
) -> None:
    policy = Policy(implicit, urgent=urgent)
    for declared, patient in product(PATIENTS, PATIENTS):
        for resource in about(patient, level):
            kind = resource["resourceType"]
            before = holds(predicate(kind, policy), resource)
            now = holds(predicate(kind, policy, declared), resource)
            same = now == before
            assert now >= before if patient == declared else same, (declared, patient, kind)


def several(kind: str, *patients: str) -> JsonObject:
    """About all of them, and restricted."""
    references = [{"reference": f"Patient/{each}"} for each in patients]
    resource: JsonObject = {
        "resourceType": kind,
        "id": "x",
        "meta": {"security": [label("R")]},
        "status": "proposed",
    }
    match kind:
        case "Appointment":
            actors = [{"actor": each, "status": "accepted"} for each in references]
            return {**resource, "participant": actors}
        case "Account":
            return {**resource, "subject": references}
        case "Group":
            return {**resource, "member": [{"entity": each} for each in references]}
        case _:
            return {**resource, "recipient": references}


@pytest.mark.parametrize("kind", ["Appointment", "Account", "Group", "Communication"])
def test_what_is_about_several_stays_as_it_was(kind: str) -> None:
    for patients in (("btg", "silent"), ("silent", "btg"), ("silent", "other"), ("btg",)):
        resource = several(kind, *patients)
        before = holds(predicate(kind, EVERYTHING), resource)
        assert holds(predicate(kind, EVERYTHING, "btg", "silent"), resource) is before


def test_a_closed_type_stays_as_it_was() -> None:
    resource = observation("o", "R", subject={"reference": "Patient/btg"})
    assert holds(predicate("Observation", EVERYTHING, "btg"), resource)
    node = predicate("Observation", EVERYTHING, "btg", closed="Observation")
    assert not holds(node, resource)


DOCTOR = Principal(
    "app", parse_scopes("user/*.rs"), user="Practitioner/d", account="d", staff=True,
    purpose="TREAT",
)  # fmt: skip


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (DOCTOR, True),
        (None, False),
        (replace(DOCTOR, staff=False), False),
        (replace(DOCTOR, account=None), False),
        (replace(DOCTOR, user=None), False),
        (replace(DOCTOR, user="Patient/d"), False),
        (replace(DOCTOR, purpose="HOPERAT"), False),
    ],
)
def test_staff_for_treatment_declare(who: Principal | None, expected: bool) -> None:
    assert is_staff(who) is expected


@pytest.mark.parametrize(
    ("scopes", "patient", "expected"),
    [
        ("user/Observation.rs", None, True),
        ("patient/*.rs", "p", True),
        ("patient/*.rs", "q", False),
        ("patient/*.rs", None, False),
        ("system/*.rs", "p", False),
        ("", "p", False),
    ],
)
def test_scopes_have_to_be_about_the_patient(
    scopes: str, patient: str | None, expected: bool
) -> None:
    who = replace(DOCTOR, scopes=parse_scopes(scopes), patient=patient)
    assert reaches(who, "p") is expected


def spoken(code: str, **more: object) -> JsonObject:
    return {"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": code}]}, **more}


@pytest.mark.parametrize(
    ("patient", "expected"),
    [
        ({}, "en"),
        ({"language": "ru-RU"}, "ru"),
        ({"language": "uk", "communication": [spoken("ru")]}, "ru"),
        ({"communication": [spoken("de"), spoken("uk")]}, "uk"),
        ({"communication": [spoken("en"), spoken("uk", preferred=True)]}, "uk"),
        ({"communication": [{"language": {"text": "ru"}}], "language": "uk"}, "uk"),
        ({"language": "fr"}, "en"),
    ],
)
def test_a_notice_is_in_a_language_the_patient_knows(
    patient: JsonObject, expected: Language
) -> None:
    assert language_of(patient) == expected


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ({"text": "a", "coding": [{"code": "b"}]}, "a"),
        ({"coding": [{"code": "b"}, {"display": "C", "code": "c"}]}, "b, C"),
    ],
)
def test_a_reason_has_words(reason: JsonObject, expected: str) -> None:
    assert words(reason) == expected
