"""Profiles, extensions and codes of the operator: https://hl7.org/fhir/R4/profiling.html"""

from typing import Any

import pytest

from fhir_server.core.errors import Unprocessable
from fhir_server.core.types import JsonObject
from fhir_server.validation.own_definitions import known
from fhir_server.validation.own_profiles import DefinitionError
from fhir_server.validation.validator import Validator

R4 = "http://hl7.org/fhir/StructureDefinition"
OWN = "http://example.org/fhir"
CODES: JsonObject = {
    "resourceType": "CodeSystem",
    "url": f"{OWN}/CodeSystem/wards",
    "status": "active",
    "content": "complete",
    "concept": [{"code": "icu"}, {"code": "er"}],
}
VALUES: JsonObject = {
    "resourceType": "ValueSet",
    "url": f"{OWN}/ValueSet/wards",
    "status": "active",
    "compose": {"include": [{"system": CODES["url"]}]},
}


def defined(name: str, kind: str, *elements: JsonObject, **content: Any) -> JsonObject:
    return {
        "resourceType": "StructureDefinition",
        "url": f"{OWN}/{name}",
        "name": name,
        "status": "active",
        "kind": "complex-type" if kind == "Extension" else "resource",
        "abstract": False,
        "type": kind,
        "baseDefinition": f"{R4}/{kind}",
        "derivation": "constraint",
        "differential": {"element": [{"id": e.get("id", e["path"]), **e} for e in elements]},
    } | content


WARD = defined(
    "ward",
    "Extension",
    {"path": "Extension.extension", "max": "0"},
    {"path": "Extension.url", "fixedUri": f"{OWN}/ward"},
    {
        "path": "Extension.value[x]",
        "min": 1,
        "type": [{"code": "Coding"}],
        "binding": {"strength": "required", "valueSet": VALUES["url"]},
    },
    context=[{"type": "element", "expression": "Patient"}],
)
PATIENT = defined(
    "patient",
    "Patient",
    {
        "path": "Patient",
        "constraint": [
            {
                "key": "own-1",
                "severity": "error",
                "human": "a birth date is needed",
                "expression": "birthDate.exists()",
            }
        ],
    },
    {"path": "Patient.name", "min": 1},
    {"path": "Patient.name.family", "min": 1},
    {
        "path": "Patient.identifier",
        "slicing": {
            "rules": "open",
            "discriminator": [{"type": "value", "path": "system"}],
        },
    },
    {
        "path": "Patient.identifier",
        "id": "Patient.identifier:snils",
        "sliceName": "snils",
        "min": 1,
        "max": "1",
    },
    {
        "path": "Patient.identifier.system",
        "id": "Patient.identifier:snils.system",
        "min": 1,
        "fixedUri": "urn:oid:1.2.643.100.3",
    },
    {
        "path": "Patient.extension",
        "id": "Patient.extension:ward",
        "sliceName": "ward",
        "min": 1,
        "type": [{"code": "Extension", "profile": [WARD["url"]]}],
    },
)
CHILD = defined(
    "child", "Patient", {"path": "Patient.contact", "min": 1}, baseDefinition=PATIENT["url"]
)
EVERY = [CODES, VALUES, WARD, PATIENT, CHILD]
EVE: JsonObject = {
    "resourceType": "Patient",
    "name": [{"family": "Ivanova"}],
    "birthDate": "1980",
    "identifier": [{"system": "urn:oid:1.2.643.100.3", "value": "1"}],
    "extension": [{"url": WARD["url"], "valueCoding": {"system": CODES["url"], "code": "icu"}}],
}


def named(*resources: JsonObject) -> list[tuple[str, JsonObject]]:
    return [(f"{number}.json", each) for number, each in enumerate(resources)]


def validator(*resources: JsonObject) -> Validator:
    found = known(named(*resources))
    return Validator(found.terminology, found.profiles)


def errors(resource: JsonObject, profile: str, *resources: JsonObject) -> list[tuple[str, str]]:
    claim = {"meta": {"profile": [f"{OWN}/{profile}"]}}
    found = validator(*(resources or EVERY)).validate(resource | claim, "Patient")
    return [(each.code, each.expression[0]) for each in found if each.severity == "error"]


def without(name: str) -> JsonObject:
    return {key: value for key, value in EVE.items() if key != name}


def ward(**value: Any) -> JsonObject:
    return EVE | {"extension": [{"url": WARD["url"], **value}]}


def test_what_obeys_is_accepted() -> None:
    assert errors(EVE, "patient") == []
    assert errors(EVE | {"contact": [{"name": {"text": "x"}}]}, "child") == []


@pytest.mark.parametrize(
    ("resource", "code", "expression"),
    [
        (without("name"), "required", "Patient.name"),
        (EVE | {"name": [{"text": "x"}]}, "required", "Patient.name[0].family"),
        (without("identifier"), "required", "Patient.identifier"),
        (EVE | {"identifier": [{"system": "urn:x"}]}, "required", "Patient.identifier"),
        (EVE | {"identifier": EVE["identifier"] * 2}, "structure", "Patient.identifier"),
        (without("extension"), "required", "Patient.extension"),
        (ward(valueString="icu"), "value", "Patient.extension[0].value"),
        (
            ward(valueCoding={"system": CODES["url"], "code": "x"}),
            "code-invalid",
            "Patient.extension[0].value",
        ),
        (without("birthDate"), "invariant", "Patient"),
    ],
)
def test_what_breaks_it_is_named(resource: JsonObject, code: str, expression: str) -> None:
    assert errors(resource, "patient") == [(code, expression)]
    # A profile asks all that its base asks.
    assert (code, expression) in errors(resource, "child")


