"""Privacy Consents, element by element: what one lets flow, and to whom.

https://hl7.org/fhir/R4/consent.html
"""

from typing import Any

import pytest

from fhir_server.access.callers import actions_of, caller_of
from fhir_server.access.codings import ACT_CODE, OWN, Coding
from fhir_server.access.consents import applying, next_change, to_follow
from fhir_server.access.decisions import Implicit, Policy
from fhir_server.access.principal import Principal
from fhir_server.access.provisions import MOST_DEEP, MOST_RULES
from fhir_server.core.datetimes import parse_interval
from fhir_server.core.types import JsonObject
from fhir_server.search.plan import Nothing
from fhir_server.spec.interactions import ScopeLetter
from tests.support.consenting import (
    AS_USUAL,
    BASE,
    NOW,
    action,
    actor,
    asking,
    caller,
    consent,
    data,
    flows,
    label,
    observation,
    permitted,
    purpose,
    read,
)

PERMIT: JsonObject = {"type": "permit"}
DENY: JsonObject = {"type": "deny"}


def rule(*codes: str) -> JsonObject:
    return {"coding": [{"system": ACT_CODE, "code": each} for each in codes]}


def permit(**elements: Any) -> JsonObject:
    return consent({"type": "permit", **elements})


def but(kind: str, *exceptions: JsonObject, **elements: Any) -> JsonObject:
    return {"type": kind, "provision": list(exceptions), **elements}


HIV = {"securityLabel": [label("HIV")]}
MINE = {"actor": actor("Practitioner/dr1")}
OTHERS = {"actor": actor("Practitioner/dr2")}


# Which Consents count.


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({}, True),
        ({"status": "draft"}, False),
        ({"status": "proposed"}, False),
        ({"status": "rejected"}, False),
        ({"status": "inactive"}, False),  # withdrawn
        ({"status": "entered-in-error"}, False),
        ({"scope": rule("patient-privacy")}, False),
        ({"patient": {"reference": "Patient/p2"}}, False),
        ({"patient": {"reference": f"{BASE}/Patient/p1"}}, True),
        ({"patient": {"reference": "https://elsewhere.example/Patient/p1"}}, False),
        ({"patient": {"reference": "Group/p1"}}, False),
        ({"category": [{"coding": [{"system": OWN, "code": "smart-grant"}]}]}, False),
        ({"category": [{"coding": [{"system": OWN, "code": "proxy"}]}]}, False),
        ({"modifierExtension": [{"url": "urn:x"}]}, False),
    ],
)
def test_only_active_privacy_directives_of_the_patient_count(
    elements: JsonObject, expected: bool
) -> None:
    assert flows(consent(PERMIT, **elements)) is expected


@pytest.mark.parametrize(
    ("period", "now", "expected"),
    [
        ({}, NOW, True),
        ({"start": "2023-06-01"}, "2023-05-31T23:59:59Z", False),
        ({"start": "2023-06-01"}, "2023-06-01T00:00:00Z", True),
        ({"end": "2023-06-01"}, "2023-06-01T23:59:59Z", True),
        ({"end": "2023-06-01"}, "2023-06-02T00:00:00Z", False),
        ({"end": "2023"}, "2023-12-31T23:59:59Z", True),
        ({"start": "soon"}, NOW, False),
        ({"start": "2020", "_end": {"extension": []}}, NOW, False),
    ],
)
def test_a_consent_counts_inside_its_period(
    period: JsonObject, now: str, expected: bool
) -> None:
    assert flows(permit(period=period), request=asking(now=now)) is expected


def test_a_period_that_cannot_be_read_ends_no_denial() -> None:
    deny = consent({"type": "deny", "period": {"end": "soon"}}, id="c2", policy=[])
    assert not flows([consent(PERMIT), deny])


@pytest.mark.parametrize(
    ("older", "newer", "expected"),
    [
        (PERMIT, DENY, False),
        (DENY, PERMIT, True),
        (DENY, {"type": "permit", "period": {"end": "2022-12"}}, False),  # is not in force
        (PERMIT, {"type": "deny", "period": {"end": "2023-06-01T11:59:59Z"}}, True),
    ],
)
def test_the_newest_of_a_policy_supersedes(
    older: JsonObject, newer: JsonObject, expected: bool
) -> None:
    last = consent(newer, id="c2", dateTime="2022-06-14")
    assert flows([consent(older), last]) is expected
    assert flows([last, consent(older)]) is expected


@pytest.mark.parametrize(
    "elements",
    [
        {"policy": [{"uri": "urn:policy:other"}]},
        {"policy": []},
        {"dateTime": "2022-06-13"},
        {"dateTime": "2022"},
        {"patient": {"reference": "Patient/p1"}, "dateTime": "2022-06"},
    ],
)
def test_otherwise_both_stand_and_a_denial_overrides(elements: JsonObject) -> None:
    later = {"id": "c2", "dateTime": "2023-01-01", **elements}
    assert not flows([consent(PERMIT), consent(DENY, **later)])
    assert not flows([consent(DENY), consent(PERMIT, **later)])


