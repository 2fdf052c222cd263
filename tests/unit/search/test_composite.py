"""https://hl7.org/fhir/R4/search.html#composite"""

import pytest

from fhir_server.search.values import Combined, IndexValues, Ranged
from tests.support.searching import matches, refusals


def component(code: str, value: float) -> Combined:
    keys = (f"0|component-code|http://loinc.org|{code}", f"0|component-code|~|{code}")
    ranges = tuple(
        Ranged(f"1|component-value-quantity|{unit}", value, value)
        for unit in ("", "|mm[Hg]", "http://unitsofmeasure.org|mm[Hg]")
    )
    return Combined("component-code-value-quantity", keys, ranges)


PRESSURE = IndexValues(combined=[component("8480-6", 140), component("8462-4", 55)])


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("http://loinc.org|8480-6$140", True),
        ("http://loinc.org|8480-6$gt130", True),
        # Both parts hold, but not together.
        ("http://loinc.org|8480-6$lt60", False),
        ("http://loinc.org|8462-4$lt60", True),
        ("8462-4$55||mm[Hg]", True),
        ("8462-4$55||kPa", False),
        ("http://loinc.org|$55", True),
        ("x$1,8462-4$55", True),
        ("x$1,8462-4$140", False),
        ("~|8462-4$55", False),
    ],
)
def test_the_parts_hold_of_one_occurrence(asked: str, *, found: bool) -> None:
    query = f"component-code-value-quantity={asked}"
    assert matches("Observation", query, PRESSURE) is found


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("code-value-quantity=a", ("value", "code-value-quantity")),
        ("code-value-quantity=a$1$2", ("value", "code-value-quantity")),
        ("code-value-quantity=a$b", ("value", "code-value-quantity")),
        ("code-value-quantity=a\\$1", ("value", "code-value-quantity")),
        # "Modifiers are not used on composite parameters."
        ("code-value-quantity:not=a$1", ("not-supported", "code-value-quantity:not")),
    ],
)
def test_a_value_has_as_many_parts_as_the_definition(
    query: str, problem: tuple[str, str]
) -> None:
    assert refusals("Observation", query) == [problem]


def test_a_composite_may_be_missing() -> None:
    query = "component-code-value-quantity:missing"
    assert matches("Observation", f"{query}=true", IndexValues())
    assert matches("Observation", f"{query}=false", PRESSURE)


def test_escaped_separators_belong_to_a_part() -> None:
    values = IndexValues(
        combined=[
            Combined("characteristic-value", ("0|characteristic|~|a$b", "1|value|~|c,d"), ())
        ]
    )
    assert matches("Group", "characteristic-value=a\\$b$c\\,d", values)
    assert not matches("Group", "characteristic-value=a$c", values)
