"""FHIRPath Patch, operation by operation: https://hl7.org/fhir/R4/fhirpatch.html."""

from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest

from fhir_server.core.errors import (
    BadValue,
    FhirError,
    MissingElement,
    NotSupported,
    TooCostly,
    Unprocessable,
)
from fhir_server.core.types import JsonObject
from fhir_server.fhirpath.errors import FhirPathError
from fhir_server.interactions.patching import fhirpath_patch

# ruff: noqa: E501  a row is read as a row

OFFICIAL = {"use": "official", "family": "A", "given": ["x", "y"]}
NICKNAME = {"use": "nickname", "text": "B"}
NOTE = {"url": "http://u", "valueString": "n"}


def operation(**parts: Any) -> JsonObject:
    """`value__valueCode=…` for the value, plain names for the other parts."""
    found: list[JsonObject] = []
    value: JsonObject = {"name": "value"}
    for name, each in parts.items():
        if name.startswith(("value", "_value", "part", "resource")):
            value[name] = each
        elif isinstance(each, int):
            found.append({"name": name, "valueInteger": each})
        else:
            found.append(
                {"name": name, ("valueCode" if name == "type" else "valueString"): each}
            )
    return {"name": "operation", "part": [*found, *([value] if len(value) > 1 else [])]}


def patch(resource: JsonObject, *operations: JsonObject) -> JsonObject:
    parameters = {"resourceType": "Parameters", "parameter": list(operations)}
    before = deepcopy(resource)
    found = fhirpath_patch.apply(resource, fhirpath_patch.read_patch(parameters))
    assert resource == before
    return found


def patient(**elements: Any) -> JsonObject:
    return {"resourceType": "Patient", **elements}


def add(path: str, name: str, **value: Any) -> JsonObject:
    return operation(type="add", path=path, name=name, **value)


def insert(path: str, index: int, **value: Any) -> JsonObject:
    return operation(type="insert", path=path, index=index, **value)


def delete(path: str) -> JsonObject:
    return operation(type="delete", path=path)


def replace(path: str, **value: Any) -> JsonObject:
    return operation(type="replace", path=path, **value)


def move(path: str, source: int, destination: int) -> JsonObject:
    return operation(type="move", path=path, source=source, destination=destination)


CONTACT_PARTS = [
    {"name": "name", "valueHumanName": {"text": "c"}},
    {"name": "telecom", "valueContactPoint": {"value": "1"}},
    {"name": "telecom", "valueContactPoint": {"value": "2"}},
    {"name": "gender", "valueCode": "male"},
]
CONTACT = {"name": {"text": "c"}, "telecom": [{"value": "1"}, {"value": "2"}], "gender": "male"}


