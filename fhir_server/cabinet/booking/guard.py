"""The guards of Appointment and Slot, whatever door a write comes through (design law 3).

https://hl7.org/fhir/R4/appointment.html
https://hl7.org/fhir/R4/slot.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from fhir_server.access.rights import UNLIMITED
from fhir_server.cabinet.booking import refusals
from fhir_server.cabinet.booking.actors import Actor, actor_of
from fhir_server.cabinet.booking.givings_up import question
from fhir_server.cabinet.booking.joining import Joining
from fhir_server.cabinet.booking.late import block_late
from fhir_server.cabinet.booking.names import REPLACES
from fhir_server.cabinet.booking.numbering import foreseen as sequences
from fhir_server.cabinet.booking.numbering import number_of
from fhir_server.cabinet.booking.own_word import check_words
from fhir_server.cabinet.booking.patients import questions as about_patient
from fhir_server.cabinet.booking.persons import Wish, check, check_move
from fhir_server.cabinet.booking.places import (
    claimed,
    given_back,
    is_held,
    places,
    settle,
    slot_claim,
)
from fhir_server.cabinet.booking.places import questions as about_places
from fhir_server.cabinet.booking.policies import Look
from fhir_server.cabinet.booking.policy import BookingPolicy, merged
from fhir_server.cabinet.booking.queue import Queue, Turn
from fhir_server.cabinet.booking.ruled import ruled, specialty_said
from fhir_server.cabinet.booking.slots import Place
from fhir_server.cabinet.booking.telling import Written
from fhir_server.cabinet.booking.visits import AHEAD, Visit, extension, visit_of
from fhir_server.core import references
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Context, Intent
from fhir_server.interactions.said import Said, with_said
from fhir_server.interactions.versions import next_version, with_stamps
from fhir_server.search.plan import UNRESTRICTED, Node
from fhir_server.store.port import Stored, Unit

_VISITS: Final = frozenset({"Slot", "Appointment", "Flag"})
MOST_SLOTS: Final = 50
"""Of a person's visit: each is claimed and read before anything else is known of it."""
WRITES: Final = {"Appointment": _VISITS, "AppointmentResponse": _VISITS}
"""What the guards of a type write besides: `Services.guards_write`."""


