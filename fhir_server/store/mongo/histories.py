"""Histories of a type, or of all: live versions and superseded ones, newest first.

Every branch (a live collection, a history) is walked along its index for one page; MongoDB
merges them under one snapshot, so that a version that moves meanwhile is seen once.

https://hl7.org/fhir/R4/http.html#history
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pymongo.read_concern import ReadConcern

from fhir_server.search.plan import Restriction
from fhir_server.store.mongo.client import answered
from fhir_server.store.mongo.documents import Document, body, stored
from fhir_server.store.mongo.indexes import HISTORY_SUFFIX
from fhir_server.store.mongo.resources import Reader, versions_of
from fhir_server.store.mongo.translate import CURRENT, HISTORY, Filter
from fhir_server.store.port import HistoryPlan, Stored

_SNAPSHOT: Final = ReadConcern("snapshot")
_NEWEST_FIRST: Final = {"at": -1, "t": -1, "_id.id": -1, "v": -1}


@dataclass(frozen=True, slots=True)
class Branch:
    """One collection's share of a history."""

    kind: str
    collection: str
    where: Filter
    """Without the place in the paging, which a total must not know."""
    past: bool


async def history(
    reader: Reader, plan: HistoryPlan, kinds: Sequence[str], within: Restriction
) -> tuple[Sequence[Stored], bool, int | None]:
    """`port.ResourceStore.history` over the types `kinds`."""
    with answered():
        found = [each for kind in kinds for each in await branches(reader, plan, kind, within)]
        if not found:
            return (), False, 0 if plan.total else None
        total = await total_of(reader, found) if plan.total else None
        rows = await _page(reader, found, plan)
        more = len(rows) > plan.count
        del rows[plan.count :]
        versions = [stored(row["t"], row) for row in rows]
        return await reader.with_bodies(versions, rows), more, total


async def branches(
    reader: Reader, plan: HistoryPlan, kind: str, within: Restriction
) -> tuple[Branch, Branch]:
    """The live versions of a type, or of its one resource, and the past ones."""
    times = _times(plan)
    live = await reader.filter(kind, within.of(kind), within, CURRENT, also=plan.where)
    past = await reader.filter(kind, within.of(kind), within, HISTORY, also=plan.where)
    of_one = [] if plan.id is None else [{"_id": plan.id}]
    versions = [] if plan.id is None else [{"_id": versions_of(plan.id)}]
    until = [] if plan.at is None else [_still_current(plan.at[0])]
    return (
        Branch(kind, kind, all_of([*of_one, *times, live]), past=False),
        Branch(
            kind, kind + HISTORY_SUFFIX, all_of([*versions, *times, *until, past]), past=True
        ),
    )


def _times(plan: HistoryPlan) -> list[Filter]:
    times: list[Filter] = []
    if plan.since is not None:
        times.append({"at": {"$gte": plan.since}})
    if plan.at is not None:
        times.append({"at": {"$lt": plan.at[1]}})
    return times


def _still_current(lo: int) -> Filter:
    """A superseded version was current at `lo` or later; the last one, a tombstone, is."""
    return {"$or": [{"until": {"$gt": lo}}, {"until": None}]}


def all_of(filters: Iterable[Filter]) -> Filter:
    """What passes every one of `filters`."""
    parts = [each for each in filters if each]
    if len(parts) > 1:
        return {"$and": parts}
    return parts[0] if parts else {}


async def _page(
    reader: Reader, branches: Sequence[Branch], plan: HistoryPlan
) -> list[Document]:
    first, *others = (_stages(branch, plan) for branch in branches)
    stages = [
        *first,
        *(
            {"$unionWith": {"coll": branch.collection, "pipeline": pipeline}}
            for branch, pipeline in zip(branches[1:], others, strict=True)
        ),
        {"$sort": _NEWEST_FIRST},
        {"$limit": plan.count + 1},
    ]
    table = reader.tables.named(branches[0].collection)
    cursor = await table.with_options(read_concern=_SNAPSHOT).aggregate(
        stages, allowDiskUse=True, batchSize=plan.count + 2
    )
    return await cursor.to_list()


def _stages(branch: Branch, plan: HistoryPlan) -> list[Document]:
    """One branch, no longer than the page, its rows of one shape."""
    key: Any = "$_id" if branch.past else {"id": "$_id", "v": "$v"}
    return [
        {"$match": all_of([branch.where, _behind(branch, plan.after)])},
        {"$sort": {"at": -1, "_id": -1}},
        {"$limit": plan.count + 1},
        {"$project": {**body(branch.kind), "t": {"$literal": branch.kind}, "_id": key}},
    ]


def _behind(branch: Branch, after: tuple[int, str, str, int] | None) -> Filter:
    """Rows of the branch that come after `after`; the order is at, type, id, number."""
    if after is None:
        return {}
    at, kind, id_, number = after
    if branch.kind != kind:
        return {"at": {"$lte" if branch.kind < kind else "$lt": at}}
    if branch.past:
        same: Filter = {"_id": {"$lt": {"id": id_, "v": number}}}
    else:
        same = {"$or": [{"_id": {"$lt": id_}}, {"_id": id_, "v": {"$lt": number}}]}
    return {"at": {"$lte": at}, "$or": [{"at": {"$lt": at}}, same]}


async def total_of(reader: Reader, branches: Sequence[Branch]) -> int:
    """How many versions there are, whatever the page."""
    first, *others = branches
    count = [{"$count": "n"}]
    stages: list[Document] = [{"$match": first.where}, *count]
    stages += [
        {
            "$unionWith": {
                "coll": branch.collection,
                "pipeline": [{"$match": branch.where}, *count],
            }
        }
        for branch in others
    ]
    stages.append({"$group": {"_id": None, "n": {"$sum": "$n"}}})
    table = reader.tables.named(first.collection).with_options(read_concern=_SNAPSHOT)
    rows = await (await table.aggregate(stages)).to_list()
    return rows[0]["n"] if rows else 0
