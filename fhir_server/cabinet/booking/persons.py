"""What patients and those who act for them may do with a visit, and until when.

Staff and systems are not bound by these: they answer the telephone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fhir_server.cabinet.booking import refusals
from fhir_server.cabinet.booking.deadlines import cancellable_until, movable_until, told
from fhir_server.cabinet.booking.names import BLOCKED, FLAGS, PORTAL
from fhir_server.cabinet.booking.policy import DAY, HOUR, BookingPolicy
from fhir_server.cabinet.booking.slots import Place
from fhir_server.cabinet.booking.visits import AHEAD, Visit, moment, visit_of
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Context
from fhir_server.search import keys
from fhir_server.search.plan import UNRESTRICTED, And, Compare, Keys, Node, Range
from fhir_server.search.values import Interval
from fhir_server.store.port import Unit

_MOVES: Final = {
    None: frozenset({"pending", "booked", "proposed"}),
    "pending": frozenset({"pending", "booked", "cancelled"}),
    "proposed": frozenset({"proposed", "cancelled"}),
    "booked": frozenset({"booked", "cancelled"}),
    "cancelled": frozenset({"cancelled"}),
}
"""From status (None: no visit) to statuses, as a person may change them."""

_MOST: Final = 200
"""Coming visits of a patient that are looked at; with more, nothing is booked."""
_LONGEST: Final = DAY
"""Of a visit."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A person's write of a visit."""

    ctx: Context
    unit: Unit
    before: Visit | None
    after: Visit | None
    places: Sequence[Place]
    """Those of `after`, as far as they exist."""
    policy: BookingPolicy
    replaced: Visit | None = None
    """The booked visit that `after` takes the place of."""


async def check(wish: Wish) -> None:
    """Raise the refusal of the first rule that the write breaks."""
    before, after = wish.before, wish.after
    now = wish.ctx.services.now()
    status = None if before is None else before.status
    wanted = "deleted" if after is None else after.status
    if wanted not in _MOVES.get(status, frozenset()):
        raise refusals.not_so(status or "nothing", wanted)
    if before is not None and after is not None and _is_moved(before, after):
        raise refusals.not_in_place()
    if before is not None and after is not None and after.status == "cancelled":
        _check_cancel(wish, before, now)
    if after is not None and after.status in AHEAD and after.slots:
        await _check_taking(wish, after, now)
    elif before is None and after is not None and after.status != "proposed":
        raise refusals.no_place()


def _is_moved(before: Visit, after: Visit) -> bool:
    return (before.start, before.end, before.slots, before.patients, before.actors) != (
        after.start,
        after.end,
        after.slots,
        after.patients,
        after.actors,
    )


def check_move(wish: Wish, replaced: Visit) -> None:
    """Raise unless a person may give `replaced` up for another visit."""
    _check_own(wish, replaced)
    if replaced.status != "booked" or replaced.patients != (wish.after or replaced).patients:
        raise refusals.not_so(replaced.status, "cancelled")
    until = movable_until(replaced.start or 0, wish.policy)
    if wish.ctx.services.now() >= until:
        raise refusals.too_late_to_move(told(until, wish.policy))


def _check_cancel(wish: Wish, before: Visit, now: int) -> None:
    if before.status != "booked":
        return
    _check_own(wish, before)
    until = cancellable_until(before.start or 0, wish.policy)
    if now >= until:
        raise refusals.too_late_to_cancel(told(until, wish.policy))


def _check_own(wish: Wish, visit: Visit) -> None:
    principal = wish.ctx.principal
    if wish.policy.own_only and principal is not None and visit.booked_by != principal.user:
        raise refusals.not_own()


async def _check_taking(wish: Wish, after: Visit, now: int) -> None:
    """Whether a person may take these places, or make a hold of them a booking."""
    if wish.before is not None and wish.before.status == after.status:
        return
    if len(after.patients) != 1:
        raise refusals.no_place()
    if wish.before is not None and wish.before.is_expired(now):
        raise refusals.hold_expired(told(wish.before.expires or 0, wish.policy))
    _check_times(after, wish.places)
    if any(each.channels and PORTAL not in each.channels for each in wish.places):
        raise refusals.other_channel()
    await _check_block(wish, after.patients[0], now)
    coming = await _coming(wish, after, now)
    _check_overlap(after, coming)
    _check_number(wish, after, coming)


