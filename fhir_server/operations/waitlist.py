"""Appointment/$waitlist-join, [id]/$waitlist-offer and [id]/$waitlist-status: the queue.

To join is a create, and to offer a place an update, that could be written by hand; both meet
the guards of Appointment. Where one stands in the queue is a number, and says nothing of
others.

https://hl7.org/fhir/R4/appointment.html#statuses
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from fhir_server.cabinet.booking import refusals
from fhir_server.cabinet.booking.calendars import met
from fhir_server.cabinet.booking.entries import Entry, Served, offered, state_of
from fhir_server.cabinet.booking.queue import Waiting, waiting, waiting_of
from fhir_server.cabinet.booking.slots import place_of
from fhir_server.core import references
from fhir_server.core.datetimes import format_instant
from fhir_server.core.errors import BadValue
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import dumps, loads
from fhir_server.interactions.commands import Create, Update
from fhir_server.interactions.context import Context
from fhir_server.interactions.create import create
from fhir_server.interactions.read import live
from fhir_server.interactions.results import Result
from fhir_server.interactions.update import update
from fhir_server.operations import parameters
from fhir_server.operations.call import Call
from fhir_server.search import keys
from fhir_server.search.plan import Keys
from fhir_server.spec.interactions import ScopeLetter

NOT_USABLE: Final = Text(
    "`{name}` is not usable here.",
    "`{name}` здесь не годится.",
    "`{name}` тут не підходить.",
)

_KIND: Final = "Appointment"
_DOCTORS: Final = frozenset({"Practitioner", "PractitionerRole"})
_MOST: Final = 100
"""Schedules of a doctor whose specialities are looked at."""
_JOIN: Final = frozenset({"practitioner", "specialty", "period", "patient", "comment"})


async def join(ctx: Context, call: Call) -> Result:
    """Let a patient wait for a doctor, or for any doctor of a speciality.

    Raises:
        Conflict, BusinessRule, Forbidden: a rule of the queue, with its code.
    """
    call.check_names(_JOIN)
    given, patient = call.value("practitioner"), call.value("patient")
    doctor = None if given is None else _target(ctx, "practitioner", given, _DOCTORS)
    if patient is not None:
        who = _target(ctx, "patient", patient, frozenset({"Patient"}), default="Patient/")
    elif ctx.principal is not None and ctx.principal.patient is not None:
        who = f"Patient/{ctx.principal.patient}"
    else:
        raise refusals.no_entry()
    resource: JsonObject = {
        "resourceType": _KIND,
        "status": "waitlist",
        "specialty": await _specialities(ctx, call, doctor),
        "requestedPeriod": [_period(each) for each in call.values("period")],
        "comment": call.value("comment"),
        "participant": [
            {"actor": {"reference": who}, "status": "accepted"},
            *([{"actor": {"reference": doctor}, "status": "needs-action"}] if doctor else []),
        ],
    }
    resource = {name: value for name, value in resource.items() if value}
    return await create(ctx, Create(_KIND, resource))


async def offer(ctx: Context, call: Call) -> Result:
    """Offer a Slot to a patient who waits, past the order of the queue; staff do it.

    Raises:
        Conflict: the Slot is not free.
        BusinessRule: the Appointment does not wait, or the caller is a person.
    """
    call.check_names(frozenset({"slot", "until"}))
    waits = await _entry(ctx, call, "u")
    if waits.entry.visit.status != "waitlist":
        raise refusals.not_waiting()
    named = _target(ctx, "slot", call.value("slot") or "", frozenset({"Slot"}), default="Slot/")
    slot = await _read(ctx, named)
    if slot is None:
        raise refusals.taken()
    until = parameters.moment("until", call.value("until"))
    state = replace(
        state_of(waits.resource), expires=None if until is None else format_instant(until.lo)
    )
    schedule = place_of(slot, ctx.services.base_url).schedule
    of = None if schedule is None else await _read(ctx, f"Schedule/{schedule}")
    resource = offered(waits.resource, slot, [each for _, each in met(ctx, of)], state)
    return await update(ctx, Update(_KIND, waits.version.id, resource))


async def status(ctx: Context, call: Call) -> Result:
    """Where a patient stands in the queue, and what was offered so far."""
    call.check_names(frozenset())
    found = await _entry(ctx, call, "r")
    visit = found.entry.visit
    if visit.status != "waitlist" and not visit.is_offer:
        raise refusals.not_waiting()
    rows = [*await _position(ctx, found.entry), *_offers(found.resource)]
    body: JsonObject = {"resourceType": "Parameters", "parameter": rows}
    return Result(200, body=dumps(body), shown=(found.version,), wanted=True)


async def _position(ctx: Context, entry: Entry) -> Sequence[JsonObject]:
    """None ahead of who has an offer: the others wait for the next one."""
    ahead = 0
    if not entry.visit.is_offer:
        wanted = Served(entry.doctors, entry.visit.specialities)
        line = await waiting(ctx, ctx.reads, wanted)
        ahead = sum(each.entry.order < entry.order for each in line)
    place = 0 if entry.visit.is_offer else ahead + 1
    return [
        {"name": "position", "valueUnsignedInt": place},
        {"name": "ahead", "valueUnsignedInt": ahead},
    ]


def _offers(resource: JsonObject) -> Iterator[JsonObject]:
    state = state_of(resource)
    yield {"name": "offersMade", "valueUnsignedInt": state.made}
    yield {"name": "offersLimit", "valueUnsignedInt": state.limit}
    if state.expires is not None:
        yield {"name": "offerExpires", "valueInstant": state.expires}


async def _entry(ctx: Context, call: Call, letter: ScopeLetter) -> Waiting:
    id_ = call.target.id or ""
    found = await ctx.reads.read(_KIND, id_, within=ctx.rights.of(letter))
    return waiting_of(ctx, live(found, _KIND, id_))


async def _read(ctx: Context, target: str) -> JsonObject | None:
    kind, _, id_ = target.partition("/")
    found = await ctx.reads.read(kind, id_, within=ctx.rights.read)
    if found is None or found.deleted:
        return None
    return loads(found.body, max_depth=ctx.services.limits.depth)


async def _specialities(ctx: Context, call: Call, doctor: str | None) -> Sequence[JsonObject]:
    """Those that are named, or else those of the doctor's Schedules, each once."""
    named = [_concept(each) for each in call.values("specialty")]
    if named or doctor is None:
        return named
    where = Keys("references", (keys.reference("actor", doctor),))
    rows = await ctx.reads.find("Schedule", where, limit=_MOST, within=ctx.rights.read)
    found: list[JsonObject] = []
    for row in rows:
        schedule = loads(row.body, max_depth=ctx.services.limits.depth)
        found += [each for each in schedule.get("specialty", ()) if each not in found]
    return found


def _target(
    ctx: Context, name: str, value: Any, kinds: frozenset[str], *, default: str = ""
) -> str:
    """`Type/id`, from a Reference, a reference, or with `default` an id."""
    text = value.get("reference", "") if isinstance(value, dict) else str(value)
    text = text if "/" in text else f"{default}{text}"
    found = references.parse(text, ctx.services.base_url)
    if found.kind != "local" or found.type not in kinds or found.id is None:
        raise BadValue(NOT_USABLE, name=name, expression=name)
    return found.target


def _concept(value: Any) -> JsonObject:
    if isinstance(value, dict) and ("coding" in value or "text" in value):
        return value
    if isinstance(value, dict) and "code" in value:
        return {"coding": [value]}
    raise BadValue(NOT_USABLE, name="specialty", expression="specialty")


def _period(value: Any) -> JsonObject:
    if isinstance(value, dict) and ("start" in value or "end" in value):
        return value
    raise BadValue(NOT_USABLE, name="period", expression="period")
