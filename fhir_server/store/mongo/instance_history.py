"""The history of one resource, newest first: the live version, then those before it.

Its versions lie together in the index of `_id`, in the order of their numbers, which is the
order of their times. Two finds give a page: 1.1 ms where the aggregations of `histories` need
1.7. A version moves from the live collection to the history and never back, so what is read
second misses none; what is newer than the first read is left to the next one.

https://hl7.org/fhir/R4/http.html#history
"""

from collections.abc import Sequence

from fhir_server.search.plan import Restriction
from fhir_server.store.mongo import batches
from fhir_server.store.mongo.client import answered
from fhir_server.store.mongo.documents import BODY, Document, stored
from fhir_server.store.mongo.histories import Branch, all_of, branches, total_of
from fhir_server.store.mongo.resources import Reader
from fhir_server.store.port import HistoryPlan, Stored


async def instance_history(
    reader: Reader, plan: HistoryPlan, kind: str, id_: str, within: Restriction
) -> tuple[Sequence[Stored], bool, int | None]:
    """`port.ResourceStore.history` of `kind`/`id_`."""
    with answered():
        both = await branches(reader, plan, kind, within)
        rows = await _rows(reader, plan, id_, *both)
        more = len(rows) > plan.count
        del rows[plan.count :]
        total = None
        if plan.total:
            whole = plan.after is None and not more
            total = len(rows) if whole else await total_of(reader, both)
        found = [stored(kind, row) for row in rows]
        return await reader.with_bodies(found, rows), more, total


async def _rows(
    reader: Reader, plan: HistoryPlan, id_: str, live: Branch, past: Branch
) -> list[Document]:
    """One row more than the page has, if there is one."""
    wanted = plan.count + 1
    below = None if plan.after is None else plan.after[3]
    rows: list[Document] = []
    if below is None:  # behind any version there are past ones only
        table = reader.tables.named(live.collection)
        rows = await batches.rows(table, live.where, BODY, limit=1, session=None)
        below = rows[0]["v"] if rows else None
    if len(rows) == wanted:
        return rows
    older = {} if below is None else {"_id": {"$lt": {"id": id_, "v": below}}}
    rows += await batches.rows(
        reader.tables.named(past.collection),
        all_of([past.where, older]),
        BODY,
        order=[("_id", -1)],
        limit=wanted - len(rows),
        session=None,
    )
    return rows
