"""Index values of composite parameters: https://hl7.org/fhir/R4/search.html#composite."""

from typing import Any

import pytest

from fhir_server.core.errors import Unprocessable
from fhir_server.search import keys
from fhir_server.search.indexing import Indexer
from fhir_server.search.registry import Registry
from fhir_server.search.values import Combined, Ranged
from fhir_server.spec.search_parameters import Component, SearchParameter

INDEXER = Indexer(Registry(), "https://clinic.example/fhir")


def concept(code: str) -> dict[str, Any]:
    return {"coding": [{"system": "urn:s", "code": code, "display": "Some display"}]}


def combined(kind: str, code: str, /, **elements: Any) -> list[Combined]:
    values = INDEXER.values({"resourceType": kind, "id": "1", **elements})
    return [each for each in values.combined if each.param == code]


def test_what_stands_in_one_component_stays_together() -> None:
    found = combined(
        "Observation",
        "component-code-value-quantity",
        code=concept("bp"),
        component=[
            {"code": concept("systolic"), "valueQuantity": {"value": 120}},
            {"code": concept("diastolic"), "valueQuantity": {"value": 80}},
            {"code": concept("posture"), "valueString": "sitting"},
        ],
    )
    assert found == [
        Combined(
            "component-code-value-quantity",
            (f"0|component-code|urn:s|{code}", f"0|component-code|~|{code}"),
            (Ranged("1|component-value-quantity|", value, value),),
        )
        for code, value in (("systolic", 120), ("diastolic", 80))
    ]


def test_a_combo_has_the_observation_and_its_components() -> None:
    found = combined(
        "Observation",
        "combo-code-value-concept",
        code=concept("a"),
        valueCodeableConcept=concept("yes"),
        component=[{"code": concept("b"), "valueCodeableConcept": concept("no")}],
    )
    assert [each.keys for each in found] == [
        (
            f"0|combo-code|urn:s|{code}",
            f"0|combo-code|~|{code}",
            f"1|combo-value-concept|urn:s|{value}",
            f"1|combo-value-concept|~|{value}",
        )
        for code, value in (("a", "yes"), ("b", "no"))
    ]


@pytest.mark.parametrize(
    "elements",
    [
        {"code": concept("a")},
        {"valueQuantity": {"value": 1}},
        {"code": {"text": "a"}, "valueQuantity": {"value": 1}},
        {"code": concept("a"), "valueQuantity": {"unit": "mg"}},
        {},
    ],
)
def test_a_place_without_one_of_the_parts_has_none(elements: dict[str, Any]) -> None:
    assert combined("Observation", "code-value-quantity", **elements) == []


@pytest.mark.parametrize(
    ("code", "elements", "key"),
    [
        ("code-value-string", {"valueString": "Blue Green"}, "1|value-string|blue green"),
        ("code-value-string", {"valueString": "Blue Green"}, "1|value-string=|Blue Green"),
        ("code-value-concept", {"valueCodeableConcept": concept("x")}, "1|value-concept|~|x"),
    ],
)
def test_the_keys_of_a_part(code: str, elements: dict[str, Any], key: str) -> None:
    (found,) = combined("Observation", code, code=concept("a"), **elements)
    assert key in found.keys


def test_a_long_key_is_bounded_as_outside_of_composites() -> None:
    long = "x" * 2_000
    code = {"coding": [{"system": "urn:s", "code": long}]}
    (found,) = combined(
        "Observation", "code-value-concept", code=code, valueCodeableConcept=concept("ж")
    )
    assert found.keys[:2] == (
        keys.part(0, keys.token("code", "urn:s", long)),
        keys.part(0, keys.token("code", None, long)),
    )
    assert "1|value-concept|~|ж" in found.keys


def test_a_date_is_a_range() -> None:
    (found,) = combined(
        "Observation", "code-value-date", code=concept("a"), valueDateTime="1970-01-01"
    )
    assert found.ranges == (Ranged("1|value-date", 0, 86_400_000),)


def test_the_implicit_system_of_a_code_and_a_reference() -> None:
    (found,) = combined(
        "DocumentReference",
        "relationship",
        relatesTo=[{"code": "replaces", "target": {"reference": "DocumentReference/2"}}],
    )
    assert found.keys == (
        "0|relatesto|DocumentReference/2",
        "1|relation||replaces",
        "1|relation|~|replaces",
        "1|relation|http://hl7.org/fhir/document-relationship-type|replaces",
    )


def test_a_part_may_start_at_the_resource() -> None:
    (found,) = combined(
        "MolecularSequence",
        "chromosome-variant-coordinate",
        referenceSeq={"chromosome": concept("7")},
        variant=[{"start": 5, "end": 9}],
    )
    assert "0|chromosome|~|7" in found.keys
    assert found.ranges == (
        Ranged("1|variant-start|", 5, 5),
        Ranged("2|variant-end|", 9, 9),
    )


@pytest.mark.parametrize(
    ("expression", "definition"),
    [
        ("Observation.component.where(code.exists())", "clinical-code"),
        ("Observation.value", "clinical-code"),
        ("Observation", "no-such-parameter"),
    ],
)
def test_a_composite_that_cannot_be_compiled_is_refused(
    expression: str, definition: str
) -> None:
    part = Component(f"http://hl7.org/fhir/SearchParameter/{definition}", "code")
    registry = Registry()
    registry.add(
        SearchParameter(
            "urn:x", "mine", "composite", ("Observation",), expression, (), (part, part)
        )
    )
    with pytest.raises(Unprocessable):
        Indexer(registry).check(["Observation"])