def test_a_profile_adds_to_its_base() -> None:
    assert errors(EVE, "child") == [("required", "Patient.contact")]


def test_a_profile_may_build_on_one_of_r4() -> None:
    weight = defined(
        "weight",
        "Observation",
        {"path": "Observation.performer", "min": 1},
        baseDefinition=f"{R4}/bodyweight",
    )
    resource = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    found = validator(weight).validate(resource, "Observation", [weight["url"]])
    places = {each.expression[0] for each in found if each.severity == "error"}
    assert {"Observation.performer", "Observation.category", "Observation.subject"} <= places


def test_a_choice_is_sliced_by_type_unless_said_otherwise() -> None:
    dated = defined(
        "dated",
        "Patient",
        {
            "path": "Patient.deceased[x]",
            "id": "Patient.deceased[x]:deceasedDateTime",
            "sliceName": "deceasedDateTime",
            "min": 1,
            "type": [{"code": "dateTime"}],
        },
    )
    assert errors(EVE | {"deceasedDateTime": "2020"}, "dated", dated) == []
    assert errors(EVE | {"deceasedBoolean": True}, "dated", dated) == [
        ("required", "Patient.deceased")
    ]


def test_an_element_that_occurs_once_may_have_a_name() -> None:
    place = {"path": "Patient.maritalStatus", "id": "Patient.maritalStatus:m", "min": 1}
    text = {"path": "Patient.maritalStatus.text", "id": f"{place['id']}.text", "min": 1}
    named_once = defined("once", "Patient", place | {"sliceName": "m"}, text)
    assert errors(EVE | {"maritalStatus": {"text": "x"}}, "once", named_once) == []
    assert errors(EVE, "once", named_once) == [("required", "Patient.maritalStatus")]
    assert errors(EVE | {"maritalStatus": {"id": "a", "coding": []}}, "once", named_once)


def test_a_snapshot_is_taken_as_it_is() -> None:
    whole = defined("whole", "Patient", {"path": "Patient.photo", "min": 1})
    rows = [
        {"id": "Patient", "path": "Patient", "min": 0, "max": "*"},
        {
            "id": "Patient.id",
            "path": "Patient.id",
            "min": 1,
            "max": "1",
            "type": [
                {
                    "extension": [
                        {"url": f"{R4}/structuredefinition-fhir-type", "valueUrl": "string"}
                    ],
                    "code": "http://hl7.org/fhirpath/System.String",
                }
            ],
        },
    ]
    whole["snapshot"] = {
        "element": [
            each
            | {
                "definition": "x",
                "base": {"path": each["path"], "min": 0, "max": each["max"]},
            }
            for each in rows
        ]
    }
    assert errors(EVE, "whole", whole) == [("required", "Patient.id")]
    assert errors(EVE | {"id": "a"}, "whole", whole) == []


def test_a_claimed_profile_counts_on_a_write() -> None:
    claim = {"meta": {"profile": [f"{PATIENT['url']}|1.0.0"]}}
    validator(*EVERY).check(EVE | claim, "Patient")
    with pytest.raises(Unprocessable):
        validator(*EVERY).check(without("name") | claim, "Patient")


def test_a_definition_of_an_extension_counts_without_a_profile() -> None:
    other = ward(valueCoding={"system": CODES["url"], "code": "x"})
    with pytest.raises(Unprocessable):
        validator(*EVERY).check(other, "Patient")
    validator(*EVERY).check(EVE, "Patient")
    validator().check(other, "Patient")


WARDS = {"differential": {"element": [{"id": "Ward", "path": "Ward"}]}}
SLICE = {"path": "Patient.name", "id": "Patient.name:a", "sliceName": "a", "min": 1}
RULE = {"key": "a-1", "severity": "error", "human": "x", "expression": "name.("}


@pytest.mark.parametrize(
    ("resources", "reason"),
    [
        ([EVE], "Patient is none of"),
        ([WARD | {"status": "x"}], r"0\.json: StructureDefinition\.status"),
        ([{k: v for k, v in VALUES.items() if k != "url"}], "needs a url"),
        ([WARD, WARD], r"1\.json: .*/ward is defined in 0\.json too"),
        ([WARD | {"url": f"{R4}/patient-birthTime"}], "R4's own"),
        ([WARD | {"url": f"{R4}/Patient"}], "R4's own"),
        ([CHILD], "its base .*/patient is not known"),
        ([CHILD | {"baseDefinition": CHILD["url"]}], "built on itself"),
        ([WARD | {"type": "Ward"} | WARDS], "not a constraint on a type of R4"),
        ([WARD | {"derivation": "specialization"}], "not a constraint on a type of R4"),
        ([defined("p", "Patient", {"path": "Patient.nam"})], r"no element Patient\.nam"),
        ([defined("p", "Patient", {"path": "Patient.name.x"})], r"no element Patient\.name\.x"),
        ([defined("p", "Patient", SLICE)], r"Patient\.name:a is a slice"),
        ([defined("p", "Patient", {"path": "Patient", "constraint": [RULE]})], "/p: a-1: "),
    ],
)
def test_what_cannot_be_used_is_refused(resources: list[JsonObject], reason: str) -> None:
    with pytest.raises(DefinitionError, match=reason):
        known(named(*resources))
