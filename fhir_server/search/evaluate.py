"""Plans answered in memory, from index values alone.

It says in a page of Python what a plan means, as slowly as that takes: tests hold the
store's answers to these.

https://hl7.org/fhir/R4/search.html
"""

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import asin, cos, radians, sin, sqrt
from typing import Final, assert_never

from fhir_server.search import plan
from fhir_server.search.canonicals import Name, is_named, name_of, names
from fhir_server.search.plan import Node, Restriction, Search
from fhir_server.search.values import Combined, IndexValues, Interval, Ranged


@dataclass(frozen=True, slots=True)
class Record:
    """A live resource, as far as a search can see it."""

    type: str
    id: str
    at: int
    """`meta.lastUpdated` in milliseconds since 1970."""
    values: IndexValues


@dataclass(frozen=True, slots=True)
class Resources:
    """All live resources by type and id, and what of them the asker may see."""

    by_type: Mapping[str, Mapping[str, Record]]
    within: Restriction
    _referred: dict[plan.Has, frozenset[str]] = field(default_factory=dict)
    _named: dict[plan.Has, frozenset[Name]] = field(default_factory=dict)

    @classmethod
    def of(cls, records: Iterable[Record], within: Restriction) -> "Resources":
        """`records` in any order."""
        found: dict[str, dict[str, Record]] = {}
        for record in records:
            found.setdefault(record.type, {})[record.id] = record
        return cls(found, within)

    def find(self, kind: str, id_: str) -> Record | None:
        """A resource that may be seen."""
        found = self.by_type.get(kind, {}).get(id_)
        return found if found and satisfies(self, found, self.within.of(kind)) else None

    def matching(self, kind: str, where: Node) -> Iterator[Record]:
        """Those of `kind` that may be seen and satisfy `where`."""
        both = plan.And((self.within.of(kind), where))
        return (
            each for each in self.by_type.get(kind, {}).values() if satisfies(self, each, both)
        )

    def referred(self, node: plan.Has) -> frozenset[str]:
        """The reference keys of those that `node` speaks of; kept, as `_has` nests."""
        found = self._referred.get(node)
        if found is None:
            matching = self.matching(node.type, node.of)
            found = frozenset(key for each in matching for key in each.values.references)
            self._referred[node] = found
        return found

    def named(self, node: plan.Has) -> frozenset[Name]:
        """What the canonicals of those that `node` speaks of name; kept, too."""
        found = self._named.get(node)
        if found is None:
            uris = (each.values.uris for each in self.matching(node.type, node.of))
            found = frozenset(name for each in uris for name in names(each, node.param))
            self._named[node] = found
        return found


def satisfies(resources: Resources, record: Record, node: Node) -> bool:
    """Whether `record` satisfies `node`; `resources` are there for chains to follow."""
    match node:
        case plan.Everything():
            return True
        case plan.Nothing():
            return False
        case plan.Not(of):
            return not satisfies(resources, record, of)
        case plan.And(of):
            return all(satisfies(resources, record, each) for each in of)
        case plan.Or(of):
            return any(satisfies(resources, record, each) for each in of)
        case plan.Chain() | plan.Has() | plan.Listed():
            return _leads(resources, record, node)
        case _:
            return _holds(record, node)


def _leads(
    resources: Resources, record: Record, node: plan.Chain | plan.Has | plan.Listed
) -> bool:
    """What other resources decide."""
    here = f"{record.type}/{record.id}"
    match node:
        case plan.Chain(by="url"):
            wanted = names(record.values.uris, node.param)
            targets = resources.matching(node.type, node.of) if wanted else ()
            return any((name := _name(each)) and is_named(name, wanted) for each in targets)
        case plan.Has(by="url"):
            name = _name(record)
            return name is not None and is_named(name, resources.named(node))
        case plan.Chain(param, kind, of):
            prefix = f"{param}|{kind}/"
            ids = (
                key[len(prefix) :] for key in record.values.references if key.startswith(prefix)
            )
            found = (resources.find(kind, id_) for id_ in ids)
            return any(each and satisfies(resources, each, of) for each in found)
        case plan.Has():
            return f"{node.param}|{here}" in resources.referred(node)
        case plan.Listed(list_id):
            found_list = resources.find("List", list_id)
            return bool(found_list and f"item|{here}" in found_list.values.references)
        case _:
            assert_never(node)


def _name(record: Record) -> Name | None:
    return name_of((*record.values.uris, *record.values.tokens))


Leaf = (
    plan.Ids | plan.Keys | plan.Prefix | plan.Only | plan.Containing | plan.Range | plan.Updated
    | plan.Begins | plan.Together | plan.Present | plan.Near | plan.Compartment | plan.Patient
)  # fmt: skip


def _holds(record: Record, node: Leaf) -> bool:
    """What the record's own values decide."""
    values = record.values
    match node:
        case plan.Ids(ids):
            return record.id in ids
        case plan.Keys() | plan.Prefix() | plan.Containing():
            return _any_key(getattr(values, node.field), node)
        case plan.Only(prefix, allowed):
            beneath = (key for key in values.references if key.startswith(prefix))
            return set(allowed).issuperset(beneath)
        case plan.Range():
            return _any_range(getattr(values, node.field), node)
        case plan.Updated(value, arms):
            return _meets(Interval(record.at, record.at + 1), value, arms)
        case plan.Begins(lo, hi):
            return values.sort_date is not None and lo <= values.sort_date <= hi
        case plan.Together(param, parts):
            return any(
                all(_part(each, part) for part in parts)
                for each in values.combined
                if each.param == param
            )
        case plan.Present():
            return _present(values, node)
        case plan.Near():
            return (
                values.position is not None and _distance(values.position, node) <= node.metres
            )
        case plan.Compartment(names):
            return not set(names).isdisjoint(values.compartments)
        case plan.Patient(id_):
            return values.patient == id_
        case _:
            assert_never(node)


