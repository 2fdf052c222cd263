"""A unit of its own for one command, which tells the audit of what it writes.

The row of the audit commits with the resources, or not at all (design law 6).
"""

from collections.abc import Awaitable, Callable

from fhir_server.access.audit_log import AuditRow
from fhir_server.interactions.context import Context
from fhir_server.interactions.results import Result
from fhir_server.store.port import Unit


async def run_told(
    ctx: Context,
    kind: str,
    work: Callable[[Unit], Awaitable[Result]],
    resource: str | None = None,
) -> Result:
    """Do `work`, which writes a `kind`; `resource` is what it writes, where that is known
    before."""
    trail, store = ctx.trail, ctx.services.store
    if trail is None:
        return await store.run([kind], work, single=True, resource=resource)

    async def told(unit: Unit) -> tuple[Result, AuditRow]:
        result = await work(unit)
        row = trail.written((trail.doing, result))
        await unit.log(row)
        return result, row

    result, row = await store.run([kind], told, single=True, resource=resource)
    trail.committed(row)
    return result
