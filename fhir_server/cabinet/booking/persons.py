"""What patients and those who act for them may do with a visit, and until when.

Staff and systems are not bound by these: they answer the telephone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from fhir_server.cabinet.booking import refusals
from fhir_server.cabinet.booking.deadlines import cancellable_until, movable_until, told
from fhir_server.cabinet.booking.demands import Demands, check_level
from fhir_server.cabinet.booking.givings_up import check_takes
from fhir_server.cabinet.booking.names import PORTAL
from fhir_server.cabinet.booking.patients import Plans
from fhir_server.cabinet.booking.policy import BookingPolicy
from fhir_server.cabinet.booking.quotas import check_quota
from fhir_server.cabinet.booking.ruled import Ruled
from fhir_server.cabinet.booking.slots import Place
from fhir_server.cabinet.booking.visits import AHEAD, Visit, codings
from fhir_server.interactions.context import Context
from fhir_server.store.port import Unit

_MOVES: Final = {
    None: frozenset({"pending", "booked", "proposed", "waitlist"}),
    "pending": frozenset({"pending", "booked", "cancelled"}),
    "proposed": frozenset({"proposed", "cancelled"}),
    "waitlist": frozenset({"waitlist", "cancelled"}),
    "offer": frozenset({"proposed", "booked", "waitlist", "cancelled"}),
    "booked": frozenset({"booked", "cancelled"}),
    "cancelled": frozenset({"cancelled"}),
}
"""From status (None: no visit; offer: proposed to who waits) to statuses, as a person may
change them."""
_WITHOUT_PLACE: Final = frozenset({"proposed", "waitlist"})
"""Statuses of a wish."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A person's write of a visit."""

    ctx: Context
    unit: Unit
    before: Visit | None
    after: Visit | None
    places: Sequence[Place]
    """Those of `after`, as far as they exist."""
    rules: Ruled
    """Of one Schedule, and its places among them."""
    replaced: Visit | None = None
    """The booked visit that `after` takes the place of."""

    @property
    def policy(self) -> BookingPolicy:
        """What the Schedule says."""
        return self.rules.policy


async def check(wish: Wish) -> None:
    """Raise the refusal of the first rule that the write breaks."""
    before, after = wish.before, wish.after
    now = wish.ctx.services.now()
    wanted = "deleted" if after is None else after.status
    if wanted not in _MOVES.get(_state(before), frozenset()):
        raise refusals.not_so("nothing" if before is None else before.status, wanted)
    if after is None or (before is not None and _is_given_up(before, after)):
        return
    if before is not None and _is_moved(before, after):
        raise refusals.not_in_place()
    if before is not None and after.status == "cancelled":
        _check_cancel(wish, before, now)
    if before is None and after.status == "proposed" and after.slots:
        raise refusals.not_held()
    if after.status in AHEAD and after.slots:
        await _check_taking(wish, after, now)
    elif before is None and after.status not in _WITHOUT_PLACE:
        raise refusals.no_place()


def _state(before: Visit | None) -> str | None:
    if before is None:
        return None
    return "offer" if before.is_offer else before.status


def _is_given_up(before: Visit, after: Visit) -> bool:
    """Whether an offer is not taken: then the server writes what becomes of the entry."""
    is_out = after.status == "cancelled" and not after.slots
    is_same = before.patients == after.patients
    return before.is_offer and is_same and (is_out or after.status == "waitlist")


def _is_moved(before: Visit, after: Visit) -> bool:
    # A referral that could be taken away again would be good for any number of visits.
    is_bared = before.status == "booked" and not {*before.referrals} <= {*after.referrals}
    return is_bared or _fixed(before) != _fixed(after)


def _fixed(visit: Visit) -> tuple[object, ...]:
    where = (visit.start, visit.end, visit.slots, visit.patients, visit.actors)
    return (*where, visit.specialities, visit.requested) if visit.is_queued else where


def check_move(ctx: Context, replaced: Visit, after: Visit, policy: BookingPolicy) -> None:
    """Raise unless a person may give `replaced` up for `after`; `policy` is that of the places
    that are given up."""
    _check_own(ctx, replaced, policy)
    if replaced.status != "booked" or replaced.patients != after.patients:
        raise refusals.not_so(replaced.status, "cancelled")
    # A hold or a wish that is dropped again would be a cancelling without its deadline.
    if after.status != "booked":
        raise refusals.not_so(replaced.status, "cancelled")
    until = movable_until(replaced.start or 0, policy)
    if ctx.services.now() >= until:
        raise refusals.too_late_to_move(told(until, policy))


def _check_cancel(wish: Wish, before: Visit, now: int) -> None:
    if before.status != "booked":
        return
    _check_own(wish.ctx, before, wish.policy)
    until = cancellable_until(before.start or 0, wish.policy)
    if now >= until:
        raise refusals.too_late_to_cancel(told(until, wish.policy))


def _check_own(ctx: Context, visit: Visit, policy: BookingPolicy) -> None:
    principal = ctx.principal
    if policy.own_only and principal is not None and visit.booked_by != principal.user:
        raise refusals.not_own()


async def _check_taking(wish: Wish, after: Visit, now: int) -> None:
    """Whether a person may take these places, or make a hold of them a booking."""
    if wish.before is not None and wish.before.status == after.status:
        return
    if len(after.patients) != 1:
        raise refusals.no_place()
    check_level(wish.ctx, wish.policy)
    if wish.before is not None and wish.before.is_expired(now):
        until = told(wish.before.expires or 0, wish.policy)
        raise (refusals.offer_expired if wish.before.is_offer else refusals.hold_expired)(until)
    _check_times(after, wish.places)
    if any(each.channels and PORTAL not in each.channels for each in wish.places):
        raise refusals.other_channel()
    user = None if wish.ctx.principal is None else wish.ctx.principal.user
    but = () if wish.replaced is None else (wish.replaced.id,)
    # What it is for is the places' word: its writer might leave it out, or say something else.
    here = frozenset(codings(wish.rules.specialty))
    visit = replace(after, specialities=after.specialities | here)
    await Plans(wish.ctx, wish.unit, wish.policy).check(visit, but=but, user=user)
    if wish.before is None:
        await check_takes(wish.ctx, wish.unit, after, user, wish.policy)
    if after.status == "booked":  # who holds a place may still be looking for the papers
        asked = replace(
            after, specialities=here, services=frozenset(codings(wish.rules.services))
        )
        await Demands(wish.ctx, wish.unit, wish.policy, asked, but).check()
    if wish.before is None or not wish.before.is_offer:  # the queue has given it
        await check_quota(wish.ctx, wish.unit, wish.rules, (after.id, *but))


def _check_times(after: Visit, places: Sequence[Place]) -> None:
    """The visit lasts as long as its places: nobody sits in a doctor's room beside them."""
    if len(places) != len(after.slots):
        raise refusals.taken()
    start, end = min(p.start for p in places), max(p.end for p in places)
    if (after.start, after.end) != (start, end):
        raise refusals.no_place()
