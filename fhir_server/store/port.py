"""What the interactions ask of storage; `store.mongo` is the adapter.

Every read takes a Restriction by keyword and has no default: a read without one does not
type-check (design law 1). The store ANDs it into the query; a resource outside it answers
exactly as one that does not exist.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

from fhir_server.access.audit_log import Logs
from fhir_server.access.emergencies import Declares
from fhir_server.access.kept_answers import Shown
from fhir_server.access.repeats import NotesRepeats
from fhir_server.search.plan import Node, Restriction, Search
from fhir_server.search.values import IndexValues
from fhir_server.store.numbers import Numbers
from fhir_server.store.outgoing import Posts

T = TypeVar("T")


@dataclass(slots=True)  # not frozen: that costs 0.7 µs a row, 35 µs a page of 50
class Stored:
    """A version as it is kept: `body` goes to the client as it is (law 8); never changed."""

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
    patient: str | None = None
    compartments: Sequence[str] = ()
    """As in `IndexValues`; `compartments` only where the type has not the one patient."""
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
class Outcome:
    """What a job, or a step of one, came to: the answer a request of its own would have had."""

    status: int
    body: bytes
    """JSON."""
    shown: Sequence[Shown] = ()
    """What of resources is in `body`, where the caller's rights are limited."""


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
    where: Node | None = None
    """A predicate on each version."""
    count: int = 50
    after: tuple[int, str, str, int] | None = None
    """(at, type, id, number) of the last row seen; order is newest first."""
    total: bool = False


KeyField = Literal["tokens", "uris"]


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

    async def count(
        self, kind: str, where: Node, *, within: Restriction, limit: int | None = None
    ) -> int:
        """How many live resources match; counting ends at `limit`."""


class Unit(Reads, Logs, Declares, NotesRepeats, Numbers, Posts, Protocol):
    """One unit of work on a snapshot: all of its writes, or none.

    A write that cannot be made (Conflict: an id is taken, what is replaced or removed is no
    longer current) may be told of later than its call: at the next read, or behind `work`.
    """

    async def read_each(
        self, kind: str, ids: Sequence[str], *, within: Restriction
    ) -> Sequence[Stored | None]:
        """What `read` gives for each of `ids`, in few questions; live ones with `document`."""

    async def foresee(self, *asked: tuple[str, Node, int], within: Restriction) -> None:
        """Behind a claim: ask together what `find` will be asked (type, predicate, limit),
        which is answered from this until a resource of that type is written."""

    async def find_each(
        self, kind: str, wheres: Sequence[Node], *, limit: int, within: Restriction
    ) -> Sequence[Sequence[Stored]]:
        """What `find` would give for each of `wheres`, in as few questions as they allow:
        few for those made of ids, tokens, references and uris alone.

        Raises:
            TooCostly: one of them is.
        """

    async def claim(self, *keys: str) -> None:
        """Stand alone with `keys` until the end of the unit: of two units that claim a same
        key one starts again after the other has ended. All units name them in one order."""

    async def insert(self, versions: Sequence[Version]) -> None:
        """Write resources that have no current version."""

    async def replace(self, old: Stored, new: Version) -> None:
        """Make `new` current and keep `old` (as `find` or `read` gave it) as history."""

    async def exchange(self, old: int, new: Version, *, within: Restriction) -> Stored | None:
        """Put `new` in the place of version `old`, unread, which becomes history and is the
        answer; None, and nothing written, where that is not current for this caller."""

    async def remove(self, old: Stored, *, at: int) -> Stored:
        """Move `old` to history and leave the tombstone that is returned."""

    async def settle(self, key: str, outcome: Outcome) -> None:
        """Give the job `key`, or its step `job/number`, its outcome, with this unit or not at
        all: what the unit writes is written once, however often the job is taken up.

        Raises:
            SettledError: there is one.
        """


