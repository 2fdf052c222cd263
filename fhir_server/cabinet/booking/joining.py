"""Who may join the queue: where the clinic has one, when nothing is free, once.

Staff and systems put anybody into it.

https://hl7.org/fhir/R4/appointment.html#statuses
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from fhir_server.cabinet.booking import refusals
from fhir_server.cabinet.booking.demands import check_level
from fhir_server.cabinet.booking.entries import Entry, Served, entry_of, is_for
from fhir_server.cabinet.booking.patients import Plans
from fhir_server.cabinet.booking.queue import Turn
from fhir_server.cabinet.booking.serving import specialities_node
from fhir_server.cabinet.booking.slots import FREE, place_of
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.search import keys
from fhir_server.search.plan import UNRESTRICTED, And, Compare, Keys, Node, Or, Range
from fhir_server.search.values import Interval

_MOST_PARTS: Final = 20
"""Periods, specialities and doctors of one entry: each of them is compared with every place
that becomes free."""
_MOST: Final = 200
"""Free Slots that are looked at, the first ones by id."""

Specialities = frozenset[tuple[str, str]]
"""Systems and codes."""


@dataclass(frozen=True, slots=True)
class Joining:
    """A person's wish to wait."""

    turn: Turn

    async def check(self, resource: JsonObject) -> None:
        """Raise unless the patient of the Appointment `resource`, whose claim the unit has,
        may wait.

        Raises:
            BusinessRule, Conflict, Forbidden: with a code of `cabinet-error`.
        """
        ctx = self.turn.ctx
        base = ctx.services.base_url
        entry = entry_of(resource, base)
        visit = entry.visit
        is_targeted = bool(entry.doctors or visit.specialities)
        parts = (entry.periods, entry.doctors, visit.specialities)
        if any(len(each) > _MOST_PARTS for each in parts):
            raise refusals.no_entry()
        if len(visit.patients) != 1 or visit.slots or visit.start or not is_targeted:
            raise refusals.no_entry()
        serving = self.turn.queue.serving
        schedules = await serving.schedules(ctx, entry.wanted)
        rules = [(await serving.of(ctx, each)).policy for each in schedules]
        default = serving.policies.default
        allowed = [each for each in rules or [default] if each.waitlist]
        if not allowed:
            raise refusals.no_queue()
        check_level(ctx, allowed[0])
        plans = Plans(ctx, self.turn.unit, allowed[0])
        await plans.check_block(visit.patients[0])
        wanted = await self._specialities(entry, schedules)
        for each in await plans.in_queue(visit.patients[0]):
            other = entry_of(each, base)
            if other.visit.id != visit.id and await self._is_same(entry, wanted, other):
                raise refusals.already_waiting()
        if await self._is_free(entry, schedules):
            raise refusals.free_places()

    async def _specialities(self, entry: Entry, schedules: Sequence[str]) -> Specialities:
        """What `entry`, for which there are these Schedules, waits for: by its own word, and
        by that of its doctors, as it may leave the speciality out."""
        found = entry.visit.specialities
        for each in schedules if entry.doctors else ():
            found |= (await self.turn.queue.serving.of(self.turn.ctx, each)).served.specialities
        return found

    async def _is_same(self, entry: Entry, wanted: Specialities, other: Entry) -> bool:
        """Whether `entry` of these specialities and another one of the patient wait for the
        same."""
        if not other.visit.is_queued:
            return False
        if wanted & other.visit.specialities or is_for(entry.wanted, Served(other.doctors)):
            return True
        serving = self.turn.queue.serving
        schedules = await serving.schedules(self.turn.ctx, other.wanted)
        return bool(wanted & await self._specialities(other, schedules))

    async def _is_free(self, entry: Entry, schedules: Sequence[str]) -> bool:
        """Whether there is a place that the patient can book instead."""
        services = self.turn.ctx.services
        where = free_for(entry, schedules, services.now())
        if where is None:
            return False
        # The house looks at its places; the answer names none.
        rows = await self.turn.unit.find("Slot", where, limit=_MOST, within=UNRESTRICTED)
        for row in rows:
            slot = loads(row.body, max_depth=services.limits.depth)
            if await self._is_bookable(entry, slot):
                return True
        return False

    async def _is_bookable(self, entry: Entry, slot: JsonObject) -> bool:
        ctx = self.turn.ctx
        place = place_of(slot, ctx.services.base_url)
        rota = await self.turn.queue.serving.of(ctx, place.schedule)
        if not entry.fits(place, rota.serves(slot)):
            return False
        visit = replace(
            entry.visit,
            status="booked",
            slots=(place.id,),
            start=place.start,
            end=place.end,
        )
        if not await Plans(ctx, self.turn.unit, rota.policy).allow(visit):
            return False
        return not await self.turn.is_for_others(slot, entry.visit.patients)


def free_for(entry: Entry, schedules: Sequence[str], now: int) -> Node | None:
    """The predicate of free Slots that `entry` might wait for; None: there are none."""
    places: list[Node] = []
    if schedules:
        names = [keys.reference("schedule", f"Schedule/{each}") for each in schedules]
        places.append(Keys("references", tuple(names)))
    if not entry.doctors and entry.visit.specialities:
        places.append(specialities_node(entry.wanted))
    if not places:
        return None
    spans = entry.periods or (Interval(now, 2**53),)
    return And((
        Keys("tokens", (keys.token("status", None, FREE),)),
        Or(tuple(places)),
        Or(tuple(begins_within(Interval(max(each.lo, now), each.hi)) for each in spans)),
    ))  # fmt: skip


def begins_within(span: Interval) -> Node:
    """The predicate of Slots that begin at `span.lo` or after it and before `span.hi`."""
    return And((
        Range("dates", "start", span, ((Compare("lo", ">=", "lo"),),)),
        Range("dates", "start", span, ((Compare("lo", "<", "hi"),),)),
    ))  # fmt: skip
