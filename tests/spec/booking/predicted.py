"""What booking is to do, in a few lines without a database: the model of the state machine.

A state is a value; a deed makes another one of it, or is refused. Deeds that were done at
once must have an order, one after the other, that explains every answer and what is there
afterwards (linearizability): `orders` looks for it.

https://hl7.org/fhir/R4/appointment.html#statuses
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from fhir_server.cabinet.booking.policy import HOUR, MINUTE

HOLD: Final = 10 * MINUTE
OFFER: Final = 2 * HOUR
OFFERS: Final = 2
"""To one entry, after the last of which it is out."""
MOST_AHEAD: Final = 2

_FIRM: Final = frozenset({"booked"})
_TENTATIVE: Final = frozenset({"pending", "proposed"})
_AHEAD: Final = _FIRM | _TENTATIVE
CLOSED: Final = "busy-unavailable"

Outcome = Literal["done", "nothing", "refused"]
"""`nothing`: it was so already, which a door may answer either way."""


class RefusedError(Exception):
    """A rule forbids it."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A Slot, as it stays; times are milliseconds since 1970."""

    start: int
    end: int
    capacity: int
    doctor: str


@dataclass(frozen=True, slots=True, order=True)
class Visit:
    """An Appointment; of a cancelled one nothing but its status and offers matters."""

    id: str
    patient: str
    status: str
    slots: tuple[str, ...] = ()
    expires: int | None = None
    by_person: bool = True
    is_queued: bool = False
    doctor: str | None = None
    """Who is waited for; None: anybody of the speciality."""
    created: int = 0
    made: int = 0
    refused: tuple[str, ...] = ()
    """Slots that were offered in vain, sorted."""
    is_unseen: bool = False
    """It began to wait while other deeds were under way, and these do not see it yet."""

    def ended(self) -> "Visit":
        return Visit(self.id, self.patient, "cancelled", made=self.made)

    def lapsed(self) -> "Visit":
        """As it goes on when its hold or offer was not taken."""
        if self.status == "pending":
            return self.ended()
        made = self.made + 1
        if made >= OFFERS:
            return replace(self, made=made).ended()
        refused = tuple(sorted({*self.refused, *self.slots}))
        return replace(
            self, status="waitlist", slots=(), expires=None, made=made, refused=refused
        )


@dataclass(frozen=True, slots=True)
class State:
    """Everything at one moment."""

    places: tuple[tuple[str, str], ...]
    """Slot and status, sorted."""
    visits: tuple[Visit, ...]
    """Sorted."""


