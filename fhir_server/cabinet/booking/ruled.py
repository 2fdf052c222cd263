"""The rules that a visit is held to: those of every Schedule that its places are of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_server.cabinet.booking.policies import Look, Ruling
from fhir_server.cabinet.booking.policy import BookingPolicy
from fhir_server.cabinet.booking.slots import Place
from fhir_server.cabinet.booking.visits import AHEAD, Visit, codings
from fhir_server.core.types import JsonObject
from fhir_server.interactions.said import Said


@dataclass(frozen=True, slots=True)
class Ruled:
    """Places of one Schedule under its rules."""

    policy: BookingPolicy
    places: tuple[Place, ...] = ()
    specialty: tuple[JsonObject, ...] = ()
    """What they are for, as CodeableConcepts: their own word, or else the Schedule's."""
    services: tuple[JsonObject, ...] = ()
    """Their service types, likewise."""


async def ruled(rules: Look, places: Iterable[Place]) -> Sequence[Ruled]:
    """`places` by Schedule, in the order of its id; without any the operator's rules."""
    by_schedule: dict[str, list[Place]] = {}
    for place in places:
        by_schedule.setdefault(place.schedule or "", []).append(place)
    found = [
        _together(await rules.ruling(schedule or None), here)
        for schedule, here in sorted(by_schedule.items())
    ]
    return found or [Ruled(await rules.of(None))]


def _together(ruling: Ruling, places: Sequence[Place]) -> Ruled:
    general = ruling.schedule or {}

    def said(own: Iterable[Sequence[JsonObject]], name: str) -> tuple[JsonObject, ...]:
        both = (concept for each in own for concept in each or general.get(name, ()))
        return tuple(_each_once(both))

    return Ruled(
        ruling.policy,
        tuple(places),
        said((each.specialty for each in places), "specialty"),
        said((each.services for each in places), "serviceType"),
    )


def specialty_said(
    resource: JsonObject | None, visit: Visit | None, found: Iterable[Ruled]
) -> Said:
    """The `specialty` of what a person takes: that of the places, whatever else it names.

    Limits count by it, so that it cannot be left out.
    """
    if resource is None or visit is None or visit.status not in AHEAD or not visit.slots:
        return Said()
    own = resource.get("specialty", [])
    lacking = [
        concept
        for each in found
        for concept in each.specialty
        if not visit.specialities.issuperset(codings([concept]))
    ]
    return Said(elements={"specialty": [*own, *_each_once(lacking)]}) if lacking else Said()


def _each_once(concepts: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    for each in concepts:
        if each not in found:
            found.append(each)
    return found
