"""Appointment/$hold and $book: a place for a while, and for good.

What may be booked is decided by the guards of Appointment: `$book` and a plain create meet
the same rules.

https://profiles.ihe.net/ITI/Scheduling/ITI-116.html
https://profiles.ihe.net/ITI/Scheduling/ITI-117.html
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from fhir_server.cabinet.booking import refusals
from fhir_server.cabinet.booking.asked import NAMES, Asked, asked
from fhir_server.cabinet.booking.making import made, slots_between
from fhir_server.cabinet.booking.proposals import proposed_slot
from fhir_server.cabinet.booking.visits import visit_of
from fhir_server.core.bundles import searchset, stored_entries
from fhir_server.core.errors import Conflict
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.commands import Create
from fhir_server.interactions.context import Context
from fhir_server.interactions.create import create
from fhir_server.interactions.permits import check_letter
from fhir_server.interactions.results import Result
from fhir_server.operations.call import Call
from fhir_server.operations.visit import rewritten

_KIND: Final = "Appointment"
_BROUGHT: Final[tuple[str, ...]] = (
    "basedOn",
    "supportingInformation",
    "reasonCode",
    "reasonReference",
    "description",
    "comment",
)
"""What may come with the booking of a hold or an offer: papers, and why."""


async def hold(ctx: Context, call: Call) -> Result:
    """Keep places for the caller; the answer says until when.

    Raises:
        Conflict, BusinessRule, Forbidden: a rule of booking, with its code.
    """
    try:
        return await _new(ctx, _asked(ctx, call), "pending")
    except Conflict as error:
        # The server answers with severity `fatal` and code `not-found`, says ITI-116.
        error.issues = [
            replace(each, severity="fatal", code="not-found")
            if each.detail == refusals.SLOT_TAKEN
            else each
            for each in error.issues
        ]
        raise


async def book(ctx: Context, call: Call) -> Result:
    """Take places: those of a hold, of a proposal, or free ones; with `cancelled-appt-id`
    instead of those of another visit, which stays as it is unless these are taken. A visit
    that is named alone there, or sent as `cancelled`, is cancelled.

    Raises:
        Conflict, BusinessRule, Forbidden: a rule of booking, with its code.
    """
    wish = _asked(ctx, call)
    known = await _known(ctx, wish)
    if known is None:
        return await _new(ctx, wish, "booked")
    check_letter(ctx, "u", _KIND)
    result = await rewritten(ctx, known["id"], lambda visit: _changed(wish, visit))
    return _answer(ctx, wish, result)


def _changed(wish: Asked, known: JsonObject) -> JsonObject:
    """What the wish makes of a visit that is stored."""
    if wish.ends or wish.resource.get("status") == "cancelled":
        reason = wish.resource.get("cancelationReason")
        given = {} if reason is None else {"cancelationReason": reason}
        return {**known, **wish.said, "status": "cancelled", **given}
    if wish.resource and known["status"] == "booked":
        return {**wish.resource, **wish.said, "id": known["id"], "status": "booked"}
    brought = {name: wish.resource[name] for name in _BROUGHT if name in wish.resource}
    return {**known, **brought, **wish.said, "status": "booked"}


def _asked(ctx: Context, call: Call) -> Asked:
    call.check_names(NAMES)
    return asked(call.given(), ctx.services.base_url, call.body)


async def _new(ctx: Context, wish: Asked, status: str) -> Result:
    visit = visit_of({"status": status, **wish.resource}, ctx.services.base_url)
    named = proposed_slot(wish.visit or wish.resource.get("id", ""))
    slots: Sequence[str] = wish.slots or visit.slots or (() if named is None else (named,))
    if not slots and wish.schedule is not None:
        slots = await slots_between(ctx, wish.schedule, visit.start, visit.end)
    patient = wish.patient or next(iter(visit.patients), None) or _own(ctx)
    if not slots or patient is None:
        raise refusals.no_place()
    given = {**wish.resource, **wish.said}
    resource = await made(ctx, given, slots, patient, status, wish.replaced)
    return _answer(ctx, wish, await create(ctx, Create(_KIND, resource)))


def _own(ctx: Context) -> str | None:
    return None if ctx.principal is None else ctx.principal.patient


async def _known(ctx: Context, wish: Asked) -> JsonObject | None:
    """The stored visit that the wish is about; None for a proposal and for what is new."""
    id_ = wish.replaced if wish.ends else wish.visit or wish.resource.get("id")
    if id_ is None:
        return None
    found = await ctx.reads.read(_KIND, id_, within=ctx.rights.update)
    if found is not None and not found.deleted:
        return loads(found.body, max_depth=ctx.services.limits.depth)
    if (wish.visit is None or proposed_slot(id_) is not None) and not wish.ends:
        return None
    raise refusals.unknown_visit()


def _answer(ctx: Context, wish: Asked, result: Result) -> Result:
    version = result.version
    if wish.dialect == "isik" or version is None or result.withheld:
        return result
    body = searchset(stored_entries(ctx.services.base_url, (version,), "match"), {}, total=1)
    status = 200 if wish.dialect == "argonaut" else result.status
    return Result(status, body=body, shown=(version,), wanted=True)
