"""A unit of its own for one command, which tells of what it writes: audit and Provenance.

The row of the audit commits with the resources, or not at all (design law 6).
"""

from collections.abc import Awaitable, Callable

from fhir_server.access.audit_log import AuditRow
from fhir_server.interactions.context import Context
from fhir_server.interactions.guards import written_with
from fhir_server.interactions.provenance import KIND as PROVENANCE
from fhir_server.interactions.provenance import attest, is_attested
from fhir_server.interactions.repeats import RepeatedError, answer, noting
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
    kinds = written_with(ctx, [kind])
    try:
        return await _run(ctx, kinds, noting(ctx, work), kind, resource)
    except RepeatedError as error:
        return await answer(ctx, error.done)


async def _run(
    ctx: Context,
    kinds: set[str],
    work: Callable[[Unit], Awaitable[Result]],
    kind: str,
    resource: str | None,
) -> Result:
    trail, store = ctx.trail, ctx.services.store
    # Who waits for a turn, or asks what was done before, keeps others waiting.
    together = resource is None and ctx.repeat is None
    if ctx.principal is None:
        return await store.run(
            sorted(kinds), work, single=True, resource=resource, together=together
        )

    async def told(unit: Unit) -> tuple[Result, AuditRow | None]:
        result = await work(unit)
        await attest(ctx, unit, [result])
        if trail is None:
            return result, None
        row = trail.written((trail.doing, result))
        await unit.log(row)
        return result, row

    if is_attested(ctx, kind):
        kinds.add(PROVENANCE)
    result, row = await store.run(
        sorted(kinds), told, single=True, resource=resource, together=together
    )
    if trail is not None and row is not None:
        trail.committed(row)
    return result
