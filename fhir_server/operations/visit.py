"""Appointment/[id]/$cancel, $confirm and $reschedule: what becomes of a visit.

Each is an update or a create that could be written by hand, and meets the same guards.

https://hl7.org/fhir/R4/appointment.html#statuses
"""

from collections.abc import Callable
from typing import Any, Final

from fhir_server.cabinet.booking.making import moved
from fhir_server.cabinet.booking.visits import visit_of
from fhir_server.core.errors import BadValue
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.commands import Create
from fhir_server.interactions.context import Context
from fhir_server.interactions.create import create
from fhir_server.interactions.read import live
from fhir_server.interactions.results import Result
from fhir_server.interactions.update import check, in_unit, put
from fhir_server.operations.call import Call
from fhir_server.store.port import Unit

NOT_A_CONCEPT: Final = Text(
    "`{name}` is a CodeableConcept, a Coding or a code.",
    "`{name}` — это CodeableConcept, Coding или код.",
    "`{name}` — це CodeableConcept, Coding або код.",
)

_KIND: Final = "Appointment"
_REASONS: Final = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"


async def cancel(ctx: Context, call: Call) -> Result:
    """Give the places of a visit back; `reason` and `comment` are kept with it.

    Raises:
        BusinessRule, Forbidden: a rule of the clinic, with its code.
    """
    call.check_names(frozenset({"reason", "comment"}))
    said: JsonObject = {"status": "cancelled"}
    reason, comment = call.value("reason"), call.value("comment")
    if reason is not None:
        said["cancelationReason"] = _concept("reason", reason)
    if comment is not None:
        said["comment"] = str(comment)
    return await rewritten(ctx, call.target.id or "", lambda visit: {**visit, **said})


async def confirm(ctx: Context, call: Call) -> Result:
    """Make a hold a booking, or tell that the patient will come to what is booked."""
    call.check_names(frozenset())
    return await rewritten(ctx, call.target.id or "", _confirmed)


async def reschedule(ctx: Context, call: Call) -> Result:
    """Another time for a visit: the old one is cancelled if the new one is booked, and stays
    as it is otherwise.

    Raises:
        Conflict, BusinessRule, Forbidden: a rule of booking, with its code.
    """
    call.check_names(frozenset({"slot", "comment"}))
    resource = await _visit(ctx, call)
    given = [{"reference": _reference(each)} for each in call.values("slot")]
    wanted = visit_of({"status": "booked", "slot": given}, ctx.services.base_url).slots
    comment = call.value("comment")
    said = {} if comment is None else {"comment": str(comment)}
    fresh = await moved(ctx, {**resource, **said}, wanted)
    return await create(ctx, Create(_KIND, fresh))


async def rewritten(
    ctx: Context, id_: str, change: Callable[[JsonObject], JsonObject]
) -> Result:
    """Put `change` of the visit `id_` in its place, in one unit: what others write meanwhile
    is changed, not overwritten.

    Raises:
        NotFound, Gone: it is not there for this caller.
    """

    async def work(unit: Unit) -> Result:
        found = await unit.read(_KIND, id_, within=ctx.rights.update)
        current = live(found, _KIND, id_)
        resource = change(loads(current.body, max_depth=ctx.services.limits.depth))
        inside = ctx.inside(unit)
        await check(inside, resource, _KIND)
        return await put(inside, unit, _KIND, id_, current, resource)

    return await in_unit(ctx, _KIND, work, id_)


def _confirmed(visit: JsonObject) -> JsonObject:
    participants = [_accepting(each) for each in visit["participant"]]
    return {**visit, "status": "booked", "participant": participants}


async def _visit(ctx: Context, call: Call) -> JsonObject:
    id_ = call.target.id or ""
    found = await ctx.reads.read(_KIND, id_, within=ctx.rights.update)
    return loads(live(found, _KIND, id_).body, max_depth=ctx.services.limits.depth)


def _accepting(participant: JsonObject) -> JsonObject:
    reference = participant.get("actor", {}).get("reference", "")
    return {**participant, "status": "accepted"} if "Patient/" in reference else participant


def _reference(value: Any) -> str:
    text = value.get("reference", "") if isinstance(value, dict) else str(value)
    return text if "/" in text else f"Slot/{text}"


def _concept(name: str, value: Any) -> JsonObject:
    if isinstance(value, str):
        return {"coding": [{"system": _REASONS, "code": value}]}
    if isinstance(value, dict) and ("coding" in value or "text" in value):
        return value
    if isinstance(value, dict) and "code" in value:
        return {"coding": [value]}
    raise BadValue(NOT_A_CONCEPT, name=name, expression=name)
