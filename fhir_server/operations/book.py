"""Appointment/$hold and $book: a place for a while, and for good.

What may be booked is decided by the guards of Appointment: `$book` and a plain create meet
the same rules.

https://profiles.ihe.net/ITI/Scheduling/ITI-116.html
https://profiles.ihe.net/ITI/Scheduling/ITI-117.html
"""

from typing import Final

from fhir_server.cabinet.booking import refusals
from fhir_server.cabinet.booking.asked import NAMES, Asked, asked
from fhir_server.cabinet.booking.making import made
from fhir_server.cabinet.booking.visits import visit_of
from fhir_server.core.bundles import searchset, stored_entries
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.commands import Create, Update
from fhir_server.interactions.context import Context
from fhir_server.interactions.create import create
from fhir_server.interactions.results import Result
from fhir_server.interactions.update import update
from fhir_server.operations.call import Call

_KIND: Final = "Appointment"


async def hold(ctx: Context, call: Call) -> Result:
    """Keep places for the caller; the answer says until when.

    Raises:
        Conflict, BusinessRule, Forbidden: a rule of booking, with its code.
    """
    wish = _asked(ctx, call)
    return await _new(ctx, wish, "pending")


async def book(ctx: Context, call: Call) -> Result:
    """Take places: those of a hold, or free ones; with `cancelled-appt-id` instead of those
    of another visit, which stays as it is unless these are taken.

    Raises:
        Conflict, BusinessRule, Forbidden: a rule of booking, with its code.
    """
    wish = _asked(ctx, call)
    held = await _held(ctx, wish)
    if held is None:
        return await _new(ctx, wish, "booked")
    resource = {**held, "status": "booked"}
    result = await update(ctx, Update(_KIND, held["id"], resource))
    return _answer(ctx, wish, result)


def _asked(ctx: Context, call: Call) -> Asked:
    call.check_names(NAMES)
    return asked(call.given(), ctx.services.base_url)


async def _new(ctx: Context, wish: Asked, status: str) -> Result:
    visit = visit_of({"status": status, **wish.resource}, ctx.services.base_url)
    slots = wish.slots or visit.slots
    patient = wish.patient or next(iter(visit.patients), None) or _own(ctx)
    if not slots or patient is None:
        raise refusals.no_place()
    resource = await made(ctx, wish.resource, slots, patient, status, wish.replaced)
    ctx.services.validator.check(resource, _KIND)
    return _answer(ctx, wish, await create(ctx, Create(_KIND, resource)))


def _own(ctx: Context) -> str | None:
    return None if ctx.principal is None else ctx.principal.patient


async def _held(ctx: Context, wish: Asked) -> JsonObject | None:
    """The stored visit that the wish is about."""
    id_ = wish.visit or wish.resource.get("id")
    if id_ is None:
        return None
    found = await ctx.reads.read(_KIND, id_, within=ctx.rights.update)
    if found is None or found.deleted:
        if wish.visit is None:
            return None
        raise refusals.unknown_visit()
    return loads(found.body, max_depth=ctx.services.limits.depth)


def _answer(ctx: Context, wish: Asked, result: Result) -> Result:
    version = result.version
    if wish.answer == "Appointment" or version is None:
        return result
    body = searchset(stored_entries(ctx.services.base_url, (version,), "match"), {}, total=1)
    return Result(result.status, body=body, shown=(version,), wanted=True)
