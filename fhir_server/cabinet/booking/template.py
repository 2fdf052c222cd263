"""The places of a schedule from its working hours: input values → intervals. Pure.

Hours are those on the clinic's wall; they become instants by its zone, and are cut in
absolute time: on the days when the clocks change an hour is worked less, or more, and no
place is ever longer or shorter than the others. A time that the clocks skip is taken as much
later as they skip; one that comes twice is the first of the two.

https://hl7.org/fhir/R4/slot.html
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_DAY: Final = timedelta(days=1)
_MS: Final = 1000

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Span = tuple[int, int]
"""From, until; milliseconds since 1970."""

REGISTRY: Final = "registry"
"""The channel of places that no quota gives to another one: staff book them."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Of working, or of a break."""

    days: frozenset[int]
    """0 is Monday."""
    start: time
    end: time
    """Not later than `start`: of the next day."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A way by which places may be booked."""

    code: str
    quota: int | None = None
    """Places of a day; None: all of them."""


@dataclass(frozen=True, slots=True)
class Template:
    """What a schedule is like for a while."""

    zone: str
    """IANA name."""
    first: date
    last: date
    """Included."""
    hours: tuple[Hours, ...]
    duration: int
    """Of a place, in milliseconds; more than 0."""
    breaks: tuple[Hours, ...] = ()
    holidays: frozenset[date] = frozenset()
    channels: tuple[Channel, ...] = ()
    """None: every place may be booked by any."""

    def window(self) -> Span:
        """From the beginning of the first day to the end of the last."""
        zone = ZoneInfo(self.zone)
        return _at(self.first, time(), zone), _at(self.last + _DAY, time(), zone)


@dataclass(frozen=True, slots=True)
class Interval:
    """A place that the template has."""

    start: int
    """Milliseconds since 1970, as `end`."""
    end: int
    channels: tuple[str, ...] = ()


def intervals(template: Template) -> Iterator[Interval]:
    """The places of the days from `first` to `last`, in their order, none over another. A
    shift over midnight belongs to the day on which it begins."""
    behind = 0
    for day in _days(template):
        spans = [each for each in day_spans(template, day) if each[0] >= behind]
        behind = spans[-1][1] if spans else behind
        for place, (start, end) in enumerate(spans):
            yield Interval(start, end, _channels(template.channels, place, len(spans)))


def day_spans(template: Template, day: date) -> Sequence[Span]:
    """The places of one day, holidays not looked at."""
    zone = ZoneInfo(template.zone)
    worked = joined(_on(template.hours, day, zone))
    # A break after midnight belongs to a shift that began the day before, too.
    around = (day, day + _DAY) if any(_is_night(each) for each in template.hours) else (day,)
    free = joined(span for each in around for span in _on(template.breaks, each, zone))
    return [
        (start, start + template.duration)
        for begin, end in _without(worked, free)
        for start in range(begin, end - template.duration + 1, template.duration)
    ]


def _days(template: Template) -> Iterator[date]:
    day = template.first
    while day <= template.last:
        if day not in template.holidays:
            yield day
        day += _DAY


def _is_night(hours: Hours) -> bool:
    return hours.end <= hours.start


def _on(hours: Iterable[Hours], day: date, zone: ZoneInfo) -> Iterator[Span]:
    for each in hours:
        if day.weekday() in each.days:
            until = day + _DAY if _is_night(each) else day
            yield _at(day, each.start, zone), _at(until, each.end, zone)


def _at(day: date, clock: time, zone: ZoneInfo) -> int:
    return round(datetime.combine(day, clock, zone).timestamp() * _MS)


def joined(spans: Iterable[Span]) -> Sequence[Span]:
    """The spans in order: those that overlap are one, those that only touch stay two."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if end <= start:  # all of it is skipped by the clocks
            continue
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _without(worked: Sequence[Span], free: Sequence[Span]) -> Iterator[Span]:
    for span in worked:
        begin, end = span
        for start, until in free:
            if until <= begin or start >= end:
                continue
            if start > begin:
                yield begin, start
            begin = until
        if begin < end:
            yield begin, end


def _channels(channels: Sequence[Channel], place: int, places: int) -> tuple[str, ...]:
    """Those of the place with this number (from 0) among the places of a day; quotas are
    spread over the day."""
    found = tuple(each.code for each in channels if _has(each.quota, place, places))
    return found or ((REGISTRY,) if channels else ())


def _has(quota: int | None, place: int, places: int) -> bool:
    if quota is None or quota >= places:
        return True
    return (place + 1) * quota // places > place * quota // places
