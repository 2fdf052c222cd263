"""The queue: a place that is free belongs first to who waits for it.

Offers are made in the unit that frees the place. Places, then patients are claimed, in one
order; who would be offered what is foreseen before anything is claimed.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from fhir_server.access.rights import UNLIMITED
from fhir_server.cabinet.booking.entries import (
    Entry,
    Served,
    entry_of,
    offered,
    returned,
    state_of,
)
from fhir_server.cabinet.booking.patients import Plans
from fhir_server.cabinet.booking.policy import BookingPolicy
from fhir_server.cabinet.booking.serving import Rota, Serving, specialities_node
from fhir_server.cabinet.booking.slots import CLOSED, Place, place_of
from fhir_server.cabinet.booking.telling import Tell, Written, news_of
from fhir_server.cabinet.booking.visits import Visit, codings
from fhir_server.core.datetimes import format_instant
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Context
from fhir_server.interactions.versions import next_version
from fhir_server.search import keys
from fhir_server.search.plan import UNRESTRICTED, And, Ids, Keys, Node, Or
from fhir_server.store.port import Reads, Stored, Unit

MOST: Final = 5_000
"""Entries for one doctor or speciality that are looked at, the oldest ids first."""

_WAITING: Final = Keys("tokens", (keys.token("status", None, "waitlist"),))


@dataclass(frozen=True, slots=True)
class Waiting:
    """An entry as it is stored."""

    entry: Entry
    resource: JsonObject
    version: Stored


@dataclass(frozen=True, slots=True)
class _Line:
    """A place and who waits for it."""

    place: Place
    rota: Rota
    served: Served
    waiting: Sequence[Waiting]
    """The first one first."""


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue of this server, under its rules."""

    serving: Serving
    tell: Tell

    def turn(self, ctx: Context, unit: Unit) -> "Turn":
        """A look at it in `unit`."""
        return Turn(self, ctx, unit)

    def lapsed(self, resource: JsonObject, now: int) -> JsonObject:
        """The offer `resource`, which is over, as it goes on."""
        policy = self.serving.policies.default
        return returned(resource, now, keep=policy.keep_place, counts=policy.expiry_counts)


class Turn:
    """The queue as one write meets it. Who waits for a place is read once, before anything
    is claimed: the unit's snapshot would say the same afterwards."""

    def __init__(self, queue: Queue, ctx: Context, unit: Unit) -> None:
        self.queue = queue
        self.ctx = ctx
        self.unit = unit
        self._lines: dict[str, _Line] = {}
        self._served: set[str] = set()
        """Logical ids of the entries that were made an offer."""

    async def offer(self, slot: JsonObject, seats: int, but: Collection[str]) -> int:
        """Offer up to `seats` visits on `slot`, whose claim the unit has; how many offers
        were made. The patients `but` (logical ids) are passed over."""
        line = await self._line(slot)
        chosen = await self._chosen(line, seats, but)
        for each in chosen:
            await self.unit.claim(patient_claim(each))
            await self._make(slot, line.rota, each)
        return len(chosen)

    async def foreseen(self, slots: Iterable[str], but: Collection[str]) -> tuple[str, ...]:
        """The claims that `offer` will make when the Slots with these logical ids are free."""
        named = tuple(sorted(slots))
        rows = await self.unit.find("Slot", Ids(named), limit=len(named), within=UNRESTRICTED)
        passed = set(but)
        claims: list[str] = []
        for row in rows:
            line = await self._line(_parsed(self.ctx, row))
            chosen = await self._chosen(line, 1, passed)
            passed |= {each.entry.visit.patients[0] for each in chosen}
            claims += [patient_claim(each) for each in chosen]
        return tuple(claims)

    async def is_for_others(self, slot: JsonObject, patients: Collection[str]) -> bool:
        """Whether `slot`, which is free, belongs to somebody who waits and is not one of
        `patients`."""
        first = await self._chosen(await self._line(slot), 1, ())
        return any(each.entry.visit.patients[0] not in patients for each in first)

    async def news(self, written: Written) -> None:
        """Tell of a write."""
        news = news_of(written, self.ctx.services.base_url)
        if news is not None:
            await self.queue.tell(self.ctx, self.unit, news)

    async def _line(self, slot: JsonObject) -> _Line:
        """Who waits for `slot`; nobody, where it is not for the queue."""
        place = place_of(slot, self.ctx.services.base_url)
        known = self._lines.get(place.id)
        if known is not None:
            return known
        serving = self.queue.serving
        rota = Rota(await serving.policies.of(self.ctx, place.schedule))
        line: Sequence[Waiting] = ()
        if is_offerable(place, rota.policy, self.ctx.services.now()):
            # Whose place it is costs questions: nobody asks where there is no queue.
            rota = await serving.of(self.ctx, place.schedule)
            served = rota.serves(slot)
            everybody = await waiting(self.ctx, self.unit, served)
            line = [each for each in everybody if each.entry.fits(place, served)]
        found = self._lines[place.id] = _Line(place, rota, rota.serves(slot), line)
        return found

    async def _chosen(self, line: _Line, seats: int, but: Collection[str]) -> Sequence[Waiting]:
        """The first ones in line who can come, each patient once."""
        chosen: list[Waiting] = []
        passed = set(but)
        plans = Plans(self.ctx, self.unit, line.rota.policy)
        for each in line.waiting:
            if len(chosen) >= seats:
                break
            patient = each.entry.visit.patients[0]
            if patient in passed or each.version.id in self._served:
                continue
            if await plans.allow(wished(each, line.place, line.served)):
                chosen.append(each)
                passed.add(patient)
        return chosen

    async def _make(self, slot: JsonObject, rota: Rota, one: Waiting) -> None:
        state = replace(
            state_of(one.resource),
            limit=rota.policy.offers,
            expires=format_instant(self.ctx.services.now() + rota.policy.offer),
        )
        resource = offered(one.resource, slot, rota.actors, state)
        # The server's own hand: what it offers is nobody's right or wrong.
        own = replace(self.ctx, rights=UNLIMITED, principal=None, trail=None)
        await self.unit.replace(one.version, next_version(own, one.version, resource, "PUT"))
        self._served.add(one.version.id)
        old = one.version
        await self.news(Written(old.id, old.number + 1, one.resource, resource))


