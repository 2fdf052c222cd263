"""`_explain=true`: how the database would answer a search, for operators.

https://hl7.org/fhir/R4/parameters.html
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from fhir_server.core.errors import Forbidden, NotSupported
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import dumps
from fhir_server.interactions.context import Context
from fhir_server.interactions.pages import page_size
from fhir_server.interactions.permits import is_limited
from fhir_server.search.compile import CompiledSearch
from fhir_server.search.plan import Search
from fhir_server.spec.structures import RESOURCE_TYPES

SWITCHED_OFF: Final = Text(
    "`_explain` is switched off on this server.",
    "На этом сервере `_explain` выключен.",
    "На цьому сервері `_explain` вимкнено.",
)
FOR_OPERATORS: Final = Text(
    "`_explain` is for those who may search everything.",
    "`_explain` доступен тем, кому можно искать всё.",
    "`_explain` доступний тим, кому можна шукати все.",
)


async def explained(ctx: Context, compiled: CompiledSearch) -> bytes:
    """A Parameters resource: for each type the plan and what the database says of it.

    Raises:
        NotSupported: it is switched off.
        Forbidden: some resources are out of the caller's reach: the plan would tell of the
            filter that hides them, and how many documents were looked at.
    """
    if not ctx.services.explain:
        raise NotSupported(SWITCHED_OFF, expression="_explain")
    if ctx.principal is not None and any(is_limited(ctx, "s", each) for each in RESOURCE_TYPES):
        raise Forbidden(FOR_OPERATORS, expression="_explain")
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
