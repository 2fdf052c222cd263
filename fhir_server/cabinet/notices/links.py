"""One-tap links: what they are for, for how long, and when one is worth sending.

A link is for one action of one person on one visit as it is now; when the visit becomes
another one, the link is over.
"""

from collections.abc import Iterator, Sequence
from typing import assert_never

from fhir_server.cabinet.booking.deadlines import cancellable_until, movable_until
from fhir_server.cabinet.booking.policy import BookingPolicy
from fhir_server.cabinet.booking.visits import Visit
from fhir_server.cabinet.notices.kinds import ROWS, Kind
from fhir_server.smart.digests import digest
from fhir_server.store.links import Action

PATH = "/auth/v/"
"""Of the pages: short, as it is sent by SMS too."""


def state(visit: Visit) -> str:
    """What a link is bound to: an offer made anew, or a visit at another time, is not it."""
    expires = visit.expires if visit.is_offer else None
    return f"{visit.status} {visit.start} {expires} {' '.join(visit.slots)}"


def sent_to(token: str, address: str) -> str:
    """Where a link was sent, as the database may know it: without the token nobody finds out by
    trying."""
    return digest(f"{token} {address}")


def offered(
    kind: Kind,
    visit: Visit,
    policies: Sequence[BookingPolicy],
    user: str | None,
    now: int,
) -> Iterator[tuple[Action, int]]:
    """What `user` could do with the visit at `now`, by the clinic's rules (at least one; all of
    them hold), with the moment at which that is over; milliseconds since 1970."""
    own_only = any(each.own_only for each in policies)
    for action in ROWS[kind].actions:
        until = min(_until(action, visit, each) for each in policies)
        is_owners = action in ("cancel", "move") and own_only
        if until > now and not (is_owners and visit.booked_by != user):
            yield action, until


def _until(action: Action, visit: Visit, policy: BookingPolicy) -> int:
    start = visit.start or 0
    match action:
        case "confirm":
            return start
        case "cancel":
            return cancellable_until(start, policy)
        case "move":
            return movable_until(start, policy)
        case "accept" | "decline":
            return min(start, visit.expires or start)
        case _:
            assert_never(action)
