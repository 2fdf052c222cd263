"""Appointment/$find: places that may be booked, as Appointments that may be made of them.

https://profiles.ihe.net/ITI/Scheduling/ITI-115.html
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from fhir_server.cabinet.booking.actors import actor_of
from fhir_server.cabinet.booking.calendars import Calendar, calendars
from fhir_server.cabinet.booking.for_others import for_others
from fhir_server.cabinet.booking.offered import (
    Offered,
    offered,
    own_visits,
    patients_of,
    window,
)
from fhir_server.cabinet.booking.proposals import proposal, said
from fhir_server.cabinet.booking.quotas import past_share
from fhir_server.cabinet.booking.sought import NAMES, Sought, sought
from fhir_server.core.bundles import search_entry, searchset
from fhir_server.core.datetimes import format_instant
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import dumps, loads
from fhir_server.interactions.context import Context
from fhir_server.interactions.results import Result
from fhir_server.operations import parameters
from fhir_server.operations.call import Call
from fhir_server.search.cursor import Place, read_place, write_place
from fhir_server.search.links import link
from fhir_server.search.plan import After, Node, Search, SortKey
from fhir_server.search.request import CURSOR
from fhir_server.store.port import Page, Stored

_FIRST: Final = (SortKey("chief-date", "asc"),)
_COUNTED: Final = 300
"""Where counting ends: nobody reads further, and everybody would wait for it."""
_SCHEDULE: Final = "schedule|"


async def find(ctx: Context, call: Call) -> Result:
    """A page of proposals in the order of time, with how many there are.

    Raises:
        Invalid: a parameter cannot be read.
    """
    call.check_names(NAMES)
    asked = sought(call.given())
    count = parameters.count("_count", call.value("_count"))
    cursor = call.value(CURSOR)
    query = ("$find", asked.pairs)
    place = read_place(ctx.services.cursors, str(cursor), query) if cursor else None
    own = await own_visits(ctx, asked)
    answering = await offered(ctx, asked, tuple(own))
    limits = ctx.services.limits
    size = limits.default_page if count is None else min(count, limits.page)
    page, total = await _page(
        ctx, answering.slots, size, None if place is None else place.after
    )
    entries = await _entries(ctx, asked, page.rows, own, answering)
    total -= len(page.rows) - len(entries)  # what is left out is none of the caller's
    links = {"self": _link(ctx, asked, count, None if cursor is None else str(cursor))}
    if page.more and page.rows:
        last = page.rows[-1]
        after = Place("Slot", After(last.sort_values, last.id))
        links["next"] = _link(
            ctx, asked, count, write_place(ctx.services.cursors, after, query)
        )
    body = searchset(
        entries, links, id_=ctx.services.new_id(), at=ctx.services.now(), total=total
    )
    return Result(200, body=body, shown=page.rows, wanted=True)


async def _page(ctx: Context, where: Node, size: int, after: After | None) -> tuple[Page, int]:
    plan = Search("Slot", where, _FIRST, size, after, references=(_SCHEDULE,))
    within = ctx.rights.search
    first = ctx.reads.search(plan, within=within)
    if ctx.unit is not None:  # one question at a time
        page = await first
        return page, await ctx.reads.count("Slot", where, within=within, limit=_COUNTED)
    page, total = await asyncio.gather(
        first, ctx.reads.count("Slot", where, within=within, limit=_COUNTED)
    )
    return page, max(total, len(page.rows))


async def _entries(
    ctx: Context,
    asked: Sought,
    rows: Sequence[Stored],
    own: Mapping[str, str],
    answering: Offered,
) -> list[bytes]:
    named = (id_ for row in rows for id_ in _schedules(row))
    known = await calendars(ctx, named, answering.schedules)
    begin, end = window(asked, ctx.services.now())
    more = said(asked.said, asked.patient) | {
        "requestedPeriod": [{"start": format_instant(begin), "end": format_instant(end)}]
    }
    depth = ctx.services.limits.depth
    found = [
        (
            loads(row.body, max_depth=depth),
            next((known[id_] for id_ in _schedules(row) if id_ in known), _UNKNOWN),
        )
        for row in rows
    ]
    hidden: frozenset[str] = frozenset()
    if actor_of(ctx.principal) == "person":
        hidden = await for_others(ctx, found, patients_of(ctx, asked))
        hidden |= await past_share(ctx, found)
    return [
        _entry(ctx, slot, calendar, more, own.get(slot["id"]))
        for slot, calendar in found
        if slot["id"] not in hidden
    ]


_UNKNOWN: Final = Calendar(None)


def _schedules(row: Stored) -> Sequence[str]:
    lead = f"{_SCHEDULE}Schedule/"
    return [key.removeprefix(lead) for key in row.references if key.startswith(lead)]


def _entry(
    ctx: Context, slot: JsonObject, calendar: Calendar, more: JsonObject, own: str | None
) -> bytes:
    made = proposal(slot, calendar.schedule, calendar.actors, calendar.policy, more, own)
    id_ = made.get("id")
    base = ctx.services.base_url
    url = f"urn:uuid:{ctx.services.new_id()}" if id_ is None else f"{base}/Appointment/{id_}"
    return search_entry(dumps(made), "match", url)


def _link(ctx: Context, asked: Sought, count: int | None, cursor: str | None) -> str:
    pairs = list(asked.pairs)
    if count is not None:
        pairs.append(("_count", str(count)))
    return link(f"{ctx.services.base_url}/Appointment/$find", pairs, cursor)
