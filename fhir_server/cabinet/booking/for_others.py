"""Which free places belong to somebody who waits: `$find` does not offer them, as the guard
would refuse them.

The guard decides by `Turn.is_for_others` for one place; here a page of them is looked at with
one question, and two for each patient who is first in a line.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fhir_server.cabinet.booking.calendars import Calendar, met
from fhir_server.cabinet.booking.entries import Served
from fhir_server.cabinet.booking.patients import Plans
from fhir_server.cabinet.booking.queue import Waiting, is_offerable, waiting, wished
from fhir_server.cabinet.booking.slots import FREE, Place, place_of
from fhir_server.cabinet.booking.visits import codings
from fhir_server.core import references
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Context
from fhir_server.search import keys
from fhir_server.search.plan import UNRESTRICTED, Ids, Keys, Node, Or, Restriction
from fhir_server.store.port import Stored

_MOST_ROLES: Final = 1_000
_MOST_PATIENTS: Final = 20
"""Of all lines of a page whose plans are looked at; whoever is behind them is taken to come."""


@dataclass(frozen=True, slots=True)
class _Asked:
    place: Place
    calendar: Calendar
    served: Served


async def for_others(
    ctx: Context, found: Iterable[tuple[JsonObject, Calendar]], own: Collection[str]
) -> frozenset[str]:
    """The ids of those Slots of `found` that belong to somebody else than the patients `own`
    (logical ids)."""
    now, base = ctx.services.now(), ctx.services.base_url
    read = [
        (slot, place_of(slot, base), calendar)
        for slot, calendar in found
        if calendar.policy.waitlist
    ]
    offerable = [
        each
        for each in read
        if each[1].status == FREE and is_offerable(each[1], each[2].policy, now)
    ]
    if not offerable:
        return frozenset()
    doctors = await _doctors(ctx, {place.schedule or "": of for _, place, of in offerable})
    asked = [
        _Asked(place, calendar, _served(slot, calendar, doctors[place.schedule or ""]))
        for slot, place, calendar in offerable
    ]
    everybody = await waiting(ctx, ctx.reads, _union(each.served for each in asked))
    line = _Line(ctx, everybody)
    firsts = [(each.place.id, await line.first(each)) for each in asked]
    return frozenset(id_ for id_, first in firsts if first is not None and first not in own)


class _Line:
    """Everybody who waits for one of the places, in the order of the queue."""

    def __init__(self, ctx: Context, everybody: Sequence[Waiting]) -> None:
        self._ctx = ctx
        self._everybody = everybody
        self._reads = _Once(ctx)
        self._looked: set[str] = set()

    async def first(self, asked: _Asked) -> str | None:
        """The patient to whom the place would be offered."""
        plans = Plans(self._ctx, self._reads, asked.calendar.policy)
        for each in self._everybody:
            if not each.entry.fits(asked.place, asked.served):
                continue
            patient = each.entry.visit.patients[0]
            if patient not in self._looked and len(self._looked) >= _MOST_PATIENTS:
                return patient
            self._looked.add(patient)
            if await plans.allow(wished(each, asked.place, asked.served)):
                return patient
        return None


class _Once:
    """Questions that are asked once for a page."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._known: dict[tuple[str, Node, int], Sequence[Stored]] = {}

    async def find(
        self, kind: str, where: Node, *, limit: int, within: Restriction
    ) -> Sequence[Stored]:
        """As `Reads.find`."""
        key = (kind, where, limit)
        if key not in self._known:
            rows = await self._ctx.reads.find(kind, where, limit=limit, within=within)
            self._known[key] = rows
        return self._known[key]


def _served(slot: JsonObject, calendar: Calendar, doctors: frozenset[str]) -> Served:
    general = (calendar.schedule or {}).get("specialty", ())
    return Served(doctors, frozenset(codings([*general, *slot.get("specialty", ())])))


def _union(all_: Iterable[Served]) -> Served:
    found = list(all_)
    return Served(
        frozenset().union(*(each.doctors for each in found)),
        frozenset().union(*(each.specialities for each in found)),
    )


async def _doctors(
    ctx: Context, calendars: Mapping[str, Calendar]
) -> Mapping[str, frozenset[str]]:
    """By Schedule: the doctors who are met there, with the people behind roles, or the roles
    of people, as `Serving` has them; what is told of roles may be a minute old."""
    memory = ctx.services.doctors
    known = {id_: memory.get(id_) for id_ in calendars}
    named = {
        id_: frozenset(dict(met(ctx, calendars[id_].schedule)))
        for id_, kept in known.items()
        if kept is None
    }
    pairs = await _roles(ctx, frozenset().union(*named.values())) if named else ()
    fresh: dict[str, frozenset[str]] = {}
    for id_, own in named.items():
        fresh[id_] = own | _besides(own, pairs)
        memory.put(id_, fresh[id_])
    return {id_: kept for id_, kept in known.items() if kept is not None} | fresh


def _besides(own: frozenset[str], pairs: Sequence[tuple[str, str]]) -> frozenset[str]:
    people = frozenset(person for role, person in pairs if role in own)
    return people or frozenset(role for role, person in pairs if person in own)


async def _roles(ctx: Context, named: frozenset[str]) -> Sequence[tuple[str, str]]:
    """Pairs of a role and its person, of either of which `named` has one."""
    lead = "PractitionerRole/"
    roles = tuple(sorted(e.removeprefix(lead) for e in named if e.startswith(lead)))
    people = sorted(e for e in named if e.startswith("Practitioner/"))
    if not roles and not people:
        return ()
    held = Keys("references", tuple(keys.reference("practitioner", each) for each in people))
    where = Or((Ids(roles), held))
    # Rules of the house: no caller has to see who works where for them to hold.
    rows = await ctx.reads.find(
        "PractitionerRole", where, limit=_MOST_ROLES, within=UNRESTRICTED
    )
    base, depth = ctx.services.base_url, ctx.services.limits.depth
    found: list[tuple[str, str]] = []
    for row in rows:
        given = loads(row.body, max_depth=depth).get("practitioner", {}).get("reference", "")
        person = references.parse(given, base)
        if person.kind == "local":
            found.append((f"{lead}{row.id}", person.target))
    return found