class ResourceStore(Reads, Protocol):
    """The store as the interactions see it."""

    async def run(
        self, kinds: Sequence[str], work: Callable[[Unit], Awaitable[T]], *,
        single: bool = False, resource: str | None = None, together: bool = False,
    ) -> T:  # fmt: skip
        """Do `work` in one unit that may write the types `kinds`, and commit it.

        A `single` one writes few resources, and does not wait behind those of Bundles. Those
        of one `resource` (`Patient/1`) wait for each other rather than collide. Where many
        come at once, `together` lets one be committed with others, which neither see nor
        hinder each other; it saves what a transaction costs.
        `work` is called again from its start, on a new snapshot, when the database asks for
        it (a write conflict, an election) or when it raises Conflict without a rule's code, up
        to a limit; what it computes depends on nothing it did before. Anything else it raises
        leaves nothing written.

        Raises:
            Unavailable: too many units are open, or the database cannot be reached.
        """

    async def insert(self, version: Version) -> None:
        """Write one new resource, alone: the cheap way of `Unit.insert`."""

    async def history(
        self, plan: HistoryPlan, *, within: Restriction
    ) -> tuple[Sequence[Stored], bool, int | None]:
        """Versions newest first, each judged by itself; whether more follow; a total."""

    async def epoch(self) -> int:
        """A number that changes with every write of a type that says who may do what
        (Consent, RelatedPerson, …), before the write is answered."""

    async def kinds(self) -> Sequence[str]:
        """The types that hold at least one resource or version."""

    async def keys(
        self, kind: str, field: KeyField, prefix: str, *, limit: int, within: Restriction
    ) -> Sequence[str]:
        """The first `limit` index keys of live resources, in order, that begin so."""

    async def explain(self, plan: Search, *, within: Restriction) -> Mapping[str, Any]:
        """The database's own plan for `plan`: `{"filter", "stages", "indexes"}`."""

    def scan(
        self, kind: str, *, after: str | None, within: Restriction
    ) -> AsyncIterator[Stored]:
        """Every live resource of a type in id order (reindex, export), `document` filled."""


@dataclass(frozen=True, slots=True)
class Order:
    """A request that is to be carried out later."""

    kind: str
    """Names what carries it out."""
    input: bytes
    grant: Mapping[str, Any]
    """What the caller's Restriction is made of when it is carried out."""
    form: Mapping[str, Any]
    """How the caller wants the answer."""


@dataclass(frozen=True, slots=True)
class Job:
    """An order in the hands of one worker, until its lease ends."""

    id: str
    kind: str
    grant: Mapping[str, Any]
    form: Mapping[str, Any]
    lease: int
    """1, 2, 3 …: whoever has a smaller one has lost the job."""
    tries: int
    """How often it was taken up, this time included, and not given back in peace."""
    progress: Mapping[str, Any]
    """As the last `progress` left it."""


@dataclass(frozen=True, slots=True)
class JobState:
    """A job as its caller sees it."""

    kind: str
    progress: Mapping[str, Any]
    grant: Mapping[str, Any]
    outcome: Outcome | None
    """None while it waits or runs."""
    kept_until: int | None
    """Milliseconds; when the outcome will be removed."""


class JobQueue(Protocol):
    """Jobs for the interactions: to order, to look, to cancel."""

    async def enqueue(self, order: Order) -> str:
        """Keep `order`; its unguessable id."""

    async def find(self, job: str) -> JobState | None:
        """The job; None if there is none, or it was cancelled."""

    async def cancel(self, job: str) -> bool:
        """End the job and forget its outcome; False if there is none. What it wrote stays."""


class Jobs(JobQueue, Protocol):
    """Jobs for the workers. A lease is counted on the database's clock."""

    async def lease(self, owner: str, seconds: float) -> Job | None:
        """The oldest job that nobody works on, now leased to `owner`."""

    async def renew(self, job: Job, seconds: float) -> bool:
        """Lengthen the lease; False if it is lost or the job is over."""

    async def release(self, job: Job, *, after: float = 0, counted: bool = False) -> None:
        """Let another take it up, `after` seconds; `counted` leaves it among `tries`."""

    async def input(self, job: Job) -> bytes:
        """What was ordered."""

    async def progress(self, job: Job, progress: Mapping[str, Any]) -> bool:
        """Note how far the job is; False if it is not this worker's any more."""

    async def settle(self, key: str, outcome: Outcome) -> None:
        """As `Unit.settle`, by itself.

        Raises:
            SettledError: there is one.
        """

    async def steps(self, job: Job) -> Mapping[int, Outcome]:
        """The outcomes of its steps so far."""

    async def close(self, job: Job) -> None:
        """The job has its outcome: begin the time for which it is kept."""

    async def sweep(self) -> None:
        """Remove what has been kept long enough."""


class Reindexing(Protocol):
    """Index values written anew, under versions that stay as they are."""

    async def numbers(self, kind: str, *, within: Restriction) -> Mapping[str, int]:
        """Id and version number of every live resource of a type."""

    async def count(self, kind: str) -> int:
        """About how many versions of a type there are, live and past."""

    async def versions(
        self, kind: str, *, past: bool, after: tuple[str, int] | None, limit: int,
        within: Restriction, id_: str | None = None,
    ) -> Sequence[Stored]:  # fmt: skip
        """Live (or `past`) versions in the order of id and number, behind `after`, with
        `document` filled; of one resource if `id_` is given."""

    async def rewrite(
        self, kind: str, rows: Sequence[tuple[Stored, IndexValues]], *, past: bool
    ) -> int:
        """Give the versions, as `versions` gave them, these values; one that was replaced
        meanwhile is left alone. How many were too large to be written."""
