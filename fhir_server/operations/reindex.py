"""$reindex: index values computed anew, so that search parameters added later find everything.

An operation of this server; R4 has none for it. It always runs as a job.
"""

from collections.abc import Sequence
from typing import Final

from fhir_server.core.errors import BadValue
from fhir_server.core.messages import Text
from fhir_server.core.wire import dumps, loads
from fhir_server.interactions.context import Context
from fhir_server.interactions.later import REINDEX, order
from fhir_server.interactions.read import live
from fhir_server.interactions.results import Result
from fhir_server.operations.call import Call
from fhir_server.operations.parameters import types
from fhir_server.search import keys
from fhir_server.search.custom import parameter_of
from fhir_server.search.plan import Keys
from fhir_server.search.registry import kinds_of
from fhir_server.spec.search_parameters import SearchParameter

NO_PARAMETER: Final = Text(
    "There is no active search parameter {url} on this server.",
    "На сервере нет действующего параметра поиска {url}.",
    "На сервері немає чинного параметра пошуку {url}.",
)
OTHER_TYPES: Final = Text(
    "None of the search parameters named is defined on the types asked for.",
    "Ни один из названных параметров поиска не определён для запрошенных типов.",
    "Жоден із названих параметрів пошуку не визначено для запитаних типів.",
)

_NAMES: Final = frozenset({"type", "url", "searchParameter"})


async def reindex(ctx: Context, call: Call) -> Result:
    """Order the job: for a resource, a type, the types named, or all.

    Raises:
        NotFound, Gone: the resource does not exist.
        BadValue: a type or a search parameter is unknown.
    """
    call.check_names(_NAMES)
    target = call.target
    if target.id is not None:
        found = await ctx.reads.read(target.type or "", target.id, within=ctx.rights.read)
        live(found, target.type or "", target.id)
    kinds = await _kinds(ctx, call)
    return await order(ctx, REINDEX, dumps({"kinds": kinds, "id": target.id}))


async def _kinds(ctx: Context, call: Call) -> Sequence[str]:
    """The types to walk; none: all that have resources."""
    named = types("type", call.values("type"))
    if call.target.type is not None:
        named = frozenset({call.target.type})
    urls = [str(url) for name in ("url", "searchParameter") for url in call.values(name)]
    if not urls:
        return sorted(named)
    defined = {k for url in urls for k in kinds_of(await _parameter(ctx, url))}
    wanted = sorted(defined & named if named else defined)
    if not wanted:
        raise BadValue(OTHER_TYPES, expression="url")
    return wanted


async def _parameter(ctx: Context, url: str) -> SearchParameter:
    known = ctx.services.registry.defined(url)
    if known is not None:
        return known
    # Just posted: this process learns of it within a second.
    where = Keys("uris", (keys.uri("url", url),))
    for row in await ctx.reads.find("SearchParameter", where, limit=1, within=ctx.rights.read):
        resource = loads(row.body, max_depth=ctx.services.limits.depth)
        parameter = parameter_of(resource)
        if parameter is not None:
            return parameter
    raise BadValue(NO_PARAMETER, url=url[:200], expression="url")