def test_one_of_several_policies_replaced_leaves_the_consent_standing() -> None:
    two = consent(DENY, policy=[{"uri": "urn:policy:basic"}, {"uri": "urn:policy:b"}])
    assert not flows([two, consent(PERMIT, id="c2", dateTime="2023")])


def test_without_a_date_the_time_of_recording_decides() -> None:
    undated = consent(PERMIT, id="c2")
    del undated["dateTime"]
    undated["meta"]["lastUpdated"] = "2023-02-01T00:00:00Z"
    assert flows([consent(DENY), undated])


# The decision of the root, in both dialects.


@pytest.mark.parametrize(
    ("elements", "provision", "expected"),
    [
        ({"policyRule": rule("OPTIN")}, None, True),
        ({"policyRule": rule("OPTINR")}, {}, True),
        ({"policyRule": rule("OPTOUT")}, None, False),
        ({"policyRule": rule("OPTOUTE")}, {"provision": [{**PERMIT, **MINE}]}, True),
        ({"policyRule": rule("OPTIN")}, {"provision": [{**DENY, **MINE}]}, False),
        ({"policyRule": rule("OPTIN")}, {"provision": [{**DENY, **OTHERS}]}, True),
        # An exception that permits says that the rest is not.
        ({"policyRule": rule("OPTIN")}, {"provision": [{**PERMIT, **OTHERS}]}, False),
        ({"policyRule": rule("OPTIN")}, {"provision": [{**PERMIT, **MINE}]}, True),
        # The root's type wins, and R4's examples deny at the root under OPTIN.
        ({"policyRule": rule("OPTIN")}, {**DENY, **MINE}, False),
        ({"policyRule": rule("OPTIN")}, {**DENY, **OTHERS}, True),
        ({"policyRule": rule("OPTOUT")}, PERMIT, True),
        ({"policyRule": rule("OPTOUT")}, {**PERMIT, **OTHERS}, False),
        ({"policyRule": rule("hipaa-auth")}, {}, False),
        ({"policy": [{"uri": "http://hl7.org/fhir/ConsentPolicy/opt-in"}]}, {}, True),
        ({"policy": [{"uri": "http://hl7.org/fhir/ConsentPolicy/opt-out"}]}, {}, False),
        ({"policy": [{"uri": "urn:policy:share"}]}, None, True),
        ({"policy": [{"uri": "urn:policy:share"}, {"uri": "urn:policy:keep"}]}, None, False),
        ({"policy": [{"uri": "urn:policy:share"}]}, {**DENY, **MINE}, False),
        ({}, {"type": "perhaps"}, False),
        ({}, {}, False),
    ],
)
def test_the_root_decides_or_else_the_policy(
    elements: JsonObject, provision: JsonObject | None, expected: bool
) -> None:
    assert flows(consent(provision, **elements)) is expected


# Exceptions.


@pytest.mark.parametrize(
    ("provision", "plain", "hiv"),
    [
        (but("permit", {**DENY, **HIV}), True, False),
        (but("deny", {**PERMIT, **HIV}), False, True),
        (but("permit", but("deny", {**PERMIT, **MINE}, **HIV)), True, True),
        (but("permit", but("deny", {**PERMIT, **OTHERS}, **HIV)), True, False),
        # Three levels below the root. A denial is limited by what it says itself alone.
        (but("permit", but("deny", but("permit", {**DENY, **MINE}), **HIV)), False, False),
        (but("permit", but("deny", but("permit", {**DENY, **OTHERS}), **HIV)), True, True),
        (but("deny", but("permit", but("deny", {**PERMIT, **MINE}, **HIV))), True, True),
        # A permit stays within what it is an exception to; it opens nothing else.
        (but("deny", but("deny", {**PERMIT, **MINE}, **HIV)), False, True),
        # Branches that disagree deny, however deep the one that permits.
        (but("permit", {**PERMIT, **HIV}, {**DENY, **MINE}), False, False),
        (but("permit", {**DENY, **HIV}, but("deny", {**PERMIT, **MINE})), True, False),
        # What has no type denies.
        (but("permit", {**HIV}), True, False),
        (but("permit", {"type": "maybe", **HIV}), True, False),
        # The purposes and recipients of a rule hold for the permits in it.
        (but("permit", {**PERMIT, **HIV}, **OTHERS), False, False),
        (but("deny", {**PERMIT, **HIV}, **OTHERS), False, False),
    ],
)
def test_an_exception_goes_before_its_rule(
    provision: JsonObject, plain: bool, hiv: bool
) -> None:
    asked = consent(provision)
    assert flows(asked, observation("o1")) is plain
    assert flows(asked, observation("o2", "HIV", "R")) is hiv


