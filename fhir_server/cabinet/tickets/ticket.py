"""What a ticket tells of a visit. Pure.

https://hl7.org/fhir/R4/appointment.html
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone, tzinfo
from typing import Final, Literal
from zoneinfo import ZoneInfo

from fhir_server.cabinet.booking.names import TICKET
from fhir_server.cabinet.booking.visits import extension, moment
from fhir_server.core import references
from fhir_server.core.types import JsonObject

State = Literal["coming", "cancelled"]

_STATES: Final[Mapping[str, State]] = {
    "booked": "coming",
    "arrived": "coming",
    "checked-in": "coming",
    "fulfilled": "coming",
    "cancelled": "cancelled",
    "noshow": "coming",
}
"""Statuses of visits that have a ticket: what is only held or wished for has none."""

_DOCTORS: Final = ("Practitioner", "PractitionerRole")
_SERVICES: Final = ("HealthcareService",)

_TELLABLE: Final = range(-62_135_510_400_000, 253_402_128_000_000)
"""Milliseconds since 1970 of which the calendar has the day in every zone."""

Known = Mapping[str, JsonObject]
"""Resources by `Type/id`, as far as the caller may read them."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A room or a building."""

    name: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A visit, read; what is not known is empty."""

    id: str
    state: State
    number: str | None
    start: int
    """Milliseconds since 1970, as `end` and `changed`."""
    end: int
    zone: tzinfo
    """The clinic's; as text its IANA name, or an offset: `UTC+03:00`."""
    version: int
    """Of the Appointment: 1, 2, 3 …"""
    changed: int
    patients: tuple[str, ...] = ()
    doctors: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    specialities: tuple[str, ...] = ()
    places: tuple[Whereabouts, ...] = ()
    instruction: str = ""


def named(resource: JsonObject, kinds: Iterable[str], *bases: str) -> Sequence[str]:
    """`Type/id` of the local participants of these types, each once."""
    found = (target for target, _ in _actors(resource, bases))
    wanted = frozenset(kinds)
    return list(dict.fromkeys(each for each in found if each.partition("/")[0] in wanted))


def ticket_of(
    resource: JsonObject,
    known: Known,
    zone: tzinfo,
    stamp: tuple[int, int],
    *bases: str,
) -> Ticket | None:
    """Read an Appointment, which is valid; `stamp` is its version and when that was made.

    None: it is not booked, or has no time, or one at an end of the calendar.
    """
    state = _STATES.get(resource["status"])
    start, end = moment(resource.get("start")), moment(resource.get("end"))
    if state is None or start is None or end is None:
        return None
    if not all(each in _TELLABLE for each in (start, end)):
        return None
    actors = list(_actors(resource, bases))

    def names(kinds: Sequence[str]) -> tuple[str, ...]:
        found = (
            display or name_of(known.get(target, {}))
            for target, display in actors
            if target.partition("/")[0] in kinds
        )
        return tuple(dict.fromkeys(each for each in found if each))

    return Ticket(
        id=resource["id"],
        state=state,
        number=extension(resource, TICKET),
        start=start,
        end=end,
        zone=zone,
        version=stamp[0],
        changed=stamp[1],
        patients=names(("Patient",)),
        doctors=names(_DOCTORS),
        services=names(_SERVICES),
        specialities=tuple(_words(resource.get("specialty", ()))),
        places=tuple(dict.fromkeys(_places(actors, known, bases))),
        instruction=resource.get("patientInstruction", ""),
    )


def zone_of(resource: JsonObject, ruled: str, default: str) -> tzinfo:
    """Where an Appointment takes place: `ruled`, the zone that the clinic has set; without one
    (empty) the offset with which its system wrote the time; else the operator's `default`."""
    if ruled:
        return ZoneInfo(ruled)
    try:
        offset = datetime.fromisoformat(resource.get("start", "")).utcoffset()
    except ValueError:
        offset = None
    return timezone(offset) if offset else ZoneInfo(default)


def located(role: JsonObject, *bases: str) -> Sequence[str]:
    """`Location/id` of where a PractitionerRole works."""
    found = (
        references.parse(each.get("reference", ""), *bases) for each in role.get("location", ())
    )
    return [each.target for each in found if each.kind == "local" and each.type == "Location"]


def name_of(resource: JsonObject) -> str:
    """What a person, place or service is called."""
    found = resource.get("name", "")
    if isinstance(found, str):
        who: JsonObject = resource.get("practitioner", {})
        return found or str(who.get("display", ""))
    return next((text for text in map(_human, found) if text), "")


def _human(name: JsonObject) -> str:
    if name.get("text"):
        return str(name["text"])
    return " ".join([*filter(None, [name.get("family", "")]), *name.get("given", ())])


def _actors(resource: JsonObject, bases: Sequence[str]) -> Iterator[tuple[str, str]]:
    for each in resource.get("participant", ()):
        actor = each.get("actor", {})
        found = references.parse(actor.get("reference", ""), *bases)
        if found.kind == "local":
            yield found.target, actor.get("display", "")


def _places(
    actors: Sequence[tuple[str, str]], known: Known, bases: Sequence[str]
) -> Iterator[Whereabouts]:
    """Those that the visit names, or else those where its doctors work."""
    own = [(target, display) for target, display in actors if target.startswith("Location/")]
    roles = [known[target] for target, _ in actors if target in known]
    there = [(target, "") for role in roles for target in located(role, *bases)]
    for target, display in own or there:
        found = known.get(target, {})
        place = Whereabouts(display or name_of(found), _address(found.get("address", {})))
        if place.name or place.address:
            yield place


def _address(address: JsonObject) -> str:
    if address.get("text"):
        return str(address["text"])
    parts = [*address.get("line", ()), address.get("city"), address.get("postalCode")]
    return ", ".join(each for each in parts if each)


def _words(concepts: Iterable[JsonObject]) -> Iterator[str]:
    for each in concepts:
        codings = each.get("coding", ())
        word = each.get("text") or next((c["display"] for c in codings if "display" in c), "")
        if word:
            yield str(word)