@pytest.mark.parametrize(
    ("before", "operation", "after"),
    [
        # "The content will be appended to the element identified in the path"
        (patient(), add("Patient", "birthDate", valueDate="1930-01-01"),
         patient(birthDate="1930-01-01")),
        (patient(), add("Patient", "name", valueHumanName=NICKNAME), patient(name=[NICKNAME])),
        (patient(name=[OFFICIAL]), add("Patient", "name", valueHumanName=NICKNAME),
         patient(name=[OFFICIAL, NICKNAME])),
        (patient(name=[OFFICIAL]), add("Patient.name[0]", "suffix", valueString="z"),
         patient(name=[{**OFFICIAL, "suffix": ["z"]}])),
        (patient(name=[NICKNAME, OFFICIAL]),
         add("Patient.name.where(use = 'official')", "given", valueString="z"),
         patient(name=[NICKNAME, {**OFFICIAL, "given": ["x", "y", "z"]}])),
        (patient(), add("Patient", "contact", part=CONTACT_PARTS), patient(contact=[CONTACT])),
        (patient(), add("Patient", "contained", resource={"resourceType": "Basic"}),
         patient(contained=[{"resourceType": "Basic"}])),
        (patient(), add("$this", "active", valueBoolean=True), patient(active=True)),
        (patient(), add("%resource", "active", valueBoolean=True), patient(active=True)),
        (patient(), add("Resource", "language", valueCode="ru"), patient(language="ru")),
        # A choice is named as FHIRPath names it, or as JSON does; the value says which it is.
        (patient(), add("Patient", "deceased", valueBoolean=True), patient(deceasedBoolean=True)),
        (patient(), add("Patient", "deceasedDateTime", valueDateTime="2020"),
         patient(deceasedDateTime="2020")),
        ({"resourceType": "Observation"},
         add("Observation", "value", valueQuantity={"value": 1}),
         {"resourceType": "Observation", "valueQuantity": {"value": 1}}),
        # A string where a code stands; validation looks at it next.
        (patient(), add("Patient", "gender", valueString="male"), patient(gender="male")),
        # A primitive's extensions: on it, with it, and of it alone.
        (patient(birthDate="2020"), add("Patient.birthDate", "extension", valueExtension=NOTE),
         patient(birthDate="2020", _birthDate={"extension": [NOTE]})),
        (patient(), add("Patient", "birthDate", valueDate="2020", _valueDate={"id": "b"}),
         patient(birthDate="2020", _birthDate={"id": "b"})),
        (patient(), add("Patient", "birthDate", _valueDate={"id": "b"}),
         patient(_birthDate={"id": "b"})),
        (patient(name=[{"given": ["x"]}]),
         add("Patient.name", "given", valueString="y", _valueString={"id": "y"}),
         patient(name=[{"given": ["x", "y"], "_given": [None, {"id": "y"}]}])),
        (patient(name=[{"given": ["x", "y"]}]),
         add("Patient.name.given[1]", "extension", valueExtension=NOTE),
         patient(name=[{"given": ["x", "y"], "_given": [None, {"extension": [NOTE]}]}])),
        # insert: "the index is mandatory"; 0 is the front, the count the end
        (patient(name=[OFFICIAL]), insert("Patient.name", 0, valueHumanName=NICKNAME),
         patient(name=[NICKNAME, OFFICIAL])),
        (patient(name=[OFFICIAL]), insert("Patient.name", 1, valueHumanName=NICKNAME),
         patient(name=[OFFICIAL, NICKNAME])),
        (patient(), insert("Patient.name", 0, valueHumanName=NICKNAME), patient(name=[NICKNAME])),
        (patient(name=[{"given": ["x"], "_given": [{"id": "x"}]}]),
         insert("Patient.name[0].given", 0, valueString="w"),
         patient(name=[{"given": ["w", "x"], "_given": [None, {"id": "x"}]}])),
        # "Remove the content at the specified path, if found"
        (patient(birthDate="2020", _birthDate={"id": "b"}), delete("Patient.birthDate"),
         patient()),
        (patient(), delete("Patient.birthDate"), patient()),
        (patient(name=[OFFICIAL, NICKNAME]), delete("Patient.name[0]"), patient(name=[NICKNAME])),
        (patient(name=[NICKNAME]), delete("Patient.name[0]"), patient()),
        (patient(name=[OFFICIAL, NICKNAME]), delete("Patient.name.where(use = 'nickname')"),
         patient(name=[OFFICIAL])),
        (patient(name=[{"given": ["x", "y"], "_given": [None, {"id": "y"}]}]),
         delete("Patient.name.given[0]"),
         patient(name=[{"given": ["y"], "_given": [{"id": "y"}]}])),
        (patient(extension=[NOTE]), delete("Patient.extension('http://u')"), patient()),
        (patient(extension=[NOTE]), delete("Patient.extension('http://v')"),
         patient(extension=[NOTE])),
        (patient(deceasedBoolean=True), delete("Patient.deceased"), patient()),
        (patient(deceasedBoolean=True), delete("Patient.deceased.ofType(dateTime)"),
         patient(deceasedBoolean=True)),
        (patient(deceasedBoolean=True), delete("(Patient.deceased as boolean)"), patient()),
        (patient(deceasedBoolean=True), delete("Patient.deceased.as(FHIR.boolean)"), patient()),
        (patient(name=[OFFICIAL, NICKNAME]), delete("Patient.name.first()"),
         patient(name=[NICKNAME])),
        (patient(name=[OFFICIAL, NICKNAME]), delete("Patient.name.last()"),
         patient(name=[OFFICIAL])),
        (patient(contained=[{"resourceType": "Basic", "id": "a"}, {"resourceType": "Patient", "id": "b"}]),
         delete("Patient.contained.ofType(Basic).id"),
         patient(contained=[{"resourceType": "Basic"}, {"resourceType": "Patient", "id": "b"}])),
        (patient(birthDate="2020"), delete("Patient.birthDate.extension"), patient(birthDate="2020")),
        # replace
        (patient(birthDate="2020"), replace("Patient.birthDate", valueDate="2021"),
         patient(birthDate="2021")),
        (patient(birthDate="2020", _birthDate={"id": "b"}),
         replace("Patient.birthDate", valueDate="2021"), patient(birthDate="2021")),
        (patient(name=[OFFICIAL, NICKNAME]), replace("Patient.name[1]", valueHumanName=OFFICIAL),
         patient(name=[OFFICIAL, OFFICIAL])),
        (patient(name=[OFFICIAL]), replace("Patient.name.given[1]", valueString="z"),
         patient(name=[{**OFFICIAL, "given": ["x", "z"]}])),
        (patient(deceasedBoolean=True), replace("Patient.deceased", valueDateTime="2020"),
         patient(deceasedDateTime="2020")),
        (patient(contact=[{"name": {"text": "d"}}]),
         replace("Patient.contact.single()", part=CONTACT_PARTS), patient(contact=[CONTACT])),
        (patient(contact=[CONTACT]),
         replace("Patient.contact.where(gender = 'male').telecom.where(value = '2').value",
                 valueString="3"),
         patient(contact=[{**CONTACT, "telecom": [{"value": "1"}, {"value": "3"}]}])),
        # move
        (patient(name=[{"given": ["a", "b", "c"]}]), move("Patient.name.given", 0, 2),
         patient(name=[{"given": ["b", "c", "a"]}])),
        (patient(name=[{"given": ["a", "b", "c"]}]), move("Patient.name.given", 2, 0),
         patient(name=[{"given": ["c", "a", "b"]}])),
        (patient(name=[{"given": ["a", "b"], "_given": [{"id": "a"}]}]),
         move("Patient.name.given", 0, 1),
         patient(name=[{"given": ["b", "a"], "_given": [None, {"id": "a"}]}])),
        (patient(name=[OFFICIAL, NICKNAME]), move("Patient.name", 1, 1),
         patient(name=[OFFICIAL, NICKNAME])),
    ],
)  # fmt: skip
def test_an_operation(before: JsonObject, operation: JsonObject, after: JsonObject) -> None:
    assert patch(before, operation) == after


