"""A visit: what booking looks at in an Appointment.

https://hl7.org/fhir/R4/appointment.html
https://profiles.ihe.net/ITI/Scheduling/
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from fhir_server.cabinet.booking.names import BOOKED_BY, CHANNEL, HOLD_EXPIRES, TICKET, WAITLIST
from fhir_server.core import references
from fhir_server.core.datetimes import parse_interval
from fhir_server.core.types import JsonObject

Hold = Literal["none", "tentative", "firm"]
"""What a visit does to its places."""

OFFER_EXPIRES: Final = "offerExpires"
"""The part of WAITLIST that says until when an offer can be answered."""

_TENTATIVE: Final = frozenset({"proposed", "pending"})
_FIRM: Final = frozenset({"booked", "arrived", "checked-in", "fulfilled", "noshow"})

AHEAD: Final = frozenset({"proposed", "pending", "booked"})
"""Statuses of what is still to come."""


@dataclass(frozen=True, slots=True)
class Visit:
    """An Appointment, read."""

    id: str
    status: str
    slots: tuple[str, ...] = ()
    """Logical ids of the local Slots it takes, each once."""
    start: int | None = None
    """Milliseconds since 1970, as `end`."""
    end: int | None = None
    patients: tuple[str, ...] = ()
    """Logical ids."""
    actors: tuple[str, ...] = ()
    """`Practitioner/x`, `PractitionerRole/y`, … of all participants but the patients."""
    specialities: frozenset[tuple[str, str]] = frozenset()
    """System and code."""
    expires: int | None = None
    """When a hold or an offer ends, in milliseconds since 1970."""
    channel: str | None = None
    booked_by: str | None = None
    """A reference."""
    referrals: tuple[str, ...] = ()
    """Logical ids of local ServiceRequests that it is based on."""
    contracts: tuple[str, ...] = ()
    """Logical ids of local Contracts that it names."""
    services: frozenset[tuple[str, str]] = frozenset()
    """System and code of its service types."""
    ticket: str | None = None
    """Its number."""
    is_queued: bool = False
    """It waits for a place, or has waited."""
    requested: tuple[str, ...] = ()
    """Begins and ends of the periods in which a place is waited for, as they were written."""

    @property
    def is_offer(self) -> bool:
        """Whether the queue has offered it a place that it has not answered yet."""
        return self.is_queued and self.status == "proposed" and bool(self.slots)

    def holds(self, now: int) -> Hold:
        """What it does to its places at `now` (milliseconds since 1970)."""
        if self.status in _FIRM:
            return "firm"
        if self.status in _TENTATIVE and not self.is_expired(now):
            return "tentative"
        return "none"

    def is_expired(self, now: int) -> bool:
        """Whether it kept its places for a time that is over."""
        return (
            self.status in _TENTATIVE
            and bool(self.slots)
            and self.expires is not None
            and self.expires <= now
        )

    def places(self, now: int) -> Mapping[str, Hold]:
        """Slots it takes at `now`, with how."""
        hold = self.holds(now)
        return {} if hold == "none" else dict.fromkeys(self.slots, hold)


def visit_of(resource: JsonObject, *bases: str) -> Visit:
    """Read an Appointment, which is valid; references below `bases` are local.

    Sizes: any; what is absent is empty.
    """
    actors = tuple(_actors(resource, bases))
    queued = whole_extension(resource, WAITLIST)
    offered = None if queued is None else extension(queued, OFFER_EXPIRES)
    return Visit(
        id=resource.get("id", ""),
        status=resource["status"],
        slots=tuple(dict.fromkeys(_ids("Slot", resource.get("slot", ()), bases))),
        start=moment(resource.get("start")),
        end=moment(resource.get("end")),
        patients=tuple(dict.fromkeys(_named("Patient", actors))),
        actors=tuple(each for each in actors if not each.startswith("Patient/")),
        specialities=frozenset(codings(resource.get("specialty", ()))),
        expires=moment(extension(resource, HOLD_EXPIRES) or offered),
        channel=extension(resource, CHANNEL),
        booked_by=(extension(resource, BOOKED_BY) or {}).get("reference"),
        referrals=tuple(_ids("ServiceRequest", resource.get("basedOn", ()), bases)),
        contracts=tuple(_ids("Contract", resource.get("supportingInformation", ()), bases)),
        services=frozenset(codings(resource.get("serviceType", ()))),
        ticket=extension(resource, TICKET),
        is_queued=queued is not None or resource["status"] == "waitlist",
        requested=tuple(
            f"{each.get('start')} {each.get('end')}"
            for each in resource.get("requestedPeriod", ())
        ),
    )


def moment(text: str | None) -> int | None:
    """An instant or dateTime as milliseconds since 1970."""
    return None if text is None else parse_interval(text).lo


def extension(element: JsonObject, url: str) -> Any:
    """The value of the first extension `url` on `element`, or None."""
    for each in element.get("extension", ()):
        if each.get("url") == url:
            return next((v for k, v in each.items() if k.startswith("value")), None)
    return None


def whole_extension(element: JsonObject, url: str) -> JsonObject | None:
    """The first extension `url` on `element`."""
    return next((e for e in element.get("extension", ()) if e.get("url") == url), None)


def codings(concepts: Sequence[JsonObject]) -> Iterator[tuple[str, str]]:
    """System and code of every coding of the CodeableConcepts."""
    for concept in concepts:
        for coding in concept.get("coding", ()):
            if "code" in coding:
                yield coding.get("system", ""), coding["code"]


def _actors(resource: JsonObject, bases: Sequence[str]) -> Iterator[str]:
    for each in resource.get("participant", ()):
        found = references.parse(each.get("actor", {}).get("reference", ""), *bases)
        if found.kind == "local":
            yield f"{found.type}/{found.id}"


def _named(kind: str, actors: Sequence[str]) -> Iterator[str]:
    for each in actors:
        name, _, id_ = each.partition("/")
        if name == kind:
            yield id_


def _ids(kind: str, given: Sequence[JsonObject], bases: Sequence[str]) -> Iterator[str]:
    for each in given:
        found = references.parse(each.get("reference", ""), *bases)
        if found.kind == "local" and found.type == kind and found.id is not None:
            yield found.id
