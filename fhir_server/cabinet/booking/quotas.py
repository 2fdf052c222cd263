"""How much of a schedule's day persons may book by themselves: the clinic's share for their
channel.

It is counted under a claim on the day, so that parallel bookings do not go past it together.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from fhir_server.cabinet.booking import refusals
from fhir_server.cabinet.booking.calendars import Calendar
from fhir_server.cabinet.booking.names import PORTAL
from fhir_server.cabinet.booking.numbering import day_of
from fhir_server.cabinet.booking.policy import BookingPolicy
from fhir_server.cabinet.booking.ruled import Ruled
from fhir_server.cabinet.booking.slots import CLOSED, Place, place_of
from fhir_server.cabinet.booking.visits import visit_of
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Context
from fhir_server.search import keys
from fhir_server.search.begins import between
from fhir_server.search.plan import UNRESTRICTED, And, Keys, Node, Or
from fhir_server.store.port import Reads, Unit

_MOST: Final = 5_000
"""Slots, and visits, that are counted together: of a page's days."""
_WHOLE: Final = 100
_MS: Final = 1000


@dataclass(frozen=True, slots=True)
class Day:
    """What a schedule's day has, and what of it persons have taken."""

    places: int
    taken: int

    def has_room(self, wanted: int, percent: int) -> bool:
        """Whether `wanted` more are within the share."""
        return self.taken + wanted <= self.places * percent // _WHOLE


def share_of(policy: BookingPolicy) -> int | None:
    """The percentage that persons may book; None: all."""
    shares = [each.percent for each in policy.quota if each.channel == PORTAL]
    return min(shares, default=None)


_Under = tuple[Place, BookingPolicy]
"""A place and the rules of its Schedule."""


async def check_quota(ctx: Context, unit: Unit, found: Ruled, but: Collection[str]) -> None:
    """Raise unless the share of persons has room for these places; the visits `but` (logical
    ids) do not count."""
    percent = share_of(found.policy)
    if percent is None or not any(each.schedule for each in found.places):
        return
    wanted = Counter(day_of(each, found.policy) for each in found.places if each.schedule)
    ones = {day_of(each, found.policy): (each, found.policy) for each in found.places}
    await unit.claim(*sorted(wanted))
    days = await _counted(ctx, unit, {name: ones[name] for name in wanted}, but)
    if not all(days[name].has_room(count, percent) for name, count in wanted.items()):
        raise refusals.quota_reached()


async def past_share(
    ctx: Context, found: Iterable[tuple[JsonObject, Calendar]]
) -> frozenset[str]:
    """The ids of those Slots of `found` on whose day persons have booked their share."""
    base = ctx.services.base_url
    read = [
        (place_of(slot, base), calendar.policy)
        for slot, calendar in found
        if share_of(calendar.policy) is not None
    ]
    shared = [(each, of) for each, of in read if each.schedule]
    if not shared:
        return frozenset()
    days = await _counted(ctx, ctx.reads, {day_of(*each): each for each in shared}, ())
    return frozenset(
        place.id
        for place, policy in shared
        if not days[day_of(place, policy)].has_room(1, share_of(policy) or 0)
    )


async def _counted(
    ctx: Context, reads: Reads, ones: Mapping[str, _Under], but: Collection[str]
) -> Mapping[str, Day]:
    """The days of places, by name; two questions for all of them."""
    # The house counts its places and its visits; nobody is told how many there are.
    where = Or(tuple(_day_node(*each) for each in ones.values()))
    rows = await reads.find("Slot", where, limit=_MOST, within=UNRESTRICTED)
    base, depth = ctx.services.base_url, ctx.services.limits.depth
    places = [place_of(loads(row.body, max_depth=depth), base) for row in rows]
    rules = {place.schedule: policy for place, policy in ones.values()}
    there = {each.id: day_of(each, rules[each.schedule]) for each in places}
    visits = await reads.find("Appointment", _on(there), limit=_MOST, within=UNRESTRICTED)
    now = ctx.services.now()
    taken: Counter[str] = Counter()
    for row in visits:
        visit = visit_of(loads(row.body, max_depth=depth), base)
        if row.id not in but and visit.channel == PORTAL:
            taken.update(there[slot] for slot in visit.places(now) if slot in there)
    room: Counter[str] = Counter()
    for each in places:
        room[there[each.id]] += 0 if each.status in CLOSED else each.capacity
    return {name: Day(room[name], taken[name]) for name in ones}


def _day_node(one: Place, policy: BookingPolicy) -> Node:
    """The Slots of the day on which `one` begins."""
    zone = ZoneInfo(policy.zone)
    day = datetime.fromtimestamp(one.start / _MS, zone).date()
    opens, closes = (
        round(datetime.combine(each, time(), zone).timestamp() * _MS)
        for each in (day, day + timedelta(days=1))
    )
    schedule = keys.reference("schedule", f"Schedule/{one.schedule}")
    return And((Keys("references", (schedule,)), between(opens, closes)))


def _on(slots: Collection[str]) -> Node:
    named = tuple(keys.reference("slot", f"Slot/{each}") for each in sorted(slots))
    return Keys("references", named)
