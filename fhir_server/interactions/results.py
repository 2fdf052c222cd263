"""What an interaction gives back, before any door writes it out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from fhir_server.core.errors import Issue
from fhir_server.core.messages import Text
from fhir_server.search.values import IndexValues
from fhir_server.store.port import Stored

DONE: Final = Text("The request has been carried out.", "Запрос выполнен.", "Запит виконано.")


@dataclass(frozen=True, slots=True)
class Content:
    """An answer that is no resource."""

    type: str
    """With its parameters, as Content-Type has it."""
    data: bytes
    name: str
    """Of the file it may be kept as: ASCII."""


@dataclass(frozen=True, slots=True)
class Result:
    """HTTP and Bundle entries render the same record."""

    status: int
    version: Stored | None = None
    """The version spoken of: body, ETag, Last-Modified; a tombstone has no body."""
    body: bytes | None = None
    """JSON of what is not a version: a Bundle, Parameters, an OperationOutcome."""
    content: Content | None = None
    """Instead of `body`, where the caller asked for its type."""
    located: bool = False
    """Location names the version (create, and update as create)."""
    issues: tuple[Issue, ...] = field(default=())
    """Said in an OperationOutcome where one is asked for."""
    headers: tuple[tuple[str, str], ...] = ()
    """Names and values for the response, beside those of the version."""
    shown: Sequence[Stored] = ()
    """The versions that `body` is made of, or that were written, for the audit."""
    before: Stored | None = None
    """The version that a deletion has ended."""
    values: IndexValues | None = None
    """Of the version, where it was made now."""
    withheld: bool = False
    """The caller may not read what it has written: no body is shown, and ETag and Location
    are."""
    wanted: bool = False
    """The answer is the point of the request (a read): `Prefer: return` does not apply."""

    def said(self) -> tuple[Issue, ...]:
        """Its issues; where there is nothing to say, that it is done."""
        return self.issues or (Issue("informational", DONE, {}, "information"),)
