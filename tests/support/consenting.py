"""Consents, callers and resources in few words, and whether one lets the other flow."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from fhir_server.access.callers import Caller, caller_of
from fhir_server.access.codings import ACT_CODE, ACT_REASON, CONFIDENTIALITY, Coding
from fhir_server.access.consents import Consent, Reading, read_consent
from fhir_server.access.decisions import Permitted, Policy, consent_node
from fhir_server.access.principal import Principal, Purpose
from fhir_server.access.voting import Request
from fhir_server.core.datetimes import parse_interval
from fhir_server.core.types import JsonObject
from fhir_server.search.evaluate import Record, Resources, satisfies
from fhir_server.search.indexing import Indexer
from fhir_server.search.plan import UNRESTRICTED, Node
from fhir_server.search.registry import Registry
from fhir_server.spec.interactions import ScopeLetter

BASE: Final = "https://here.example/fhir"
INDEXER: Final = Indexer(Registry(), BASE, full_text=False)
READING: Final = Reading((BASE,), {"urn:policy:share": "permit", "urn:policy:keep": "deny"})
NOW: Final = "2023-06-01T12:00:00Z"

N: Final = {"system": CONFIDENTIALITY, "code": "N"}
R: Final = {"system": CONFIDENTIALITY, "code": "R"}

AS_USUAL: Final = {
    "coding": [
        {"system": "https://fhir-server.example/CodeSystem/consent-policy", "code": "as-usual"}
    ]
}
"""A `policyRule`: the rules are exceptions to what flows without the Consent."""


def label(code: str) -> JsonObject:
    """A sensitivity label, or with one of the letters of the order a confidentiality."""
    return {"system": CONFIDENTIALITY if len(code) == 1 else ACT_CODE, "code": code}


def purpose(*codes: str) -> list[JsonObject]:
    return [{"system": ACT_REASON, "code": code} for code in codes]


def actor(*references: str, role: str = "IRCP") -> list[JsonObject]:
    system = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
    coded = {"coding": [{"system": system, "code": role}]}
    return [{"role": coded, "reference": {"reference": each}} for each in references]


def action(*codes: str) -> list[JsonObject]:
    system = "http://terminology.hl7.org/CodeSystem/consentaction"
    return [{"coding": [{"system": system, "code": each}]} for each in codes]


def data(meaning: str, *references: str) -> list[JsonObject]:
    return [{"meaning": meaning, "reference": {"reference": each}} for each in references]


def consent(provision: JsonObject | None = None, **elements: Any) -> JsonObject:
    """An active privacy Consent of Patient/p1 from 2022, under one policy."""
    scope = "http://terminology.hl7.org/CodeSystem/consentscope"
    found = {
        "resourceType": "Consent",
        "id": "c1",
        "meta": {"versionId": "1", "lastUpdated": "2022-06-13T00:00:00Z"},
        "status": "active",
        "scope": {"coding": [{"system": scope, "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": "Patient/p1"},
        "dateTime": "2022-06-13",
        "policy": [{"uri": "urn:policy:basic"}],
        **elements,
    }
    return found if provision is None else {**found, "provision": provision}


def read(*consents: JsonObject) -> list[Consent]:
    found = (read_consent(each, READING) for each in consents)
    return [each for each in found if each is not None]


def caller(
    user: str = "Practitioner/dr1",
    *also: str,
    for_: Purpose = "TREAT",
    staff: bool = True,
    client: str = "app",
    patient: str | None = None,
    own_purpose: Coding | None = None,
) -> Caller:
    """A doctor of clinic c1, unless said otherwise."""
    organizations = ("Organization/c1",) if staff else ()
    principal = Principal(
        client, (), patient, user, purpose=for_, organizations=organizations, staff=staff
    )
    return caller_of(principal, memberships=also, purpose=own_purpose)


def observation(id_: str = "o1", *labels: str, **elements: Any) -> JsonObject:
    """An Observation about Patient/p1, from 2022-06-13 unless said otherwise."""
    found = {
        "resourceType": "Observation",
        "id": id_,
        "meta": {"lastUpdated": "2023-01-01T00:00:00Z"},
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2339-0"}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2022-06-13",
        **elements,
    }
    if labels:
        found["meta"] = {**found["meta"], "security": [label(each) for each in labels]}
    return {name: value for name, value in found.items() if value is not None}


def record(resource: JsonObject) -> Record:
    updated = resource.get("meta", {}).get("lastUpdated", NOW)
    at = parse_interval(updated).lo
    values = INDEXER.values(resource)
    return Record(resource["resourceType"], resource["id"], at, values)


def holds(node: Node, resource: JsonObject) -> bool:
    """Whether the index values of the resource satisfy `node`."""
    found = record(resource)
    return satisfies(Resources.of([found], UNRESTRICTED), found, node)


def asking(who: Caller | None = None, letter: ScopeLetter = "r", *, now: str = NOW) -> Request:
    return Request(who or caller(), letter, parse_interval(now).lo)


def permitted(
    consents: Iterable[JsonObject],
    request: Request | None = None,
    policy: Policy | None = None,
    referred: Mapping[str, frozenset[str]] | None = None,
) -> Permitted:
    """What of Patient/p1 flows."""
    return consent_node(
        "p1", read(*consents), request or asking(), policy or Policy(), referred
    )


def flows(
    consents: JsonObject | Iterable[JsonObject],
    resource: JsonObject | None = None,
    request: Request | None = None,
    policy: Policy | None = None,
    referred: Mapping[str, frozenset[str]] | None = None,
) -> bool:
    """Whether the resource may flow, by these Consents of Patient/p1."""
    known = [consents] if isinstance(consents, dict) else consents
    asked = resource or observation()
    node = permitted(known, request, policy, referred)(asked["resourceType"])
    return holds(node, asked)