def patient_claim(waiting_: Waiting) -> str:
    """What a unit claims that makes an offer to this entry."""
    return f"Patient/{waiting_.entry.visit.patients[0]} visits"


def is_offerable(place: Place, policy: BookingPolicy, now: int) -> bool:
    """Whether a free place is offered to who waits at `now`: it has to be answered in time."""
    return (
        policy.waitlist
        and place.status not in CLOSED
        and place.start >= now + policy.offer + policy.offer_notice
    )


async def waiting(ctx: Context, reads: Reads, served: Served) -> Sequence[Waiting]:
    """Who waits for a doctor or speciality of `served`, in the order of the queue."""
    where = waiting_for(served)
    if where is None:
        return ()
    # The queue is the house's: nobody is shown who else is in it.
    rows = await reads.find("Appointment", where, limit=MOST, within=UNRESTRICTED)
    found = [waiting_of(ctx, row) for row in rows]
    return sorted(
        (each for each in found if len(each.entry.visit.patients) == 1),
        key=lambda each: each.entry.order,
    )


def waiting_for(served: Served) -> Node | None:
    """The predicate of those entries; None: there cannot be any."""
    wanted: list[Node] = []
    if served.specialities:
        wanted.append(specialities_node(served))
    if served.doctors:
        names = tuple(keys.reference("actor", each) for each in sorted(served.doctors))
        wanted.append(Keys("references", names))
    return And((_WAITING, Or(tuple(wanted)))) if wanted else None


def waiting_of(ctx: Context, row: Stored) -> Waiting:
    """A stored entry."""
    resource = _parsed(ctx, row)
    return Waiting(entry_of(resource, ctx.services.base_url), resource, row)


def wished(waiting_: Waiting, place: Place, served: Served) -> Visit:
    """The visit that an offer of `place`, which is a place of `served`, would be."""
    # As it is counted when it is booked: the entry may name a doctor alone.
    here = frozenset(codings(place.specialty)) or served.specialities
    return replace(
        waiting_.entry.visit,
        specialities=waiting_.entry.visit.specialities | here,
        status="proposed",
        slots=(place.id,),
        start=place.start,
        end=place.end,
    )


def _parsed(ctx: Context, version: Stored) -> JsonObject:
    return loads(version.body, max_depth=ctx.services.limits.depth)
