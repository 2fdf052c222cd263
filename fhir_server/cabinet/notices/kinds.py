"""What is told, as one table: the kinds of notices, and what can be answered to each.

The codes are those of the CodeSystem `communication-topic`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, TypeGuard

from fhir_server.cabinet.booking.telling import Change
from fhir_server.store.links import Action

Kind: TypeAlias = Literal[
    "visit-booked", "visit-moved", "visit-changed", "visit-cancelled", "visit-reminder",
    "waitlist-joined", "waitlist-offered", "waitlist-accepted", "waitlist-returned",
    "waitlist-ended", "waitlist-left", "result-ready",
]  # fmt: skip
Topic: TypeAlias = Literal["visit", "reminder", "waitlist", "result"]
"""What a person may want to be told of by another way, or not at all."""
State: TypeAlias = Literal["booked", "waiting", "offered", "over"]

REMINDER: Final = "visit-reminder"
RESULT: Final = "result-ready"
TOPICS: Final = "https://fhir-server.example/CodeSystem/communication-topic"


@dataclass(frozen=True, slots=True)
class Row:
    """A kind of notice."""

    topic: Topic
    state: State
    """What the visit has to be for the notice to be true."""
    actions: tuple[Action, ...] = ()
    """What one tap may do, where the rules allow it."""


_PLAN: Final[tuple[Action, ...]] = ("move", "cancel")

ROWS: Final[Mapping[Kind, Row]] = {
    "visit-booked": Row("visit", "booked", _PLAN),
    "visit-moved": Row("visit", "booked", _PLAN),
    "visit-changed": Row("visit", "booked", _PLAN),
    "visit-cancelled": Row("visit", "over"),
    "visit-reminder": Row("reminder", "booked", ("confirm", *_PLAN)),
    "waitlist-joined": Row("waitlist", "waiting"),
    "waitlist-offered": Row("waitlist", "offered", ("accept", "decline")),
    "waitlist-accepted": Row("waitlist", "booked", _PLAN),
    "waitlist-returned": Row("waitlist", "waiting"),
    "waitlist-ended": Row("waitlist", "over"),
    "waitlist-left": Row("waitlist", "over"),
    "result-ready": Row("result", "over"),
}


def is_kind(text: str) -> TypeGuard[Kind]:
    """Whether it is the code of a kind."""
    return text in ROWS


OF_CHANGE: Final[Mapping[Change, Kind]] = {
    "joined": "waitlist-joined",
    "offered": "waitlist-offered",
    "accepted": "waitlist-accepted",
    "returned": "waitlist-returned",
    "ended": "waitlist-ended",
    "left": "waitlist-left",
    "booked": "visit-booked",
    "moved": "visit-moved",
    "changed": "visit-changed",
    "cancelled": "visit-cancelled",
}
