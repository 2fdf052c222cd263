"""A place in the queue: an Appointment that waits, and what an offer and its answer make of it.

The extension `waitlist` is the server's memory of it: what is waited for, how many offers
there were and may be, until when the present one can be answered, which Slots were refused,
and how many participants were there before the offer.

https://hl7.org/fhir/R4/appointment.html#statuses
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any, Final

from fhir_server.cabinet.booking.names import CANCELLATIONS, EXHAUSTED, WAITLIST
from fhir_server.cabinet.booking.slots import Place
from fhir_server.cabinet.booking.visits import (
    OFFER_EXPIRES,
    Visit,
    extension,
    moment,
    visit_of,
    whole_extension,
)
from fhir_server.core.datetimes import Interval, format_instant, parse_interval
from fhir_server.core.types import JsonObject

_OF_OFFER: Final = frozenset({"start", "end", "slot", "minutesDuration"})
_DOCTORS: Final = ("Practitioner/", "PractitionerRole/")
_LAST: Final = 9
"""The lowest priority of iCalendar; behind it is who has none."""


@dataclass(frozen=True, slots=True)
class Served:
    """What a place is waited for by."""

    doctors: frozenset[str] = frozenset()
    """`Practitioner/x`, `PractitionerRole/y`."""
    specialities: frozenset[tuple[str, str]] = frozenset()
    """System and code."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A place in the queue, read."""

    visit: Visit
    order: tuple[int, float, str]
    """The least one is served first."""
    periods: tuple[Interval, ...]
    """When the patient would come; none: at any time."""
    doctors: frozenset[str]
    """Who is waited for; nobody: anybody of the speciality."""
    refused: frozenset[str]
    """Logical ids of Slots that were offered in vain."""

    @property
    def wanted(self) -> Served:
        """What is waited for."""
        return Served(self.doctors, self.visit.specialities)

    def fits(self, place: Place, served: Served) -> bool:
        """Whether `place`, which is a place of `served`, is one that is waited for."""
        return (
            place.id not in self.refused
            and is_for(self.wanted, served)
            and self.is_in_time(place)
        )

    def is_in_time(self, place: Place) -> bool:
        """Whether the patient would come then."""
        spans = self.periods
        return not spans or any(s.lo <= place.start and place.end <= s.hi for s in spans)


def is_for(wanted: Served, served: Served) -> bool:
    """Whether places of `served` are what is waited for: by the doctor, where one is named."""
    if wanted.doctors:
        return bool(wanted.doctors & served.doctors)
    return bool(wanted.specialities & served.specialities)


def entry_of(resource: JsonObject, *bases: str) -> Entry:
    """Read a place in the queue, a valid Appointment; references below `bases` are local."""
    visit = visit_of(resource, *bases)
    priority = int(resource.get("priority", 0))
    created = moment(resource.get("created"))
    return Entry(
        visit,
        order=(
            priority if 1 <= priority <= _LAST else _LAST + 1,
            inf if created is None else created,
            visit.id,
        ),
        periods=tuple(_span(each) for each in resource.get("requestedPeriod", ())),
        doctors=frozenset(each for each in visit.actors if each.startswith(_DOCTORS)),
        refused=frozenset(state_of(resource).refused),
    )


def _span(period: JsonObject) -> Interval:
    start, end = period.get("start"), period.get("end")
    return Interval(
        -(2**53) if start is None else parse_interval(start).lo,
        2**53 if end is None else _until(end),
    )


def _until(end: str) -> int:
    # "If the end of the period is a date, it includes that day."  (datatypes.html#Period)
    span = parse_interval(end)
    return span.lo if "T" in end else span.hi


@dataclass(frozen=True, slots=True)
class State:
    """The extension `waitlist`, read."""

    target: str | None = None
    made: int = 0
    """Offers that were not taken."""
    limit: int = 0
    """How many may be in vain; 0: any number."""
    expires: str | None = None
    """An instant."""
    own: int | None = None
    """Participants before the present offer."""
    refused: tuple[str, ...] = ()
    """Logical ids of Slots."""


def state_of(resource: JsonObject) -> State:
    """What the extension says; without one nothing was offered yet."""
    found = whole_extension(resource, WAITLIST)
    if found is None:
        return State()
    parts = found.get("extension", ())
    refused = [e["valueReference"]["reference"] for e in parts if e["url"] == "refused"]
    return State(
        extension(found, "target"),
        int(extension(found, "offersMade") or 0),
        int(extension(found, "offersLimit") or 0),
        extension(found, OFFER_EXPIRES),
        extension(found, "participants"),
        tuple(each.partition("/")[2] for each in refused),
    )


