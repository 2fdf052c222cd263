"""What storage promises about telling people: the outbox; `store.mongo.outbox` is the adapter.

An Occasion commits with the change that it tells of, or not at all. When it is due it becomes
Deliveries, in one unit that ends it; each of these is sent by itself, once or (over a crash)
again under the same key. Nobody reads the outbox on behalf of a caller: it has no Restriction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol, TypeAlias

Channel: TypeAlias = Literal["email", "sms", "webhook"]
Lane: TypeAlias = Literal["occasion", "email", "sms", "webhook"]
"""What waits for the same workers: occasions to be composed, or one channel's deliveries."""
OCCASIONS: Final = "occasion"
CHANNELS: Final[tuple[Channel, ...]] = ("email", "sms", "webhook")

WHOSE: Final = "whose"
"""The fact of an occasion that is told once more, to this one alone."""

Outcome: TypeAlias = Literal["told", "silent", "sent", "expired", "dead", "dropped"]
"""How a row ended. `told`: an occasion became deliveries; `silent`: there was nobody to tell
or nothing to say; `expired`: its time was over before; `dead`: nobody tries it any more, an
operator may send it again; `dropped`: by an operator."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something happened, or is about to, of which somebody may have to be told."""

    key: str
    """Posted once: a second occasion of this key is silently nothing. No personal data."""
    kind: str
    """`visit-booked`, `visit-reminder`, …"""
    about: str
    """`Appointment/1`."""
    patient: str | None
    """Logical id."""
    due: int
    """Milliseconds since 1970; it is not told before."""
    until: int | None = None
    """Nor at or after this, nor is what was composed of it sent."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Small JSON; no names, no addresses, nothing medical."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one address by one channel."""

    key: str
    """The recipient's idempotency key, the same however often it is sent; printable ASCII,
    `<the occasion's>/<channel>/<n>`."""
    channel: Channel
    to: str
    """An address of e-mail, a number as `+380441234567`, or the name of an endpoint."""
    content: Mapping[str, Any]
    """JSON; each channel says what it takes. Forgotten as soon as it was sent."""
    due: int = 0
    """Milliseconds since 1970; it is not sent before."""
    whose: str = ""
    """Whom it tells, as the composer knows them again: an opaque id, no address. Empty: nobody
    who could have another address by now."""


@dataclass(frozen=True, slots=True)
class Held:
    """A row in the hands of one worker, until its lease ends."""

    of: Occasion | Delivery
    kind: str
    until: int | None
    """As in the occasion."""
    lease: int
    """1, 2, 3 …: whoever has a smaller one has lost it."""
    tries: int
    """How often it was taken up, this time included, and not given back in peace."""
    behind: Occasion | None = None
    """What a delivery was made of, under the delivery's own key, if it tells somebody:
    `facts` has `whose`."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row as the operator sees it: neither address nor content."""

    key: str
    lane: Lane
    kind: str
    about: str
    due: int | None
    """When it is tried next; None of what is over."""
    until: int | None
    tries: int
    outcome: Outcome | None
    """None while it waits."""
    reason: str
    """A code of why it was not sent the last time, or ended so."""
    at: int | None
    """When it ended."""


class LostError(Exception):
    """A row is over, was withdrawn, or another worker has it: nothing is written."""


class Posts(Protocol):
    """What a unit of work can do about telling; it commits with the unit or not at all."""

    async def post(self, occasions: Sequence[Occasion]) -> None:
        """Keep those whose key was not posted before."""

    async def withdraw(
        self, about: str, *kinds: str, patients: Sequence[str] | None = None
    ) -> None:
        """Forget what waits about this resource, of these kinds or (none named) of all, and
        for these patients (logical ids) or all: occasions that are not told yet and deliveries
        that are not sent yet. One that is on its way at this moment still arrives. What is dead
        is dropped, lest an operator sends it again."""

    async def told(self, held: Held, deliveries: Sequence[Delivery], now: int) -> None:
        """End the occasion `held`, or the delivery that is told anew, and keep what was
        composed of it; none: it was silent.

        Raises:
            LostError: the occasion is this worker's no more.
        """


class Outbox(Protocol):
    """All rows, for the workers and for operators. Times are milliseconds since 1970; a lease
    is counted on the database's clock."""

    async def lease(
        self, worker: str, lanes: Sequence[Lane], now: int, seconds: float
    ) -> Held | None:
        """The row of these lanes that has been due longest and nobody works on, now leased to
        `worker`.

        Raises:
            SealedError: its content was sealed with another key; it is dead from now on.
        """

    async def settle(self, held: Held, outcome: Outcome, reason: str, now: int) -> bool:
        """End it; False where it is this worker's no more. Content stays with the dead."""

    async def postpone(self, held: Held, due: int, reason: str) -> bool:
        """Try it again at `due`."""

    async def release(self, held: Held) -> bool:
        """Let another take it up at once; this try does not count."""

    async def put(self, delivery: Delivery, kind: str, until: int | None) -> None:
        """Keep a delivery that no occasion stands behind; of the same key silently nothing."""

    async def expire(self, now: int) -> int:
        """End what waits and whose time is over, and remove what has been kept long enough;
        how many ended."""

    async def entries(self, outcome: Outcome | None, *, limit: int) -> Sequence[Entry]:
        """The first rows that ended so, or (None) wait: by when they ended, or are due."""

    async def find(self, key: str) -> Entry | None:
        """One row."""

    async def resend(self, key: str, now: int) -> bool:
        """Begin again with one that is dead, or waits for its next try; False: it is
        neither."""

    async def drop(self, key: str, now: int) -> bool:
        """End one that waits or is dead, and forget its content; False: it is neither."""

    async def backlog(self, now: int) -> Mapping[tuple[Lane, str], int]:
        """How many rows of a lane are `due`, and how many `dead`."""