class BookingGuard:
    """Guards that know the clinic's rules."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._policies = queue.serving.policies

    async def appointment(self, ctx: Context, intent: Intent) -> Said:
        """A visit may be written so, its places follow, and it is given its number.

        Raises:
            Conflict, BusinessRule, Forbidden: with a code of `cabinet-error`.
        """
        unit = _unit(ctx)
        before = None if intent.before is None else _visit(ctx, _parsed(ctx, intent.before))
        after = None
        if intent.after is not None:
            after = replace(_visit(ctx, intent.after), id=intent.id)
        old = await _replaced(ctx, unit, before, intent.after)
        replaced = None if old is None else _visit(ctx, _parsed(ctx, old))
        turn, actor = self._queue.turn(ctx, unit), actor_of(ctx.principal)
        if actor == "person" and after is not None and len(after.slots) > MOST_SLOTS:
            raise refusals.no_place()
        await _claim(turn, before, after, replaced)
        await unit.foresee(*_questions(ctx, before, after, actor), within=UNRESTRICTED)
        known = await _places(ctx, unit, before, after)
        rules = self._policies.look(ctx)
        said = Said()
        if actor == "person":
            await _check_move(ctx, unit, rules, replaced, after)
            here = _those_of(after or before, known)
            found = await ruled(rules, here)
            for each in found:
                await check(Wish(ctx, unit, before, after, here, each, replaced))
            _check_words(ctx, intent, old)
            await block_late(ctx, unit, before, after, [each.policy for each in found])
            await _check_joining(turn, before, intent)
            said = specialty_said(intent.after, after, found)
        if old is not None and replaced is not None:
            await settle(turn, replaced, replace(replaced, status="cancelled"), "system")
            await _cancel(ctx, unit, old)
        number = await number_of(ctx, rules, before, after, known)
        await settle(turn, before, after, actor)
        said |= await number.said(unit)
        await _tell(turn, intent, said, replaced)
        return said

    async def slot(self, ctx: Context, intent: Intent) -> None:
        """A Slot with visits on it stays, where and what it is.

        Raises:
            Conflict: it would not.
        """
        unit = _unit(ctx)
        await unit.claim(slot_claim(intent.id))
        held = await is_held(ctx, unit, intent.id)
        if not held:
            return
        before = None if intent.before is None else _parsed(ctx, intent.before)
        after = intent.after
        if after is None or after["status"] == "free":
            raise refusals.occupied()
        if before is not None and any(
            before.get(name) != after.get(name) for name in ("start", "end", "schedule")
        ):
            raise refusals.occupied()


async def _check_move(
    ctx: Context, unit: Unit, rules: Look, replaced: Visit | None, after: Visit | None
) -> None:
    """A visit is given up by the rules of its own places, wherever the new one is."""
    if replaced is None or after is None:
        return
    given_up = await places(ctx, unit, replaced.slots) if replaced.slots else {}
    for each in await ruled(rules, given_up.values()):
        check_move(ctx, replaced, after, each.policy)


async def _places(
    ctx: Context, unit: Unit, before: Visit | None, after: Visit | None
) -> Mapping[str, Place]:
    """Those of both, as far as they exist: what `_questions` has asked for."""
    named = {slot for each in (before, after) if each is not None for slot in each.slots}
    return await places(ctx, unit, named) if named else {}


def _those_of(visit: Visit | None, known: Mapping[str, Place]) -> tuple[Place, ...]:
    slots = () if visit is None else visit.slots
    return tuple(known[id_] for id_ in sorted(slots) if id_ in known)


async def _claim(
    turn: Turn, before: Visit | None, after: Visit | None, replaced: Visit | None
) -> None:
    """Claim what is changed; what is given back also changes who is offered it."""
    now = turn.ctx.services.now()
    free = given_back(before, after, now) | given_back(replaced, None, now)
    foreseen: tuple[str, ...] = ()
    if free:
        patients = {p for each in (before, replaced) if each for p in each.patients}
        foreseen = await turn.foreseen(free, patients)
    numbered = sequences(turn.ctx, before, after)
    await turn.unit.claim(*claimed(before, after, replaced, foreseen=foreseen), *numbered)


async def _check_joining(turn: Turn, before: Visit | None, intent: Intent) -> None:
    after = intent.after
    if before is None and after is not None and after["status"] == "waitlist":
        await Joining(turn).check({**after, "id": intent.id})


def _check_words(ctx: Context, intent: Intent, old: Stored | None) -> None:
    if intent.after is None:
        return
    before = None if intent.before is None else _parsed(ctx, intent.before)
    check_words(before, intent.after, None if old is None else _parsed(ctx, old))


async def _tell(turn: Turn, intent: Intent, said: Said, replaced: Visit | None) -> None:
    """Tell of what the write makes of a visit or a place in the queue, as it will be stored."""
    before, after, number = None, None, 1
    if intent.before is not None:
        before, number = _parsed(turn.ctx, intent.before), intent.before.number
    if intent.after is not None:
        stamped = with_stamps(turn.ctx, intent.type, intent.after, intent.before)
        after = with_said(stamped, said)
        number += before is not None
    await turn.news(Written(intent.id, number, before, after, replaced))


async def readable_policy(ctx: Context, intent: Intent) -> None:
    """A booking-policy that could not be followed is not stored.

    Raises:
        BusinessRule: its first part that cannot be read.
    """
    del ctx
    try:
        merged(BookingPolicy(), intent.after)
    except (ValueError, KeyError) as error:
        raise refusals.bad_policy(str(error), intent.type) from error


async def _replaced(
    ctx: Context, unit: Unit, before: Visit | None, after: JsonObject | None
) -> Stored | None:
    """The visit that a new one says it takes the place of."""
    given = None if before is not None or after is None else extension(after, REPLACES)
    if not given:
        return None
    named = references.parse(given.get("reference", ""), ctx.services.base_url)
    if named.kind != "local" or named.type != "Appointment" or named.id is None:
        return None
    found = await unit.read("Appointment", named.id, within=ctx.rights.update)
    if found is None or found.deleted:
        raise refusals.unknown_visit()
    return found


async def _cancel(ctx: Context, unit: Unit, old: Stored) -> None:
    own = replace(ctx, rights=UNLIMITED, trail=None)
    ended = {**_parsed(ctx, old), "status": "cancelled"}
    await unit.replace(old, next_version(own, old, ended, "PUT"))


def _questions(
    ctx: Context, before: Visit | None, after: Visit | None, actor: Actor
) -> Sequence[tuple[str, Node, int]]:
    """What will be asked about a write, so that it is asked at once."""
    given = [each for each in (before, after) if each is not None]
    found = about_places({slot for each in given for slot in each.slots})
    is_taking = after is not None and after.slots and after.status in AHEAD
    if actor != "person" or after is None or not is_taking or len(after.patients) != 1:
        return found
    found = (*found, *about_patient(after, ctx.services.now()))
    if before is not None:
        return found
    return (*found, question(after, None if ctx.principal is None else ctx.principal.user))


def _unit(ctx: Context) -> Unit:
    if ctx.unit is None:
        message = "a guard is asked within a unit"
        raise RuntimeError(message)
    return ctx.unit


def _visit(ctx: Context, resource: JsonObject) -> Visit:
    return visit_of(resource, ctx.services.base_url)


def _parsed(ctx: Context, version: Stored) -> JsonObject:
    return loads(version.body, max_depth=ctx.services.limits.depth)