@pytest.mark.parametrize(
    ("before", "operation", "kind"),
    [
        (patient(birthDate="2020"), add("Patient", "birthDate", valueDate="2021"), Unprocessable),
        (patient(_birthDate={"id": "b"}), add("Patient", "birthDate", valueDate="2"),
         Unprocessable),
        (patient(deceasedBoolean=True), add("Patient", "deceased", valueDateTime="2020"),
         Unprocessable),
        (patient(), add("Patient", "foo", valueString="a"), Unprocessable),
        (patient(), add("Patient.name", "given", valueString="a"), Unprocessable),
        (patient(name=[OFFICIAL, NICKNAME]), add("Patient.name", "suffix", valueString="a"),
         Unprocessable),
        (patient(), add("Patient", "name", valueString="a"), Unprocessable),
        (patient(), add("Patient", "active", valueString="true"), Unprocessable),
        (patient(), add("Patient", "birthDate", valueHumanName={}), Unprocessable),
        (patient(), add("Patient", "deceased", valueQuantity={}), Unprocessable),
        (patient(), add("Patient", "name", resource={"resourceType": "Basic"}), Unprocessable),
        (patient(), add("Patient", "active", part=CONTACT_PARTS), Unprocessable),
        (patient(), add("Patient", "contact", part=[*CONTACT_PARTS, CONTACT_PARTS[0]]),
         Unprocessable),
        (patient(), add("Patient", "contact", part=["a"]), MissingElement),
        (patient(), add("Patient", "name", valueHumanName="a"), BadValue),
        (patient(), add("Patient", "name", valueHumanName={}, valueString="a"), MissingElement),
        (patient(), add("Patient", "name", valueNonsense={}), Unprocessable),
        (patient(), insert("Patient.name", 1, valueHumanName={}), Unprocessable),
        (patient(), insert("Patient.birthDate", 0, valueDate="2020"), Unprocessable),
        (patient(), insert("Patient.name[0]", 0, valueHumanName={}), Unprocessable),
        (patient(), insert("Patient.deceased", 0, valueBoolean=True), Unprocessable),
        (patient(name=[OFFICIAL, NICKNAME]), delete("Patient.name"), Unprocessable),
        (patient(), delete("Patient"), Unprocessable),
        (patient(), replace("Patient", resource=patient()), Unprocessable),
        (patient(), replace("Patient.birthDate", valueDate="2020"), Unprocessable),
        (patient(name=[OFFICIAL, NICKNAME]), replace("Patient.name.use", valueCode="usual"),
         Unprocessable),
        (patient(name=[OFFICIAL]), move("Patient.name", 1, 0), Unprocessable),
        (patient(name=[OFFICIAL]), move("Patient.name", 0, 1), Unprocessable),
        (patient(), move("Patient.active", 0, 0), Unprocessable),
        (patient(), delete("Patient.name.select(given)"), NotSupported),
        (patient(), delete("Patient.name | Patient.telecom"), NotSupported),
        (patient(), delete("Patient.descendants()"), NotSupported),
        (patient(name=[OFFICIAL]), delete("Patient.name.where(foo = 1)"), FhirPathError),
    ],
)  # fmt: skip
def test_an_operation_that_does_not_fit(
    before: JsonObject, operation: JsonObject, kind: type[FhirError]
) -> None:
    with pytest.raises(kind) as caught:
        patch(before, add("Patient", "language", valueCode="ru"), operation)
    assert caught.value.issues[0].expression == ("Parameters.parameter[1]",)


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ("text", BadValue),
        ({"name": "other"}, BadValue),
        (operation(path="Patient"), MissingElement),
        (operation(type="upsert", path="Patient"), BadValue),
        (operation(type="delete"), MissingElement),
        (operation(type="delete", path="Patient."), FhirPathError),
        (operation(type="add", path="Patient", valueString="a"), MissingElement),
        (operation(type="add", path="Patient", name="active"), MissingElement),
        (operation(type="insert", path="Patient.name", valueString="a"), MissingElement),
        (operation(type="insert", path="Patient.name", index=-1, valueString="a"),
         MissingElement),
        (operation(type="replace", path="Patient.name"), MissingElement),
        (operation(type="move", path="Patient.name", source=1), MissingElement),
    ],
)  # fmt: skip
def test_what_is_no_operation(row: Any, kind: type[FhirError]) -> None:
    with pytest.raises(kind) as caught:
        fhirpath_patch.read_patch(
            {"resourceType": "Parameters", "parameter": [delete("Patient.name"), row]}
        )
    assert caught.value.issues[0].expression == ("Parameters.parameter[1]",)


