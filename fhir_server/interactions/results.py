"""What an interaction gives back, before any door writes it out."""

from dataclasses import dataclass, field

from fhir_server.core.errors import Issue
from fhir_server.store.port import Stored


@dataclass(frozen=True, slots=True)
class Result:
    """HTTP and Bundle entries render the same record."""

    status: int
    version: Stored | None = None
    """The version spoken of: body, ETag, Last-Modified; a tombstone has no body."""
    body: bytes | None = None
    """JSON of what is not a version: a Bundle, Parameters, an OperationOutcome."""
    located: bool = False
    """Location names the version (create, and update as create)."""
    issues: tuple[Issue, ...] = field(default=())
    """Said in an OperationOutcome where one is asked for."""
    headers: tuple[tuple[str, str], ...] = ()
    """Names and values for the response, beside those of the version."""
    wanted: bool = False
    """The answer is the point of the request (a read): `Prefer: return` does not apply."""
