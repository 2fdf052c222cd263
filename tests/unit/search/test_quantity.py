"""https://hl7.org/fhir/R4/search.html#quantity"""

import pytest

from fhir_server.search.values import IndexValues
from tests.support.searching import matches, refusals, stored

UCUM = "http://unitsofmeasure.org"


def quantity(value: float, code: str | None = None, unit: str | None = None) -> IndexValues:
    coded = {"system": UCUM, "code": code} if code else {}
    named = {"unit": unit} if unit else {}
    whole = {"value": value, **coded, **named}
    return stored("Observation", "value-quantity", "Quantity", whole)


@pytest.mark.parametrize(
    ("asked", "value", "code", "found"),
    [
        # 5.4(+/-0.05) mg
        (f"5.4|{UCUM}|mg", 5.44, "mg", True),
        (f"5.4|{UCUM}|mg", 5.45, "mg", False),
        (f"5.4|{UCUM}|mg", 5.4, "mmol", False),
        # 0.0054(+/-0.000005) g
        (f"5.40e-3|{UCUM}|g", 5.404, "mg", True),
        (f"5.40e-3|{UCUM}|g", 5.406, "mg", False),
        (f"1|{UCUM}|g", 1000, "mg", True),
        (f"1000|{UCUM}|mg", 1, "g", True),
        (f"1000|{UCUM}|mg", 1.0006, "g", False),
        (f"120|{UCUM}|mm[Hg]", 16, "kPa", True),
        (f"le5.4|{UCUM}|mg", 0.0054, "g", True),
        (f"lt5.4|{UCUM}|mg", 0.0054, "g", False),
        (f"gt5.4|{UCUM}|mg", 5.4001, "mg", True),
        (f"ap5.4|{UCUM}|mg", 5.9, "mg", True),
        (f"ap5.4|{UCUM}|mg", 6.0, "mg", False),
        ("5.4", 5.4, "mg", True),
        ("5.4", 5.4, None, True),
        ("5.4||mg", 5.4, "mg", True),
        ("5.4||g", 5.4, "mg", False),
        ("5.4|http://other.org|mg", 5.4, "mg", False),
        (f"5.4|{UCUM}|nonsense", 5.4, "nonsense", True),
        ("5.4|=|g", 0.0054, "g", False),
    ],
)
def test_a_quantity_has_a_number_and_a_unit(
    asked: str, value: float, code: str | None, *, found: bool
) -> None:
    assert matches("Observation", f"value-quantity={asked}", quantity(value, code)) is found


# Without a system, the code or the unit as people read it.
@pytest.mark.parametrize(("asked", "found"), [("5||mg", True), ("5||milligram", True)])
def test_a_unit_alone_may_be_the_written_one(asked: str, *, found: bool) -> None:
    value = quantity(5, "mg", "milligram")
    assert matches("Observation", f"value-quantity={asked}", value) is found


@pytest.mark.parametrize(
    "asked", ["mg", "5|mg", "|u|c", "5|system|", "5|a|b|c", f"xx5|{UCUM}|mg", "5|%5C|mg"]
)
def test_what_is_no_quantity_is_refused(asked: str) -> None:
    assert refusals("Observation", f"value-quantity={asked}") == [("value", "value-quantity")]


# "<: The actual value is less than the given value": valueset-quantity-comparator.html
@pytest.mark.parametrize(
    ("comparator", "asked", "found"),
    [
        ("<", "lt5", True),
        ("<", "le5", True),
        ("<", "eb5", True),
        ("<", "gt4", True),
        ("<", "ge5", False),
        ("<", "gt5", False),
        ("<", "5", False),
        ("<=", "ge5", True),
        ("<=", "eb5", False),
        (">", "gt5", True),
        (">", "ge5", True),
        (">", "sa5", True),
        (">", "lt6", True),
        (">", "le5", False),
        (">", "lt5", False),
        (">=", "le5", True),
        (">=", "sa5", False),
    ],
)
def test_a_comparator_opens_one_side(comparator: str, asked: str, found: bool) -> None:
    value = {"value": 5, "comparator": comparator, "code": "mg", "system": UCUM}
    values = stored("Observation", "value-quantity", "Quantity", value)
    assert matches("Observation", f"value-quantity={asked}", values) is found
    assert matches("Observation", f"value-quantity={asked}|{UCUM}|mg", values) is found
