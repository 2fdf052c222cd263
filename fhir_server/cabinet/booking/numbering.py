"""Numbers of tickets: booked visits of a schedule and day in the order of booking, no gaps.

A number is taken in the unit that books, so that it is given once or not at all. It is the
server's word. Where a clinic switches it off (`tickets` of its rules) systems may bring
numbers of their own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from fhir_server.cabinet.booking.names import TICKET
from fhir_server.cabinet.booking.policies import Look
from fhir_server.cabinet.booking.policy import BookingPolicy
from fhir_server.cabinet.booking.slots import Place
from fhir_server.cabinet.booking.visits import Visit
from fhir_server.interactions.context import Context
from fhir_server.interactions.said import Said
from fhir_server.store.port import Unit

_NUMBERED: Final = frozenset({"booked", "arrived", "checked-in"})
"""Statuses of a visit that is given a number; what is over when it is told of needs none."""
_COUNTED: Final = _NUMBERED | {"pending"}
"""Statuses that a quota counts, or a number is given for."""
_MS: Final = 1000

Places = Mapping[str, Place]
"""By logical id."""


def day_of(place: Place, policy: BookingPolicy) -> str:
    """What a visit on `place` is counted in: its schedule, its day at the clinic."""
    begins = datetime.fromtimestamp(place.start / _MS, ZoneInfo(policy.zone))
    return f"Schedule/{place.schedule} {begins:%Y-%m-%d}"


def note_day(ctx: Context, place: Place, policy: BookingPolicy) -> None:
    """Let the guard know beforehand what a visit on `place` will be counted in."""
    if place.schedule is not None and (policy.tickets or policy.quota):
        ctx.services.days.put(place.id, day_of(place, policy))


@dataclass(frozen=True, slots=True)
class Number:
    """What is to be said of a visit's number."""

    ruled: bool
    """Whether the server numbers such visits."""
    sequence: str | None = None
    """The one of which it needs a number."""
    kept: str | None = None
    """The number that it has already."""

    async def said(self, unit: Unit) -> Said:
        """The extension that the visit is stored with; takes the number, if one is needed."""
        if not self.ruled:
            return Said()
        given = self.kept if self.sequence is None else str(await unit.number(self.sequence))
        told = None if given is None else {"url": TICKET, "valueString": given}
        return Said({TICKET: told})


UNNUMBERED: Final = Number(ruled=False)


async def number_of(
    ctx: Context, rules: Look, before: Visit | None, after: Visit | None, known: Places
) -> Number:
    """The number of `after`, whose places and those of `before` are among `known`."""
    here = None if after is None else await _sequence(ctx, rules, after, known)
    if after is None or here is None:
        return UNNUMBERED
    had = None if before is None else before.ticket
    if after.status not in _NUMBERED:
        return Number(ruled=True, kept=had)
    is_numbered = before is not None and had is not None
    if is_numbered and await _sequence(ctx, rules, before, known) == here:
        return Number(ruled=True, kept=had)
    return Number(ruled=True, sequence=here)


def foreseen(ctx: Context, before: Visit | None, after: Visit | None) -> Iterable[str]:
    """The days that `after` will be counted in, as far as that can be told before anything is
    read: who claims them need not start again."""
    if after is None or after.status not in _COUNTED:
        return ()
    if before is not None and before.ticket is not None:
        return ()
    known = [ctx.services.days.get(slot) for slot in after.slots]
    return sorted({each for each in known if each is not None})


async def _sequence(
    ctx: Context, rules: Look, visit: Visit | None, known: Places
) -> str | None:
    """None: no place of it is known, or its clinic gives no numbers."""
    slots = () if visit is None else visit.slots
    found = [known[id_] for id_ in slots if id_ in known]
    place = min(found, key=lambda each: (each.start, each.id), default=None)
    if place is None or place.schedule is None:
        return None
    policy = await rules.of(place.schedule)
    note_day(ctx, place, policy)
    return day_of(place, policy) if policy.tickets else None
