"""What every interaction is handed instead of reaching for globals.

`Services` are built once at start; a `Context` is one request's view of them. Time and ids
come from here, so that tests can fix them.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias

from fhir_server.access.principal import Principal
from fhir_server.access.repeats import Repeat
from fhir_server.access.rights import Rights
from fhir_server.access.step_up import NOTHING_DEMANDED, StepUp
from fhir_server.core.errors import FhirError, Issue
from fhir_server.core.messages import Language
from fhir_server.core.types import JsonObject
from fhir_server.interactions.audit import Audit
from fhir_server.interactions.desk import Desk
from fhir_server.interactions.doors import Asked
from fhir_server.interactions.emergencies import Emergencies
from fhir_server.interactions.last_reads import LastReads
from fhir_server.interactions.memory import Memory
from fhir_server.interactions.offer import Offer
from fhir_server.interactions.results import Result
from fhir_server.interactions.said import Said
from fhir_server.interactions.trail import Trail
from fhir_server.search.compile import Compiler
from fhir_server.search.cursor import Cursors
from fhir_server.search.registry import Registry
from fhir_server.search.values import IndexValues
from fhir_server.store.port import JobQueue, Reads, ResourceStore, Stored, Unit


class Checks(Protocol):
    """Validation of a resource, as `validation.Validator` offers it."""

    def check(self, resource: JsonObject, kind: str) -> None:
        """Raise Invalid or Unprocessable with every error found."""

    def validate(
        self, resource: JsonObject, kind: str, profiles: Sequence[str] = ()
    ) -> list[Issue]:
        """Every issue found, warnings too; `profiles` are judged besides `meta.profile`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what one request may ask; each is a setting."""

    entries: int = 5000
    """Of a transaction or batch."""
    page: int = 1000
    """Rows of a page; a larger `_count` is reduced to it."""
    default_page: int = 50
    conditional_delete: int = 100
    """Resources that one conditional delete may remove."""
    included: int = 5000
    """Rows that includes may add to a page."""
    answers: int = 128 * 1024 * 1024
    """Bytes that the reads of one batch or transaction may answer with, together."""
    depth: int = 64
    """Nesting of JSON or XML; a Questionnaire's items are the deepest in use."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A write that is about to be made, in the unit of the context that comes with it."""

    type: str
    id: str
    before: Stored | None
    """The live version that it ends; None where there is none."""
    after: JsonObject | None
    """The resource, valid, with the id and stamps that its author wrote; None: a deletion."""


Guard: TypeAlias = Callable[["Context", Intent], Awaitable[Said | None]]
"""A rule on writes (design law 3): raises FhirError for what it forbids, and gives back what
the server says in the resource that only the unit can know. It may read and write in
`ctx.unit`; it is called again when the unit starts again."""


Stamp: TypeAlias = Callable[["Context", JsonObject, JsonObject | None], JsonObject]
"""The resource as it is stored behind the live version before it: with what the server says
itself, whatever the client wrote there. It must be valid, and equal when stamped again."""


Beside: TypeAlias = Callable[["Context", Asked], Awaitable[Result]]
"""Carries out what is no interaction with resources: an operation, `/metadata`."""


class Label(Protocol):
    """Security labels given on write, as `access.labels.labelled` gives them."""

    def __call__(
        self, resource: JsonObject, before: JsonObject | None, *, may_lower: bool
    ) -> JsonObject:
        """`resource` with what its codes demand and what stood on `before`."""


@dataclass(frozen=True, slots=True)
class Services:
    """The server's parts."""

    store: ResourceStore
    registry: Registry
    compiler: Compiler
    index: Callable[[JsonObject], IndexValues]
    validator: Checks
    cursors: Cursors
    jobs: JobQueue
    base_url: str
    """Without a trailing slash."""
    limits: Limits
    offer: Offer
    now: Callable[[], int]
    """Milliseconds since 1970."""
    new_id: Callable[[], str]
    calendars: Memory[tuple[JsonObject, tuple[JsonObject, ...]]] = field(
        default_factory=lambda: Memory(1.0)
    )
    """Schedules by id, each with the services and organizations that it belongs to."""
    doctors: Memory[frozenset[str]] = field(default_factory=lambda: Memory(60.0))
    """By Schedule: references to the doctors who are met there, in all their roles."""
    days: Memory[str] = field(default_factory=lambda: Memory(60.0))
    """By Slot: what its visits are numbered in, as it was last seen."""
    zone: str = "UTC"
    """IANA name of the operator's time zone."""
    booking_rules: JsonObject = field(default_factory=dict)
    """The operator's rules of booking: parts of a booking-policy with their bare values."""
    explain: bool = False
    """Whether `_explain=true` may be asked; for operators."""
    guards: Mapping[str, Sequence[Guard]] = field(default_factory=dict)
    """By resource type, in the order in which they are asked."""
    guards_write: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By resource type: the types that its guards may write besides."""
    stamps: Mapping[str, Stamp] = field(default_factory=dict)
    """By resource type."""
    label: Label | None = None
    """None: nothing is labelled."""
    beside: Mapping[str, Beside] = field(default_factory=dict)
    """By code of the interaction."""
    provenance: bool = False
    """Whether what apps write for people is given a Provenance."""
    audit: Audit | None = None
    """None: nothing is audited."""
    emergencies: Emergencies | None = None
    """None: nobody has to break glass."""
    step_up: StepUp = NOTHING_DEMANDED
    """Which writes and operations need how strong a sign-in."""
    last_reads: LastReads | None = None
    """None: nobody asks which app reads."""
    desk: Desk | None = None
    """The cabinet behind FHIR; None: without access control there is none."""


@dataclass(frozen=True, slots=True)
class Context:
    """One request: who asks, in which unit of work, in which language."""

    services: Services
    rights: Rights
    """What the caller may do: the Restriction of every read is one of its letters'."""
    principal: Principal | None = None
    """Who asks; None: nobody had to say."""
    withheld: FhirError | None = None
    """What to answer where a right is missing, if not that a scope is."""
    unit: Unit | None = None
    """The open unit of a transaction; None: each write opens what it needs."""
    language: Language = "en"
    lenient: bool = False
    """`Prefer: handling=lenient`."""
    trail: Trail | None = None
    """What the audit is told of; None where it is told nothing, or by another."""
    repeat: Repeat | None = None
    """The key that the caller gave the request, where it has a meaning."""
    silent: bool = False
    """Nobody is told of what is written: it is loaded, and did not happen now."""
    size: int = 0
    """Bytes of the resource that is written; the work on a large one is done aside."""

    @property
    def reads(self) -> Reads:
        """Where to read: the open unit, so that a transaction sees its own writes."""
        return self.services.store if self.unit is None else self.unit

    def sized(self, size: int) -> "Context":
        """The same request for one resource of `size` bytes."""
        return self if size == self.size else replace(self, size=size)

    def inside(self, unit: Unit) -> "Context":
        """The same request within `unit`."""
        return replace(self, unit=unit)
