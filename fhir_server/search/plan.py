"""The compiled form of a search: a small immutable tree.

The compiler builds it, `access` narrows it, each store adapter and the in-memory evaluator
read it. It names no database, no HTTP and no query string. Every leaf is answered from
`IndexValues` alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from fhir_server.search.values import Interval

Bound = Literal["lo", "hi"]
Op = Literal["<", "<=", ">", ">="]
By = Literal["id", "url"]
"""How a reference names what it leads to: as `Type/id`, or as a canonical."""
RangeField = Literal["dates", "quantities"]
ValueField = Literal[
    "tokens", "strings", "references", "uris", "words", "dates", "quantities", "combined"
]


@dataclass(frozen=True, slots=True)
class Everything:
    """Holds for every resource."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """Holds for no resource."""


@dataclass(frozen=True, slots=True)
class Ids:
    """The logical id is one of these."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Keys:
    """One of `keys` is among the values of `field`."""

    field: ValueField
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prefix:
    """A key that starts with `prefix` is among the values of `field`."""

    field: ValueField
    prefix: str


@dataclass(frozen=True, slots=True)
class Only:
    """Every reference key that starts with `prefix` is one of `keys`; there may be none."""

    prefix: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Containing:
    """A key that starts with `prefix` and has `text` anywhere after it (`:contains`)."""

    field: ValueField
    prefix: str
    text: str
    at_end: bool = False
    """`text` is the end of the key (`ew` of a filter)."""


@dataclass(frozen=True, slots=True)
class Compare:
    """`stored.<left> <op> value.<right>` on one interval."""

    left: Bound
    op: Op
    right: Bound


@dataclass(frozen=True, slots=True)
class Range:
    """One value under `key` satisfies any of `arms`, each a conjunction on that value."""

    field: RangeField
    key: str
    value: Interval
    arms: tuple[tuple[Compare, ...], ...]


@dataclass(frozen=True, slots=True)
class Updated:
    """`meta.lastUpdated` compared as a Range would compare a date."""

    value: Interval
    arms: tuple[tuple[Compare, ...], ...]


@dataclass(frozen=True, slots=True)
class Begins:
    """The chief date (`search.sorting`) begins between these two, both included."""

    lo: float
    hi: float


@dataclass(frozen=True, slots=True)
class Together:
    """One `Combined` value of `param` satisfies every part.

    A part is a Keys, Prefix, Containing or Range whose keys carry the part's number
    (`search.keys.part`); Or of such parts is allowed, nothing else.
    """

    param: str
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Present:
    """The parameter has a value, whatever it is (`:missing=false`)."""

    field: ValueField
    prefix: str
    """Of the keys; for `dates`, `quantities` and `combined` the parameter's code."""


@dataclass(frozen=True, slots=True)
class Near:
    """The position lies within `metres` of the point, in degrees."""

    longitude: float
    latitude: float
    metres: float


@dataclass(frozen=True, slots=True)
class Compartment:
    """The resource is in one of these compartments, e.g. `Patient/p1`."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Patient:
    """The resource is about exactly this patient (`IndexValues.patient`)."""

    id: str


@dataclass(frozen=True, slots=True)
class Chain:
    """A reference of `param` leads to a live `type` that satisfies `of` (and the
    restriction of that type, which the store adds)."""

    param: str
    type: str
    of: "Node"
    by: By = "id"


@dataclass(frozen=True, slots=True)
class Has:
    """A live `type` that satisfies `of` refers here by its `param` (`_has`)."""

    type: str
    param: str
    of: "Node"
    by: By = "id"


@dataclass(frozen=True, slots=True)
class Listed:
    """The resource is an item of the List with this id (`_list`)."""

    list_id: str


@dataclass(frozen=True, slots=True)
class Not:
    of: "Node"


@dataclass(frozen=True, slots=True)
class And:
    of: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    of: tuple["Node", ...]


Node = (
    Everything | Nothing | Ids | Keys | Prefix | Only | Containing | Range | Updated | Begins
    | Together | Present | Near | Compartment | Patient | Chain | Has | Listed | Not | And | Or
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Restriction:
    """What a caller may see of each type; ANDed into every read of the store (law 1)."""

    by_type: Mapping[str, Node] = field(default_factory=dict)
    otherwise: Node = Nothing()
    """For the types that `by_type` does not name."""

    def of(self, kind: str) -> Node:
        """The predicate every read of `kind` carries."""
        return self.by_type.get(kind, self.otherwise)


UNRESTRICTED: Final = Restriction(otherwise=Everything())
"""For the server itself and for `--insecure-no-auth`; never a default argument."""


Direction = Literal["asc", "desc"]
SortBy = Literal["id", "updated", "chief-date", "chief-string", "values"]


@dataclass(frozen=True, slots=True)
class SortKey:
    """One `_sort` item. A resource without a value comes last, in either direction."""

    by: SortBy
    direction: Direction
    field: ValueField = "tokens"
    prefix: str = ""
    """With `values`: the least (desc: greatest) key of `field` with this prefix (for
    `dates` and `quantities`: the key itself, ordered by `lo`, desc by `hi`)."""


@dataclass(frozen=True, slots=True)
class After:
    """A place in the order: the sort values and id of the last (first) row seen."""

    values: tuple[str | float | None, ...]
    id: str
    backward: bool = False
    """Give the rows before it, still in the order of the sort."""


Total = Literal["none", "estimate", "accurate"]


@dataclass(frozen=True, slots=True)
class Search:
    """A search of one type, ready for a store."""

    type: str
    where: Node
    sort: tuple[SortKey, ...] = ()
    """The id follows as the last key, in the direction of the first, so that one index serves
    both directions; empty: by id, ascending."""
    count: int = 50
    after: After | None = None
    total: Total = "none"
    references: tuple[str, ...] = ()
    """Key prefixes (`subject|`) of the reference and canonical values wanted with each
    row, for includes; with `search.canonicals.IDENTITY` also what the row is called."""