@pytest.mark.parametrize(
    ("start", "expected"), [("2023-06-02", True), ("2023-06-01", False), ("2022", False)]
)
def test_an_exception_waits_for_its_period(start: str, expected: bool) -> None:
    assert flows(consent(but("permit", {**DENY, "period": {"start": start}}))) is expected


def test_a_permit_inside_ends_with_the_rule_around_it() -> None:
    ended = but("deny", {**PERMIT, "period": {"start": "2000"}}, period={"end": "2023-01"})
    assert not flows(consent(but("deny", ended)))


# Who asks: actor, action, purpose.


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("Practitioner/dr1", True),
        (f"{BASE}/Practitioner/dr1", True),
        ("Practitioner/dr2", False),
        ("https://elsewhere.example/Practitioner/dr1", False),
        ("Organization/c1", True),
        ("Organization/c2", False),
        ("Device/app", True),
        ("Device/other", False),
        ("PractitionerRole/surgeon", True),
        ("CareTeam/t1", True),
        ("CareTeam/t2", False),
        ("Group/g1", True),
        ("RelatedPerson/r1", False),
        ("#contained", False),
    ],
)
def test_an_actor_is_whatever_the_caller_is_or_belongs_to(
    reference: str, expected: bool
) -> None:
    who = caller("Practitioner/dr1", "PractitionerRole/surgeon", "CareTeam/t1", "Group/g1")
    assert flows(permit(actor=actor(reference)), request=asking(who)) is expected
    assert flows(permit(actor=actor("Device/no", reference)), request=asking(who)) is expected


def test_a_backend_service_is_its_app_alone() -> None:
    service = caller_of(Principal("lab", (), purpose="TREAT"))
    assert service.references == {"Device/lab"}
    assert flows(permit(actor=actor("Device/lab")), request=asking(service))


@pytest.mark.parametrize(
    ("role", "expected"), [("PRCP", True), ("IRCP", True), ("AUT", False), ("INF", False)]
)
def test_an_actor_of_another_role_receives_nothing(role: str, expected: bool) -> None:
    named = actor("Practitioner/dr1", role=role)
    assert flows(permit(actor=named)) is expected
    assert not flows(consent(but("permit", {**DENY, "actor": named})))


def test_an_actor_without_a_coded_role_is_a_recipient() -> None:
    named = [{"role": {"text": "doctor"}, "reference": {"reference": "Practitioner/dr1"}}]
    assert flows(permit(actor=named))


@pytest.mark.parametrize(
    ("letter", "staff", "expected"),
    [
        ("r", True, {"access"}),
        ("s", True, {"access"}),
        ("r", False, {"access", "disclose"}),
        ("s", False, {"access", "disclose"}),
        ("c", True, {"collect"}),
        ("u", False, {"correct"}),
        ("d", True, {"correct"}),
    ],
)
def test_each_permission_is_an_action(
    letter: ScopeLetter, staff: bool, expected: set[str]
) -> None:
    who = caller(staff=staff)
    assert actions_of(who, letter) == expected
    for code in ("collect", "access", "use", "disclose", "correct"):
        asked = permit(action=action(code))
        assert flows(asked, request=asking(who, letter)) is (code in expected)
        assert flows(consent(but("permit", {**DENY, "action": action(code)})), None,
                     asking(who, letter)) is (code not in expected)  # fmt: skip


def test_research_uses() -> None:
    assert "use" in actions_of(caller(for_="HRESCH"), "r")


@pytest.mark.parametrize(
    ("named", "asked", "expected"),
    [
        ("TREAT", "TREAT", True),
        ("TREAT", "HPAYMT", False),
        ("BTG", "TREAT", False),
        ("BTG", "BTG", True),
        ("TREAT", "BTG", True),
        ("ETREAT", "BTG", True),
        ("PATRQT", "PATRQT", True),
        ("HRESCH", "TREAT", False),
    ],
)
def test_a_purpose_holds_for_its_kinds(named: str, asked: Any, expected: bool) -> None:
    request = asking(caller(for_=asked))
    assert flows(permit(purpose=purpose(named)), request=request) is expected
    assert flows(permit(purpose=purpose("HMARKT", named)), request=request) is expected
    denied = consent(but("permit", {**DENY, "purpose": purpose(named)}))
    assert flows(denied, request=request) is not expected


# Which data: label, class, code, data, dataPeriod.

LETTERS = ["U", "L", "M", "N", "R", "V"]


@pytest.mark.parametrize("named", LETTERS)
@pytest.mark.parametrize("of_resource", LETTERS)
def test_confidentiality_is_ordered(named: str, of_resource: str) -> None:
    rank = LETTERS.index
    resource = observation("o1", of_resource)
    permitting = permit(securityLabel=[label(named)])
    assert flows(permitting, resource) is (rank(of_resource) <= rank(named))
    denying = consent(but("permit", {**DENY, "securityLabel": [label(named)]}))
    assert flows(denying, resource) is (rank(of_resource) < rank(named))


