"""Deadlines in the clinic's zone, across the days on which its clocks change."""

from datetime import UTC, datetime, time

import pytest

from fhir_server.cabinet.booking.deadlines import (
    cancellable_until,
    movable_until,
    reminded_at,
    told,
)
from fhir_server.cabinet.booking.policy import HOUR, BookingPolicy


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("start", "days", "of_day", "until"),
    [
        # An ordinary day: 18:00 in Kyiv is 16:00Z in winter.
        ("2026-01-20T09:00:00+02:00", 1, time(18), "2026-01-19T16:00:00+00:00"),
        # The clocks go forward on 29 March 2026 at 03:00: the evening before is in winter.
        ("2026-03-29T09:00:00+03:00", 1, time(18), "2026-03-28T16:00:00+00:00"),
        # 03:30 of that day is skipped: as much later as the clocks skip, 04:30.
        ("2026-03-30T09:00:00+03:00", 1, time(3, 30), "2026-03-29T01:30:00+00:00"),
        # They go back on 25 October at 04:00: 03:30 comes twice, and the first counts.
        ("2026-10-26T09:00:00+02:00", 1, time(3, 30), "2026-10-25T00:30:00+00:00"),
        # Never later than the visit itself.
        ("2026-01-20T09:00:00+02:00", 0, time(18), "2026-01-20T07:00:00+00:00"),
    ],
)
def test_the_cut_off_is_a_time_of_the_clinics_day(
    start: str, days: int, of_day: time, until: str
) -> None:
    policy = BookingPolicy(zone="Europe/Kyiv", cancel_days=days, cancel_time=of_day)
    assert cancellable_until(at(start), policy) == at(until)


def test_without_a_time_of_day_until_it_begins() -> None:
    start = at("2026-01-20T09:00:00+02:00")
    assert cancellable_until(start, BookingPolicy()) == start


def test_notice_is_counted_in_hours() -> None:
    start = at("2026-03-29T09:00:00+03:00")
    assert movable_until(start, BookingPolicy(reschedule_notice=24 * HOUR)) == start - 24 * HOUR


@pytest.mark.parametrize(
    ("reminder", "hours"), [(None, 25), (2 * HOUR, 2), (48 * HOUR, 48), (0, None)]
)
def test_a_reminder_comes_while_it_can_still_be_moved(
    reminder: int | None, hours: int | None
) -> None:
    start = at("2026-03-29T09:00:00+03:00")  # the clocks go forward in the night before
    policy = BookingPolicy(zone="Europe/Kyiv", reminder=reminder)
    due = None if hours is None else start - hours * HOUR
    assert reminded_at(start, policy) == due


def test_people_read_the_clinics_time() -> None:
    moment = round(datetime(2026, 7, 1, 12, tzinfo=UTC).timestamp() * 1000)
    assert told(moment, BookingPolicy(zone="Europe/Moscow")) == "2026-07-01 15:00"
