"""Places taken and given back, in the unit of the visit that does it (design laws 3 and 5).

What a Slot says follows from its visits, and its visits are counted here, under a claim: of
two units that want one place the second sees what the first has done.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from fhir_server.access.rights import UNLIMITED
from fhir_server.cabinet.booking import refusals
from fhir_server.cabinet.booking.actors import Actor
from fhir_server.cabinet.booking.queue import Turn
from fhir_server.cabinet.booking.slots import CLOSED, FREE, Place, place_of, status_under
from fhir_server.cabinet.booking.telling import Written
from fhir_server.cabinet.booking.visits import Hold, Visit, visit_of
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Context
from fhir_server.interactions.versions import next_version
from fhir_server.search import keys
from fhir_server.search.plan import UNRESTRICTED, And, Ids, Keys, Node
from fhir_server.store.port import Stored, Unit

_MOST_ON_ONE: Final = 1_000
"""Live visits of the places of one booking; a group of that size is refused."""

_AT_ONCE: Final = 200
"""Places that are asked about together."""

_LIVE: Final = tuple(
    keys.token("status", None, code)
    for code in (
        "proposed",
        "pending",
        "booked",
        "arrived",
        "checked-in",
        "fulfilled",
        "noshow",
    )
)


@dataclass(frozen=True, slots=True)
class Held:
    """A visit as it is stored."""

    visit: Visit
    version: Stored


def slot_claim(id_: str) -> str:
    """What a unit claims that changes who has the Slot; writes of the Slot itself hold it."""
    return f"Slot/{id_}"


def claimed(*visits: Visit | None, foreseen: Iterable[str] = ()) -> tuple[str, ...]:
    """What a unit has to claim that changes these visits, in the order of all units; with the
    claims that are `foreseen` on other patients."""
    given = [each for each in visits if each is not None]
    slots = {slot_claim(slot) for each in given for slot in each.slots}
    patients = {f"Patient/{id_} visits" for each in given for id_ in each.patients}
    return (*sorted(slots), *sorted(patients.union(foreseen)))


def given_back(before: Visit | None, after: Visit | None, now: int) -> frozenset[str]:
    """The Slots that `before` has, or had until its time was over, and `after` has not."""
    if before is None or not (before.places(now) or before.is_expired(now)):
        return frozenset()
    return frozenset(before.slots).difference(_places(after, now))


async def places(ctx: Context, unit: Unit, ids: Iterable[str]) -> Mapping[str, Place]:
    """The Slots of `ids` that there are."""
    return {each.id: each for each, _ in (await _slots(ctx, unit, ids)).values()}


async def is_held(ctx: Context, unit: Unit, slot: str) -> bool:
    """Whether a visit holds the Slot with the logical id `slot` now."""
    now = ctx.services.now()
    found = await _others(ctx, unit, (slot,), "")
    return any(each.visit.holds(now) != "none" for each in found)


async def held_of(ctx: Context, unit: Unit, slots: Sequence[str]) -> frozenset[str]:
    """Those of `slots` (logical ids) that a visit holds now."""
    now = ctx.services.now()
    found: set[str] = set()
    for begin in range(0, len(slots), _AT_ONCE):
        for each in await _others(ctx, unit, slots[begin : begin + _AT_ONCE], ""):
            found |= each.visit.places(now).keys()
    return frozenset(found)


async def settle(turn: Turn, before: Visit | None, after: Visit | None, actor: Actor) -> None:
    """Let what `before` takes become what `after` takes; holds that are over end on the way,
    and what is free then is offered to who waits for it.

    Raises:
        Conflict: a place is gone, closed, taken, or belongs to the queue.
    """
    ctx, unit = turn.ctx, turn.unit
    now = ctx.services.now()
    old, new = _places(before, now), _places(after, now)
    stale = before.slots if before is not None and before.is_expired(now) else ()
    if old == new and not stale:
        return
    own = next((each.id for each in (after, before) if each is not None), "")
    around = await _around(ctx, unit, {*old, *new, *stale}, own, now)
    for each in around.ended:
        await end_hold(turn, each)
    slots = await _slots(ctx, unit, sorted(around.holds))
    patients = frozenset(() if before is None else before.patients)
    for id_, holds in sorted(around.holds.items()):
        if id_ not in slots:
            _check_there(actor, is_wanted=id_ in new)
            continue
        place, version = slots[id_]
        if id_ not in new:
            await _fill(turn, (place, version), holds, patients)
            continue
        if id_ not in old:
            is_left = id_ in stale or any(id_ in each.visit.slots for each in around.ended)
            _check_free(place, holds, actor, now, is_left=is_left)
            if actor == "person":
                await _check_queue(turn, version, after)
        await _write_status(ctx, unit, version, status_under(place, [*holds, new[id_]]))


async def fill(turn: Turn, slot: str) -> None:
    """Offer the Slot with the logical id `slot`, if it is free, to who waits for it."""
    ctx, unit = turn.ctx, turn.unit
    foreseen = await turn.foreseen((slot,), ())
    if not foreseen:
        return
    await unit.claim(slot_claim(slot), *foreseen)
    around = await _around(ctx, unit, {slot}, "", ctx.services.now())
    found = (await _slots(ctx, unit, (slot,))).get(slot)
    if found is not None and found[0].status == FREE and not around.ended:
        await _fill(turn, found, around.holds[slot], ())


async def _fill(
    turn: Turn, found: tuple[Place, Stored], holds: Sequence[Hold], but: Collection[str]
) -> None:
    """Offer what is left of a place beside `holds`, and write its status."""
    place, version = found
    taken = list(holds)
    if len(taken) < place.capacity:
        made = await turn.offer(_parsed(turn.ctx, version), place.capacity - len(taken), but)
        taken += ["tentative"] * made
    await _write_status(turn.ctx, turn.unit, version, status_under(place, taken))


async def _check_queue(turn: Turn, version: Stored, after: Visit | None) -> None:
    patients = () if after is None else after.patients
    if await turn.is_for_others(_parsed(turn.ctx, version), patients):
        raise refusals.taken()


@dataclass(frozen=True, slots=True)
class _Around:
    """What else there is on the places of a visit."""

    holds: Mapping[str, Sequence[Hold]]
    """By Slot: how others hold it."""
    ended: Sequence[Held]
    """Holds that are over, each once; all their places are in `holds`."""


async def _around(ctx: Context, unit: Unit, slots: set[str], own: str, now: int) -> _Around:
    holds: dict[str, list[Hold]] = {}
    ended: dict[str, Held] = {}
    fresh = sorted(slots)
    while fresh:
        if holds:  # places of a hold that is over, beside those that were claimed
            await unit.claim(*(slot_claim(id_) for id_ in fresh))
        holds |= {id_: [] for id_ in fresh}
        for each in await _others(ctx, unit, fresh, own):
            if each.visit.is_expired(now):
                ended[each.visit.id] = each
                continue
            for id_ in fresh:
                if id_ in each.visit.slots:
                    holds[id_].append(each.visit.holds(now))
        found = {id_ for each in ended.values() for id_ in each.visit.slots}
        fresh = sorted(found - holds.keys())
    return _Around(holds, tuple(ended.values()))


def _places(visit: Visit | None, now: int) -> Mapping[str, Hold]:
    return {} if visit is None else visit.places(now)


def _check_there(actor: Actor, *, is_wanted: bool) -> None:
    # A system may tell of a visit before it tells of its Slot.
    if is_wanted and actor != "system":
        raise refusals.taken()


def _check_free(
    place: Place, holds: Sequence[Hold], actor: Actor, now: int, *, is_left: bool
) -> None:
    """A place with a visit too few may be taken. `is_left`: its status may be that of a hold
    which is over. A system may also say who it is that its own `busy` Slot stands for."""
    if len(holds) >= place.capacity:
        raise refusals.taken()
    if actor == "system":
        return
    if place.status in CLOSED or (place.status != FREE and not holds and not is_left):
        raise refusals.taken()
    if place.start <= now and actor == "person":
        raise refusals.past()


async def end_hold(turn: Turn, held: Held) -> None:
    """Write down that a hold or an offer is over; its places are the caller's business."""
    before = _parsed(turn.ctx, held.version)
    after = {**before, "status": "cancelled"}
    if held.visit.is_offer:
        after = turn.queue.lapsed(before, turn.ctx.services.now())
    ended = next_version(_own(turn.ctx), held.version, after, "PUT")
    await turn.unit.replace(held.version, ended)
    await turn.news(Written(held.version.id, ended.number, before, after))


