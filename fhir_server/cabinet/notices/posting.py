"""Occasions posted in the unit of the change: they commit with it, or nobody is told.

What waits to be told of a visit is withdrawn when the visit changes: its reminder too, but not
that of who comes as before.
"""

from fhir_server.cabinet.booking.actors import actor_of
from fhir_server.cabinet.booking.telling import News
from fhir_server.cabinet.notices.occasions import concerned, of_report, of_visit
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Context, Intent
from fhir_server.store.port import Unit


async def tell_of_visit(ctx: Context, unit: Unit, news: News) -> None:
    """`telling.Tell`: post what is to be told."""
    if ctx.silent:
        return
    for each in (news.before, news.replaced):
        if each is not None:
            about = f"Appointment/{each.id or news.after.id}"
            await unit.withdraw(about, patients=concerned(news))
    found = of_visit(news, ctx.services.now(), actor_of(ctx.principal))
    if found:
        await unit.post(found)


async def tell_of_report(ctx: Context, intent: Intent) -> None:
    """The guard of DiagnosticReport where results are told."""
    unit, after = ctx.unit, intent.after
    if unit is None or after is None or ctx.silent:
        return
    depth = ctx.services.limits.depth
    before = None if intent.before is None else loads(intent.before.body, max_depth=depth)
    now, base = ctx.services.now(), ctx.services.base_url
    found = of_report(before, after, intent.id, now, base)
    if found is not None:
        await unit.post([found])
