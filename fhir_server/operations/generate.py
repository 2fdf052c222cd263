"""Slot/$generate: the places of a schedule, from its working hours.

https://hl7.org/fhir/R4/slot.html
"""

from dataclasses import replace
from typing import Final

from fhir_server.cabinet.booking.actors import actor_of
from fhir_server.cabinet.booking.calendars import default_policy
from fhir_server.cabinet.booking.generating import generate as generated
from fhir_server.cabinet.booking.ordered import ordered, wanted
from fhir_server.cabinet.booking.policies import Policies
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import dumps, loads
from fhir_server.interactions.context import Context
from fhir_server.interactions.permits import insufficient_scope
from fhir_server.interactions.read import live
from fhir_server.interactions.results import Result
from fhir_server.interactions.told import run_told
from fhir_server.operations.call import Call
from fhir_server.store.port import Unit

_KIND: Final = "Slot"


async def generate(ctx: Context, call: Call) -> Result:
    """Make the Slots of a Schedule those of a template; the answer counts what was created,
    kept and removed.

    Raises:
        Invalid: a parameter cannot be read, or there would be too many places.
        Forbidden: the caller is a patient, or may not delete what has to go.
        NotFound: there is no such Schedule for the caller.
    """
    if actor_of(ctx.principal) == "person":
        raise insufficient_scope(ctx.principal, "c", _KIND)
    services = ctx.services
    order = ordered(call.body, services.base_url)
    found = await ctx.reads.read("Schedule", order.schedule, within=ctx.rights.read)
    version = live(found, "Schedule", order.schedule)
    schedule = loads(version.body, max_depth=services.limits.depth)
    rules = Policies(default_policy(services))
    policy = await rules.of(ctx, order.schedule)
    order = replace(order, template=replace(order.template, zone=policy.zone))
    places = wanted(order.template)

    async def work(unit: Unit) -> Result:
        done = await generated(ctx.inside(unit), unit, order, schedule, places)
        count = done.changes
        body = _answer(len(count.created), count.kept, len(count.removed))
        return Result(200, body=dumps(body), shown=done.written, wanted=True)

    if ctx.unit is not None:
        return await work(ctx.unit)
    return await run_told(ctx, _KIND, work)


def _answer(created: int, kept: int, removed: int) -> JsonObject:
    counts = {"created": created, "kept": kept, "removed": removed}
    rows = [{"name": name, "valueInteger": count} for name, count in counts.items()]
    return {"resourceType": "Parameters", "parameter": rows}
