"""What becomes of a place in the queue, told in the unit in which it comes about.

Here notices begin: whoever is told may write a message that commits with the change.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from fhir_server.cabinet.booking.entries import is_out
from fhir_server.cabinet.booking.visits import Visit, visit_of
from fhir_server.core.types import JsonObject
from fhir_server.interactions.context import Context
from fhir_server.store.port import Unit

Change: TypeAlias = Literal["joined", "offered", "accepted", "returned", "ended", "left"]
"""`returned`: an offer was declined or is over, and the patient waits on; `ended`: it was the
last one."""


@dataclass(frozen=True, slots=True)
class News:
    """A change of one place in the queue."""

    change: Change
    before: Visit | None
    after: Visit
    """With the patient, and of an offer or a booking the Slot, the times, and until when it
    can be answered."""


Tell: TypeAlias = Callable[[Context, Unit, News], Awaitable[None]]
"""May write in the unit; is called again when the unit starts again. It may not fail for what
is not the change's fault."""


async def nobody(ctx: Context, unit: Unit, news: News) -> None:
    """Tell nobody."""
    del ctx, unit, news


def news_of(before: JsonObject | None, after: JsonObject, id_: str, base: str) -> News | None:
    """What the write of `after` (whose id is `id_`) behind `before` is to who waits."""
    old = None if before is None else visit_of(before, base)
    new = visit_of({**after, "id": id_}, base)
    change = _change(old, new, out=is_out(after))
    return None if change is None else News(change, old, new)


def _change(old: Visit | None, new: Visit, *, out: bool) -> Change | None:
    was_waiting = old is not None and old.is_queued and old.status in {"waitlist", "proposed"}
    was_offer = old is not None and old.is_offer
    if new.status == "waitlist":
        return "returned" if was_offer else None if was_waiting else "joined"
    if not was_waiting:
        return None
    if new.is_offer:
        return None if was_offer else "offered"
    match new.status:
        case "booked":
            return "accepted"
        case "cancelled":
            return "ended" if out else "left"
        case _:
            return None
