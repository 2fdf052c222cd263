"""Whose places they are, and by which rules: several Schedules, asked for together.

https://hl7.org/fhir/R4/schedule.html
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fhir_server.cabinet.booking.policy import BookingPolicy, merged
from fhir_server.core import references
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Context
from fhir_server.search.plan import UNRESTRICTED, Ids, Restriction

_ACTORS: Final = frozenset(
    {"Practitioner", "PractitionerRole", "Location", "HealthcareService", "Device"}
)


_DEFAULT: Final = BookingPolicy()


@dataclass(frozen=True, slots=True)
class Calendar:
    """A Schedule, with what belongs to it."""

    schedule: JsonObject | None
    """None: it is not there for this caller."""
    actors: Sequence[JsonObject] = ()
    """References to those on this server, each once."""
    policy: BookingPolicy = _DEFAULT


async def calendars(ctx: Context, ids: Iterable[str]) -> Mapping[str, Calendar]:
    """Those with the logical `ids`, as far as the caller may read them."""
    found = await _read(ctx, "Schedule", ids, ctx.rights.read)
    # Rules of the house: no caller has to see them for them to hold.
    named = [each.get("reference", "") for s in found.values() for each in s.get("actor", ())]
    services = await _read(ctx, "HealthcareService", _ids(ctx, "HealthcareService", named))
    owners = [each.get("providedBy", {}).get("reference", "") for each in services.values()]
    organizations = await _read(ctx, "Organization", _ids(ctx, "Organization", owners))
    default = BookingPolicy(zone=ctx.services.zone)

    def calendar(schedule: JsonObject) -> Calendar:
        actors = dict(_actors(ctx, schedule))
        own = [
            services[id_] for id_ in _ids(ctx, "HealthcareService", actors) if id_ in services
        ]
        above = [each.get("providedBy", {}).get("reference", "") for each in own]
        over = _ids(ctx, "Organization", above)
        rules = [*own, *(organizations[id_] for id_ in over if id_ in organizations)]
        return Calendar(schedule, list(actors.values()), merged(default, schedule, *rules))

    return {id_: calendar(schedule) for id_, schedule in found.items()}


def _actors(ctx: Context, schedule: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    for actor in schedule.get("actor", ()):
        found = references.parse(actor.get("reference", ""), ctx.services.base_url)
        if found.kind == "local" and found.type in _ACTORS:
            kept = {k: v for k, v in actor.items() if k in ("reference", "display")}
            yield found.target, kept


def _ids(ctx: Context, kind: str, named: Iterable[str]) -> Sequence[str]:
    found: dict[str, None] = {}
    for text in named:
        each = references.parse(text, ctx.services.base_url)
        if each.kind == "local" and each.type == kind and each.id is not None:
            found[each.id] = None
    return list(found)


async def _read(
    ctx: Context, kind: str, ids: Iterable[str], within: Restriction = UNRESTRICTED
) -> Mapping[str, JsonObject]:
    wanted = tuple(dict.fromkeys(ids))
    if not wanted:
        return {}
    rows = await ctx.reads.find(kind, Ids(wanted), limit=len(wanted), within=within)
    depth = ctx.services.limits.depth
    return {row.id: loads(row.body, max_depth=depth) for row in rows}
