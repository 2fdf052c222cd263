"""`_explain=true`: how the database would answer a search, for operators.

https://hl7.org/fhir/R4/parameters.html
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from fhir_server.core.errors import NotSupported
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import dumps
from fhir_server.interactions.context import Context
from fhir_server.interactions.pages import page_size
from fhir_server.search.compile import CompiledSearch
from fhir_server.search.plan import Search

SWITCHED_OFF: Final = Text(
    "`_explain` is switched off on this server.",
    "На этом сервере `_explain` выключен.",
    "На цьому сервері `_explain` вимкнено.",
)


async def explained(ctx: Context, compiled: CompiledSearch) -> bytes:
    """A Parameters resource: for each type the plan and what the database says of it.

    Raises:
        NotSupported: it is switched off.
    """
    if not ctx.services.explain:
        raise NotSupported(SWITCHED_OFF, expression="_explain")
    size = page_size(ctx, compiled.request.count)
    said: list[JsonObject] = []
    for (kind, where), sort in zip(compiled.where, compiled.sort, strict=True):
        plan = Search(kind, where, sort, size)
        answer = await ctx.services.store.explain(plan, within=ctx.rights.search)
        said.append({"name": kind, "part": list(_parts(plan, answer))})
    return dumps({"resourceType": "Parameters", "parameter": said})


def _parts(plan: Search, answer: Mapping[str, Any]) -> Iterator[JsonObject]:
    yield {"name": "plan", "valueString": repr(plan.where)}
    for name, value in answer.items():
        yield {"name": name, "valueString": json.dumps(value, default=str, ensure_ascii=False)}
