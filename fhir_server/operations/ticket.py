"""Appointment/[id]/$ticket: a booked visit as Parameters, as a calendar entry or as a PDF.

Whoever may read the Appointment has its ticket; names on it are those that the caller may read.

https://hl7.org/fhir/R4/appointment.html
https://www.rfc-editor.org/rfc/rfc5545
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import Final

from fhir_server.aside import HEAVY, aside
from fhir_server.cabinet.booking.calendars import default_policy
from fhir_server.cabinet.booking.policies import Policies
from fhir_server.cabinet.booking.slots import place_of
from fhir_server.cabinet.booking.visits import visit_of
from fhir_server.cabinet.tickets import calendar_file, sheet
from fhir_server.cabinet.tickets.ticket import (
    Known,
    Ticket,
    located,
    named,
    ticket_of,
    zone_of,
)
from fhir_server.cabinet.tickets.words import NO_TICKET
from fhir_server.core.errors import BusinessRule
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import dumps, loads
from fhir_server.interactions.context import Context
from fhir_server.interactions.read import live
from fhir_server.interactions.results import Content, Result
from fhir_server.operations import parameters
from fhir_server.operations.call import Call
from fhir_server.search.plan import UNRESTRICTED, Ids, Search
from fhir_server.store.port import Stored

_KIND: Final = "Appointment"
_FIRST: Final = ("Patient", "Practitioner", "PractitionerRole", "HealthcareService", "Location")
_MOST: Final = 20
"""Participants of a type that are named."""
_MS: Final = 1000


async def ticket(ctx: Context, call: Call) -> Result:
    """The ticket in the media type that was asked for.

    Raises:
        NotFound, Gone: there is no such Appointment for this caller.
        BusinessRule: it is not booked.
    """
    call.check_names(frozenset({"details"}))
    details = parameters.flag("details", call.value("details"))
    id_ = call.target.id or ""
    found = live(await ctx.reads.read(_KIND, id_, within=ctx.rights.read), _KIND, id_)
    told = await _ticket(ctx, found)
    if told is None:
        raise BusinessRule(NO_TICKET, expression="Appointment.status").coded("no-ticket")
    content = await _content(ctx, call, told, details=details)
    if content is None:
        body: JsonObject = {"resourceType": "Parameters", "parameter": list(_rows(told))}
        return Result(200, body=dumps(body), shown=(found,), wanted=True)
    return Result(200, content=content, shown=(found,), wanted=True)


async def _content(ctx: Context, call: Call, told: Ticket, *, details: bool) -> Content | None:
    base, language = ctx.services.base_url, ctx.language
    if call.media == calendar_file.TYPE:
        now = ctx.services.now()
        data = calendar_file.calendar_file(told, base, now, language, details=details)
        return Content("text/calendar; charset=utf-8; method=PUBLISH", data, "ticket.ics")
    if call.media == sheet.TYPE:
        url = f"{base}/{_KIND}/{told.id}"
        # Some tenths of a second with the font, whatever the size of what is told.
        data = await aside(HEAVY, sheet.sheet, told, url, language, least=HEAVY)
        return Content(sheet.TYPE, data, "ticket.pdf")
    return None


async def _ticket(ctx: Context, version: Stored) -> Ticket | None:
    resource = _parsed(ctx, version)
    base = ctx.services.base_url
    stamp = (version.number, version.at)
    if ticket_of(resource, {}, UTC, stamp, base) is None:
        return None
    known = await _known(ctx, resource)
    return ticket_of(resource, known, await _zone(ctx, resource), stamp, base)


async def _known(ctx: Context, resource: JsonObject) -> Known:
    """Who takes part, and where doctors work: each type in one question."""
    base = ctx.services.base_url
    found: dict[str, JsonObject] = {}
    for kind in _FIRST:
        wanted = [*named(resource, (kind,), base)]
        if kind == "Location":
            wanted += [place for each in found.values() for place in located(each, base)]
        found |= await _read(ctx, kind, wanted)
    return found


async def _read(ctx: Context, kind: str, targets: Iterable[str]) -> Mapping[str, JsonObject]:
    ids = tuple(dict.fromkeys(each.partition("/")[2] for each in targets))[:_MOST]
    if not ids:
        return {}
    plan = Search(kind, Ids(ids), count=len(ids))
    page = await ctx.reads.search(plan, within=ctx.rights.read)
    return {f"{kind}/{row.id}": _parsed(ctx, row) for row in page.rows}


async def _zone(ctx: Context, resource: JsonObject) -> tzinfo:
    """The clinic's, by the rules of the Schedule of the first Slot."""
    visit = visit_of(resource, ctx.services.base_url)
    default = default_policy(ctx.services)
    schedule = None
    if visit.slots:
        # Of the Slot nothing is told but whose rules hold, which are the house's.
        first = visit.slots[:1]
        rows = await ctx.reads.find("Slot", Ids(first), limit=1, within=UNRESTRICTED)
        places = (place_of(_parsed(ctx, row), ctx.services.base_url) for row in rows)
        schedule = next((each.schedule for each in places if each.schedule is not None), None)
    ruled = await Policies(replace(default, zone="")).of(ctx, schedule)
    return zone_of(resource, ruled.zone, default.zone)


def _rows(told: Ticket) -> Iterator[JsonObject]:
    def local(at: int) -> str:
        return datetime.fromtimestamp(at // _MS, told.zone).isoformat()

    yield {"name": "appointment", "valueReference": {"reference": f"{_KIND}/{told.id}"}}
    if told.number is not None:
        yield {"name": "number", "valueString": told.number}
    yield {"name": "cancelled", "valueBoolean": told.state == "cancelled"}
    yield {"name": "start", "valueDateTime": local(told.start)}
    yield {"name": "end", "valueDateTime": local(told.end)}
    yield {"name": "zone", "valueString": str(told.zone)}
    for name, texts in (
        ("patient", told.patients),
        ("practitioner", told.doctors),
        ("service", told.services),
        ("specialty", told.specialities),
    ):
        yield from ({"name": name, "valueString": each} for each in texts)
    for place in told.places:
        both = (("name", place.name), ("address", place.address))
        parts = [{"name": name, "valueString": text} for name, text in both if text]
        yield {"name": "location", "part": parts}
    if told.instruction:
        yield {"name": "instruction", "valueString": told.instruction}


def _parsed(ctx: Context, version: Stored) -> JsonObject:
    return loads(version.body, max_depth=ctx.services.limits.depth)
