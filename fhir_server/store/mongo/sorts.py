"""Sort orders as MongoDB asks for them, and where a page continues. Pure.

A resource without a value comes last in either direction; MongoDB puts null below every
value. So descending order is one query; ascending order is two, one for the values and one
for the rows without, the second only where the first leaves the page unfilled.

https://hl7.org/fhir/R4/search.html#sort
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from fhir_server.search import keys
from fhir_server.search.plan import After, SortBy, SortKey, ValueField
from fhir_server.store.mongo.documents import WIDE, Document
from fhir_server.store.mongo.translate import Filter


class Phase(NamedTuple):
    """One query of a page; the rows of a later phase follow those of an earlier one."""

    filter: Filter
    order: Sequence[tuple[str, int]]


_NEVER_NULL: Final[Mapping[SortBy, str]] = {"id": "_id", "updated": "at"}
_ARRAYS: Final[Mapping[ValueField, Sequence[str]]] = {
    "tokens": ("tok", "tokx"),
    "strings": ("str", "strx"),
    "references": ("ref",),
    "uris": ("uri",),
    "words": ("txt",),
    "dates": ("date",),
    "quantities": ("qty", "qtyx"),
}
_LEAST: Final[Mapping[str, Any]] = {"sd": float("-inf"), "ss": "", "sx": ""}


def indexed_field(sort: Sequence[SortKey]) -> str | None:
    """The field whose index gives the order, None where it has to be computed."""
    if not sort:
        return "_id"
    if len(sort) > 1 or sort[0].by == "values":
        return None
    return _scalar(sort[0])


def _scalar(key: SortKey) -> str:
    if key.by == "chief-date":
        return "sd"
    if key.by == "chief-string":
        return "ss" if key.direction == "asc" else "sx"
    return _NEVER_NULL[key.by]


def phases(field: str, sort: Sequence[SortKey], after: After | None) -> Sequence[Phase]:
    """The queries that walk `field` (`indexed_field`) from `after` on."""
    backward = after is not None and after.backward
    ascending = not sort or sort[0].direction == "asc"
    step = 1 if ascending != backward else -1
    if field == "_id":
        beyond = {} if after is None else {"_id": {_beyond(step): after.id}}
        return [Phase(beyond, [("_id", step)])]
    order = [(field, step), ("_id", step)]
    if field == "at":
        return [Phase(_from(field, step, after), order)]
    if not (ascending or backward):
        return [Phase(_down(field, after), order)]
    return _apart(field, step, after, order)


def _beyond(step: int) -> str:
    return "$gt" if step > 0 else "$lt"


def _from(field: str, step: int, after: After | None) -> Filter:
    """Rows with a value, behind `after`; the bound on `field` alone is what an index sees."""
    if after is None:
        return {}
    beyond, value = _beyond(step), after.values[0]
    return {
        field: {f"{beyond}e": value},
        "$or": [{field: {beyond: value}}, {"_id": {beyond: after.id}}],
    }


def _down(field: str, after: After | None) -> Filter:
    """Descending and forward, where null comes last by itself."""
    if after is None:
        return {}
    value = after.values[0]
    if value is None:
        return {field: None, "_id": {"$lt": after.id}}
    return {
        field: {"$not": {"$gt": value}},
        "$or": [{field: {"$ne": value}}, {"_id": {"$lt": after.id}}],
    }


def _apart(
    field: str, step: int, after: After | None, order: Sequence[tuple[str, int]]
) -> Sequence[Phase]:
    """Values and nulls by a query each, in the order of the walk."""
    by_id = [("_id", step)]
    values = Phase({field: {"$gte": _LEAST[field]}}, order)
    nulls = Phase({field: None}, by_id)
    if after is None:
        return [values, nulls]
    here = after.values[0] is None
    if here:
        nulls = Phase({field: None, "_id": {_beyond(step): after.id}}, by_id)
    else:
        values = Phase(_from(field, step, after), order)
    if after.backward:
        return [nulls, values] if here else [values]
    return [nulls] if here else [values, nulls]


def computed(sort: Sequence[SortKey], after: After | None) -> list[Document]:
    """Stages that order rows by any keys; `k0`, `k1`, … are then the sort values."""
    backward = after is not None and after.backward
    fields = {f"k{i}": _expression(key) for i, key in enumerate(sort)}
    # `n` is 1 where there is no value, so that null is last in either direction.
    missing = {f"n{i}": {"$cond": [{"$eq": [f"$k{i}", None]}, 1, 0]} for i in range(len(sort))}
    flip = -1 if backward else 1
    order: dict[str, int] = {}
    for i, key in enumerate(sort):
        order[f"n{i}"] = flip
        order[f"k{i}"] = flip * _sign(key)
    order["_id"] = flip * _sign(sort[0])
    stages: list[Document] = [{"$addFields": fields}, {"$addFields": missing}]
    if after is not None:
        stages.append({"$match": _behind(sort, after, order["_id"])})
    return [*stages, {"$sort": order}]


def _sign(key: SortKey) -> int:
    return 1 if key.direction == "asc" else -1


def _behind(sort: Sequence[SortKey], after: After, step: int) -> Filter:
    """Rows behind `after`: equal in the keys before one, beyond it in that one."""
    arms: list[Filter] = []
    equal: list[Filter] = []
    for i, (key, value) in enumerate(zip(sort, after.values, strict=True)):
        arm = _beyond_key(i, _sign(key), value, backward=after.backward)
        if arm is not None:
            arms.append({"$and": [*equal, arm]})
        equal.append({f"k{i}": value})
    arms.append({"$and": [*equal, {"_id": {_beyond(step): after.id}}]})
    return {"$or": arms}


def _beyond_key(
    i: int, sign: int, value: str | float | None, *, backward: bool
) -> Filter | None:
    if value is None:
        return {f"n{i}": 0} if backward else None
    beyond: Filter = {f"k{i}": {_beyond(-sign if backward else sign): value}}
    return beyond if backward else {"$or": [beyond, {f"n{i}": 1}]}


def _expression(key: SortKey) -> object:
    if key.by != "values":
        return {"$ifNull": [f"${_scalar(key)}", None]}
    pick = "$min" if key.direction == "asc" else "$max"
    if key.field in ("dates", "quantities"):
        return {pick: _interval_ends(key)}
    # `$literal`: a string that begins with `$` would be a path.
    cond = {
        "$and": [
            {"$gte": ["$$e", {"$literal": key.prefix}]},
            {"$lt": ["$$e", {"$literal": key.prefix + keys.LAST}]},
        ]
    }
    return {pick: {"$filter": {"input": _arrays(*_ARRAYS[key.field]), "as": "e", "cond": cond}}}


def _interval_ends(key: SortKey) -> object:
    cond = {"$in": ["$$e.k", {"$literal": [key.prefix, WIDE + key.prefix]}]}
    found = {"$filter": {"input": _arrays(*_ARRAYS[key.field]), "as": "e", "cond": cond}}
    end = "lo" if key.direction == "asc" else "hi"
    return {"$map": {"input": found, "as": "e", "in": f"$$e.{end}"}}


def _arrays(*names: str) -> object:
    return {"$concatArrays": [{"$ifNull": [f"${name}", []]} for name in names]}
