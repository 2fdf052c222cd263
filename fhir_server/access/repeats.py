"""Requests that their callers gave a key, so that what is sent again is done once.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Repeat:
    """A request that its caller gave a key."""

    key: str
    """Digest of the caller and the key."""
    body: str
    """Digest of what is asked."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """What came of such a request."""

    body: str
    type: str
    id: str
    number: int
    """Of the version that it made or found."""
    status: int
    until: int
    """Milliseconds since 1970; then the key is free again."""


class NotesRepeats(Protocol):
    """What a unit of work knows and keeps of them."""

    async def repeated(self, key: str) -> Repeated | None:
        """What was done under the key of a Repeat, perhaps longer ago than it holds."""

    async def note_repeat(self, repeat: Repeat, done: Repeated) -> None:
        """Keep what the unit does under the key, with the unit or not at all."""