class Play:
    """A state that deeds are done to."""

    def __init__(
        self, spots: Mapping[str, Spot], state: State, now: int, *, hides: bool = False
    ) -> None:
        """`hides`: who begins to wait is not seen by others yet."""
        self._hides = hides
        self.spots = spots
        self.now = now
        self.restore(state)

    def restore(self, state: State) -> None:
        """Forget what was done since `state`."""
        self.places = dict(state.places)
        self.visits = {each.id: each for each in state.visits}

    def state(self) -> State:
        return State(tuple(sorted(self.places.items())), tuple(sorted(self.visits.values())))

    # What can be done ---------------------------------------------------------------------

    def take(self, visit: Visit, but: Collection[str] = ()) -> Outcome:
        """A new booking or hold."""
        if visit.by_person:
            self._check_plans(visit, {visit.id, *but})
        self._settle(None, visit)
        return self._write(visit)

    def confirm(self, id_: str) -> Outcome:
        """A hold or an offer becomes a booking."""
        before = self.visits[id_]
        if before.status == "booked":
            return "nothing"
        if before.status not in _TENTATIVE or self.is_over(before):
            raise RefusedError
        after = replace(before, status="booked", expires=None)
        after = replace(after, doctor=None, by_person=True)
        self._check_plans(after, {id_})
        self._settle(before, after)
        return self._write(after)

    def cancel(self, id_: str) -> Outcome:
        before = self.visits[id_]
        if before.status == "cancelled":
            return "nothing"
        self._settle(before, before.ended())
        return self._write(before.ended())

    def decline(self, id_: str) -> Outcome:
        before = self.visits[id_]
        if before.status != "proposed":
            return "nothing"
        self._settle(before, before.lapsed())
        return self._write(before.lapsed())

    def move(self, id_: str, visit: Visit) -> Outcome:
        """`visit` takes the place of another one."""
        before = self.visits[id_]
        if before.status != "booked" or not before.by_person:
            raise RefusedError
        self._check_plans(visit, {id_})
        self._settle(before, before.ended())
        self._write(before.ended())
        self._settle(None, visit)
        return self._write(visit)

    def join(self, entry: Visit) -> Outcome:
        waits = {"waitlist", "proposed"}
        mine = [e for e in self.visits.values() if e.patient == entry.patient]
        if any(each.is_queued and each.status in waits for each in mine):
            raise RefusedError
        for slot, status in self.places.items():
            is_free = status == "free" and self._fits(entry, slot)
            if is_free and self._allows(entry, slot) and self._is_for(entry.patient, slot):
                raise RefusedError
        return self._write(entry)

    def close(self, slot: str) -> Outcome:
        """Staff shut a place; the visits on it stay."""
        self.places[slot] = CLOSED
        return "done"

    def open(self, slot: str) -> Outcome:
        if self.places[slot] == "free":
            return "nothing"
        if self._held(slot, ""):
            raise RefusedError
        self.places[slot] = "free"
        return "done"

    def expire(self, id_: str) -> Outcome:
        """The server notes that a hold or an offer is over."""
        before = self.visits[id_]
        if not self.is_over(before):
            return "nothing"
        self._settle(before, before.lapsed())
        return self._write(before.lapsed())

    def offer(self, slot: str) -> Outcome:
        """The server offers a free place to who waits for it."""
        over = [e for e in self.visits.values() if slot in e.slots and self.is_over(e)]
        if over or self.places[slot] != "free" or not self._chosen(slot, 1, ""):
            return "nothing"
        self._fill(slot, self._held(slot, ""), "")
        return "done"

    def is_over(self, visit: Visit) -> bool:
        """Whether it kept places for a time that has passed."""
        is_kept = visit.status in _TENTATIVE and visit.expires is not None
        return is_kept and (visit.expires or 0) <= self.now

    # The rules ----------------------------------------------------------------------------

    def _write(self, visit: Visit) -> Outcome:
        is_unseen = self._hides and visit.status == "waitlist"
        self.visits[visit.id] = replace(visit, is_unseen=is_unseen)
        return "done"

    def _taken(self, visit: Visit | None) -> dict[str, str]:
        if visit is None or visit.status not in _AHEAD or self.is_over(visit):
            return {}
        return dict.fromkeys(visit.slots, "firm" if visit.status in _FIRM else "tentative")

    def _held(self, slot: str, but: str) -> list[str]:
        """How `slot` is held by others than the visit `but`."""
        others = (self._taken(each) for each in self.visits.values() if each.id != but)
        return [each[slot] for each in others if slot in each]

    def _settle(self, before: Visit | None, after: Visit) -> None:
        old, new = self._taken(before), self._taken(after)
        stale = before.slots if before is not None and self.is_over(before) else ()
        if old == new and not stale:
            return
        own = after.id if before is None else before.id
        touched = {*old, *new, *stale}
        for each in list(self.visits.values()):
            if each.id != own and self.is_over(each) and touched & {*each.slots}:
                self._write(each.lapsed())
        for slot in sorted(touched):
            held = self._held(slot, own)
            if slot not in new:
                self._fill(slot, held, "" if before is None else before.patient)
                continue
            if slot not in old:
                is_full = len(held) >= self.spots[slot].capacity
                if is_full or self.places[slot] == CLOSED:
                    raise RefusedError
                if after.by_person and not self._is_for(after.patient, slot):
                    raise RefusedError
            self._mark(slot, [*held, new[slot]])

    def _fill(self, slot: str, held: list[str], but: str) -> None:
        for each in self._chosen(slot, self.spots[slot].capacity - len(held), but):
            until = self.now + OFFER
            self._write(replace(each, status="proposed", slots=(slot,), expires=until))
            held = [*held, "tentative"]
        self._mark(slot, held)

    def _mark(self, slot: str, held: Sequence[str]) -> None:
        if self.places[slot] == CLOSED:
            return
        is_full = len(held) >= self.spots[slot].capacity
        full = "busy" if all(each == "firm" for each in held) else "busy-tentative"
        self.places[slot] = full if is_full else "free"

    def _chosen(self, slot: str, seats: int, but: str) -> Sequence[Visit]:
        """The first ones in line for `slot` who can come."""
        if self.places[slot] == CLOSED or seats <= 0:
            return ()
        line = [
            each
            for each in self.visits.values()
            if each.status == "waitlist" and each.patient != but and self._fits(each, slot)
            if not each.is_unseen
        ]
        line.sort(key=lambda each: (each.created, each.id))
        return [each for each in line if self._allows(each, slot)][:seats]

    def _fits(self, entry: Visit, slot: str) -> bool:
        wanted = entry.doctor in (None, self.spots[slot].doctor)
        return wanted and slot not in entry.refused

    def _is_for(self, patient: str, slot: str) -> bool:
        """Whether nobody else is the first in line for `slot`."""
        return all(each.patient == patient for each in self._chosen(slot, 1, ""))

    def _allows(self, entry: Visit, slot: str) -> bool:
        try:
            self._check_plans(replace(entry, slots=(slot,)), {entry.id})
        except RefusedError:
            return False
        return True

    def _check_plans(self, visit: Visit, but: Collection[str]) -> None:
        """No two visits at a time, and not too many."""
        ahead = [
            each
            for each in self.visits.values()
            if each.patient == visit.patient and each.id not in but and self._taken(each)
        ]
        if len(ahead) >= MOST_AHEAD:
            raise RefusedError
        start, end = self.span(visit)
        for each in ahead:
            begins, ends = self.span(each)
            if begins < end and start < ends:
                raise RefusedError

    def span(self, visit: Visit) -> tuple[int, int]:
        """From when until when it lasts."""
        spots = [self.spots[each] for each in visit.slots]
        return min(each.start for each in spots), max(each.end for each in spots)