@pytest.mark.parametrize(
    ("unlabelled", "named", "expected"),
    [("N", "N", True), ("N", "M", False), ("R", "N", False), ("R", "R", True)],
)
def test_unlabelled_counts_as_the_operator_says(
    unlabelled: Any, named: str, expected: bool
) -> None:
    policy = Policy(unlabelled=unlabelled)
    labels = [label(named)]
    assert flows(permit(securityLabel=labels), policy=policy) is expected
    above = label(LETTERS[LETTERS.index(named) + 1])
    denying = consent(but("permit", {**DENY, "securityLabel": [above]}))
    assert flows(denying, policy=policy) is expected
    assert flows(permit(securityLabel=labels), observation("o1", named), policy=policy)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["N", "R"], False),
        (["N", "PSY"], True),
        (["S"], False),
        (["T", "N"], False),
        (["ETHUD"], True),
    ],
)
def test_the_highest_confidentiality_counts(labels: list[str], expected: bool) -> None:
    assert flows(permit(securityLabel=[label("N")]), observation("o1", *labels)) is expected


def test_a_label_of_another_system_covers_itself_alone() -> None:
    mine = {"system": "urn:labels", "code": "ETH"}
    resource = observation("o1", meta={"security": [mine]})
    assert flows(permit(securityLabel=[mine]), resource)
    assert not flows(permit(securityLabel=[mine]), observation("o1", "ETHUD"))
    assert not flows(permit(securityLabel=[label("ETH")]), resource)


def test_a_national_code_is_a_level() -> None:
    national = {"system": "urn:oid:1.2.643.5.1.13.13.99.2.285", "code": "R"}
    resource = observation("o1", meta={"security": [national]})
    assert not flows(permit(securityLabel=[label("N")]), resource)
    assert flows(permit(securityLabel=[national]), resource)


@pytest.mark.parametrize(
    ("named", "of_resource", "expected"),
    [
        ("ETH", "ETH", True),
        ("ETH", "ETHUD", True),
        ("ETH", "OPIOIDUD", True),
        ("ETHUD", "ETH", False),
        ("SPI", "PSY", True),
        ("PSY", "HIV", False),
        ("HIV", "HIV", True),
    ],
)
def test_a_label_covers_narrower_ones(named: str, of_resource: str, expected: bool) -> None:
    labels = [label(named)]
    resource = observation("o1", of_resource, "R")
    assert flows(permit(securityLabel=labels), resource) is expected
    denying = consent(but("permit", {**DENY, "securityLabel": labels}))
    assert flows(denying, resource) is not expected


TYPES = "http://hl7.org/fhir/resource-types"
URI = "urn:ietf:rfc:3986"
DEFINITION = "http://hl7.org/fhir/StructureDefinition"


@pytest.mark.parametrize(
    ("system", "code", "expected"),
    [
        (TYPES, "Observation", "vital plain"),
        (TYPES, "Encounter", ""),
        (TYPES, "DomainResource", "vital plain letter"),
        (URI, f"{DEFINITION}/Observation", "vital plain"),
        (URI, f"{DEFINITION}/vitalsigns", "vital"),
        ("urn:ietf:bcp:13", "application/hl7-cda+xml", "letter"),
        ("http://loinc.org", "34133-9", "letter"),
        ("http://loinc.org", "2339-0", ""),
    ],
)
def test_a_class_is_a_type_a_profile_or_a_kind_of_document(
    system: str, code: str, expected: str
) -> None:
    profile = {"profile": [f"{DEFINITION}/vitalsigns"]}
    resources = {
        "vital": observation("o1", meta=profile),
        "plain": observation("o2"),
        "letter": {
            "resourceType": "DocumentReference",
            "id": "d1",
            "status": "current",
            "type": {"coding": [{"system": "http://loinc.org", "code": "34133-9"}]},
            "subject": {"reference": "Patient/p1"},
            "content": [{"attachment": {"contentType": "application/hl7-cda+xml"}}],
        },
    }
    classes = [{"system": system, "code": code}]
    denying = consent(but("permit", {**DENY, "class": classes}))
    for key, each in resources.items():
        wanted = key in expected.split()
        assert flows(consent({**PERMIT, "class": classes}), each) is wanted
        assert flows(denying, each) is not wanted


LOINC = "http://loinc.org"


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"code": {"coding": [{"system": LOINC, "code": "1-8"}]}}, True),
        ({"code": {"coding": [{"system": "urn:x", "code": "1-8"}]}}, False),
        ({"code": {"coding": [{"system": LOINC, "code": "1-80"}]}}, False),
        ({"category": [{"coding": [{"system": LOINC, "code": "1-8"}]}]}, True),
        ({"valueCodeableConcept": {"coding": [{"system": LOINC, "code": "1-8"}]}}, True),
        ({"component": [{"code": {"coding": [{"system": LOINC, "code": "1-8"}]}}]}, True),
        ({"identifier": [{"system": LOINC, "value": "1-8"}]}, False),
    ],
)
def test_a_code_is_found_wherever_the_resource_is_coded(
    elements: JsonObject, expected: bool
) -> None:
    codes = [{"coding": [{"system": LOINC, "code": "1-8"}]}]
    resource = observation("o1", **elements)
    assert flows(permit(code=codes), resource) is expected
    assert flows(consent(but("permit", {**DENY, "code": codes})), resource) is not expected


