"""The Appointment that a wish means: its times, people and speciality are those of its places.

https://hl7.org/fhir/R4/appointment.html
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from fhir_server.cabinet.booking import refusals
from fhir_server.cabinet.booking.calendars import Calendar, calendars
from fhir_server.cabinet.booking.names import MINE, REPLACES, REQUIRES
from fhir_server.cabinet.booking.numbering import note_day
from fhir_server.cabinet.booking.proposals import concepts
from fhir_server.cabinet.booking.slots import FREE, place_of
from fhir_server.cabinet.booking.visits import visit_of
from fhir_server.core import references
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Context
from fhir_server.search import keys
from fhir_server.search.begins import between
from fhir_server.search.plan import And, Keys

_MOST: Final = 200
"""Slots between two times that are looked at."""
_CARRIED: Final[tuple[str, ...]] = (
    "description",
    "reasonCode",
    "reasonReference",
    "supportingInformation",
    "basedOn",
    "comment",
    "patientInstruction",
)
"""What a visit keeps when it is moved."""


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
    known = await calendars(ctx, _schedules(ctx, places))
    first = next(iter(_schedules(ctx, places[:1])), "")
    general = known[first].schedule if first in known else None
    _note_days(ctx, places, known)
    return {
        **concepts(places[0], general),
        **_without_notes(wish),
        "resourceType": "Appointment",
        **({} if replaced is None else _replacing(wish, replaced)),
        "status": status,
        "start": min(each["start"] for each in places),
        "end": max(each["end"] for each in places),
        "slot": [{"reference": f"Slot/{each}"} for each in slots],
        "participant": [
            {"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"},
            *({"actor": each, "status": "accepted"} for each in _all_actors(known.values())),
        ],
    }


def _note_days(
    ctx: Context, places: Sequence[JsonObject], known: Mapping[str, Calendar]
) -> None:
    for each in places:
        place = place_of(each, ctx.services.base_url)
        calendar = known.get(place.schedule or "")
        if calendar is not None:
            note_day(ctx, place, calendar.policy)


async def moved(ctx: Context, resource: JsonObject, slots: Sequence[str]) -> JsonObject:
    """The Appointment that takes the place of `resource`, a stored one, on `slots`.

    Raises:
        BusinessRule: no Slot is named, or it is not a visit of one patient.
        Conflict: a Slot is not there for this caller.
    """
    patients = visit_of(resource, ctx.services.base_url).patients
    if not slots or len(patients) != 1:
        raise refusals.no_place()
    kept = {name: resource[name] for name in _CARRIED if name in resource}
    return await made(ctx, kept, slots, patients[0], "booked", resource["id"])


def _without_notes(wish: JsonObject) -> JsonObject:
    """What `$find` told with a proposal is not part of the visit."""
    kept = [e for e in wish.get("extension", ()) if e.get("url") not in (MINE, REQUIRES)]
    others = {name: value for name, value in wish.items() if name != "extension"}
    return {**others, **({"extension": kept} if kept else {})}


def _replacing(wish: JsonObject, replaced: str) -> JsonObject:
    dropped = (REPLACES, MINE, REQUIRES)
    others = [each for each in wish.get("extension", ()) if each.get("url") not in dropped]
    reference = {"reference": f"Appointment/{replaced}"}
    return {"extension": [*others, {"url": REPLACES, "valueReference": reference}]}


def _schedules(ctx: Context, places: Sequence[JsonObject]) -> Sequence[str]:
    """Logical ids of the Schedules of the places, each once."""
    named = [each["schedule"].get("reference", "") for each in places]
    found = [references.parse(each, ctx.services.base_url) for each in named]
    ids = [each.id for each in found if each.kind == "local" and each.id is not None]
    return list(dict.fromkeys(ids))


def _all_actors(known: Iterable[Calendar]) -> Iterable[JsonObject]:
    """Who and what the schedules are of, each once."""
    found = {each["reference"]: each for calendar in known for each in calendar.actors}
    return found.values()


async def _read(ctx: Context, kind: str, id_: str) -> JsonObject | None:
    found = await ctx.reads.read(kind, id_, within=ctx.rights.read)
    if found is None or found.deleted:
        return None
    return loads(found.body, max_depth=ctx.services.limits.depth)


async def slots_between(
    ctx: Context, schedule: str, start: int | None, end: int | None
) -> Sequence[str]:
    """The free Slots of a Schedule that fill the time from `start` to `end` (milliseconds
    since 1970), one behind the other, as ISiK has it.

    Raises:
        Conflict: there are none.
    """
    if start is None or end is None:
        raise refusals.no_place()
    where = And((
        Keys("references", (keys.reference("schedule", f"Schedule/{schedule}"),)),
        Keys("tokens", (keys.token("status", None, FREE),)),
        between(start, end),
    ))  # fmt: skip
    rows = await ctx.reads.find("Slot", where, limit=_MOST, within=ctx.rights.search)
    depth = ctx.services.limits.depth
    slots = [place_of({**loads(row.body, max_depth=depth), "id": row.id}) for row in rows]
    found: list[str] = []
    for each in sorted(slots, key=lambda each: (each.start, -each.end)):
        if each.start == start and each.end <= end:
            found.append(each.id)
            start = each.end
    if start != end:
        raise refusals.taken("Appointment.start")
    return found