Deed = Callable[[Play], Outcome]


@dataclass(frozen=True, slots=True)
class Done:
    """A deed and what was answered."""

    deed: Deed
    answers: frozenset[Outcome]
    """What it can have been."""
    is_optional: bool = False
    """It may not have come about at all."""


def orders(
    spots: Mapping[str, Spot], state: State, now: int, done: Sequence[Done]
) -> Iterator[State]:
    """What may be there when all of `done` was done, in any order that explains the answers;
    each state once.

    A unit looks at the queue as it was when the unit began. Who begins to wait meanwhile may
    be overlooked, and is offered what is free a little later, by `offer`.
    """
    needed = frozenset(n for n, each in enumerate(done) if not each.is_optional)
    ways = (False, True) if len(done) > 1 else (False,)
    seen: set[tuple[State, frozenset[int]]] = set()
    found: set[State] = set()
    rest = [(state, frozenset(range(len(done))))]
    while rest:
        here = rest.pop()
        if here in seen:
            continue
        seen.add(here)
        before, left = here
        shown = _shown(before)
        if not left & needed and shown not in found:
            found.add(shown)
            yield shown
        for place in left:
            for hides in ways:
                play = Play(spots, before, now, hides=hides)
                if _is_explained(play, done[place]):
                    rest.append((play.state(), left - {place}))


def _is_explained(play: Play, done: Done) -> bool:
    """Whether the deed, now done to `play`, would have been answered so."""
    before = play.state()
    outcome: Outcome
    try:
        outcome = done.deed(play)
    except RefusedError:
        outcome = "refused"
        play.restore(before)
    return outcome in done.answers and not (done.is_optional and outcome != "done")


def _shown(state: State) -> State:
    visits = (replace(each, is_unseen=False) for each in state.visits)
    return State(state.places, tuple(sorted(visits)))


def problems(spots: Mapping[str, Spot], state: State, now: int) -> Iterator[str]:
    """What must not be, whatever the model says."""
    play = Play(spots, state, now)
    live = [each for each in state.visits if each.status != "cancelled"]
    for slot, status in state.places:
        on = [e for e in live if slot in e.slots]
        held = [each for each in on if not play.is_over(each)]
        if len(held) > spots[slot].capacity:
            yield f"{slot} has more visits than places: {held}"
        if len(held) == len(on) and status != CLOSED and status != _status(spots[slot], held):
            yield f"{slot} is {status} with {held}"
    for each in live:
        if each.status in {"pending", "proposed"} and (each.expires is None or not each.slots):
            yield f"a hold without an end, or of nothing: {each}"
        if each.status == "waitlist" and (each.slots or each.expires is not None):
            yield f"half an offer: {each}"
    waits = Counter(e.patient for e in live if e.is_queued and e.status != "booked")
    yield from (f"{who} waits {n} times" for who, n in waits.items() if n > 1)
    ahead = [e for e in live if e.slots and not play.is_over(e)]
    for n, one in enumerate(ahead):
        for other in ahead[:n]:
            (a, b), (c, d) = play.span(one), play.span(other)
            if one.patient == other.patient and one.by_person and a < d and c < b:
                yield f"in two places: {one}, {other}"


def _status(spot: Spot, held: Sequence[Visit]) -> str:
    if len(held) < spot.capacity:
        return "free"
    return "busy" if all(each.status == "booked" for each in held) else "busy-tentative"
