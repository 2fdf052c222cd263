"""Quiet hours: a time of day, in the clinic's zone, in which no telephone should ring.

    22:00-08:00        begins in the evening and ends in the morning

The clocks of the zone decide, also in a night in which they are changed.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

_MS = 1000


@dataclass(frozen=True, slots=True)
class Quiet:
    """From `begin` to `end`, on the next day where it is not later."""

    begin: time
    end: time

    def span(self, at: int, zone: str) -> tuple[int, int] | None:
        """The quiet hours that `at` (milliseconds since 1970) lies in, as such; None: in
        none."""
        place = ZoneInfo(zone)
        day = datetime.fromtimestamp(at / _MS, place).date()
        for first in (day - timedelta(days=1), day):
            last = first + timedelta(days=self.end <= self.begin)
            ends = (datetime.combine(first, self.begin, place),
                    datetime.combine(last, self.end, place))  # fmt: skip
            lo, hi = (round(each.timestamp() * _MS) for each in ends)
            if lo <= at < hi:
                return lo, hi
        return None


def parse_quiet(text: str) -> Quiet | None:
    """`22:00-08:00`; `none`, or of no length: there are none.

    Raises:
        ValueError: it is no such span.
    """
    if text == "none":
        return None
    begin, _, end = text.partition("-")
    found = Quiet(time.fromisoformat(begin), time.fromisoformat(end))
    return None if found.begin == found.end else found


def after(quiet: Quiet | None, at: int, zone: str) -> int:
    """`at`, or when it lies in the quiet hours their end."""
    found = None if quiet is None else quiet.span(at, zone)
    return at if found is None else found[1]


def before(quiet: Quiet | None, at: int, zone: str) -> int:
    """`at`, or when it lies in the quiet hours a minute before they begin."""
    found = None if quiet is None else quiet.span(at, zone)
    return at if found is None else found[0] - 60 * _MS