def with_state(resource: JsonObject, state: State) -> JsonObject:
    """`resource` with the extension for `state`; its other extensions stay."""
    others = [e for e in resource.get("extension", ()) if e.get("url") != WAITLIST]
    own = {"url": WAITLIST, "extension": list(_said(resource, state))}
    return {**resource, "extension": [*others, own]}


def without_state(resource: JsonObject) -> JsonObject:
    """`resource` without the extension."""
    if whole_extension(resource, WAITLIST) is None:
        return resource
    kept = [e for e in resource["extension"] if e.get("url") != WAITLIST]
    rest = {name: value for name, value in resource.items() if name != "extension"}
    return {**rest, "extension": kept} if kept else rest


def _said(resource: JsonObject, state: State) -> Iterator[JsonObject]:
    yield {"url": "target", "valueCode": state.target or target_of(resource)}
    yield {"url": "offersMade", "valueUnsignedInt": state.made}
    yield {"url": "offersLimit", "valueUnsignedInt": state.limit}
    if state.expires is not None:
        yield {"url": OFFER_EXPIRES, "valueInstant": state.expires}
    if state.own is not None:
        yield {"url": "participants", "valueUnsignedInt": state.own}
    for each in state.refused:
        yield {"url": "refused", "valueReference": {"reference": f"Slot/{each}"}}


def target_of(resource: JsonObject) -> str:
    """`practitioner` where a doctor is waited for, else `specialty`."""
    named = [e.get("actor", {}).get("reference", "") for e in resource.get("participant", ())]
    return "practitioner" if any(d in each for each in named for d in _DOCTORS) else "specialty"


def offered(
    resource: JsonObject, slot: JsonObject, actors: Sequence[JsonObject], state: State
) -> JsonObject:
    """The entry `resource` with the offer of `slot`, where `actors` are met; `state` says
    until when."""
    own: list[JsonObject] = resource["participant"]
    known = {each.get("actor", {}).get("reference") for each in own}
    added = [
        {"actor": each, "status": "accepted"}
        for each in actors
        if each["reference"] not in known
    ]
    return {
        **with_state(resource, replace(state, own=len(own), target=target_of(resource))),
        "status": "proposed",
        "start": slot["start"],
        "end": slot["end"],
        "slot": [{"reference": f"Slot/{slot['id']}"}],
        "participant": [*(_answering(each, "needs-action") for each in own), *added],
    }


def accepted(resource: JsonObject, before: JsonObject) -> JsonObject:
    """`resource` as the booking that the offer `before` becomes."""
    state = replace(state_of(before), expires=None, own=None)
    participants = [_answering(each, "accepted") for each in resource["participant"]]
    return {
        **with_state(resource, state),
        "status": "booked",
        "participant": participants,
    }


def returned(before: JsonObject, now: int, *, keep: bool, counts: bool) -> JsonObject:
    """The offer `before`, not taken: back in the queue, or out of it after the last one.

    `keep`: in its old place; `counts`: as one of the offers that there may be.
    """
    state = state_of(before)
    refused = tuple(_slots(before))
    made = state.made + counts
    is_out = bool(state.limit) and made >= state.limit
    after = replace(
        state,
        made=made,
        expires=None,
        own=None,
        refused=tuple(dict.fromkeys((*state.refused, *refused))),
    )
    rest = {name: value for name, value in before.items() if name not in _OF_OFFER}
    found: JsonObject = {
        **with_state(rest, after),
        "status": "cancelled" if is_out else "waitlist",
        "participant": [
            _answering(each, "accepted") for each in before["participant"][: state.own]
        ],
    }
    if is_out:
        found["cancelationReason"] = {
            "coding": [{"system": CANCELLATIONS, "code": EXHAUSTED}],
        }
    elif not keep:
        found["created"] = format_instant(now)
    return found


def is_out(resource: JsonObject) -> bool:
    """Whether this is an entry that had its last offer."""
    codings: Sequence[Any] = resource.get("cancelationReason", {}).get("coding", ())
    return any((c.get("system"), c.get("code")) == (CANCELLATIONS, EXHAUSTED) for c in codings)


def _slots(resource: JsonObject) -> Iterator[str]:
    for each in resource.get("slot", ()):
        yield each.get("reference", "").rpartition("/")[2]


def _answering(participant: JsonObject, status: str) -> JsonObject:
    reference = participant.get("actor", {}).get("reference", "")
    return {**participant, "status": status} if "Patient/" in reference else participant
