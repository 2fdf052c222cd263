"""Labels on write: what a code makes of a resource, and that clients take none away.

https://hl7.org/fhir/R4/security-labels.html
"""

from typing import Any

import pytest

from fhir_server.access.codings import ACT_CODE, CONFIDENTIALITY, Coding
from fhir_server.access.label_rules import STANDARD, read_rules, to_label, together
from fhir_server.access.labels import LABELLED_BY, RULES_TAG, labelled, relabelled, version_of
from fhir_server.core.errors import BadValue
from fhir_server.core.types import JsonObject
from fhir_server.validation.validator import Validator
from tests.support.consenting import consent, flows, label, record

ICD = "http://hl7.org/fhir/sid/icd-10"
NSI = "urn:oid:1.2.643.5.1.13.13.11.1005"
UA = "eHealth/ICD10_AM/condition_codes"
ICPC = "http://hl7.org/fhir/sid/icpc-2"
ATC = "http://www.whocc.no/atc"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"


def condition(system: str = ICD, code: str = "I10", **elements: Any) -> JsonObject:
    return {
        "resourceType": "Condition",
        "id": "x",
        "code": {"coding": [{"system": system, "code": code}]},
        "subject": {"reference": "Patient/p1"},
        **elements,
    }


def codes(resource: JsonObject) -> list[str]:
    return sorted(each["code"] for each in resource.get("meta", {}).get("security", []))


@pytest.mark.parametrize(
    ("system", "code", "expected"),
    [
        (ICD, "I10", ""),
        (ICD, "E11.9", ""),
        (ICD, "F10.2", "ETHUD R"),
        (NSI, "F11.2", "OPIOIDUD R"),
        (UA, "F12", "ETH R"),
        (ICD, "F17.2", ""),  # tobacco
        (ICD, "F19.9", "ETH R"),
        (ICD, "F20.0", "PSY R"),
        (ICD, "F00", "PSY R"),
        (ICD, "F99", "PSY R"),
        (ICD, "B19.9", ""),
        (ICD, "B20", "HIV R"),
        (NSI, "B24", "HIV R"),
        (ICD, "B25", ""),
        (ICD, "Z21", "HIV R"),
        (ICD, "A53.9", "R STD"),
        (ICD, "T74.1", "R SDV"),
        (ICD, "Y05", "R SDV"),
        (ICD, "Y07.0", "R SDV"),
        (ICD, "Y08", ""),
        (ICPC, "P15", "ETHUD R"),
        (ICPC, "P17", ""),
        (ICPC, "P19", "ETH R"),
        (ICPC, "P76", "PSY R"),
        (ICPC, "B90", "HIV R"),
        (ICPC, "Z25", "R SDV"),
        (LOINC, "74013-4", "ETHUD R"),
        (LOINC, "56888-1", "HIV R"),
        (LOINC, "20447-9", "HIV R"),
        (LOINC, "2339-0", ""),
        (SNOMED, "86406008", "HIV R"),
        (SNOMED, "35489007", "PSY R"),
        (ATC, "N07BC02", "OPIOIDUD R"),
        (ATC, "N07BB04", "ETHUD R"),
        (ATC, "J05AR10", "HIV R"),
        (ATC, "J05AX09", "HIV R"),
        (ATC, "N02BE01", ""),
        ("urn:other", "B24", ""),
    ],
)
def test_a_code_labels_the_resource(system: str, code: str, expected: str) -> None:
    assert codes(labelled(condition(system, code), STANDARD)) == expected.split()


def test_a_resource_without_a_sensitive_code_is_the_same() -> None:
    plain = condition()
    assert labelled(plain, STANDARD) is plain
    assert relabelled(plain, STANDARD) is plain


HIV = {"coding": [{"system": ICD, "code": "B20"}]}


@pytest.mark.parametrize(
    "elements",
    [
        {"evidence": [{"code": [HIV]}]},
        {"contained": [{"resourceType": "Observation", "id": "o", "code": HIV}]},
        {"extension": [{"url": "urn:x", "valueCodeableConcept": HIV}]},
        {"contained": [{"resourceType": "Observation", "id": "o",
                        "meta": {"security": [label("HIV"), label("R")]}}]},
    ],
)  # fmt: skip
def test_a_code_is_seen_wherever_it_stands(elements: JsonObject) -> None:
    assert codes(labelled(condition(**elements), STANDARD)) == ["HIV", "R"]


def test_a_bundle_is_as_sensitive_as_what_is_in_it() -> None:
    inner = condition(meta={"security": [label("V"), {"code": "x"}]})
    entries = [{"resource": condition(code="B20")}, {"resource": inner}]
    bundle = {"resourceType": "Bundle", "id": "b", "type": "document", "entry": entries}
    assert codes(labelled(bundle, STANDARD)) == ["HIV", "V"]


def test_tags_and_profiles_are_no_content() -> None:
    resource = condition(meta={"tag": HIV["coding"]})
    assert codes(labelled(resource, STANDARD)) == []


def test_a_label_below_an_ancestor_needs_the_terminology() -> None:
    below = condition(SNOMED, "111880001")  # acute HIV infection
    assert codes(labelled(below, STANDARD)) == []
    found = labelled(below, STANDARD, ancestors=lambda _: ("86406008",))
    assert codes(found) == ["HIV", "R"]


