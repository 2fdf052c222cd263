"""The dates of a seed bundle on the day of loading."""

from datetime import date
from typing import Any

import pytest

from fhir_server.cli.seed_dates import (
    ANCHOR_SYSTEM,
    SEED_SYSTEM,
    days_between,
    loaded_on,
    moved,
    shift,
)
from fhir_server.core.types import JsonObject

ANCHOR = date(2026, 1, 5)


@pytest.mark.parametrize(
    ("today", "days"),
    [
        (date(2026, 1, 5), 0),
        (date(2026, 1, 11), 0),
        (date(2026, 1, 12), 7),
        (date(2026, 11, 22), 315),
        (date(2026, 1, 4), -7),
    ],
)
def test_whole_weeks_are_added_and_never_past_today(today: date, days: int) -> None:
    assert days_between(ANCHOR, today) == days


@pytest.mark.parametrize(
    ("text", "days", "after"),
    [
        ("2026-01-05", 7, "2026-01-12"),
        ("2026-01-05T09:00:00+03:00", 28, "2026-02-02T09:00:00+03:00"),
        ("2026-01-05T00:00:00.123Z", -7, "2025-12-29T00:00:00.123Z"),
        ("2024-02-29", 366, "2025-03-01"),
        ("2026-01", 28, "2026-01"),
        ("2026-01", 35, "2026-02"),
        ("2026", 182, "2026"),
        ("2026", 184, "2027"),
    ],
)
def test_precision_time_and_offset_stay(text: str, days: int, after: str) -> None:
    assert moved(text, days) == after


def bundle(resource: JsonObject, *tags: str) -> JsonObject:
    meta = {"tag": [{"system": SEED_SYSTEM, "code": each} for each in tags]}
    anchor = {"tag": [{"system": ANCHOR_SYSTEM, "code": "2026-01-05"}]}
    entry = {"resource": resource | {"meta": meta}, "request": {"method": "PUT", "url": "X/1"}}
    return {"resourceType": "Bundle", "type": "transaction", "meta": anchor, "entry": [entry]}


def after_a_week(resource: JsonObject, *tags: str) -> Any:
    found = shift(bundle(resource, *tags), 7)["entry"][0]["resource"]
    return {name: value for name, value in found.items() if name != "meta"}


PERIOD = {"start": "2026-01-01", "end": "2026-01-31"}
MOVED_PERIOD = {"start": "2026-01-08", "end": "2026-02-07"}
NOTE = "http://example.org/when"


@pytest.mark.parametrize(
    ("resource", "after"),
    [
        (
            {"resourceType": "Slot", "start": "2026-01-05T09:00:00Z", "comment": "2026-01-05"},
            {"resourceType": "Slot", "start": "2026-01-12T09:00:00Z", "comment": "2026-01-05"},
        ),
        (
            {"resourceType": "Patient", "address": [{"period": PERIOD}]},
            {"resourceType": "Patient", "address": [{"period": MOVED_PERIOD}]},
        ),
        (
            {"resourceType": "Patient", "identifier": [{"period": PERIOD}]},
            {"resourceType": "Patient", "identifier": [{"period": PERIOD}]},
        ),
        (
            {"resourceType": "Patient", "birthDate": "2026-01-05"},
            {"resourceType": "Patient", "birthDate": "2026-01-05"},
        ),
        (
            {
                "resourceType": "Observation",
                "contained": [{"resourceType": "Slot", "end": "2026"}],
            },
            {
                "resourceType": "Observation",
                "contained": [{"resourceType": "Slot", "end": "2026"}],
            },
        ),
        (
            {
                "resourceType": "Task",
                "_status": {"extension": [{"url": NOTE, "valueDate": "2026-01"}]},
            },
            {
                "resourceType": "Task",
                "_status": {"extension": [{"url": NOTE, "valueDate": "2026-01"}]},
            },
        ),
        (
            {
                "resourceType": "MedicationRequest",
                "dosageInstruction": [{"timing": {"event": [None, "2026-01-31"]}}],
            },
            {
                "resourceType": "MedicationRequest",
                "dosageInstruction": [{"timing": {"event": [None, "2026-02-07"]}}],
            },
        ),
        (
            {
                "resourceType": "Task",
                "extension": [{"url": NOTE, "valueDateTime": "2026-01-31"}],
            },
            {
                "resourceType": "Task",
                "extension": [{"url": NOTE, "valueDateTime": "2026-02-07"}],
            },
        ),
    ],
)
def test_dates_move_by_element_type(resource: JsonObject, after: JsonObject) -> None:
    assert after_a_week(resource, "relative") == after


def test_a_newborn_stays_a_newborn() -> None:
    child = {"resourceType": "Patient", "birthDate": "2026-01-03"}
    assert after_a_week(child, "relative", "relative-birth")["birthDate"] == "2026-01-10"


def test_without_the_tag_nothing_moves() -> None:
    start = {"resourceType": "Slot", "start": "2026-01-05T09:00:00Z"}
    assert after_a_week(start) == start


def test_the_anchor_moves_too_so_a_second_shift_starts_there() -> None:
    slot = bundle({"resourceType": "Slot", "start": "2026-01-05T09:00:00Z"}, "relative")
    once = loaded_on(slot, date(2026, 1, 20))
    assert loaded_on(once, date(2026, 1, 20)) == once
    assert once["entry"][0]["resource"]["start"] == "2026-01-19T09:00:00Z"


def test_a_bundle_without_an_anchor_is_left_alone() -> None:
    slot = bundle({"resourceType": "Slot", "start": "2026-01-05T09:00:00Z"}, "relative")
    del slot["meta"]
    assert loaded_on(slot, date(2027, 1, 1)) is slot


def test_the_input_is_not_edited() -> None:
    slot = bundle({"resourceType": "Slot", "start": "2026-01-05T09:00:00Z"}, "relative")
    shift(slot, 7)
    assert slot["entry"][0]["resource"]["start"] == "2026-01-05T09:00:00Z"
