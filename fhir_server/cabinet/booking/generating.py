"""The Slots of a schedule made anew, in one unit of work.

Whoever books claims the Slot, and so does this before it removes one: of the two the second
sees what the first has done, and no booking is lost.

https://hl7.org/fhir/R4/slot.html
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from fhir_server.cabinet.booking.names import CAPACITY, CHANNEL
from fhir_server.cabinet.booking.ordered import MOST_DAYS, MOST_PLACES, TOO_MUCH, Ordered
from fhir_server.cabinet.booking.places import held_of, slot_claim
from fhir_server.cabinet.booking.policy import DAY
from fhir_server.cabinet.booking.regeneration import Changes, Known, changes
from fhir_server.cabinet.booking.slots import place_of
from fhir_server.cabinet.booking.template import Interval, Span, Template, day_spans
from fhir_server.core.errors import TooCostly
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Context
from fhir_server.interactions.permits import check_letter, check_writable
from fhir_server.interactions.versions import first_version, stored
from fhir_server.search import keys
from fhir_server.search.plan import UNRESTRICTED, And, Compare, Keys, Range
from fhir_server.search.values import Interval as Dates
from fhir_server.store.port import Stored, Unit

_CONCEPTS: Final = ("serviceCategory", "serviceType", "specialty", "appointmentType")
_AT_ONCE: Final = 100
"""Slots made before others get their turn: 10 ms."""
_MOST: Final = 2 * MOST_PLACES
_MS: Final = 1000


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, or would be."""

    changes: Changes
    written: Sequence[Stored]
    """Created ones, and what removed ones leave."""


async def generate(
    ctx: Context, unit: Unit, order: Ordered, schedule: JsonObject, wanted: Sequence[Interval]
) -> Done:
    """Let the Slots of `schedule` become `wanted`; with `order.dry` nothing is written.

    Raises:
        Forbidden: Slots would have to be removed that the caller may not delete.
        TooCostly: the schedule has too many of them.
    """
    await unit.claim(f"Schedule/{order.schedule} slots")
    template, now = order.template, ctx.services.now()
    begin, end = template.window()
    window = max(begin, now), end
    ahead = [each for each in wanted if each.start >= now]
    until = max([end, *(each.end for each in ahead)])
    rows = await _slots(ctx, unit, order.schedule, (window[0] - DAY, until))
    concepts = _concepts(schedule) | order.concepts
    # A booking between this look and the commit meets the claim, and one of the two begins
    # again.
    free = sorted(row.id for row, slot in rows if slot["status"] == "free")
    if not order.dry:
        await unit.claim(*map(slot_claim, free))
    held = await held_of(ctx, unit, free)
    known = [_known(ctx, row, slot, concepts, row.id in held) for row, slot in rows]
    before = frozenset(_night_before(template))
    found = changes(known, ahead, window, order.capacity, before)
    if order.dry:
        return Done(found, ())
    gone = [row for row, _ in rows if row.id in frozenset(found.removed)]
    if gone:
        check_letter(ctx, "d", "Slot")
        await check_writable(ctx, unit, "d", "Slot", gone)
    left = [await unit.remove(row, at=max(now, row.at)) for row in gone]
    made = [row async for row in _created(ctx, unit, order, concepts, found.created)]
    return Done(found, (*made, *left))


async def _created(
    ctx: Context,
    unit: Unit,
    order: Ordered,
    concepts: JsonObject,
    wanted: Sequence[Interval],
) -> AsyncIterator[Stored]:
    for begin in range(0, len(wanted), _AT_ONCE):
        versions = []
        for each in wanted[begin : begin + _AT_ONCE]:
            resource = _slot(order, concepts, each)
            ctx.services.validator.check(resource, "Slot")
            id_ = ctx.services.new_id()
            versions.append(first_version(ctx, "Slot", id_, resource, "POST"))
        await unit.insert(versions)
        await asyncio.sleep(0)
        for version in versions:
            yield stored(version)


def _slot(order: Ordered, concepts: JsonObject, interval: Interval) -> JsonObject:
    zone = ZoneInfo(order.template.zone)
    extensions: list[JsonObject] = [
        {"url": CHANNEL, "valueCode": code} for code in interval.channels
    ]
    if order.capacity > 1:
        extensions.append({"url": CAPACITY, "valuePositiveInt": order.capacity})
    return {
        "resourceType": "Slot",
        **({"extension": extensions} if extensions else {}),
        **concepts,
        "schedule": {"reference": f"Schedule/{order.schedule}"},
        "status": "free",
        "start": datetime.fromtimestamp(interval.start / _MS, zone).isoformat(),
        "end": datetime.fromtimestamp(interval.end / _MS, zone).isoformat(),
    }


def _concepts(resource: JsonObject) -> JsonObject:
    """What the Slots of a Schedule are for, or a Slot is."""
    return {name: resource[name] for name in _CONCEPTS if name in resource}


def _known(
    ctx: Context, row: Stored, slot: JsonObject, concepts: JsonObject, is_held: bool
) -> Known:
    place = place_of({**slot, "id": row.id}, ctx.services.base_url)
    return Known(place, is_held, _concepts(slot) == concepts)


def _night_before(template: Template) -> Iterator[Span]:
    """What a shift that began the day before the first leaves on it."""
    yield from day_spans(template, template.first - timedelta(days=1))


async def _slots(
    ctx: Context, unit: Unit, schedule: str, within: Span
) -> Sequence[tuple[Stored, JsonObject]]:
    where = And((
        Keys("references", (keys.reference("schedule", f"Schedule/{schedule}"),)),
        Range(
            "dates",
            "start",
            Dates(*within),
            ((Compare("hi", ">", "lo"), Compare("lo", "<", "hi")),),
        ),
    ))  # fmt: skip
    # What is put over others' places does not depend on who may see them.
    found = await unit.find("Slot", where, limit=_MOST + 1, within=UNRESTRICTED)
    if len(found) > _MOST:
        raise TooCostly(TOO_MUCH, places=MOST_PLACES, days=MOST_DAYS, expression="period")
    depth = ctx.services.limits.depth
    return [(row, loads(row.body, max_depth=depth)) for row in found]