@pytest.mark.parametrize(
    "parameters",
    [{}, {"resourceType": "Parameters"}, {"resourceType": "Basic", "parameter": []}],
)
def test_what_is_no_patch(parameters: JsonObject) -> None:
    with pytest.raises(BadValue):
        fhirpath_patch.read_patch(parameters)


def test_operations_are_counted_and_go_in_order() -> None:
    with pytest.raises(TooCostly):
        patch(patient(), *[delete("Patient.name")] * (fhirpath_patch.MAX_OPERATIONS + 1))
    assert patch(
        patient(),
        add("Patient", "name", valueHumanName={"text": "a"}),
        add("Patient.name", "given", valueString="g"),
        replace("Patient.name.given", valueString="h"),
        delete("Patient.name.text"),
    ) == patient(name=[{"given": ["h"]}])


def test_what_a_patch_adds_is_its_own() -> None:
    parameters: JsonObject = {
        "resourceType": "Parameters",
        "parameter": [
            add("Patient", "name", valueHumanName={"text": "a"}),
            add("Patient.name", "given", valueString="g"),
        ],
    }
    before = deepcopy(parameters)
    operations = fhirpath_patch.read_patch(parameters)
    for _ in range(2):
        fhirpath_patch.apply(patient(), operations)
    assert parameters == before


@pytest.mark.parametrize(
    "spoilt",
    [{"given": "abc"}, {"given": {}}, {"_given": "abc", "given": ["a"]}, {"_given": 1}],
)
@pytest.mark.parametrize(
    "operation",
    [
        add("Patient.name", "given", valueString="x"),
        add("Patient.name.given[0]", "extension", valueExtension=NOTE),
        insert("Patient.name.given", 0, valueString="x"),
        delete("Patient.name.given[0]"),
        replace("Patient.name.given[0]", valueString="x"),
        move("Patient.name.given", 0, 0),
    ],
)
def test_what_an_operation_spoils_the_next_one_refuses(
    spoilt: JsonObject, operation: JsonObject
) -> None:
    with suppress(FhirError):
        patch(patient(), add("Patient", "name", valueHumanName=spoilt), operation)


def test_a_patch_has_one_budget() -> None:
    resource = patient(name=[{"given": ["a"] * 1000} for _ in range(20)])
    costly = delete("Patient.name.where(%resource.descendants().count() = 0)")
    with pytest.raises(FhirPathError, match="steps"):
        patch(resource, *[costly] * 1000)
