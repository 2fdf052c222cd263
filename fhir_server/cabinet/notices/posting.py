"""Occasions posted in the unit of the change: they commit with it, or nobody is told.

What waits to be told of a visit is withdrawn when the visit changes: its reminder too, but not
that of who comes as before.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from fhir_server.access.principal import Principal
from fhir_server.cabinet.booking.actors import actor_of
from fhir_server.cabinet.booking.telling import News, Tell
from fhir_server.cabinet.notices.kinds import ROWS, is_kind
from fhir_server.cabinet.notices.occasions import LOADED, concerned, of_report, of_visit
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Context, Guard, Intent
from fhir_server.store.outgoing import Occasion
from fhir_server.store.port import Unit


def telling_of_visits(silent: Collection[str]) -> Tell:
    """What posts what is to be told; `silent` are ids of backend clients of whose writes
    nobody is told."""

    async def tell(ctx: Context, unit: Unit, news: News) -> None:
        if ctx.silent:
            return
        for each in (news.before, news.replaced):
            if each is not None:
                about = f"Appointment/{each.id or news.after.id}"
                await unit.withdraw(about, patients=concerned(news))
        found = of_visit(news, ctx.services.now(), actor_of(ctx.principal))
        if _is_silent(ctx.principal, silent):
            found = list(_loaded(found))
        if found:
            await unit.post(found)

    return tell


def telling_of_reports(silent: Collection[str]) -> Guard:
    """The guard of DiagnosticReport where results are told; `silent` as above."""

    async def tell(ctx: Context, intent: Intent) -> None:
        unit, after = ctx.unit, intent.after
        if unit is None or after is None or ctx.silent or _is_silent(ctx.principal, silent):
            return
        depth = ctx.services.limits.depth
        before = None if intent.before is None else loads(intent.before.body, max_depth=depth)
        now, base = ctx.services.now(), ctx.services.base_url
        found = of_report(before, after, intent.id, now, base)
        if found is not None:
            await unit.post([found])

    return tell


def _is_silent(principal: Principal | None, silent: Collection[str]) -> bool:
    is_system = principal is not None and actor_of(principal) == "system"
    return is_system and principal is not None and principal.client in silent


def _loaded(found: Iterable[Occasion]) -> Iterator[Occasion]:
    """Of a visit its reminder alone comes of it; what becomes of the queue is told."""
    for each in found:
        row = ROWS[each.kind] if is_kind(each.kind) else None
        if row is None or row.topic != "visit":
            yield each
        elif row.state == "booked":
            yield replace(each, facts={**each.facts, LOADED: True})
