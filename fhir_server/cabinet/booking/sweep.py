"""Places that are free are offered to who waits for them, whoever made them free, and how.

What a visit gives back is offered in its own unit. This is for the rest: new Slots, Slots that
staff open, patients who can come after all.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from fhir_server.access.rights import UNLIMITED
from fhir_server.cabinet.booking.entries import Entry, Served, entry_of
from fhir_server.cabinet.booking.joining import begins_within
from fhir_server.cabinet.booking.places import fill
from fhir_server.cabinet.booking.queue import Queue, is_offerable
from fhir_server.cabinet.booking.serving import specialities_node
from fhir_server.cabinet.booking.slots import FREE, place_of
from fhir_server.core.errors import FhirError
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Context, Services
from fhir_server.search import keys
from fhir_server.search.plan import UNRESTRICTED, After, And, Keys, Node, Or, Search
from fhir_server.search.values import Interval
from fhir_server.store.port import Stored, Unit

_PAGE: Final = 200
_WAITING: Final = Keys("tokens", (keys.token("status", None, "waitlist"),))
_FREE: Final = Keys("tokens", (keys.token("status", None, FREE),))
_KINDS: Final = ("Appointment", "Slot")
_MEANWHILE: Final = 409
"""Somebody else has it now."""


async def offer_places(services: Services, queue: Queue) -> None:
    """Offer every free place that somebody waits for."""
    ctx = Context(services, UNLIMITED)
    for wanted, entries in (await _lines(ctx)).items():
        async for slot in _places(ctx, queue, wanted, entries):
            await _fill(ctx, queue, slot)


async def _lines(ctx: Context) -> Mapping[Served, Sequence[Entry]]:
    """Who waits, by what is waited for."""
    found: dict[Served, list[Entry]] = {}
    async for row in _rows(ctx, "Appointment", _WAITING):
        entry = entry_of(_parsed(ctx, row), ctx.services.base_url)
        wanted = entry.wanted
        if wanted.doctors:
            wanted = replace(wanted, specialities=frozenset())
        if wanted.doctors or wanted.specialities:
            found.setdefault(wanted, []).append(entry)
    return found


async def _places(
    ctx: Context, queue: Queue, wanted: Served, entries: Sequence[Entry]
) -> AsyncIterator[str]:
    """The free Slots that one of `entries` would come to."""
    where = await _where(ctx, queue, wanted, entries)
    if where is None:
        return
    now = ctx.services.now()
    async for row in _rows(ctx, "Slot", where):
        slot = _parsed(ctx, row)
        place = place_of(slot, ctx.services.base_url)
        rota = await queue.serving.of(ctx, place.schedule)
        served = rota.serves(slot)
        if is_offerable(place, rota.policy, now) and any(
            each.fits(place, served) for each in entries
        ):
            yield row.id


async def _where(
    ctx: Context, queue: Queue, wanted: Served, entries: Sequence[Entry]
) -> Node | None:
    schedules = await queue.serving.schedules(ctx, wanted)
    places: list[Node] = []
    if schedules:
        names = [keys.reference("schedule", f"Schedule/{each}") for each in schedules]
        places.append(Keys("references", tuple(names)))
    if wanted.specialities:
        places.append(specialities_node(wanted))
    if not places:
        return None
    return And((_FREE, Or(tuple(places)), begins_within(_span(ctx.services.now(), entries))))


def _span(now: int, entries: Iterable[Entry]) -> Interval:
    """The time in which one of `entries` or another would come."""
    spans = [each.periods or (Interval(now, 2**53),) for each in entries]
    every = [span for several in spans for span in several]
    return Interval(max(now, min(s.lo for s in every)), max(s.hi for s in every))


async def _fill(ctx: Context, queue: Queue, slot: str) -> None:
    async def work(unit: Unit) -> None:
        await fill(queue.turn(ctx.inside(unit), unit), slot)

    try:
        await ctx.services.store.run(_KINDS, work, single=True, resource=f"Slot/{slot}")
    except FhirError as error:
        if error.status != _MEANWHILE:
            raise


async def _rows(ctx: Context, kind: str, where: Node) -> AsyncIterator[Stored]:
    # The server itself looks at its own queue and places.
    after: After | None = None
    while True:
        plan = Search(kind, where, count=_PAGE, after=after)
        page = await ctx.services.store.search(plan, within=UNRESTRICTED)
        for row in page.rows:
            yield row
        if not page.more:
            return
        last = page.rows[-1]
        after = After(last.sort_values, last.id)


def _parsed(ctx: Context, version: Stored) -> JsonObject:
    return loads(version.body, max_depth=ctx.services.limits.depth)
