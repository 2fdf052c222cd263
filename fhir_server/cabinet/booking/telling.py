"""What becomes of a visit or a place in the queue, told in the unit in which it comes about.

Here notices begin: whoever is told may write a message that commits with the change.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from fhir_server.cabinet.booking.entries import is_out
from fhir_server.cabinet.booking.visits import Visit, visit_of
from fhir_server.core.types import JsonObject
from fhir_server.interactions.context import Context
from fhir_server.store.port import Unit

Change: TypeAlias = Literal[
    "joined", "offered", "accepted", "returned", "ended", "left",
    "booked", "moved", "changed", "cancelled",
]  # fmt: skip
"""Of a place in the queue (`returned`: an offer was declined or is over, and the patient waits
on; `ended`: it was the last one), and of a visit that is booked (`changed`: who is met there,
or where, or for whom it is)."""


@dataclass(frozen=True, slots=True)
class Written:
    """A write of an Appointment."""

    id: str
    number: int
    """Of the version that is written; of a deletion that of the last version."""
    before: JsonObject | None
    after: JsonObject | None
    """As it is stored; None: deleted."""
    replaced: Visit | None = None
    """The visit that it takes the place of, as it was."""


@dataclass(frozen=True, slots=True)
class News:
    """A change of one visit, or of one place in the queue."""

    change: Change
    before: Visit | None
    after: Visit
    """With the patient, and of an offer or a booking the Slot, the times, and until when it
    can be answered; what was deleted is `entered-in-error`."""
    number: int
    """As in `Written`."""
    replaced: Visit | None = None


Tell: TypeAlias = Callable[[Context, Unit, News], Awaitable[None]]
"""May write in the unit; is called again when the unit starts again. It may not fail for what
is not the change's fault."""

_OVER: Final = frozenset({"cancelled", "entered-in-error"})
_MET: Final = ("Practitioner/", "PractitionerRole/", "Location/", "HealthcareService/")


async def nobody(ctx: Context, unit: Unit, news: News) -> None:
    """Tell nobody."""
    del ctx, unit, news


def news_of(written: Written, base: str) -> News | None:
    """What a write is to who waits, or comes."""
    old = (
        None if written.before is None else visit_of({**written.before, "id": written.id}, base)
    )
    if written.after is not None:
        new = visit_of({**written.after, "id": written.id}, base)
    elif old is not None:
        new = replace(old, status="entered-in-error")
    else:
        return None
    out = written.after is not None and is_out(written.after)
    change = _of_entry(old, new, out=out) or _of_visit(old, new, written.replaced)
    if change is None:
        return None
    return News(change, old, new, written.number, written.replaced)


def _of_entry(old: Visit | None, new: Visit, *, out: bool) -> Change | None:
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
        case "cancelled" | "entered-in-error":
            return "ended" if out else "left"
        case _:
            return None


def _of_visit(old: Visit | None, new: Visit, replaced: Visit | None) -> Change | None:
    if old is None or old.status != "booked":
        if new.status != "booked":
            return None
        return "moved" if replaced is not None and replaced.status == "booked" else "booked"
    if new.status in _OVER:
        return "cancelled"
    if new.status != "booked":
        return None
    if old.start != new.start:
        return "moved"
    is_same = met(old) == met(new) and set(old.patients) == set(new.patients)
    return None if is_same else "changed"


def met(visit: Visit) -> frozenset[str]:
    """Whom a patient meets, and where."""
    return frozenset(each for each in visit.actors if each.startswith(_MET))
