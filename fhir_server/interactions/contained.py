"""`_containedType=contained`: what matches within containers, given by itself.

https://hl7.org/fhir/R4/search.html#contained
"""

from collections.abc import Iterator, Sequence

from fhir_server.core.bundles import search_entry
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import dumps, loads
from fhir_server.interactions.context import Context
from fhir_server.search.contained import contained_resources
from fhir_server.search.evaluate import Record, Resources, satisfies
from fhir_server.search.plan import UNRESTRICTED, Node
from fhir_server.search.subset import Subset
from fhir_server.store.port import Stored


def contained_entries(
    ctx: Context, wanted: Sequence[tuple[str, Node]], rows: Sequence[Stored], subset: Subset
) -> list[bytes]:
    """An entry for each contained resource of `rows` that is `wanted` (type, predicate);
    "the fullUrl informs the client that this is a contained resource"."""
    base = ctx.services.base_url
    return [
        search_entry(
            dumps(subset.of(each) if subset else each),
            "match",
            f"{base}/{row.type}/{row.id}#{each.get('id', '')}",
        )
        for row in rows
        for each in _matching(ctx, wanted, parsed_body(ctx, row))
    ]


def parsed_body(ctx: Context, row: Stored) -> JsonObject:
    """The resource that `row` keeps."""
    return loads(row.body, max_depth=ctx.services.limits.depth)


def _matching(
    ctx: Context, wanted: Sequence[tuple[str, Node]], container: JsonObject
) -> Iterator[JsonObject]:
    for each in contained_resources(container):
        for kind, node in wanted:
            if each["resourceType"] == kind and _satisfies(ctx, each, node):
                yield each


def _satisfies(ctx: Context, contained: JsonObject, node: Node) -> bool:
    # The store has judged the container; its restriction says nothing of the parts.
    values = ctx.services.index({"id": "", **contained})
    record = Record(contained["resourceType"], contained.get("id", ""), 0, values)
    return satisfies(Resources.of([record], UNRESTRICTED), record, node)
