"""Callers who may see many patients: one query, in which each patient's Consents hold.

The answer for a resource is what the patient's own predicate gives, whoever else is asked
about in the same query.
"""

from collections.abc import Sequence
from itertools import product
from typing import Final

import pytest

from fhir_server.access import decisions
from fhir_server.access.belonging import is_about_one, of_patients
from fhir_server.access.callers import caller_of
from fhir_server.access.codings import OWN
from fhir_server.access.confidentiality import Level
from fhir_server.access.consents import Consent, read_proxy
from fhir_server.access.decisions import (
    MOST_FORMS,
    MOST_HIDDEN,
    Implicit,
    Policy,
    consent_node,
    consent_nodes,
)
from fhir_server.access.principal import Principal, Purpose
from fhir_server.access.rights import UNLIMITED, RightsTable, narrowed
from fhir_server.access.scopes import parse_scopes
from fhir_server.core.errors import TooCostly
from fhir_server.core.types import JsonObject
from fhir_server.search.plan import And, Everything, Node, Not, Nothing
from fhir_server.spec.structures import RESOURCE_TYPES
from fhir_server.store.mongo.translate import to_filter
from tests.support.consenting import (
    AS_USUAL,
    READING,
    actor,
    asking,
    caller,
    consent,
    data,
    holds,
    label,
    observation,
    purpose,
    read,
)

PERMIT: JsonObject = {"type": "permit"}
DENY: JsonObject = {"type": "deny"}
NORMAL: JsonObject = {**PERMIT, "securityLabel": [label("N")]}
RESEARCH: JsonObject = {**PERMIT, "purpose": purpose("HRESCH")}


def of(patient: str, provision: JsonObject) -> list[Consent]:
    return read(consent(provision, id=patient, patient={"reference": f"Patient/{patient}"}))


CONSENTS: dict[str, Sequence[Consent]] = {
    "p1": of("p1", PERMIT),
    "p2": of("p2", DENY),
    "p3": of("p3", NORMAL),
    "p4": of("p4", DENY),
    "p5": of("p5", RESEARCH),  # about another purpose
}


def beside(patient: str, *exceptions: JsonObject) -> Sequence[Consent]:
    about = {"patient": {"reference": f"Patient/{patient}"}}
    rules = {"provision": list(exceptions)}
    return read(consent(rules, id=patient, policyRule=AS_USUAL, policy=[], **about))


DENIES_HIV: JsonObject = {**DENY, "securityLabel": [label("HIV")]}
SHARES: JsonObject = {**PERMIT, "actor": actor("Practitioner/dr1")}
TYPES = "http://hl7.org/fhir/resource-types"
BESIDE: dict[str, Sequence[Consent]] = {
    "p1": beside("p1", DENIES_HIV),
    "p2": beside("p2", SHARES),
    "p3": beside("p3", {**DENY, "class": [{"system": TYPES, "code": "Observation"}]}),
    "p4": beside("p4", SHARES, DENIES_HIV),
    "p5": [*of("p5", PERMIT), *beside("p5", DENIES_HIV)],
}
PATIENTS = ["p1", "p2", "p3", "p4", "p5", "p6"]


def appointment(*patients: str) -> JsonObject:
    actors = [{"actor": {"reference": f"Patient/{each}"}} for each in patients]
    return {
        "resourceType": "Appointment",
        "id": "-".join(patients),
        "status": "proposed",
        "participant": [{**each, "status": "accepted"} for each in actors],
    }


def of_every_type(patient: str, confidentiality: str) -> list[JsonObject]:
    subject = {"reference": f"Patient/{patient}"}
    security = {"security": [label(confidentiality)]}
    return [
        observation(patient, confidentiality, subject=subject),
        {"resourceType": "Patient", "id": patient, "meta": security},
        {"resourceType": "Task", "id": patient, "meta": security, "for": subject},
        {**appointment(patient), "meta": security},
    ]


