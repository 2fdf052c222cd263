"""Plan nodes from a seed, grown around the index values that generated resources have.

Every kind of node finds something and misses something; the shapes are those that the
compiler of searches makes.
"""

from collections.abc import Callable, Sequence
from itertools import product
from random import Random

from fhir_server.search import plan
from fhir_server.search.evaluate import Record
from fhir_server.search.plan import Compare, Node, Restriction, SortKey
from fhir_server.search.values import IndexValues, Interval

_COMPARES = [Compare(left, op, right)
             for left in ("lo", "hi") for op in ("<", "<=", ">", ">=")
             for right in ("lo", "hi")]  # fmt: skip
_EQUAL = ((Compare("lo", ">=", "lo"), Compare("hi", "<=", "hi")),)
_DEGREE = 111_318.8  # metres, on MongoDB's sphere
_SORTED_BY: Sequence[plan.SortBy] = (
    "id", "updated", "chief-date", "chief-string", "values", "values",
)  # fmt: skip
_DIRECTIONS: Sequence[plan.Direction] = ("asc", "desc")
_KEYED: Sequence[plan.ValueField] = ("tokens", "strings", "references", "uris", "words")
_RANGED: Sequence[plan.RangeField] = ("dates", "quantities")


def _part(key: str) -> Node:
    """As a query has it: `number|code|system|value` is a token."""
    if key.count("|") >= 3:
        return plan.Keys("tokens", (key,))
    return plan.Prefix("strings", key)


