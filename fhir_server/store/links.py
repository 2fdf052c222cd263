"""What storage promises about one-tap links; `store.mongo.links` is the adapter.

Times are milliseconds since 1970. Of a link's token the database knows the hash alone.
"""

from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias

from fhir_server.core.messages import Language

Action: TypeAlias = Literal["confirm", "move", "cancel", "accept", "decline"]
ACTIONS: Final[tuple[Action, ...]] = ("confirm", "move", "cancel", "accept", "decline")


@dataclass(frozen=True, slots=True)
class Link:
    """What the bearer of a token may do, once."""

    digest: str
    """Of the token."""
    action: Action
    visit: str
    """Logical id of the Appointment."""
    state: str
    """What the visit was when the link was made, as `cabinet.notices.links.state` says it: the
    link is for that visit and no other that it becomes."""
    patient: str
    """Logical id."""
    account: str | None
    """Whose right it is; None: the patient's own, who has no account."""
    sent_to: str
    """Hash of the token and the address; a mailbox that was given up opens nothing."""
    language: Language
    made: int
    expires: int
    used: int | None = None


class Links(Protocol):
    """The links that were sent."""

    async def put(self, link: Link) -> None:
        """Keep it until it expires; the same one again is the same."""

    async def find(self, digest: str) -> Link | None:
        """Used or not; its expiry is the caller's to check."""

    async def use(self, digest: str, now: int) -> bool:
        """Whether this is its first use."""