@pytest.mark.parametrize("consents", [CONSENTS, BESIDE], ids=["alone", "beside"])
@pytest.mark.parametrize("unlabelled", ["N", "R"])
@pytest.mark.parametrize("purpose_", ["TREAT", "BTG"])
@pytest.mark.parametrize("implicit", ["deny", "basic-normal", "all-normal", "break-glass-only"])
def test_each_patient_is_judged_as_if_alone(
    consents: dict[str, Sequence[Consent]],
    unlabelled: Level,
    purpose_: Purpose,
    implicit: Implicit,
) -> None:
    policy, request = Policy(implicit, unlabelled), asking(caller(for_=purpose_))
    together = consent_nodes(consents, request, policy)
    for patient, level in product(PATIENTS, ("N", "R", "HIV")):
        alone = consent_node(patient, consents.get(patient, ()), request, policy)
        for resource in of_every_type(patient, level):
            kind = resource["resourceType"]
            expected = holds(alone(kind), resource)
            assert holds(together(kind), resource) is expected, (patient, level, kind)


@pytest.mark.parametrize(
    ("patients", "expected"),
    [
        (("p1", "p3"), True),
        (("p1", "p2"), False),
        (("p6", "p2"), False),
        (("p6", "p5"), True),
        (("p6", "p1"), True),
    ],
)
def test_what_is_about_several_flows_if_each_lets_it(
    patients: tuple[str, ...], expected: bool
) -> None:
    node = consent_nodes(CONSENTS, asking(), Policy("all-normal"))("Appointment")
    assert holds(node, appointment(*patients)) is expected


@pytest.mark.parametrize("kind", ["Practitioner", "Organization", "Slot", "ValueSet"])
def test_what_is_about_no_patient_is_not_limited(kind: str) -> None:
    assert consent_nodes(CONSENTS, asking(), Policy())(kind) == Everything()


def test_a_patient_of_whom_nobody_asked_is_under_the_implicit_policy() -> None:
    nobody = observation("o1", subject={"reference": "Group/g1"})
    for implicit, expected in (("deny", False), ("all-normal", True)):
        node = consent_nodes(CONSENTS, asking(), Policy(implicit))("Observation")  # type: ignore[arg-type]  # the rows are literals
        assert holds(node, nobody) is expected


def test_a_patient_who_is_staff_too_sees_the_own_record_whole() -> None:
    who = caller("Patient/p2", patient="p2")
    node = consent_nodes(CONSENTS, asking(who), Policy())("Observation")
    mine = observation("o1", "V", subject={"reference": "Patient/p2"})
    assert holds(node, mine)


def test_equal_exceptions_are_one() -> None:
    denied = {each: CONSENTS[each] for each in ("p2", "p4")}
    implied = consent_nodes({}, asking(), Policy("all-normal"))("Observation")
    node = consent_nodes(denied, asking(), Policy("all-normal"))("Observation")
    assert node == And((Not(of_patients("Observation", ("p2", "p4"))), implied))


def test_without_exceptions_the_implicit_policy_stands_alone() -> None:
    node = consent_nodes({"p3": of("p3", NORMAL)}, asking(), Policy("all-normal"))
    assert node("Observation") == consent_nodes({}, asking(), Policy("all-normal"))("Condition")
    assert consent_nodes({}, asking(), Policy())("Observation") == Nothing()


def many(count: int) -> dict[str, Sequence[Consent]]:
    return {f"x{place}": of(f"x{place}", PERMIT) for place in range(count)}


def forms(count: int) -> dict[str, Sequence[Consent]]:
    def about(place: int) -> JsonObject:
        named = {"reference": {"reference": f"Observation/{place}"}, "meaning": "instance"}
        return {**PERMIT, "data": [named]}

    return {f"x{place}": of(f"x{place}", about(place)) for place in range(count)}


FEW: Final = 100


@pytest.fixture
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "MOST_EXCEPTIONS", FEW)


@pytest.mark.usefixtures("_few")
def test_beyond_the_bound_the_query_is_refused() -> None:
    node: Node = consent_nodes(many(FEW), asking(), Policy())("Observation")
    assert holds(node, observation("o1", subject={"reference": "Patient/x7"}))
    with pytest.raises(TooCostly):
        consent_nodes(many(FEW + 1), asking(), Policy())("Observation")
    consent_nodes(forms(MOST_FORMS), asking(), Policy())("Observation")
    with pytest.raises(TooCostly):
        consent_nodes(forms(MOST_FORMS + 1), asking(), Policy())("Observation")


