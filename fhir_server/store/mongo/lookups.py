"""Many reads of one type, many predicates of one type: asked together.

Every question carries the Restriction, as the single ones do. 5,000 finds are 5,000 round
trips of 0.6 ms and more; asked 200 at a time they cost the database 0.03 ms each.

https://hl7.org/fhir/R4/http.html#transaction
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeVar

from fhir_server.search.plan import Ids, Node, Or, Restriction
from fhir_server.store.mongo import batches
from fhir_server.store.mongo.allotment import Allotment, is_told_by_values, weight
from fhir_server.store.mongo.claims import CLAIMS
from fhir_server.store.mongo.client import answered
from fhir_server.store.mongo.documents import Document, body, stored
from fhir_server.store.mongo.resources import Reader, both, versions_of
from fhir_server.store.mongo.translate import HISTORY
from fhir_server.store.port import Stored

T = TypeVar("T")

_IDS: Final = 250
"""Of one read: 1 MB of 4 KB resources, decoded in 15 ms."""
_PREDICATES: Final = 200
"""Of one find: planned and answered in 5 to 18 ms."""
_VALUES: Final = 1000
"""Of one find, unless a single predicate has more: 1 MB at most."""


async def read_each(
    reader: Reader, kind: str, ids: Sequence[str], within: Restriction
) -> list[Stored | None]:
    """`port.Unit.read_each`."""
    found: dict[str, Stored] = {}
    for part in _parts(list(dict.fromkeys(ids)), _IDS):
        live = await reader.find(kind, Ids(part), limit=len(part), within=within)
        found |= {each.id: each for each in live}
        missing = [id_ for id_ in part if id_ not in found]
        for each in await _tombstones(reader, kind, missing, within) if missing else ():
            found[each.id] = each
    return [found.get(id_) for id_ in ids]


async def _tombstones(
    reader: Reader, kind: str, ids: Sequence[str], within: Restriction
) -> Sequence[Stored]:
    with answered():
        seen = await reader.filter(kind, within.of(kind), within, HISTORY)
        # Without `until` it is the last version: nothing made the resource exist again.
        ended = {"$or": [{"_id": versions_of(id_)} for id_ in ids], "m": "DELETE"}
        where = both(ended | {"until": None}, seen)
        rows = await batches.rows(
            reader.tables.history(kind),
            where,
            body(kind),
            limit=len(ids),
            session=reader.session,
        )
        return [stored(kind, row) for row in rows]


async def find_each(
    reader: Reader,
    kind: str,
    wheres: Sequence[Node],
    limit: int,
    within: Restriction,
    apiece: int = 2,
) -> list[Sequence[Stored]]:
    """`port.Unit.find_each`; with more than `apiece` answers to each, all together, it takes
    more questions."""
    found: dict[Node, Sequence[Stored]] = {}
    together: list[Node] = []
    for where in dict.fromkeys(wheres):
        if is_told_by_values(where):
            together.append(where)
        else:
            found[where] = await reader.find(kind, where, limit=limit, within=within)
    for part in _portions(together):
        found |= await _find_together(reader, kind, part, limit, within, apiece)
    return [found[where] for where in wheres]


async def find_all(
    reader: Reader,
    claim: bytes,
    asked: Sequence[tuple[str, Node, int]],
    within: Restriction,
) -> Sequence[Sequence[Stored]]:
    """What `find` would give for each type, predicate and limit, in one question.

    `claim`: the id of a claim that the unit has; in a transaction MongoDB has no union of
    collections, but it looks others up for a document that is there.
    """
    stages: list[Document] = [{"$match": {"_id": claim}}, {"$project": {"_id": 1}}]
    for place, (kind, where, limit) in enumerate(asked):
        seen = await reader.filter(kind, where, within, also=within.of(kind))
        pipeline = [{"$match": seen}, {"$sort": {"_id": 1}}, {"$limit": limit}]
        stages.append({"$lookup": {"from": kind, "pipeline": pipeline, "as": f"q{place}"}})
    with answered():
        cursor = await reader.tables.named(CLAIMS).aggregate(stages, session=reader.session)
        (found,) = await cursor.to_list()
        return [
            await reader.whole(kind, found[f"q{place}"])
            for place, (kind, _, _) in enumerate(asked)
        ]


async def _find_together(
    reader: Reader,
    kind: str,
    wheres: tuple[Node, ...],
    limit: int,
    within: Restriction,
    apiece: int,
) -> dict[Node, Sequence[Stored]]:
    if len(wheres) == 1:
        alone = await reader.find(kind, wheres[0], limit=limit, within=within)
        return {wheres[0]: alone}
    most = apiece * len(wheres)
    with answered():
        seen = await reader.filter(kind, Or(wheres), within, also=within.of(kind))
        rows = await batches.rows(
            reader.tables.current(kind), seen, None, limit=most + 1, session=reader.session
        )
        if len(rows) <= most:
            rows.sort(key=lambda row: str(row["_id"]))
            whole = await reader.whole(kind, rows)
            allotted = Allotment(rows, wheres)
            return {
                where: [whole[place] for place in allotted.of(where)[:limit]]
                for where in wheres
            }
    # One of them finds many, perhaps all there are: the others are asked without it.
    half = len(wheres) // 2
    first = await _find_together(reader, kind, wheres[:half], limit, within, apiece)
    return first | await _find_together(reader, kind, wheres[half:], limit, within, apiece)


def _portions(wheres: Iterable[Node]) -> Iterator[tuple[Node, ...]]:
    """`wheres` in their order, as many at once as one find may ask for."""
    portion: list[Node] = []
    values = 0
    for where in wheres:
        more = weight(where)
        if portion and (len(portion) == _PREDICATES or values + more > _VALUES):
            yield tuple(portion)
            portion, values = [], 0
        portion.append(where)
        values += more
    if portion:
        yield tuple(portion)


def _parts(items: Sequence[T], size: int) -> Iterator[tuple[T, ...]]:
    return (tuple(items[begin : begin + size]) for begin in range(0, len(items), size))
