"""Appointment/[id]/$cancel, $confirm and $reschedule: what becomes of a visit.

Each is an update or a create that could be written by hand, and meets the same guards.

https://hl7.org/fhir/R4/appointment.html#statuses
"""

from typing import Any, Final

from fhir_server.cabinet.booking import refusals
from fhir_server.cabinet.booking.making import made
from fhir_server.cabinet.booking.visits import visit_of
from fhir_server.core.errors import BadValue
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.commands import Create, Update
from fhir_server.interactions.context import Context
from fhir_server.interactions.create import create
from fhir_server.interactions.read import live
from fhir_server.interactions.results import Result
from fhir_server.interactions.update import update
from fhir_server.operations.call import Call

NOT_A_CONCEPT: Final = Text(
    "`{name}` is a CodeableConcept, a Coding or a code.",
    "`{name}` — это CodeableConcept, Coding или код.",
    "`{name}` — це CodeableConcept, Coding або код.",
)

_KIND: Final = "Appointment"
_REASONS: Final = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
_CARRIED: Final[tuple[str, ...]] = (
    "description",
    "reasonCode",
    "reasonReference",
    "supportingInformation",
    "basedOn",
    "comment",
    "patientInstruction",
)
"""What a visit keeps when it is moved."""


async def cancel(ctx: Context, call: Call) -> Result:
    """Give the places of a visit back; `reason` and `comment` are kept with it.

    Raises:
        BusinessRule, Forbidden: a rule of the clinic, with its code.
    """
    call.check_names(frozenset({"reason", "comment"}))
    resource = await _visit(ctx, call)
    changed = {**resource, "status": "cancelled"}
    reason, comment = call.value("reason"), call.value("comment")
    if reason is not None:
        changed["cancelationReason"] = _concept("reason", reason)
    if comment is not None:
        changed["comment"] = str(comment)
    return await update(ctx, Update(_KIND, resource["id"], changed))


async def confirm(ctx: Context, call: Call) -> Result:
    """Make a hold a booking, or tell that the patient will come to what is booked."""
    call.check_names(frozenset())
    resource = await _visit(ctx, call)
    participants = [_accepting(each) for each in resource["participant"]]
    changed = {**resource, "status": "booked", "participant": participants}
    return await update(ctx, Update(_KIND, resource["id"], changed))


async def reschedule(ctx: Context, call: Call) -> Result:
    """Another time for a visit: the old one is cancelled if the new one is booked, and stays
    as it is otherwise.

    Raises:
        Conflict, BusinessRule, Forbidden: a rule of booking, with its code.
    """
    call.check_names(frozenset({"slot", "comment"}))
    resource = await _visit(ctx, call)
    visit = visit_of(resource, ctx.services.base_url)
    given = [{"reference": _reference(each)} for each in call.values("slot")]
    wanted = visit_of({"status": "booked", "slot": given}, ctx.services.base_url).slots
    if not wanted or len(visit.patients) != 1:
        raise refusals.no_place()
    kept = {name: resource[name] for name in _CARRIED if name in resource}
    comment = call.value("comment")
    if comment is not None:
        kept["comment"] = str(comment)
    fresh = await made(ctx, kept, wanted, visit.patients[0], "booked", resource["id"])
    ctx.services.validator.check(fresh, _KIND)
    return await create(ctx, Create(_KIND, fresh))


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
