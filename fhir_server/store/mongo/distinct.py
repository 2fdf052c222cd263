"""Which index keys are in use: the labels of a type without its resources.

https://www.mongodb.com/docs/manual/core/aggregation-pipeline-optimization/
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fhir_server.search import keys
from fhir_server.search.plan import Restriction
from fhir_server.store.mongo.client import answered
from fhir_server.store.mongo.documents import Document
from fhir_server.store.mongo.resources import Reader
from fhir_server.store.port import KeyField

_INDEXED: Final[Mapping[KeyField, str]] = {"tokens": "tok", "uris": "uri"}
_BESIDE: Final[Mapping[KeyField, str]] = {"tokens": "tokx", "uris": "urix"}
"""What lies in no index, under a lead that does: `leads`. No uri does."""


async def distinct(
    reader: Reader, kind: str, field: KeyField, prefix: str, limit: int, within: Restriction
) -> Sequence[str]:
    """`port.ResourceStore.keys`: the index finds the resources, their documents the keys."""
    inside = {"$gte": prefix, "$lt": prefix + keys.LAST}
    indexed = _INDEXED[field]
    all_keys: list[Any] = [f"${indexed}", {"$ifNull": [f"${_BESIDE[field]}", []]}]
    with answered():
        seen = await reader.filter(kind, within.of(kind), within)
        stages: list[Document] = [
            {"$match": {"$and": [{indexed: inside}, *([seen] if seen else [])]}},
            {"$project": {"_id": 0, "key": {"$concatArrays": all_keys}}},
            {"$unwind": "$key"},
            {"$match": {"key": inside}},
            {"$group": {"_id": "$key"}},
            {"$sort": {"_id": 1}},
            {"$limit": limit},
        ]
        cursor = await reader.tables.current(kind).aggregate(stages)
        return [row["_id"] for row in await cursor.to_list()]