async def _write_status(ctx: Context, unit: Unit, version: Stored, status: str) -> None:
    resource = _parsed(ctx, version)
    if resource["status"] != status:
        changed = {**resource, "status": status}
        await unit.replace(version, next_version(_own(ctx), version, changed, "PUT"))


def questions(slots: Iterable[str]) -> Sequence[tuple[str, Node, int]]:
    """What will be asked about places: type, predicate, limit."""
    wanted = tuple(sorted(slots))
    if not wanted:
        return ()
    return _those(wanted), ("Appointment", _on(wanted), _MOST_ON_ONE)


def _those(wanted: Sequence[str]) -> tuple[str, Node, int]:
    return "Slot", Ids(tuple(sorted(wanted))), max(1, len(wanted))


def _on(slots: Sequence[str]) -> Node:
    """The visits that may hold one of `slots`."""
    named = Keys("references", tuple(keys.reference("slot", f"Slot/{id_}") for id_ in slots))
    return And((named, Keys("tokens", _LIVE)))


async def _slots(
    ctx: Context, unit: Unit, ids: Iterable[str]
) -> Mapping[str, tuple[Place, Stored]]:
    kind, where, limit = _those(tuple(ids))
    rows = await unit.find(kind, where, limit=limit, within=UNRESTRICTED)
    base = ctx.services.base_url
    return {row.id: (place_of(_parsed(ctx, row), base), row) for row in rows}


async def _others(ctx: Context, unit: Unit, slots: Sequence[str], own: str) -> Sequence[Held]:
    """The stored visits that may hold one of `slots`, but for `own`."""
    rows = await unit.find("Appointment", _on(slots), limit=_MOST_ON_ONE, within=UNRESTRICTED)
    base = ctx.services.base_url
    return [Held(visit_of(_parsed(ctx, row), base), row) for row in rows if row.id != own]


def _own(ctx: Context) -> Context:
    """The server's own hand: what it writes about places is nobody's right or wrong."""
    return replace(ctx, rights=UNLIMITED, principal=None, trail=None)


def _parsed(ctx: Context, version: Stored) -> JsonObject:
    return loads(version.body, max_depth=ctx.services.limits.depth)
