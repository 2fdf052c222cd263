"""The roster of a schedule's day: who is booked at the cut-off, when cards are pulled.

https://hl7.org/fhir/R4/list.html
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from fhir_server.cabinet.booking.names import LISTS, ROSTER, ROSTERS
from fhir_server.cabinet.booking.policy import BookingPolicy
from fhir_server.cabinet.booking.visits import Visit
from fhir_server.core.datetimes import format_instant
from fhir_server.core.types import JsonObject

LISTED: Final = ("booked", "arrived", "checked-in", "fulfilled")
"""Statuses of the visits that somebody comes to."""

_MS: Final = 1000
_EMPTY: Final = "http://terminology.hl7.org/CodeSystem/list-empty-reason"


class Day(NamedTuple):
    """A day of the clinic; milliseconds since 1970, the end excluded."""

    date: date
    start: int
    end: int


def due(now: int, policy: BookingPolicy) -> Iterator[Day]:
    """The days, today's first, whose cut-off has come and which are not over.

    Without a cut-off there are none.
    """
    if policy.cancel_time is None:
        return
    zone = ZoneInfo(policy.zone)
    today = datetime.fromtimestamp(now / _MS, zone).date()
    for ahead in range(policy.cancel_days + 1):
        day = today + timedelta(days=ahead)
        before = day - timedelta(days=policy.cancel_days)
        if _moment(before, policy.cancel_time, zone) <= now:
            yield Day(day, _moment(day, time.min, zone), _moment(day + _ONE, time.min, zone))


_ONE: Final = timedelta(days=1)


def _moment(day: date, at: time, zone: ZoneInfo) -> int:
    return round(datetime.combine(day, at, zone).timestamp() * _MS)


def named(schedule: str, day: Day) -> JsonObject:
    """The Identifier of the roster of `schedule` (a logical id); there is one a day."""
    return {"system": ROSTERS, "value": f"{schedule}/{day.date.isoformat()}"}


def roster(schedule: str, day: Day, visits: Sequence[Visit], now: int) -> JsonObject:
    """The List of `visits`, by time; it names no patient, and is in nobody's record."""
    order = sorted(visits, key=lambda each: (each.start or 0, each.id))
    items = [{"item": {"reference": f"Appointment/{each.id}"}} for each in order]
    none = {"coding": [{"system": _EMPTY, "code": "nilknown"}]}
    return {
        "resourceType": "List",
        "identifier": [named(schedule, day)],
        "status": "current",
        "mode": "snapshot",
        "title": f"Schedule/{schedule} {day.date.isoformat()}",
        "code": {"coding": [{"system": LISTS, "code": ROSTER}]},
        "date": format_instant(now),
        **({"entry": items} if items else {"emptyReason": none}),
    }
