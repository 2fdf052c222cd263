"""What a write answers: the resource to who may read it, and to others nothing of it.

The permission to write is none to read (`patient/Observation.u` has no `r`): the answer is then
that of `Prefer: return=minimal`. Whoever may search for the version could read it there.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
https://hl7.org/fhir/R4/http.html#return
"""

from dataclasses import replace
from typing import Final

from fhir_server.interactions.context import Context
from fhir_server.interactions.permits import is_met
from fhir_server.interactions.results import Result
from fhir_server.search.plan import Everything, Nothing
from fhir_server.search.values import IndexValues
from fhir_server.spec.interactions import ScopeLetter
from fhir_server.store.port import Stored

_READING: Final[tuple[ScopeLetter, ...]] = ("r", "s")


async def withheld(ctx: Context, result: Result) -> Result:
    """`result` of a write, in whose unit `ctx` is, marked if its caller may not read it."""
    versions = result.shown or (() if result.version is None else (result.version,))
    for each in versions:
        if not (each.deleted or await may_read(ctx, each, result.values)):
            return replace(result, withheld=True)
    return result


async def may_read(ctx: Context, version: Stored, values: IndexValues | None = None) -> bool:
    """Whether the caller may read `version`, the current one; `values`: its own, if known."""
    for letter in _READING:
        node = ctx.rights.of(letter).of(version.type)
        if isinstance(node, Everything) or (values and is_met(node, version, values)):
            return True
    for letter in _READING:
        within = ctx.rights.of(letter)
        if isinstance(within.of(version.type), Nothing):
            continue
        found = await ctx.reads.read(version.type, version.id, within=within)
        if found is not None and found.number == version.number:
            return True
    return False
