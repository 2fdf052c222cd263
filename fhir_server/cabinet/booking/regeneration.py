"""What becomes of the Slots of a schedule that is generated anew. Pure.

What has visits, or was set by the clinic, stays and nothing is put over it; of the free ones
those stay that the template has too.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fhir_server.cabinet.booking.slots import FREE, Place
from fhir_server.cabinet.booking.template import Interval, Span, joined


@dataclass(frozen=True, slots=True)
class Known:
    """A Slot that there is."""

    place: Place
    is_held: bool
    """A visit is on it."""
    fits: bool
    """Service, speciality and type of appointment are those that are asked for."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be done."""

    created: Sequence[Interval]
    removed: Sequence[str]
    """Logical ids."""
    kept: int


def changes(
    known: Iterable[Known],
    wanted: Iterable[Interval],
    window: Span,
    capacity: int,
    others: frozenset[Span] = frozenset(),
) -> Changes:
    """How `known` becomes `wanted`.

    Free Slots that begin in `window` and are not wanted go; `others` are times that another
    day than those of the window gave, and stay.
    """
    fresh = {(each.start, each.end): each for each in wanted}
    standing = [each for each in known if each.place.status != "entered-in-error"]
    kept = [_span(each) for each in standing if _is_fixed(each)]
    fixed = _Taken(kept)
    asked_for = frozenset(fresh)
    removed: list[str] = []
    for each in sorted(standing, key=lambda each: each.place.id):
        if _is_fixed(each):
            continue
        span = _span(each)
        asked = None if fixed.meets(span) else fresh.get(span)
        if asked is not None and each.fits and _is_like(each.place, asked, capacity):
            kept.append(span)
            del fresh[span]
        elif _is_within(span, window) and (asked is not None or span not in others):
            removed.append(each.place.id)
        else:
            kept.append(span)
    taken = _Taken(kept)
    created = [each for span, each in fresh.items() if not taken.meets(span)]
    counted = [each for each in kept if each in asked_for or _is_within(each, window)]
    return Changes(created, removed, len(counted))


def _span(known: Known) -> Span:
    return known.place.start, known.place.end


def _is_fixed(known: Known) -> bool:
    """Whether it stays whatever the template has."""
    return known.is_held or known.place.status != FREE


def _is_within(span: Span, window: Span) -> bool:
    return window[0] <= span[0] < window[1]


def _is_like(place: Place, asked: Interval, capacity: int) -> bool:
    return place.capacity == capacity and place.channels == frozenset(asked.channels)


class _Taken:
    """Times that are taken."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._spans = joined(spans)
        self._starts = [start for start, _ in self._spans]

    def meets(self, span: Span) -> bool:
        """Whether `span` lies over one of them."""
        place = bisect_left(self._starts, span[1]) - 1
        return place >= 0 and self._spans[place][1] > span[0]
