"""Until when: the moments at which a clinic's rules begin to hold, in its own time zone.

A time of day that the clocks skip in spring is taken as much later as they skip; one that
comes twice in autumn is the first of the two.
"""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from fhir_server.cabinet.booking.policy import HOUR, BookingPolicy

_MS: Final = 1000


def cancellable_until(start: int, policy: BookingPolicy) -> int:
    """The first moment at which a visit that begins at `start` cannot be cancelled any more;
    both in milliseconds since 1970."""
    if policy.cancel_time is None:
        return start
    zone = ZoneInfo(policy.zone)
    day = datetime.fromtimestamp(start / _MS, zone).date() - timedelta(days=policy.cancel_days)
    at = datetime.combine(day, policy.cancel_time, zone)
    return min(start, round(at.timestamp() * _MS))


def movable_until(start: int, policy: BookingPolicy) -> int:
    """The first moment at which it cannot be moved any more."""
    return start - policy.reschedule_notice


def reminded_at(start: int, policy: BookingPolicy) -> int | None:
    """When a visit that begins at `start` is reminded of; None: it is not. By default it can
    still be moved then, for an hour."""
    before = policy.reminder
    if before is None:
        return movable_until(start, policy) - HOUR
    return start - before if before else None


def told(at: int, policy: BookingPolicy) -> str:
    """`at` as people of the clinic read it: `2026-11-29 18:00`."""
    return f"{datetime.fromtimestamp(at / _MS, ZoneInfo(policy.zone)):%Y-%m-%d %H:%M}"
