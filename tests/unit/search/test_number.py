"""https://hl7.org/fhir/R4/search.html#number"""

import pytest

from tests.support.searching import matches, refusals, stored


@pytest.mark.parametrize(
    ("asked", "value", "found"),
    [
        # "Values that equal 100, to 3 significant figures precision": [99.5 ... 100.5)
        ("100", 99.49, False),
        ("100", 99.5, True),
        ("100", 100, True),
        ("100", 100.49, True),
        ("100", 100.5, False),
        # [99.995 ... 100.005)
        ("100.00", 99.994, False),
        ("100.00", 99.995, True),
        ("100.00", 100.004, True),
        ("100.00", 100.005, False),
        # `1e2`: [95 ... 105)
        ("1e2", 94.9, False),
        ("1e2", 95, True),
        ("1e2", 104.9, True),
        ("1e2", 105, False),
        # "100 and 1.00e2 both have the same number of significant digits"
        ("1.00e2", 99.4, False),
        ("1.00e2", 99.5, True),
        ("1.00e2", 100.5, False),
        ("-5", -5.4, True),
        ("-5", -4.4, False),
        ("0.8", 0.85, False),
        ("0.8", 0.849, True),
        # "Values that are less than exactly 100"
        ("lt100", 99.999, True),
        ("lt100", 100, False),
        ("le100", 100, True),
        ("le100", 100.001, False),
        ("gt100", 100, False),
        ("gt100", 100.001, True),
        ("ge100", 100, True),
        ("ge100", 99.999, False),
        ("gt8e-1", 0.81, True),
        # ne is outside the range that eq means
        ("ne100", 99.5, False),
        ("ne100", 100.4, False),
        ("ne100", 100.5, True),
        ("ne100", 99.4, True),
        ("sa100", 100, False),
        ("sa100", 100.1, True),
        ("eb100", 100, False),
        ("eb100", 99.9, True),
        # ap reaches ten percent to each side
        ("ap100", 90, True),
        ("ap100", 89.9, False),
        ("ap100", 110, True),
        ("ap100", 110.1, False),
        ("ap-100", -90, True),
        ("eq100", 100, True),
    ],
)
def test_the_digits_of_the_value_say_how_far_it_reaches(
    asked: str, value: float, *, found: bool
) -> None:
    values = stored("RiskAssessment", "probability", "decimal", value)
    assert matches("RiskAssessment", f"probability={asked}", values) is found


# "For integers … searching is based on exact matches."
@pytest.mark.parametrize(("asked", "found"), [("2", True), ("3", False), ("2.5", False)])
def test_an_integer_is_met_by_itself(asked: str, *, found: bool) -> None:
    values = stored("MolecularSequence", "variant-start", "integer", 2)
    assert matches("MolecularSequence", f"variant-start={asked}", values) is found


@pytest.mark.parametrize(
    "asked",
    ["x", "1,x", "1e", "--1", "0x10", "NaN", "inf", "1_0", "1e1000", "ge", "1" * 41, "١"],
)
def test_what_is_no_number_is_refused(asked: str) -> None:
    assert refusals("RiskAssessment", f"probability={asked}") == [("value", "probability")]