class Grower:
    """Grows plan nodes about `kind` around the values of `records`."""

    def __init__(self, rng: Random, records: Sequence[Record]) -> None:
        self.rng = rng
        self.by_type: dict[str, list[Record]] = {}
        for record in records:
            self.by_type.setdefault(record.type, []).append(record)

    def restriction(self) -> Restriction:
        """Everything, or a patient's compartment, or a random predicate a type."""
        rng = self.rng
        if rng.random() < 0.4:
            return plan.UNRESTRICTED
        if rng.random() < 0.5:
            mine = plan.Compartment(tuple(f"Patient/patient-{rng.randrange(9)}" for _ in "abc"))
            open_types = dict.fromkeys(("Practitioner", "Organization"), plan.Everything())
            return Restriction(open_types, otherwise=mine)
        # Without chains: one that leads to its own type would have no end.
        kinds = rng.sample(list(self.by_type), k=4)
        rules: dict[str, Node] = {kind: plan.Not(self._keys(kind)) for kind in kinds[:2]}
        for kind in kinds[2:]:
            rules[kind] = plan.Or((self._prefix(kind), self._present(kind)))
        return Restriction(rules, otherwise=plan.Everything())

    def sort(self, kind: str) -> tuple[SortKey, ...]:
        rng = self.rng
        return tuple(self._sort_key(kind) for _ in range(rng.choice([0, 1, 1, 2])))

    def _sort_key(self, kind: str) -> SortKey:
        rng = self.rng
        by = rng.choice(_SORTED_BY)
        direction = rng.choice(_DIRECTIONS)
        if by != "values":
            return SortKey(by, direction)
        field, key = self._some_key(kind)
        return SortKey("values", direction, field, f"{key.partition('|')[0]}|")

    def node(self, kind: str, depth: int) -> Node:
        """A predicate on `kind`, at most `depth` levels above its leaves."""
        rng = self.rng
        if depth == 0 or rng.random() < 0.3:
            return self._leaf(kind)
        match rng.choice(["not", "and", "or", "chain", "has", "and", "or"]):
            case "not":
                return plan.Not(self.node(kind, depth - 1))
            case "and":
                return plan.And(self._several(kind, depth))
            case "or":
                return plan.Or(self._several(kind, depth))
            case "chain":
                return self._chain(kind, depth)
            case _:
                return self._has(kind, depth)

    def _leaf(self, kind: str) -> Node:
        """A leaf for which some resource has a value, if a few attempts find one."""
        attempts = (self.rng.choice(self._leaves)(self, kind) for _ in range(6))
        return next((each for each in attempts if each != plan.Nothing()), plan.Nothing())

    def _several(self, kind: str, depth: int) -> tuple[Node, ...]:
        return tuple(self.node(kind, depth - 1) for _ in range(self.rng.choice([1, 2, 2, 3])))

    def _values(self, kind: str) -> IndexValues:
        return self.rng.choice(self.by_type[kind]).values

    def _some_key(self, kind: str) -> tuple[plan.ValueField, str]:
        for _ in range(20):
            field = self.rng.choice(_KEYED)
            found = getattr(self._values(kind), field)
            if found:
                return field, self.rng.choice(found)
        return "tokens", "none||none"

    def _chain(self, kind: str, depth: int) -> Node:
        keys = [key for each in self.by_type[kind] for key in each.values.references]
        local = [key for key in keys if key.partition("|")[2].split("/")[0] in self.by_type]
        if not local:
            return plan.Nothing()
        param, _, target = self.rng.choice(local).partition("|")
        to = target.split("/")[0]
        return plan.Chain(param, to, self.node(to, depth - 1))

    def _has(self, kind: str, depth: int) -> Node:
        back = [
            (source, key.partition("|")[0])
            for source, records in self.by_type.items()
            for each in records
            for key in each.values.references
            if key.partition("|")[2].startswith(f"{kind}/")
        ]
        if not back:
            return plan.Nothing()
        source, param = self.rng.choice(back)
        return plan.Has(source, param, self.node(source, depth - 1))

    def _keys(self, kind: str) -> Node:
        field, key = self._some_key(kind)
        return plan.Keys(field, (key, *(["x|y"] if self.rng.random() < 0.5 else [])))

    def _prefix(self, kind: str) -> Node:
        """Of tokens the parameter and system at least, else the parameter."""
        field, key = self._some_key(kind)
        least = key.index("|") + 1
        if field == "tokens":
            least = key.index("|", least) + 1
        return plan.Prefix(field, key[: self.rng.randint(least, len(key))])

    def _containing(self, kind: str) -> Node:
        """`:contains` is there for folded strings."""
        found = [key for key in self._values(kind).strings if key[: key.index("|")].isalpha()]
        if not found:
            return plan.Nothing()
        lead, _, rest = self.rng.choice(found).partition("|")
        start = self.rng.randint(0, len(rest))
        return plan.Containing("strings", f"{lead}|", rest[start : start + 3])

    def _range(self, kind: str) -> Node:
        field = self.rng.choice(_RANGED)
        found = getattr(self._values(kind), field)
        if not found:
            return plan.Nothing()
        key, lo, hi = self.rng.choice(found)
        return plan.Range(field, key, self._near_interval(lo, hi), self._arms())

    def _near_interval(self, lo: float, hi: float) -> Interval:
        shift = self.rng.choice([0, 0, 1, -1, 3_600_000, -86_400_000])
        return Interval(lo + shift, max(lo + shift, hi + self.rng.choice([0, 0, 1, -1])))

    def _arms(self) -> tuple[tuple[Compare, ...], ...]:
        rng = self.rng
        return tuple(
            tuple(rng.choice(_COMPARES) for _ in range(rng.choice([1, 1, 2])))
            for _ in range(rng.choice([1, 1, 2]))
        )

    def _updated(self, kind: str) -> Node:
        at = self.rng.choice(self.by_type[kind]).at
        return plan.Updated(self._near_interval(at, at + 1), self._arms())

    def _together(self, kind: str) -> Node:
        """A key of one value, and a range of the same or of another one beside it."""
        pairs = [
            pair
            for each in self.by_type[kind]
            for pair in product(each.values.combined, repeat=2)
            if pair[0].param == pair[1].param
        ]
        if not pairs:
            return plan.Nothing()
        unlike = [(one, two) for one, two in pairs if one != two]
        value, other = self.rng.choice(unlike if unlike and self.rng.random() < 0.7 else pairs)
        parts: list[Node] = [_part(self.rng.choice(value.keys))]
        if other.ranges:
            key, lo, hi = self.rng.choice(other.ranges)
            parts.append(plan.Range("quantities", key, Interval(lo, hi), _EQUAL))
        else:
            parts.append(plan.Or((_part(other.keys[-1]), _part("1|none|~|none"))))
        return plan.Together(value.param, tuple(parts))

    def _present(self, kind: str) -> Node:
        values = self._values(kind)
        options: list[Node] = [
            plan.Present(field, f"{key.partition('|')[0]}|")
            for field in _KEYED
            for key in getattr(values, field)[:3]
        ]
        options += [plan.Present("dates", each.key) for each in values.dates]
        options += [
            plan.Present("quantities", each.key.partition("|")[0]) for each in values.quantities
        ]
        options += [plan.Present("combined", each.param) for each in values.combined]
        return self.rng.choice(options or [plan.Nothing()])

    def _near(self, kind: str) -> Node:
        """A circle whose edge lies a thousandth before or behind a place, due north of it."""
        rng, position = self.rng, self._values(kind).position
        if position is None:
            return plan.Nothing()
        degrees = rng.uniform(0.1, 2)
        metres = degrees * _DEGREE * rng.choice([0.999, 1.001])
        return plan.Near(position[0], position[1] + degrees, metres)

    def _whose(self, kind: str) -> Node:
        values = self._values(kind)
        if values.patient and self.rng.random() < 0.5:
            return plan.Patient(values.patient)
        if not values.compartments:
            return plan.Nothing()
        return plan.Compartment((*values.compartments[:2], "Patient/none"))

    def _ids(self, kind: str) -> Node:
        ids = [each.id for each in self.rng.sample(self.by_type[kind], k=2)]
        return plan.Ids((*ids, "none"))

    def _constant(self, kind: str) -> Node:
        del kind
        lists = [each.id for each in self.by_type["List"]]
        options: list[Node] = [
            plan.Everything(),
            plan.Nothing(),
            *map(plan.Listed, [*lists, "none"]),
        ]
        return self.rng.choice(options)

    _leaves: Sequence[Callable[["Grower", str], Node]] = (
        _keys, _keys, _prefix, _containing, _range, _range, _updated, _together, _together,
        _present, _near, _near, _whose, _ids, _constant,
    )  # fmt: skip