def test_a_code_is_found_in_what_a_resource_contains() -> None:
    atc = {"coding": [{"system": "http://www.whocc.no/atc", "code": "N07BC01"}]}
    order = {
        "resourceType": "MedicationRequest",
        "id": "m1",
        "subject": {"reference": "Patient/p1"},
        "contained": [{"resourceType": "Medication", "id": "m", "code": atc}],
        "medicationReference": {"reference": "#m"},
    }
    assert not flows(consent(but("permit", {**DENY, "code": [atc]})), order)


REPORT: JsonObject = {
    "resourceType": "DiagnosticReport",
    "id": "r1",
    "status": "final",
    "code": {"text": "x"},
    "subject": {"reference": "Patient/p1"},
    "result": [{"reference": "Observation/o1"}],
    "encounter": {"reference": "Encounter/e1"},
}
ALLERGY: JsonObject = {
    "resourceType": "AllergyIntolerance",
    "id": "a1",
    "patient": {"reference": "Patient/p1"},
    "recorder": {"reference": "Practitioner/dr9"},
}
RESULT = observation("o1", performer=[{"reference": "Practitioner/dr9"}])
CHILD = observation("o3", partOf=[{"reference": "Procedure/x"}], derivedFrom=[
    {"reference": "Observation/o1"}])  # fmt: skip


@pytest.mark.parametrize(
    ("meaning", "target", "permits", "leaves"),
    [
        ("instance", "Observation/o1", "o1", "r1 o3 a1"),
        ("instance", "DiagnosticReport/r1", "r1", "o1 o3 a1"),
        ("instance", "https://elsewhere.example/Observation/o1", "", "o1 r1 o3 a1"),
        ("dependents", "Observation/o1", "o1 r1 o3", "a1"),
        ("related", "DiagnosticReport/r1", "o1 r1", "o3 a1"),
        # Nobody indexes the encounter of an allergy: a denial takes it along.
        ("dependents", "Encounter/e1", "r1", "o1 o3"),
        ("authoredby", "Practitioner/dr9", "o1 a1", "r1 o3"),
        ("authoredby", "Practitioner/dr1", "", "o1 r1 o3 a1"),
    ],
)
def test_data_is_meant_in_four_ways(
    meaning: str, target: str, permits: str, leaves: str
) -> None:
    referred = {"DiagnosticReport/r1": frozenset({"Observation/o1"})}
    named = data(meaning, target)
    denying = consent(but("permit", {**DENY, "data": named}))
    for each in (RESULT, REPORT, CHILD, ALLERGY):
        is_permitted = flows(permit(data=named), each, referred=referred)
        assert is_permitted is (each["id"] in permits.split())
        assert flows(denying, each, referred=referred) is (each["id"] in leaves.split())


def test_what_a_related_instance_refers_to_must_be_known() -> None:
    named = data("related", "DiagnosticReport/r1")
    asked = consent(but("permit", {**DENY, "data": named}))
    assert to_follow(read(asked)) == {"DiagnosticReport/r1"}
    assert not flows(asked, ALLERGY)
    assert not flows(permit(data=named), RESULT)


PERIOD = {"start": "2022-01", "end": "2022-12"}


@pytest.mark.parametrize(
    ("when", "permits", "denies"),
    [
        ({"effectiveDateTime": "2021-12-31T23:59:59Z"}, False, False),
        ({"effectiveDateTime": "2022-01-01T00:00:00Z"}, True, True),
        ({"effectiveDateTime": "2022-12-31T23:59:59Z"}, True, True),
        ({"effectiveDateTime": "2023-01-01T00:00:00Z"}, False, False),
        ({"effectiveDateTime": "2022"}, True, True),
        ({"effectiveDateTime": "2022-12-31T23:59:59-05:00"}, False, False),
        # Partly inside: not surely meant, but perhaps.
        ({"effectivePeriod": {"start": "2022-12-31", "end": "2023-01-01"}}, False, True),
        ({"effectivePeriod": {"start": "2021-12-31", "end": "2022-01-01"}}, False, True),
        ({"effectivePeriod": {"start": "2022-02-01"}}, False, True),
        # Without a date the last change counts.
        ({"effectiveDateTime": None}, False, False),
        ({"effectiveDateTime": None,
          "meta": {"lastUpdated": "2022-01-01T00:00:00Z"}}, True, True),
        ({"effectiveDateTime": None,
          "meta": {"lastUpdated": "2021-12-31T23:59:59.999Z"}}, False, False),
        # A date that was measured is no date of the data.
        ({"effectiveDateTime": "2020", "valueDateTime": "2022-05"}, False, False),
    ],
)  # fmt: skip
def test_data_period_at_its_edges(when: JsonObject, permits: bool, denies: bool) -> None:
    resource = observation("o1", **when)
    assert flows(permit(dataPeriod=PERIOD), resource) is permits
    denying = consent(but("permit", {**DENY, "dataPeriod": PERIOD}))
    assert flows(denying, resource) is not denies


