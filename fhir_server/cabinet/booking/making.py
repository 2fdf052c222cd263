"""The Appointment that a wish means: its times, people and speciality are those of its places.

https://hl7.org/fhir/R4/appointment.html
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from fhir_server.cabinet.booking import refusals
from fhir_server.cabinet.booking.names import REPLACES
from fhir_server.core import references
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Context

_OF_SLOT: Final = ("serviceCategory", "serviceType", "specialty", "appointmentType")
_ACTORS: Final = frozenset(
    {"Practitioner", "PractitionerRole", "Location", "HealthcareService", "Device"}
)


async def made(
    ctx: Context,
    wish: JsonObject,
    slots: Sequence[str],
    patient: str,
    status: str,
    replaced: str | None = None,
) -> JsonObject:
    """An Appointment of `patient` on `slots` (logical ids, at least one), with what else the
    `wish` says.

    Raises:
        Conflict: a Slot is not there for this caller.
    """
    found = [await _read(ctx, "Slot", each) for each in slots]
    places = [each for each in found if each is not None]
    if not places or len(places) < len(slots):
        raise refusals.taken()
    actors = await _actors(ctx, places)
    return {
        **_of_slots(places),
        **wish,
        "resourceType": "Appointment",
        **({} if replaced is None else _replacing(wish, replaced)),
        "status": status,
        "start": min(each["start"] for each in places),
        "end": max(each["end"] for each in places),
        "slot": [{"reference": f"Slot/{each}"} for each in slots],
        "participant": [
            {"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"},
            *({"actor": each, "status": "accepted"} for each in actors),
        ],
    }


def _of_slots(places: Sequence[JsonObject]) -> JsonObject:
    first = places[0]
    return {name: first[name] for name in _OF_SLOT if name in first}


def _replacing(wish: JsonObject, replaced: str) -> JsonObject:
    others = [each for each in wish.get("extension", ()) if each.get("url") != REPLACES]
    reference = {"reference": f"Appointment/{replaced}"}
    return {"extension": [*others, {"url": REPLACES, "valueReference": reference}]}


async def _actors(ctx: Context, places: Sequence[JsonObject]) -> Sequence[JsonObject]:
    """Who and what the schedules of the places are of, each once."""
    found: dict[str, JsonObject] = {}
    for schedule in dict.fromkeys(each["schedule"].get("reference", "") for each in places):
        named = references.parse(schedule, ctx.services.base_url)
        if named.kind != "local" or named.id is None:
            continue
        resource = await _read(ctx, "Schedule", named.id)
        for text, actor in _named(ctx, resource):
            found.setdefault(text, actor)
    return list(found.values())


def _named(ctx: Context, schedule: JsonObject | None) -> Iterator[tuple[str, Any]]:
    for actor in (schedule or {}).get("actor", ()):
        found = references.parse(actor.get("reference", ""), ctx.services.base_url)
        if found.kind == "local" and found.type in _ACTORS:
            yield (
                found.target,
                {k: v for k, v in actor.items() if k in ("reference", "display")},
            )


async def _read(ctx: Context, kind: str, id_: str) -> JsonObject | None:
    found = await ctx.reads.read(kind, id_, within=ctx.rights.read)
    if found is None or found.deleted:
        return None
    return loads(found.body, max_depth=ctx.services.limits.depth)
