"""What the audit asks of storage; `store.mongo.audit_log` is the adapter.

The log is the truth: append-only, chained by hashes. AuditEvents are made of it.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from fhir_server.access.audit_rows import Who
from fhir_server.core.types import JsonObject

EventKind = Literal[
    "sign-in", "sign-out", "token", "refresh", "refused", "grant", "revoke", "register",
    "launch", "break-glass", "break-glass-end", "export", "account",
]  # fmt: skip
"""A row each of `audit_codes.EVENTS`."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An Entry on its way to the log."""

    id: str
    at: int
    body: bytes
    """`audit_rows.entry_bytes`."""
    patients: tuple[str, ...]
    """Logical ids of those in whose record its events stand."""


@dataclass(frozen=True, slots=True)
class AuditBatch:
    """What was written at once, and is not yet wholly among the AuditEvents."""

    id: str
    body: bytes
    """`audit_rows.batch_bytes`; of a row that a unit wrote, `audit_rows.entry_bytes`."""
    whole: bool
    """False: the row of a unit."""


class Logs(Protocol):
    """What a unit of work can keep of itself."""

    async def log(self, row: AuditRow) -> None:
        """Keep what the audit tells of this unit, with it or not at all; `AuditLog.seal` it
        when the unit has been committed."""


class AuditLog(Protocol):
    """The writing end."""

    async def keep(self, row: AuditRow) -> None:
        """Keep `row`; it is durable when this returns, unless the log is a relaxed one.

        Raises:
            Unavailable: it could not be kept.
        """

    def seal(self, row: AuditRow) -> None:
        """Take a row that a committed unit has written into the chain, with the next batch."""

    async def flush(self) -> None:
        """Everything that was kept before is durable when this returns.

        Raises:
            Unavailable: it could not be written.
        """

    @property
    def kept(self) -> int:
        """How many rows this process has been given."""


class AuditArchive(Protocol):
    """The reading end: what is to become AuditEvents."""

    def pending(
        self, patients: Collection[str] | None, *, limit: int
    ) -> AsyncIterator[AuditBatch]:
        """Up to `limit` batches, oldest first, that hold events not made yet: of `patients`,
        or of anybody."""

    async def file(self, events: Sequence[JsonObject]) -> None:
        """Store those of `events`, whole resources, that are not there yet."""

    async def close(self, batches: Sequence[str], patients: Collection[str] | None) -> None:
        """All events of the batches have been filed; or those of `patients`."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Something that happened beside the requests for resources."""

    kind: EventKind
    who: Who
    patients: tuple[str, ...] = ()
    """Logical ids of those whom it is about."""
    status: int = 200
    """400 and above: it was refused."""
    note: str = ""
    """Why, or what of it (`code replayed`, the scopes that were granted); no data."""
    target: str = ""
    """A reference (`Consent/…`), where there is one."""
    address: str = ""
    request: str = ""
    """X-Request-Id."""


class AuditSink(Protocol):
    """Where sign-in pages, the authorization server and exports tell what happened."""

    async def note(self, occurrence: Occurrence) -> None:
        """Keep it; the answer to the client waits until it is.

        Raises:
            Unavailable: it could not be kept: nothing may be granted.
        """