@pytest.mark.parametrize(
    ("onset", "recorded", "permits", "denies"),
    [("2022-03", "2022-04", True, True), ("2021", "2022-04", False, True)],
)
def test_every_date_must_be_inside_to_be_permitted(
    onset: str, recorded: str, permits: bool, denies: bool
) -> None:
    condition = {
        "resourceType": "Condition",
        "id": "x",
        "subject": {"reference": "Patient/p1"},
        "onsetDateTime": onset,
        "recordedDate": recorded,
    }
    assert flows(permit(dataPeriod=PERIOD), condition) is permits
    denying = consent(but("permit", {**DENY, "dataPeriod": PERIOD}))
    assert flows(denying, condition) is not denies


# What is not understood, and what is too much.


@pytest.mark.parametrize(
    "element",
    [
        {"modifierExtension": [{"url": "urn:x", "valueBoolean": True}]},
        {"somethingNew": [{"code": "x"}]},
        {"_type": {"extension": []}},
        {"actor": [{"reference": {"identifier": {"value": "x"}}}]},
        {"action": [{"coding": [{"system": "urn:x", "code": "access"}]}]},
        {"action": [{"text": "access"}]},
        {"securityLabel": [{"code": "N"}]},
        {"purpose": [{"code": "TREAT"}]},
        {"class": [{"code": "Observation"}]},
        {"class": [{"system": TYPES, "code": "Sighting"}]},
        {"code": [{"text": "glucose"}]},
        {"data": [{"meaning": "instance"}]},
        {"data": [{"meaning": "about", "reference": {"reference": "Observation/o1"}}]},
        {"dataPeriod": {"start": "long ago"}},
        {"period": {"start": "long ago"}},
    ],
)
def test_what_is_not_understood_permits_nothing_and_denies_all_it_might(
    element: JsonObject,
) -> None:
    assert not flows(consent(but("deny", {**PERMIT, **element})))
    assert not flows(consent(but("permit", {**DENY, **element})))
    assert flows(consent(but("permit", {**DENY, **OTHERS, **_known(element)})))


def _known(element: JsonObject) -> JsonObject:
    """The element, unless it makes the whole rule unreadable."""
    unknown = {"modifierExtension", "somethingNew", "_type", "actor"}
    return {} if unknown & element.keys() else element


def test_an_alternative_that_is_understood_is_taken() -> None:
    two = [{"code": "TREAT"}, *purpose("TREAT")]
    assert flows(permit(purpose=two))
    codings = [{"code": "2339-0"}, {"system": LOINC, "code": "2339-0"}]
    assert flows(permit(code=[{"coding": codings}]))


def test_a_permit_inside_what_is_not_understood_permits_nothing() -> None:
    unknown = but("permit", {**PERMIT, **MINE}, somethingNew=1)
    assert not flows(consent(but("deny", unknown)))


def _deep(levels: int) -> JsonObject:
    found: JsonObject = PERMIT
    for _ in range(levels):
        found = but("permit", found)
    return found


def test_there_is_an_end_to_what_is_read() -> None:
    assert flows(consent(_deep(MOST_DEEP)))
    assert not flows(consent(_deep(MOST_DEEP + 1)))
    assert flows(consent(but("permit", *[PERMIT] * (MOST_RULES - 1))))
    assert not flows(consent(but("permit", *[PERMIT] * MOST_RULES)))


def test_a_predicate_beyond_its_bound_lets_nothing_flow() -> None:
    denials = [
        {**DENY, "data": data("instance", f"Observation/x{i}"), **HIV} for i in range(90)
    ]

    def wrapped(levels: int) -> JsonObject:
        found = but("permit", *denials)
        for place in range(levels):
            found = but("permit", but("deny", found, **HIV), securityLabel=[label("R")])
            found["dataPeriod"] = {"start": f"200{place}"}
        return consent(found)

    assert flows(wrapped(0))
    assert flows(wrapped(1))
    assert not flows(wrapped(3))
    assert flows(wrapped(3), {"resourceType": "Patient", "id": "p1"})


# Whom a Consent concerns, and what holds without one.

LABELLED = observation("o2", "R")


