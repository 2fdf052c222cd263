"""A place: what booking looks at in a Slot, and what its visits make of its status.

https://hl7.org/fhir/R4/slot.html
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from fhir_server.cabinet.booking.names import CAPACITY, CHANNEL
from fhir_server.cabinet.booking.visits import Hold, moment
from fhir_server.core import references
from fhir_server.core.types import JsonObject

FREE: Final = "free"
CLOSED: Final = frozenset({"busy-unavailable", "entered-in-error"})
"""Statuses that the clinic sets and no visit changes."""


@dataclass(frozen=True, slots=True)
class Place:
    """A Slot, read."""

    id: str
    status: str
    start: int
    """Milliseconds since 1970, as `end`."""
    end: int
    schedule: str | None
    """Logical id of the local Schedule."""
    capacity: int
    """Visits it takes."""
    channels: frozenset[str]
    """Ways by which it may be booked; none named: all."""
    specialty: tuple[JsonObject, ...] = ()
    """CodeableConcepts of its own; none: those of its Schedule."""
    services: tuple[JsonObject, ...] = ()
    """Its `serviceType`, likewise."""


def place_of(resource: JsonObject, *bases: str) -> Place:
    """Read a Slot, which is valid."""
    named = references.parse(resource["schedule"].get("reference", ""), *bases)
    extensions = resource.get("extension", ())
    found = [each["valuePositiveInt"] for each in extensions if each.get("url") == CAPACITY]
    return Place(
        id=resource.get("id", ""),
        status=resource["status"],
        start=moment(resource["start"]) or 0,
        end=moment(resource["end"]) or 0,
        schedule=named.id if named.kind == "local" else None,
        capacity=int(found[0]) if found else 1,
        channels=frozenset(e["valueCode"] for e in extensions if e.get("url") == CHANNEL),
        specialty=tuple(resource.get("specialty", ())),
        services=tuple(resource.get("serviceType", ())),
    )


def status_under(place: Place, holds: Collection[Hold]) -> str:
    """The status of `place` under visits that hold it so, none of them `none`."""
    if place.status in CLOSED:
        return place.status
    if len(holds) < place.capacity:
        return FREE
    return "busy" if all(each == "firm" for each in holds) else "busy-tentative"
