"""Index values of date parameters: https://hl7.org/fhir/R4/search.html#date."""

from typing import Any

import pytest

from fhir_server.core.datetimes import parse_interval
from fhir_server.search.indexing import Indexer
from fhir_server.search.registry import Registry
from fhir_server.search.values import MAX_TIME, MIN_TIME

INDEXER = Indexer(Registry(), "https://clinic.example/fhir")


def ms(text: str) -> int:
    return parse_interval(text).lo


def dates(kind: str, code: str, /, **elements: Any) -> set[tuple[float, float]]:
    values = INDEXER.values({"resourceType": kind, "id": "1", **elements})
    return {(each.lo, each.hi) for each in values.dates if each.key == code}


@pytest.mark.parametrize(
    ("kind", "code", "elements", "expected"),
    [
        # date, dateTime: the interval of their precision
        ("Patient", "birthdate", {"birthDate": "1990"}, (ms("1990"), ms("1991"))),
        ("Patient", "birthdate", {"birthDate": "1990-12"}, (ms("1990-12"), ms("1991"))),
        (
            "Observation",
            "date",
            {"effectiveDateTime": "2024-05-01T10:00:00+03:00"},
            (ms("2024-05-01T07:00:00Z"), ms("2024-05-01T07:00:01Z")),
        ),
        # "An instant is considered a fixed point in time": no second, but a moment
        (
            "Slot",
            "start",
            {"start": "2024-05-01T10:00:00Z"},
            (ms("2024-05-01T10:00:00.000Z"), ms("2024-05-01T10:00:00.001Z")),
        ),
        (
            "Observation",
            "date",
            {"effectiveInstant": "2024-05-01T10:00:00.125Z"},
            (ms("2024-05-01T10:00:00.125Z"), ms("2024-05-01T10:00:00.126Z")),
        ),
        # "If the lower or upper boundary is missing, it is open"
        (
            "Observation",
            "date",
            {"effectivePeriod": {"start": "2024-01", "end": "2024-02"}},
            (ms("2024-01"), ms("2024-03")),
        ),
        (
            "Observation",
            "date",
            {"effectivePeriod": {"start": "2024-01"}},
            (ms("2024-01"), MAX_TIME),
        ),
        (
            "Observation",
            "date",
            {"effectivePeriod": {"end": "2024-01-31"}},
            (MIN_TIME, ms("2024-02")),
        ),
        # a Timing: "only the outer limits matter"
        (
            "Observation",
            "date",
            {"effectiveTiming": {"event": ["2024-03-01", "2024-01-01", "2024-02"]}},
            (ms("2024-01-01"), ms("2024-03-02")),
        ),
        (
            "Observation",
            "date",
            {
                "effectiveTiming": {
                    "event": ["2023"],
                    "repeat": {"boundsPeriod": {"start": "2024-01-01", "end": "2024-01-31"}},
                }
            },
            (ms("2023"), ms("2024-02")),
        ),
    ],
)
def test_dates(
    kind: str, code: str, elements: dict[str, Any], expected: tuple[float, float]
) -> None:
    assert dates(kind, code, **elements) == {expected}


@pytest.mark.parametrize(
    "elements",
    [
        {},
        {"effectivePeriod": {}},
        {"effectiveTiming": {"repeat": {"frequency": 2}}},
        {"effectiveTiming": {"repeat": {"boundsDuration": {"value": 3}}}},
        # What validation would refuse is not found, and breaks nothing.
        {"effectiveDateTime": "2024-13"},
        {"effectiveDateTime": "soon"},
    ],
)
def test_no_date(elements: dict[str, Any]) -> None:
    assert dates("Observation", "date", **elements) == set()


def test_every_event_is_a_date_of_its_own_where_the_expression_says_so() -> None:
    timing = {"timing": {"event": ["2024-01-01", "2024-02-01"]}}
    found = dates("MedicationRequest", "date", dosageInstruction=[timing])
    assert found == {
        (ms("2024-01-01"), ms("2024-01-02")),
        (ms("2024-02-01"), ms("2024-02-02")),
    }


def test_the_chief_date_is_kept_for_sorting() -> None:
    values = INDEXER.values(
        {"resourceType": "Observation", "id": "1", "effectivePeriod": {"start": "2024-01"}}
    )
    assert values.sort_date == ms("2024-01")