@pytest.mark.parametrize(
    ("implicit", "who", "normal", "restricted"),
    [
        ("deny", caller(), False, False),
        ("basic-normal", caller(), True, False),
        ("basic-normal", caller(for_="HPAYMT"), False, False),
        ("basic-normal", caller("RelatedPerson/r1", staff=False), False, False),
        ("basic-normal", caller(for_="BTG"), True, False),
        ("all-normal", caller(for_="HRESCH"), True, False),
        ("all-normal", caller(staff=False), True, False),
        ("break-glass-only", caller(), False, False),
        ("break-glass-only", caller(for_="BTG"), True, True),
    ],
)
def test_an_implicit_policy_holds_where_no_consent_is_on_file(
    implicit: Implicit, who: Any, normal: bool, restricted: bool
) -> None:
    policy = Policy(implicit)
    assert flows([], observation(), asking(who), policy) is normal
    assert flows([], LABELLED, asking(who), policy) is restricted
    withdrawn = consent(PERMIT, status="inactive")
    assert flows(withdrawn, LABELLED, asking(who), policy) is restricted


@pytest.mark.parametrize(
    ("provision", "for_", "concerned"),
    [
        (PERMIT, "HPAYMT", True),
        ({**PERMIT, "purpose": purpose("TREAT")}, "TREAT", True),
        ({**PERMIT, "purpose": purpose("TREAT")}, "BTG", True),
        ({**PERMIT, "purpose": purpose("HRESCH")}, "TREAT", False),
        ({**PERMIT, "purpose": [{"code": "HRESCH"}]}, "TREAT", True),
        (but("permit", {**DENY, "purpose": purpose("TREAT")}, purpose=purpose("HRESCH")),
         "TREAT", True),
        ({}, "TREAT", False),
        ({"somethingNew": 1}, "TREAT", True),
        ({"somethingNew": 1, "purpose": purpose("HRESCH")}, "TREAT", True),
    ],
)  # fmt: skip
def test_a_consent_about_another_purpose_leaves_the_implicit_policy(
    provision: JsonObject, for_: Any, concerned: bool
) -> None:
    elsewhere = {**provision, "securityLabel": [label("HIV")]}  # says nothing of this one
    policy = Policy("all-normal")
    request = asking(caller(for_=for_))
    assert flows(consent(elsewhere), observation(), request, policy) is not concerned


@pytest.mark.parametrize(
    ("user", "patient", "expected"),
    [
        ("Patient/p1", "p1", True),
        ("Patient/p2", "p1", False),
        ("Patient/p2", "p2", False),
        ("RelatedPerson/p1", "p1", False),
        ("Patient/p1", None, False),
    ],
)
def test_a_patients_own_access_is_not_limited(
    user: str, patient: str | None, expected: bool
) -> None:
    who = caller(user, for_="PATRQT", staff=False, patient=patient)
    assert flows(consent(DENY), observation("o1", "HIV", "V"), asking(who)) is expected


def test_only_resources_of_the_patient_are_spoken_of() -> None:
    other = observation("o1", subject={"reference": "Patient/p2"})
    assert not flows(consent(PERMIT), other)
    mother = [{"reference": "Patient/p1"}]
    assert not flows(consent(PERMIT), {**other, "performer": mother})
    assert flows(consent(PERMIT), {"resourceType": "Patient", "id": "p1"})
    assert not flows(consent(PERMIT), {"resourceType": "Patient", "id": "p2"})
    assert permitted([consent(PERMIT)])("Practitioner") == Nothing()


# Rules beside what flows as usual.


def beside(*exceptions: JsonObject, **elements: Any) -> JsonObject:
    return consent({"provision": list(exceptions)}, policyRule=AS_USUAL, **elements)


DENIES_HIV = {**DENY, **HIV}
PERMITS_ME = {**PERMIT, **MINE}
SECRET = observation("o1", "HIV", "R")


@pytest.mark.parametrize(
    ("exceptions", "implicit", "normal", "secret"),
    [
        ([DENIES_HIV], "basic-normal", True, False),
        ([DENIES_HIV], "deny", False, False),
        ([{**DENY, **MINE}], "basic-normal", False, False),
        ([{**DENY, **OTHERS}], "basic-normal", True, False),
        ([PERMITS_ME], "basic-normal", True, True),
        ([PERMITS_ME], "deny", True, True),
        ([{**PERMIT, **OTHERS}], "basic-normal", True, False),
        ([{**PERMIT, **OTHERS}], "deny", False, False),
        ([PERMITS_ME, DENIES_HIV], "basic-normal", True, False),
        # What is hidden from all but some is not opened to these: it is as it was for them.
        ([{**DENY, "provision": [PERMITS_ME]}], "basic-normal", True, False),
        ([{**DENIES_HIV, "provision": [PERMITS_ME]}], "basic-normal", True, False),
        ([{**DENY, "provision": [PERMITS_ME]}, PERMITS_ME], "basic-normal", True, True),
        ([{**DENY, "provision": [PERMITS_ME]}], "deny", False, False),
        ([{**DENY, "provision": [{**PERMIT, **OTHERS}]}], "basic-normal", False, False),
        ([{**DENY, "somethingNew": 1}], "basic-normal", False, False),
        ([], "basic-normal", True, False),
    ],
)
def test_rules_beside_what_flows_as_usual_are_exceptions_to_it(
    exceptions: list[JsonObject], implicit: Implicit, normal: bool, secret: bool
) -> None:
    found = beside(*exceptions)
    assert flows(found, observation(), policy=Policy(implicit)) is normal
    assert flows(found, SECRET, policy=Policy(implicit)) is secret


