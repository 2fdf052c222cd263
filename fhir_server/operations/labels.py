"""The labels in use among the resources of some types, whoever carries them.

"A list of all profiles, tags, and security labels for the resource type", or "in use by the
system". They are read from the search index, which knows a label by its system and code.

https://hl7.org/fhir/R4/resource-operation-meta.html
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from fhir_server.core.errors import TooCostly
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.interactions.context import Context
from fhir_server.search import keys
from fhir_server.store.port import KeyField

TOO_MANY: Final = Text(
    "More than {limit} labels are in use in {type}.",
    "В {type} больше {limit} меток.",
    "У {type} понад {limit} міток.",
)

_MOST: Final = 1000
"""Labels of one kind and type: a vocabulary of labels, not one of resources."""
_FORMS: Final = 2
"""Under how many keys a label stands at most: with its system and in any, with its version and
without."""
_AT_ONCE: Final = 8  # queries


async def labels_in_use(ctx: Context, kinds: Sequence[str]) -> JsonObject:
    """A Meta with every profile, security label and tag of live resources of `kinds`.

    Raises:
        TooCostly: there are more than are told.
    """
    profiles: dict[str, None] = {}
    codings: dict[str, dict[str, JsonObject]] = {"security": {}, "tag": {}}
    turns = asyncio.Semaphore(_AT_ONCE)

    async def collect(kind: str) -> None:
        async with turns:
            profiles.update(dict.fromkeys(await _keys(ctx, kind, "uris", "_profile")))
            for name, found in codings.items():
                for key in await _keys(ctx, kind, "tokens", f"_{name}"):
                    system, _, code = key.partition("|")
                    if system != keys.ANY_SYSTEM:
                        found[key] = _coding(system, code)

    await asyncio.gather(*(collect(kind) for kind in kinds))
    lists: dict[str, list[Any]] = {"profile": sorted(profiles)}
    lists |= {name: [found[key] for key in sorted(found)] for name, found in codings.items()}
    return {name: values for name, values in lists.items() if values}


async def _keys(ctx: Context, kind: str, field: KeyField, parameter: str) -> list[str]:
    prefix, limit = f"{parameter}|", _FORMS * _MOST
    store = ctx.services.store
    found = await store.keys(kind, field, prefix, limit=limit + 1, within=ctx.rights.search)
    if len(found) > limit:
        raise TooCostly(TOO_MANY, limit=_MOST, type=kind)
    return [key.removeprefix(prefix) for key in found]


def _coding(system: str, code: str) -> JsonObject:
    return {name: text for name, text in (("system", system), ("code", code)) if text}