def test_ways_to_hide_are_many_more() -> None:
    """One patient hides one document, another one another."""

    def hiding(count: int) -> dict[str, Sequence[Consent]]:
        def one(place: int) -> JsonObject:
            return {**DENY, "data": data("instance", f"Observation/{place}")}

        return {f"x{place}": beside(f"x{place}", one(place)) for place in range(count)}

    node = consent_nodes(hiding(MOST_HIDDEN), asking(), Policy("basic-normal"))("Observation")
    for patient, flows in (("x7", False), ("x8", True), ("y", True)):
        about = {"subject": {"reference": f"Patient/{patient}"}}
        assert holds(node, observation("7", **about)) is flows
    with pytest.raises(TooCostly):
        consent_nodes(hiding(MOST_HIDDEN + 1), asking(), Policy("basic-normal"))("Observation")


@pytest.mark.usefixtures("_few")
def test_what_many_share_with_others_is_no_exception() -> None:
    to = {**PERMIT, "actor": actor("Practitioner/dr2")}
    known = {f"x{place}": beside(f"x{place}", to) for place in range(FEW + 1)}
    node = consent_nodes(known, asking(), Policy("basic-normal"))("Observation")
    assert node == consent_nodes({}, asking(), Policy("basic-normal"))("Observation")
    theirs = consent_nodes(known, asking(caller("Practitioner/dr2")), Policy("basic-normal"))
    with pytest.raises(TooCostly):
        theirs("Observation")


@pytest.mark.usefixtures("_few")
def test_what_many_hide_closes_no_type_that_they_say_nothing_of() -> None:
    """Who hides results is no exception where diagnoses are asked for, or doctors."""
    rule = {**DENY, "class": [{"system": TYPES, "code": "Observation"}]}
    known = {f"x{place}": beside(f"x{place}", rule) for place in range(FEW + 1)}
    nodes = consent_nodes(known, asking(), Policy("basic-normal"))
    alone = consent_nodes({}, asking(), Policy("basic-normal"))
    for kind in ("Condition", "Patient", "Practitioner"):
        assert nodes(kind) == alone(kind)
    with pytest.raises(TooCostly):
        nodes("Observation")


@pytest.mark.parametrize("kind", ["Observation", "Appointment", "Patient", "Encounter"])
def test_the_database_can_be_asked(kind: str) -> None:
    node = consent_nodes({**CONSENTS, **forms(3)}, asking(), Policy("all-normal"))(kind)
    assert to_filter(node)


SUBJECT = {"reference": "Patient/p2"}  # who denied everything
AT_NOBODY: list[JsonObject] = [
    {"resourceType": "Device", "id": "d"},
    {"resourceType": "Schedule", "id": "s", "actor": [{"reference": "Practitioner/x"}]},
    {"resourceType": "Contract", "id": "c"},
    {"resourceType": "VerificationResult", "id": "v", "target": [
        {"reference": "Organization/c1"}]},
    {"resourceType": "Person", "id": "q", "link": [{"target": SUBJECT}]},
    {"resourceType": "Binary", "id": "b", "contentType": "text/plain"},
    {"resourceType": "Binary", "id": "b", "contentType": "text/plain",
     "securityContext": {"reference": "Organization/c1"}},
]  # fmt: skip
AT_SOMEBODY: list[JsonObject] = [
    {"resourceType": "Device", "id": "d", "patient": SUBJECT},
    {"resourceType": "Schedule", "id": "s", "actor": [SUBJECT]},
    {"resourceType": "Contract", "id": "c", "subject": [SUBJECT]},
    {"resourceType": "VerificationResult", "id": "v", "target": [SUBJECT]},
    {"resourceType": "Binary", "id": "b", "contentType": "text/plain",
     "securityContext": SUBJECT},
    # As its context, which is not there.
    {"resourceType": "Binary", "id": "b", "contentType": "text/plain",
     "securityContext": {"reference": "DocumentReference/d1"}},
    {"resourceType": "Binary", "id": "b", "contentType": "text/plain",
     "securityContext": {"reference": "Encounter/e1"}},
    {"resourceType": "Communication", "id": "m", "sender": SUBJECT},
    {"resourceType": "Communication", "id": "m", "sender": {"reference": "Patient/p1"},
     "recipient": [SUBJECT]},
]  # fmt: skip