def test_other_consents_are_what_is_usual() -> None:
    """What hides something besides never opens what they keep closed."""
    theirs = permit(**OTHERS)
    hiding = beside(DENIES_HIV, id="c2", policy=[])
    hiding_but = beside({**DENIES_HIV, "provision": [PERMITS_ME]}, id="c2", policy=[])
    sharing = beside(PERMITS_ME, id="c2", policy=[])
    policy = Policy("all-normal")
    assert not flows([theirs, hiding], policy=policy)
    assert not flows([theirs, hiding_but], SECRET, policy=policy)
    assert flows([consent(PERMIT), hiding_but], SECRET, policy=policy)
    assert flows([theirs, sharing], policy=policy)
    assert not flows([consent(PERMIT), hiding], SECRET, policy=policy)
    assert flows([consent(PERMIT), hiding], policy=policy)


def test_a_rule_of_its_own_goes_before_what_is_usual() -> None:
    """A code that R4 knows, or a Consent that cannot be read."""
    both = {"coding": [*AS_USUAL["coding"], *rule("OPTOUT")["coding"]]}
    assert not flows(consent(policyRule=both), policy=Policy("all-normal"))
    unread = beside(PERMITS_ME, modifierExtension=[{"url": "urn:x"}])
    assert not flows(unread, policy=Policy("all-normal"))
    frame = {"modifierExtension": [{"url": "urn:x"}], "provision": [PERMITS_ME]}
    assert not flows(consent(frame, policyRule=AS_USUAL), policy=Policy("all-normal"))
    agreed = beside(DENIES_HIV, policy=[{"uri": "http://hl7.org/fhir/ConsentPolicy/opt-in"}])
    assert not flows(agreed, observation("o1", "R"), policy=Policy("all-normal"))


@pytest.mark.parametrize("urgent", ["consented", "everything"])
def test_what_is_hidden_but_in_an_emergency_is_as_usual_in_one(urgent: Any) -> None:
    """And no more: whoever hides results from all has not opened the secret ones to whoever
    declares an emergency."""
    but_urgent = {**DENY, "provision": [{**PERMIT, "purpose": purpose("BTG")}]}
    policy = Policy("basic-normal", urgent=urgent)
    emergency = asking(caller(for_="BTG"))
    assert not flows(beside(but_urgent), policy=policy)
    assert flows(beside(but_urgent), request=emergency, policy=policy)
    opens = urgent == "everything"
    assert flows([], SECRET, emergency, policy) is opens
    assert flows(beside(but_urgent), SECRET, emergency, policy) is opens
    assert not flows(beside(DENIES_HIV), SECRET, emergency, policy)


# Time.


@pytest.mark.parametrize(
    ("provision", "expected"),
    [
        (PERMIT, None),
        ({**PERMIT, "period": {"end": "2023-06-01"}}, "2023-06-02T00:00:00Z"),
        ({**PERMIT, "period": {"start": "2020", "end": "2021"}}, None),
        (but("permit", {**DENY, "period": {"start": "2023-06-01T12:00:01Z"}}),
         "2023-06-01T12:00:01Z"),
        ({**PERMIT, "period": {"start": "soon"}}, None),
    ],
)  # fmt: skip
def test_the_next_change_is_told(provision: JsonObject, expected: str | None) -> None:
    found = next_change(read(consent(provision)), parse_interval(NOW).lo)
    assert found == (None if expected is None else parse_interval(expected).lo)
    assert next_change(read(consent()), 0) is None


def test_what_decides_a_request_can_be_named() -> None:
    study = consent({**PERMIT, "purpose": purpose("HRESCH")}, id="c2")
    other = consent(PERMIT, id="c3", patient={"reference": "Patient/p2"})
    ended = consent({**PERMIT, "period": {"end": "2022"}}, id="c4")
    known = read(consent(PERMIT), study, other, ended)
    found = applying("p1", known, caller(), parse_interval(NOW).lo)
    assert [(each.id, each.version) for each in found] == [("c1", "1")]


def test_a_code_of_the_operator_is_a_purpose() -> None:
    own = Coding("urn:purposes", "study-7")
    request = asking(caller(own_purpose=own))
    assert flows(permit(purpose=[own._asdict()]), request=request)
    assert not flows(permit(purpose=purpose("TREAT")), request=request)