def test_the_servers_labels_are_marked_and_can_be_searched() -> None:
    found = labelled(condition(code="B20"), STANDARD)
    assert list(found) == ["resourceType", "id", "meta", "code", "subject"]
    assert {version_of(each) for each in found["meta"]["security"]} == {STANDARD.version}
    values = record(found).values
    assert f"_tag|{RULES_TAG}|{STANDARD.version}" in values.tokens
    assert f"_security|{ACT_CODE}|HIV" in values.tokens
    issues = Validator().validate(found, "Condition")
    assert [each for each in issues if each.severity == "error"] == []


def test_a_labelled_resource_is_withheld() -> None:
    normal = consent({"type": "permit", "securityLabel": [label("N")]})
    assert flows(normal, condition())
    assert not flows(normal, labelled(condition(code="F20.0"), STANDARD))


def secured(*labels: JsonObject, code: str = "I10") -> JsonObject:
    return condition(code=code, meta={"security": list(labels)} if labels else {})


@pytest.mark.parametrize(
    ("before", "written", "may_lower", "expected"),
    [
        (secured(label("R")), secured(), False, ["R"]),
        (secured(label("R")), secured(), True, []),
        (secured(label("R")), secured(label("N")), False, ["R"]),
        (secured(label("R")), secured(label("N")), True, ["N"]),
        (secured(label("N")), secured(label("R")), False, ["R"]),
        (secured(label("PSY"), label("R")), secured(label("HIV")), False, ["HIV", "PSY", "R"]),
        (None, secured(label("V")), False, ["V"]),
        # What the rules demand is there whoever writes.
        (None, secured(label("N"), code="B20"), True, ["HIV", "R"]),
        (None, secured(label("V"), code="B20"), True, ["HIV", "V"]),
        # What the server found stays when the code goes.
        (labelled(condition(code="B20"), STANDARD), secured(), False, ["HIV", "R"]),
        (labelled(condition(code="B20"), STANDARD), secured(), True, []),
    ],
)
def test_a_client_adds_labels_and_takes_none(
    before: JsonObject | None, written: JsonObject, may_lower: bool, expected: list[str]
) -> None:
    found = labelled(written, STANDARD, before=before, may_lower=may_lower)
    assert codes(found) == expected


def test_a_confidentiality_outside_the_order_restricts() -> None:
    assert codes(labelled(secured(label("T")), STANDARD)) == ["R", "T"]


def test_a_client_cannot_mark_labels_as_ours() -> None:
    forged = {**label("PSY"), "extension": [{"url": LABELLED_BY, "valueString": "x"}]}
    found = labelled(secured(forged), STANDARD)
    assert found["meta"]["security"] == [label("PSY")]
    other = {"url": "urn:x", "valueString": "y"}
    forged["extension"].append(other)
    found = labelled(secured(forged), STANDARD)
    assert found["meta"]["security"] == [{"extension": [other], **label("PSY")}]


def test_written_back_as_it_was_read_it_stays_as_it_is() -> None:
    stored = labelled(condition(code="B20"), STANDARD)
    assert labelled(stored, STANDARD, before=stored) is stored
    assert relabelled(stored, STANDARD) is stored


NEXT = read_rules(
    {
        "version": "v2",
        "rules": [{"systems": [ICD], "beginning": ["I10-I11"], "labels": ["PDS"]}],
    }
)


def test_new_rules_replace_the_labels_of_the_old() -> None:
    stored = labelled(secured(label("SDV"), code="B20"), STANDARD)
    assert codes(relabelled(stored, NEXT)) == ["SDV"]
    assert "tag" not in relabelled(stored, NEXT)["meta"]
    again = relabelled(labelled(condition(), NEXT), together(STANDARD, NEXT))
    assert [version_of(each) for each in again["meta"]["security"]] == ["standard-1+v2"]
    assert again["meta"]["tag"] == [{"system": RULES_TAG, "code": "standard-1+v2"}]
    assert "meta" not in relabelled(labelled(condition(), NEXT), STANDARD)


def test_rules_of_an_operator_join_the_servers() -> None:
    both = together(STANDARD, NEXT)
    assert codes(labelled(condition(code="I11.9"), both)) == ["PDS"]
    assert codes(labelled(condition(code="B20"), both)) == ["HIV", "R"]
    assert to_label("V") == Coding(CONFIDENTIALITY, "V")


ROW: JsonObject = {"systems": [ICD], "codes": ["O04"], "labels": ["SEX"]}


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"version": "1"},
        {"version": "", "rules": [ROW]},
        {"version": 1, "rules": [ROW]},
        {"version": "1", "rules": {}},
        {"version": "1", "rules": ["B20"]},
        {"version": "1", "rules": [{**ROW, "label": ["R"]}]},
        {"version": "1", "rules": [{**ROW, "labels": []}]},
        {"version": "1", "rules": [{**ROW, "systems": []}]},
        {"version": "1", "rules": [{**ROW, "codes": []}]},
        {"version": "1", "rules": [{**ROW, "codes": "O04"}]},
        {"version": "1", "rules": [{**ROW, "codes": [4]}]},
        {"version": "1", "rules": [{**ROW, "codes": [""]}]},
        {"version": "1", "rules": [{**ROW, "beginning": ["F19-F10"]}]},
        {"version": "1", "rules": [{**ROW, "beginning": ["F10-G19"]}]},
    ],
)
def test_rules_of_another_form_are_refused(value: JsonObject) -> None:
    with pytest.raises(BadValue):
        read_rules(value)
