"""What happened, for whoever keeps the audit.

    granted      a person allowed an app something; `scopes` says what
    refused      a person, or a rule, said no to a request; `reason` is its OAuth code
    issued       tokens were given for a code, or to a backend service
    refreshed    tokens were renewed
    ended        a grant is over; `reason` says why: "by the person", "code replayed", …
    failed       a token request was refused; `client` is what the request called itself
    launched     a launch context was made; `client` is the app, `reason` names who made it
    opened       an app was let in by a launch context, which is used up
    registered   an app was registered, changed or removed over HTTP

https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2
"""

from dataclasses import dataclass
from typing import Literal, Protocol

Kind = Literal[
    "granted",
    "refused",
    "issued",
    "refreshed",
    "ended",
    "failed",
    "launched",
    "opened",
    "registered",
]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    kind: Kind
    client: str | None = None
    account: str | None = None
    grant: str | None = None
    patient: str | None = None
    """Logical id."""
    scopes: str = ""
    reason: str = ""


class Events(Protocol):
    """Who is told; the answer to the client waits until it is."""

    async def tell(self, event: Event) -> None:
        """Keep it."""
