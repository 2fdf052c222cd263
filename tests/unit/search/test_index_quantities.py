"""Index values of number and quantity parameters.

https://hl7.org/fhir/R4/search.html#quantity
"""

from decimal import Decimal
from math import inf, nextafter
from typing import Any

import pytest

from fhir_server.search.indexing import Indexer
from fhir_server.search.registry import Registry

INDEXER = Indexer(Registry(), "https://clinic.example/fhir")
UCUM = "http://unitsofmeasure.org"


def quantities(kind: str, code: str, /, **elements: Any) -> set[tuple[str, float, float]]:
    """The ranges of one parameter, without its code."""
    values = INDEXER.values({"resourceType": kind, "id": "1", **elements})
    return {
        (each.key[len(code) + 1 :], each.lo, each.hi)
        for each in values.quantities
        if each.key.startswith(f"{code}|")
    }


def below(value: float) -> float:
    return nextafter(value, -inf)


def mg(value: str, **more: str) -> dict[str, Any]:
    return {"value": Decimal(value), "system": UCUM, "code": "mg", **more}


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        # any unit; as coded; the code alone; the unit alone; in base units
        (
            {"valueQuantity": mg("250", unit="milligram")},
            {
                ("", 250, 250),
                (f"{UCUM}|mg", 250, 250),
                ("|mg", 250, 250),
                ("|milligram", 250, 250),
                ("=|g", 0.25, 0.25),
            },
        ),
        ({"valueQuantity": {"value": 3}}, {("", 3, 3)}),
        ({"valueQuantity": {"value": 3, "unit": "kg"}}, {("", 3, 3), ("|kg", 3, 3)}),
        (
            {"valueQuantity": {"value": 3, "system": "urn:u", "code": "box"}},
            {("", 3, 3), ("urn:u|box", 3, 3), ("|box", 3, 3)},
        ),
        # a code that UCUM does not know has no base unit
        (
            {"valueQuantity": {"value": 3, "system": UCUM, "code": "tablet"}},
            {("", 3, 3), (f"{UCUM}|tablet", 3, 3), ("|tablet", 3, 3)},
        ),
        # comparators open one side; of < and > the number itself is outside
        (
            {"valueQuantity": mg("500", comparator="<")},
            {
                ("", -inf, below(500)),
                (f"{UCUM}|mg", -inf, below(500)),
                ("|mg", -inf, below(500)),
                ("=|g", -inf, below(0.5)),
            },
        ),
        (
            {"valueQuantity": {"value": 5, "comparator": ">"}},
            {("", nextafter(5, inf), inf)},
        ),
        (
            {"valueQuantity": {"value": 5, "comparator": ">="}},
            {("", 5, inf)},
        ),
        ({"valueQuantity": {"unit": "mg"}}, set()),
        # samples: from the least to the greatest, in the origin's unit
        (
            {
                "valueSampledData": {
                    "origin": {"value": 100, "unit": "mV"},
                    "factor": Decimal("0.5"),
                    "data": "2 E -4 U 10 L",
                }
            },
            {("", 98, 105), ("|mV", 98, 105)},
        ),
        ({"valueSampledData": {"origin": {"value": 1}, "data": "E"}}, set()),
    ],
)
def test_quantity(elements: dict[str, Any], expected: set[tuple[str, float, float]]) -> None:
    assert quantities("Observation", "value-quantity", **elements) == expected


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"low": mg("250"), "high": mg("500")}, {("", 250, 500), ("=|g", 0.25, 0.5)}),
        ({"low": mg("250")}, {("", 250, inf), ("=|g", 0.25, inf)}),
        ({"high": mg("500")}, {("", -inf, 500), ("=|g", -inf, 0.5)}),
        ({}, set()),
    ],
)
def test_a_range_reaches_from_low_to_high(
    bounds: dict[str, Any], expected: set[tuple[str, float, float]]
) -> None:
    found = quantities("Library", "context-quantity", useContext=[{"valueRange": bounds}])
    assert {each for each in found if each[0] in ("", "=|g")} == expected


def test_an_age_is_a_quantity() -> None:
    age = {"value": 2, "system": UCUM, "code": "a"}
    found = quantities("Condition", "onset-age", onsetAge=age)
    assert ("", 2, 2) in found
    assert (f"{UCUM}|a", 2, 2) in found


def test_money_is_in_its_currency() -> None:
    found = quantities("Invoice", "totalgross", totalGross={"value": 5, "currency": "UAH"})
    assert found == {("", 5, 5), ("urn:iso:std:iso:4217|UAH", 5, 5), ("|UAH", 5, 5)}


def test_a_currency_without_an_amount_is_nothing() -> None:
    assert quantities("Invoice", "totalgross", totalGross={"currency": "UAH"}) == set()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("0.8"), 0.8),
        (1, 1.0),
        (Decimal("1E+999"), inf),
        (10**400, inf),
        (-(10**400), -inf),
    ],
)
def test_a_number_is_a_point(value: Any, expected: float) -> None:
    found = quantities(
        "RiskAssessment", "probability", prediction=[{"probabilityDecimal": value}]
    )
    assert found == {("", expected, expected)}