def _any_key(keys: Iterable[str], node: plan.Keys | plan.Prefix | plan.Containing) -> bool:
    match node:
        case plan.Keys():
            return not set(node.keys).isdisjoint(keys)
        case plan.Prefix():
            return any(key.startswith(node.prefix) for key in keys)
        case plan.Containing():
            start = len(node.prefix)
            rests = (key[start:] for key in keys if key.startswith(node.prefix))
            if node.at_end:
                return any(rest.endswith(node.text) for rest in rests)
            return any(node.text in rest for rest in rests)
        case _:
            assert_never(node)


def _any_range(found: Iterable[Ranged], node: plan.Range) -> bool:
    return any(
        _meets(Interval(each.lo, each.hi), node.value, node.arms)
        for each in found
        if each.key == node.key
    )


_OPERATORS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _meets(
    stored: Interval, value: Interval, arms: tuple[tuple[plan.Compare, ...], ...]
) -> bool:
    return any(
        all(
            _OPERATORS[each.op](getattr(stored, each.left), getattr(value, each.right))
            for each in arm
        )
        for arm in arms
    )


def _part(combined: Combined, node: Node) -> bool:
    match node:
        case plan.Keys() | plan.Prefix() | plan.Containing():
            return _any_key(combined.keys, node)
        case plan.Range():
            return _any_range(combined.ranges, node)
        case plan.Or(of):
            return any(_part(combined, each) for each in of)
        case _:
            raise TypeError(node)


def _present(values: IndexValues, node: plan.Present) -> bool:
    match node.field:
        case "dates":
            return any(each.key == node.prefix for each in values.dates)
        case "quantities":
            return any(each.key == f"{node.prefix}|" for each in values.quantities)
        case "combined":
            return any(each.param == node.prefix for each in values.combined)
        case _:
            return any(key.startswith(node.prefix) for key in getattr(values, node.field))


_EARTH: Final = 6_378_100.0
"""Metres; MongoDB's radius of its spherical queries."""


def _distance(position: tuple[float, float], node: plan.Near) -> float:
    """Along the surface, in metres."""
    longitude, latitude = map(radians, position)
    there, north = radians(node.longitude), radians(node.latitude)
    half = sin((north - latitude) / 2) ** 2
    half += cos(latitude) * cos(north) * sin((there - longitude) / 2) ** 2
    return 2 * _EARTH * asin(sqrt(half))


SortValue = str | float | None


def sort_values(record: Record, sort: Iterable[plan.SortKey]) -> tuple[SortValue, ...]:
    """The value of `record` for each of `sort`; None stands last in either direction.

    Behind the last key the id decides, in the direction of the first.
    """
    return tuple(_sort_value(record, key) for key in sort)


def _sort_value(record: Record, key: plan.SortKey) -> SortValue:
    values, least = record.values, key.direction == "asc"
    match key.by:
        case "id":
            return record.id
        case "updated":
            return record.at
        case "chief-date":
            return values.sort_date
        case "chief-string":
            return values.sort_text if least else values.sort_text_last
        case "values":
            return _extreme(values, key, least=least)
        case _:
            assert_never(key.by)


def _extreme(values: IndexValues, key: plan.SortKey, *, least: bool) -> SortValue:
    found: list[str] | list[float]
    if key.field in ("dates", "quantities"):
        ranged: list[Ranged] = getattr(values, key.field)
        found = [each.lo if least else each.hi for each in ranged if each.key == key.prefix]
    else:
        keys: list[str] = getattr(values, key.field)
        found = [each for each in keys if each.startswith(key.prefix)]
    pick = min if least else max
    return pick(found, default=None)


@dataclass(frozen=True, slots=True)
class _Place:
    """A place in the order of a sort; places compare as the rows stand."""

    sort: tuple[plan.SortKey, ...]
    values: tuple[SortValue, ...]
    id: str

    def __lt__(self, other: "_Place") -> bool:
        for key, mine, theirs in zip(self.sort, self.values, other.values, strict=True):
            if mine == theirs:
                continue
            if mine is None or theirs is None:
                return theirs is None
            is_less: bool = mine < theirs  # type: ignore[operator]  # one key, one type
            return is_less == (key.direction == "asc")
        is_ascending = not self.sort or self.sort[0].direction == "asc"
        return self.id < other.id if is_ascending else other.id < self.id


def ordered(resources: Resources, search: Search) -> list[Record]:
    """Every match, in the order of the search's sort."""
    found = resources.matching(search.type, search.where)
    return sorted(found, key=lambda each: _place(each, search))


def _place(record: Record, search: Search) -> _Place:
    return _Place(search.sort, sort_values(record, search.sort), record.id)


def page(resources: Resources, search: Search) -> tuple[list[Record], bool, int]:
    """The rows of one page, whether more follow in the direction asked, and the total."""
    found = ordered(resources, search)
    total, after = len(found), search.after
    if after is not None:
        edge = _Place(search.sort, after.values, after.id)
        if after.backward:
            before = [each for each in found if _place(each, search) < edge]
            start = max(0, len(before) - search.count)
            return before[start:], start > 0, total
        found = [each for each in found if edge < _place(each, search)]
    return found[: search.count], len(found) > search.count, total