@pytest.mark.parametrize("implicit", ["deny", "all-normal"])
def test_what_belongs_to_no_patient_flows_and_what_does_is_judged(implicit: Implicit) -> None:
    nodes = consent_nodes(CONSENTS, asking(), Policy(implicit))
    for each in AT_NOBODY:
        assert holds(nodes(each["resourceType"]), each), each
    for each in AT_SOMEBODY:
        assert not holds(nodes(each["resourceType"]), each), each


@pytest.mark.parametrize("kind", RESOURCE_TYPES)
def test_many_belong_as_each_does(kind: str) -> None:
    one, both = of_patients(kind, ("p1",)), of_patients(kind, ("p1", "p2"))
    assert of_patients(kind, ()) == Nothing()
    assert isinstance(one, Nothing) is isinstance(both, Nothing)
    if is_about_one(kind):
        assert not isinstance(one, Nothing)


def test_the_resource_that_the_user_is_always_flows() -> None:
    relative = {"resourceType": "RelatedPerson", "id": "r1", "patient": SUBJECT}
    who = caller("RelatedPerson/r1", for_="PATRQT", staff=False)
    node = consent_nodes(CONSENTS, asking(who), Policy())("RelatedPerson")
    assert holds(node, relative)
    assert not holds(node, {**relative, "id": "r2"})


def test_a_proxy_is_limited_by_the_proxy_consent_alone() -> None:
    named: JsonObject = {"actor": actor("RelatedPerson/r1"), "securityLabel": [label("N")]}
    category = [{"coding": [{"system": OWN, "code": "proxy"}]}]
    patient = {"reference": "Patient/p2"}
    given = read_proxy(
        consent({**PERMIT, **named}, category=category, patient=patient), READING
    )
    ended = read_proxy(
        consent({**PERMIT, "period": {"end": "2022"}}, category=category, patient=patient),
        READING,
    )
    silent = read_proxy(consent(category=category, patient=patient), READING)
    who = caller("RelatedPerson/r1", for_="PATRQT", staff=False)
    mine, secret = (observation("o1", *labels, subject=SUBJECT) for labels in ((), ("R",)))
    for proxy, expected in ((given, "10"), (None, "11"), (ended, "00"), (silent, "00")):
        node = consent_nodes(CONSENTS, asking(who), Policy(), proxies={"p2": proxy})
        found = [holds(node("Observation"), each) for each in (mine, secret)]
        assert found == [each == "1" for each in expected]


def test_rights_are_narrowed_by_it() -> None:
    scopes = parse_scopes("user/*.rs")
    principal = Principal("app", scopes, user="Practitioner/dr1", purpose="TREAT", staff=True)
    rights = RightsTable(lambda _kind, _query: Nothing(), lambda: 0).of(principal)
    nodes = consent_nodes(CONSENTS, asking(caller_of(principal)), Policy())
    found = narrowed(rights, {"r": nodes, "s": nodes})
    assert holds(found.read.of("Observation"), observation("o1"))
    assert not holds(found.search.of("Observation"), observation("o1", subject=SUBJECT))
    assert holds(found.read.of("Organization"), {"resourceType": "Organization", "id": "c1"})


def test_only_what_is_asked_about_is_worked_out() -> None:
    """Of a wildcard's types a request asks for a few; all of them cost a second."""
    asked: list[str] = []

    def by(kind: str) -> Node:
        asked.append(kind)
        return Everything() if kind == "Patient" else Nothing()

    found = narrowed(UNLIMITED, {"r": by, "c": by})
    assert found.read.of("Patient") == found.read.of("Patient") == Everything()
    assert asked == ["Patient"]
    assert not found.allows("c", "Basic")
    assert found.allows("s", "Basic")
    again = narrowed(found, {"r": by})
    assert again.read.of("Unknown") == Nothing()
    assert asked == ["Patient", "Basic"]
