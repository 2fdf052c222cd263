"""What the interactions ask of storage; `store.mongo` is the adapter.

Every read takes a Restriction by keyword and has no default: a read without one does not
type-check (design law 1). The store ANDs it into the query; a resource outside it answers
exactly as one that does not exist.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

from fhir_server.search.plan import Node, Restriction, Search
from fhir_server.search.values import IndexValues

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stored:
    """A version as it is kept: `body` goes to the client as it is (law 8)."""

    type: str
    id: str
    number: int
    """1, 2, 3 … within one logical id; `meta.versionId`, ETag and `_history` segment."""
    at: int
    """`meta.lastUpdated` in milliseconds since 1970."""
    body: bytes
    """JSON with id and meta; empty for a deletion."""
    method: Literal["POST", "PUT", "PATCH", "DELETE"] = "PUT"
    """What made this version; `Bundle.entry.request.method` of a history."""
    references: tuple[str, ...] = ()
    """The reference keys asked for by `Search.references`."""
    sort_values: tuple[str | float | None, ...] = ()
    """What `After` needs to continue behind this row."""
    document: Any = None
    """The adapter's own form, for `Unit.replace` and `Unit.remove`; opaque to others."""

    @property
    def deleted(self) -> bool:
        """A tombstone: this version says that the resource was deleted."""
        return self.method == "DELETE"


@dataclass(frozen=True, slots=True)
class Version:
    """A version to be written."""

    type: str
    id: str
    number: int
    at: int
    body: bytes
    values: IndexValues
    method: Literal["POST", "PUT", "PATCH"]


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a search in the order of its sort."""

    rows: Sequence[Stored]
    more: bool
    """Rows follow in the direction asked (behind, or with `backward` before)."""
    total: int | None = None


@dataclass(frozen=True, slots=True)
class HistoryPlan:
    """Which versions: of one resource, one type, or (type None) all."""

    type: str | None
    id: str | None = None
    since: int | None = None
    """Milliseconds; versions written at or after it."""
    at: tuple[int, int] | None = None
    """Half-open; versions that were current at some time within it."""
    count: int = 50
    after: tuple[int, str, str, int] | None = None
    """(at, type, id, number) of the last row seen; order is newest first."""
    total: bool = False


class Reads(Protocol):
    """What one can ask, outside or inside a unit of work."""

    async def read(self, kind: str, id_: str, *, within: Restriction) -> Stored | None:
        """The current version; a tombstone if it is deleted; None if there never was one
        (or none this caller may see)."""

    async def vread(
        self, kind: str, id_: str, number: int, *, within: Restriction
    ) -> Stored | None:
        """One version, judged by its own index values, a tombstone included."""

    async def search(self, plan: Search, *, within: Restriction) -> Page:
        """A page of live resources.

        Raises:
            TooCostly: a chain, `_has` or `_list` meets more than its ceiling of ids.
        """

    async def find(
        self, kind: str, where: Node, *, limit: int, within: Restriction
    ) -> Sequence[Stored]:
        """Up to `limit` live resources, in id order, with `document` filled."""

    async def count(self, kind: str, where: Node, *, within: Restriction) -> int:
        """How many live resources match."""


class Unit(Reads, Protocol):
    """One unit of work on a snapshot: all of its writes, or none."""

    async def claim(self, key: str) -> None:
        """Stand alone with `key` until the end of the unit: of two units that claim the
        same key one starts again after the other has ended (conditional writes)."""

    async def insert(self, versions: Sequence[Version]) -> None:
        """Write resources that have no current version.

        Raises:
            Conflict: one of the ids is taken.
        """

    async def replace(self, old: Stored, new: Version) -> None:
        """Make `new` current and keep `old` (as `find` or `read` gave it) as history.

        Raises:
            Conflict: `old` is no longer current.
        """

    async def remove(self, old: Stored, *, at: int) -> Stored:
        """Move `old` to history and leave the tombstone that is returned.

        Raises:
            Conflict: `old` is no longer current.
        """


class ResourceStore(Reads, Protocol):
    """The store as the interactions see it."""

    async def run(self, kinds: Sequence[str], work: Callable[[Unit], Awaitable[T]]) -> T:
        """Do `work` in one unit that may write the types `kinds`, and commit it.

        `work` is called again from its start, on a new snapshot, when the database asks for
        a repetition (a write conflict, an election) or when it raises Conflict, up to a
        limit; what it computes must depend on nothing it did before. Anything else it
        raises leaves nothing written.

        Raises:
            Unavailable: too many units are open, or the database cannot be reached.
        """

    async def insert(self, version: Version) -> None:
        """Write one new resource, alone: the cheap way of `Unit.insert`."""

    async def history(
        self, plan: HistoryPlan, *, within: Restriction
    ) -> tuple[Sequence[Stored], bool, int | None]:
        """Versions newest first, whether more follow, and the total if asked for.
        Each version is judged by its own index values."""

    async def kinds(self) -> Sequence[str]:
        """The types that hold at least one resource or version."""

    async def explain(self, plan: Search, *, within: Restriction) -> Mapping[str, Any]:
        """The database's own plan for `plan`: `{"filter", "stages", "indexes"}`."""

    def scan(
        self, kind: str, *, after: str | None, within: Restriction
    ) -> AsyncIterator[Stored]:
        """Every live resource of a type in id order (reindex, export), `document` filled."""