def _check_times(after: Visit, places: Sequence[Place]) -> None:
    """The visit lasts as long as its places: nobody sits in a doctor's room beside them."""
    if len(places) != len(after.slots):
        raise refusals.taken()
    start, end = min(p.start for p in places), max(p.end for p in places)
    if (after.start, after.end) != (start, end):
        raise refusals.no_place()


def questions(after: Visit, now: int) -> Sequence[tuple[str, Node, int]]:
    """What will be asked about a patient who wants to take places: type, predicate, limit."""
    patient = after.patients[0]
    return (
        ("Flag", _of(patient), _MOST + 1),
        ("Appointment", _ahead(patient, after, now), _MOST + 1),
    )


def _of(patient: str) -> Node:
    return Keys("references", (keys.reference("patient", f"Patient/{patient}"),))


async def _check_block(wish: Wish, patient: str, now: int) -> None:
    for flag in await _found(wish, "Flag", _of(patient)):
        until = _blocked_until(flag, now)
        if until is not None:
            raise refusals.blocked(told(until, wish.policy) if until else "—")


def _blocked_until(flag: JsonObject, now: int) -> int | None:
    """When a Flag that blocks now ends; 0: not by itself."""
    codes = flag.get("code", {}).get("coding", ())
    blocks = any((c.get("system"), c.get("code")) == (FLAGS, BLOCKED) for c in codes)
    if not blocks or flag.get("status") != "active":
        return None
    period = flag.get("period", {})
    start, end = moment(period.get("start")), moment(period.get("end"))
    if (start is not None and now < start) or (end is not None and now >= end):
        return None
    return end or 0


async def _coming(wish: Wish, after: Visit, now: int) -> Sequence[Visit]:
    """What else the patient is going to, holds included, but for what this replaces."""
    where = _ahead(after.patients[0], after, now)
    own = {after.id, "" if wish.replaced is None else wish.replaced.id}
    base = wish.ctx.services.base_url
    found = [visit_of(each, base) for each in await _found(wish, "Appointment", where)]
    return [each for each in found if each.id not in own and not each.is_expired(now)]


def _ahead(patient: str, after: Visit, now: int) -> Node:
    first = min(now, after.start or now) - _LONGEST
    first -= first % HOUR  # asked twice, a moment apart, it is one question
    return And((
        _of(patient),
        Keys("tokens", tuple(keys.token("status", None, each) for each in sorted(AHEAD))),
        Range("dates", "date", Interval(first, first), ((Compare("hi", ">", "lo"),),)),
    ))  # fmt: skip


def _check_overlap(after: Visit, coming: Sequence[Visit]) -> None:
    for each in coming:
        if each.slots and _meets(each, after):
            raise refusals.overlap()


def _meets(one: Visit, other: Visit) -> bool:
    ends = (one.end or one.start or 0, other.end or other.start or 0)
    return (one.start or 0) < ends[1] and (other.start or 0) < ends[0]


def _check_number(wish: Wish, after: Visit, coming: Sequence[Visit]) -> None:
    most, principal = wish.policy.most_ahead, wish.ctx.principal
    alike = [e for e in coming if e.slots and e.specialities & after.specialities]
    if most and len(alike) >= most:
        raise refusals.too_many(most)
    user = None if principal is None else principal.user
    held = [e for e in coming if e.status == "pending" and e.booked_by == user]
    if after.status == "pending" and len(held) >= wish.policy.most_holds:
        raise refusals.too_many(wish.policy.most_holds)


async def _found(wish: Wish, kind: str, where: Node) -> Sequence[JsonObject]:
    # The house's rules count what there is, not what this app may see.
    rows = await wish.unit.find(kind, where, limit=_MOST + 1, within=UNRESTRICTED)
    if len(rows) > _MOST:
        raise refusals.too_many(_MOST)
    depth = wish.ctx.services.limits.depth
    return [loads(row.body, max_depth=depth) for row in rows]
