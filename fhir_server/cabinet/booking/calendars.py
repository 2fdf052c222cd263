"""Whose places they are, and by which rules: several Schedules, asked for together.

https://hl7.org/fhir/R4/schedule.html
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fhir_server.cabinet.booking.policy import BookingPolicy, merged
from fhir_server.cabinet.booking.policy import ruled as by_rules
from fhir_server.core import references
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Context, Services
from fhir_server.search.plan import UNRESTRICTED, Everything, Ids, Restriction, Search

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


def default_policy(services: Services) -> BookingPolicy:
    """The operator's rules, which hold where a clinic sets none."""
    return by_rules(BookingPolicy(zone=services.zone), services.booking_rules)


async def calendars(
    ctx: Context, ids: Iterable[str], seen: Mapping[str, JsonObject] | None = None
) -> Mapping[str, Calendar]:
    """Those with the logical `ids`, as far as the caller may read them; `seen`: Schedules
    that the caller has just found."""
    wanted = tuple(dict.fromkeys(ids))
    if seen and seen.keys() >= set(wanted):
        found = await ruled(ctx, wanted, seen)
    elif isinstance(ctx.rights.read.of("Schedule"), Everything):
        found = await ruled(ctx, wanted)
    else:
        seen = await _read(ctx, "Schedule", wanted, ctx.rights.read)
        found = await ruled(ctx, tuple(seen), seen)
    default = default_policy(ctx.services)
    return {
        id_: Calendar(
            schedule,
            list(dict(met(ctx, schedule)).values()),
            merged(default, schedule, *above),
        )
        for id_, (schedule, above) in found.items()
    }


Ruled = tuple[JsonObject, tuple[JsonObject, ...]]
"""A Schedule, and what else its rules may stand on, the nearest first."""


async def ruled(
    ctx: Context, ids: Sequence[str], seen: Mapping[str, JsonObject] | None = None
) -> Mapping[str, Ruled]:
    """The Schedules of `ids` that there are; what is told may be a second old. `seen`: those
    that have just been read.

    No caller has to see the house's rules for them to hold: what the caller is shown of them
    is for others to decide.
    """
    memory = ctx.services.calendars
    kept = {id_: memory.get(id_) for id_ in ids}
    found = {id_: rules for id_, rules in kept.items() if rules is not None}
    fresh = await _loaded(ctx, [id_ for id_ in ids if id_ not in found], seen)
    if ctx.unit is None:  # what a unit sees may never be
        for id_, rules in fresh.items():
            memory.put(id_, rules)
    return {**found, **fresh}


async def _loaded(
    ctx: Context, ids: Sequence[str], seen: Mapping[str, JsonObject] | None
) -> Mapping[str, Ruled]:
    known = {} if seen is None else {id_: seen[id_] for id_ in ids}
    schedules = known or await _read(ctx, "Schedule", ids)
    named = [each.get("reference", "") for s in schedules.values() for each in s["actor"]]
    services = await _read(ctx, "HealthcareService", _ids(ctx, "HealthcareService", named))
    owners = [each.get("providedBy", {}).get("reference", "") for each in services.values()]
    organizations = await _read(ctx, "Organization", _ids(ctx, "Organization", owners))

    def above(schedule: JsonObject) -> Iterator[JsonObject]:
        actors = [each.get("reference", "") for each in schedule["actor"]]
        own = [services[i] for i in _ids(ctx, "HealthcareService", actors) if i in services]
        yield from own
        over = [each.get("providedBy", {}).get("reference", "") for each in own]
        ids_ = _ids(ctx, "Organization", over)
        yield from (organizations[id_] for id_ in ids_ if id_ in organizations)

    return {id_: (each, tuple(above(each))) for id_, each in schedules.items()}


def met(ctx: Context, schedule: JsonObject | None) -> Iterator[tuple[str, JsonObject]]:
    """`Practitioner/x`, … of those whom a patient meets there, with the reference to each."""
    for actor in (schedule or {}).get("actor", ()):
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
    depth = ctx.services.limits.depth
    if len(wanted) == 1:
        one = await ctx.reads.read(kind, wanted[0], within=within)
        if one is None or one.deleted:
            return {}
        return {one.id: loads(one.body, max_depth=depth)}
    plan = Search(kind, Ids(wanted), count=len(wanted))
    page = await ctx.reads.search(plan, within=within)
    return {row.id: loads(row.body, max_depth=depth) for row in page.rows}
