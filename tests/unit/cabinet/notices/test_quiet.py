"""Quiet hours in the clinic's zone, across the nights in which its clocks change."""

from datetime import datetime

import pytest

from fhir_server.cabinet.notices.quiet import after, before, parse_quiet

NIGHT = parse_quiet("22:00-08:00")
KYIV = "Europe/Kyiv"


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("now", "later"),
    [
        ("2026-01-20T12:00:00+02:00", "2026-01-20T12:00:00+02:00"),
        ("2026-01-20T21:59:59+02:00", "2026-01-20T21:59:59+02:00"),
        ("2026-01-20T22:00:00+02:00", "2026-01-21T08:00:00+02:00"),
        ("2026-01-21T03:00:00+02:00", "2026-01-21T08:00:00+02:00"),
        ("2026-01-21T07:59:59+02:00", "2026-01-21T08:00:00+02:00"),
        ("2026-01-21T08:00:00+02:00", "2026-01-21T08:00:00+02:00"),
        # The clocks go forward on 29 March, back on 25 October.
        ("2026-03-28T23:00:00+02:00", "2026-03-29T08:00:00+03:00"),
        ("2026-10-24T23:00:00+03:00", "2026-10-25T08:00:00+02:00"),
    ],
)
def test_an_sms_waits_for_the_morning(now: str, later: str) -> None:
    assert after(NIGHT, at(now), KYIV) == at(later)


@pytest.mark.parametrize(
    ("due", "earlier"),
    [
        ("2026-01-21T09:00:00+02:00", "2026-01-21T09:00:00+02:00"),
        ("2026-01-21T07:00:00+02:00", "2026-01-20T21:59:00+02:00"),
        ("2026-03-29T07:00:00+03:00", "2026-03-28T21:59:00+02:00"),
    ],
)
def test_a_reminder_comes_in_the_evening_before(due: str, earlier: str) -> None:
    assert before(NIGHT, at(due), KYIV) == at(earlier)


def test_hours_of_one_day() -> None:
    noon = parse_quiet("13:00-14:00")
    assert after(noon, at("2026-01-20T13:30:00+02:00"), KYIV) == at("2026-01-20T14:00:00+02:00")
    assert after(noon, at("2026-01-20T14:30:00+02:00"), KYIV) == at("2026-01-20T14:30:00+02:00")


@pytest.mark.parametrize("text", ["none", "22:00-22:00"])
def test_without_quiet_hours_nothing_waits(text: str) -> None:
    now = at("2026-01-20T23:00:00+02:00")
    assert parse_quiet(text) is None
    assert (after(None, now, KYIV), before(None, now, KYIV)) == (now, now)
