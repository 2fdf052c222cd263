"""https://hl7.org/fhir/R4/search.html#special"""

import pytest

from fhir_server.search.plan import Listed, Near, Nothing
from fhir_server.search.values import IndexValues
from tests.support.searching import matches, refusals, where

MOSCOW = IndexValues(position=(37.6173, 55.7558))


# https://hl7.org/fhir/R4/location.html#search
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("55.7558|37.6173|1|km", True),
        ("55.7558|37.6173", True),
        ("55.85|37.6173|11|km", True),
        ("55.85|37.6173|9|km", False),
        ("55.85|37.6173|11000|m", True),
        ("55.85|37.6173|7|[mi_us]", True),
        ("55.85|37.6173|11", True),
        ("-55.7558|37.6173|100|km", False),
        ("0|0|1|km,55.7558|37.6173|1|km", True),
    ],
)
def test_near_is_a_circle(asked: str, *, found: bool) -> None:
    assert matches("Location", f"near={asked}", MOSCOW) is found
    assert not matches("Location", f"near={asked}", IndexValues())


@pytest.mark.parametrize(
    "asked",
    [
        "1",
        "x|1",
        "91|0",
        "0|181",
        "nan|0",
        "0|inf",
        "0|0|x",
        "0|0|-1|km",
        "0|0|1|kg",
        "0|0|1|km|1",
    ],
)
def test_what_is_no_place_is_refused(asked: str) -> None:
    assert refusals("Location", f"near={asked}") == [("value", "near")]


def test_a_distance_is_at_most_half_around() -> None:
    assert where("Location", "near=0|0|1e30|km") == Near(0, 0, 20_100_000.0)


# https://hl7.org/fhir/R4/search.html#list
def test_a_list_is_named_by_its_id() -> None:
    assert where("Patient", "_list=42") == Listed("42")
    assert where("Patient", "_list=List/42") == Listed("42")
    assert where("Patient", "_list=a b") == Nothing()


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("_list=$current-allergies", "_list"),
        ("_query=name", "_query"),
    ],
)
def test_what_is_not_offered_is_said(query: str, parameter: str) -> None:
    assert refusals("AllergyIntolerance", query) == [("not-supported", parameter)]
