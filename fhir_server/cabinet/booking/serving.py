"""Who is waited for where: the doctors and specialities of a Schedule, and its rules.

A doctor is a Practitioner, or a PractitionerRole: that doctor at one clinic. Who waits for the
role has the places of Schedules that name the role, or the Practitioner and no role; who
waits for the Practitioner has those of all roles.

https://hl7.org/fhir/R4/schedule.html
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Final

from fhir_server.cabinet.booking.calendars import met
from fhir_server.cabinet.booking.entries import Served, is_for
from fhir_server.cabinet.booking.policies import Policies
from fhir_server.cabinet.booking.policy import BookingPolicy
from fhir_server.cabinet.booking.slots import place_of
from fhir_server.cabinet.booking.visits import codings
from fhir_server.core import references
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Context
from fhir_server.search import keys
from fhir_server.search.plan import UNRESTRICTED, And, Ids, Keys, Node, Not, Prefix
from fhir_server.store.port import Stored

_KEPT: Final = 1.0
"""Seconds for which a changed Schedule may be overlooked."""
_MOST: Final = 10_000
"""Schedules remembered a worker."""
_MOST_SCHEDULES: Final = 500
"""Of one doctor or speciality; with more, the first ones by id are looked at."""
_MOST_SLOTS: Final = 200
"""Of a speciality that no Schedule has."""
_MOST_ROLES: Final = 100
"""Of one Practitioner."""
_OF_THE_HOUSE: Final = Not(Prefix("references", "actor|Patient/"))
"""What a Schedule is unless a patient may have written it, with whatever doctor and rules."""


@dataclass(frozen=True, slots=True)
class Rota:
    """A Schedule, as the queue sees it."""

    policy: BookingPolicy
    served: Served = field(default_factory=Served)
    actors: tuple[JsonObject, ...] = ()
    """References to those who are met there, as a visit names them."""

    def serves(self, slot: JsonObject) -> Served:
        """What `slot`, a Slot of it, is waited for by: it may have specialities of its own."""
        own = frozenset(codings(slot.get("specialty", ())))
        return replace(self.served, specialities=self.served.specialities | own)


class Serving:
    """`await of(ctx, schedule)`, remembered for a second."""

    def __init__(self, policies: Policies) -> None:
        self.policies = policies
        self._kept: dict[str, tuple[float, Rota]] = {}

    async def of(self, ctx: Context, schedule: str | None) -> Rota:
        """What `schedule` (a logical id) is for; None: unknown, under the operator's rules."""
        if schedule is None:
            return Rota(self.policies.default)
        kept = self._kept.get(schedule)
        if kept is not None and monotonic() < kept[0]:
            return kept[1]
        # Rules of the house: no caller has to see them for them to hold.
        found = await ctx.reads.read("Schedule", schedule, within=UNRESTRICTED)
        rota = Rota(await self.policies.of(ctx, schedule))
        if found is not None and not found.deleted:
            rota = await self._read(ctx, _parsed(ctx, found), rota.policy)
        if len(self._kept) >= _MOST:
            self._kept.clear()
        self._kept[schedule] = monotonic() + _KEPT, rota
        return rota

    async def schedules(self, ctx: Context, wanted: Served) -> Sequence[str]:
        """The logical ids of the Schedules with what is waited for, but for closed ones."""
        if wanted.doctors:
            names = await _names(ctx, wanted.doctors)
            where: Node = _references("actor", names)
        else:
            where = specialities_node(wanted)
        # Rules of the house, as below.
        rows = await ctx.reads.find(
            "Schedule", And((where, _OF_THE_HOUSE)), limit=_MOST_SCHEDULES, within=UNRESTRICTED
        )
        if not rows and not wanted.doctors:
            rows = await _of_slots(ctx, where)
            return [row.id for row in rows]
        found: list[str] = []
        for row in rows:
            is_open = _parsed(ctx, row).get("active", True)
            if is_open and is_for(wanted, (await self.of(ctx, row.id)).served):
                found.append(row.id)
        return found

    async def _read(self, ctx: Context, schedule: JsonObject, policy: BookingPolicy) -> Rota:
        actors = dict(met(ctx, schedule))
        named = set(actors)
        roles = {each for each in named if each.startswith("PractitionerRole/")}
        doctors = {each for each in named if each.startswith("Practitioner/")}
        served = Served(
            frozenset(
                roles
                | doctors
                | (await _people(ctx, roles) if roles else await _roles(ctx, doctors))
            ),
            frozenset(codings(schedule.get("specialty", ()))),
        )
        return Rota(policy, served, tuple(actors.values()))


async def _of_slots(ctx: Context, where: Node) -> Sequence[Stored]:
    """The Schedules of Slots of which `where` holds: a Slot may have a speciality itself."""
    base = ctx.services.base_url
    slots = await ctx.reads.find("Slot", where, limit=_MOST_SLOTS, within=UNRESTRICTED)
    named = {place_of(_parsed(ctx, each), base).schedule for each in slots}
    ids = tuple(sorted(each for each in named if each is not None))
    return await ctx.reads.find(
        "Schedule", Ids(ids), limit=_MOST_SCHEDULES, within=UNRESTRICTED
    )


def specialities_node(wanted: Served) -> Node:
    """What has one of the specialities."""
    codes = sorted(wanted.specialities)
    return Keys("tokens", tuple(keys.token("specialty", *each) for each in codes))


def _references(param: str, names: Iterable[str]) -> Node:
    return Keys("references", tuple(keys.reference(param, each) for each in sorted(names)))


async def _names(ctx: Context, doctors: Iterable[str]) -> set[str]:
    """`doctors` with the people behind roles and the roles of people."""
    found = set(doctors)
    found |= await _people(ctx, {e for e in found if e.startswith("PractitionerRole/")})
    found |= await _roles(ctx, {e for e in found if e.startswith("Practitioner/")})
    return found


async def _people(ctx: Context, roles: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for each in sorted(roles):
        id_ = each.partition("/")[2]
        row = await ctx.reads.read("PractitionerRole", id_, within=UNRESTRICTED)
        if row is not None and not row.deleted:
            given = _parsed(ctx, row).get("practitioner", {}).get("reference", "")
            named = references.parse(given, ctx.services.base_url)
            found |= {named.target} if named.kind == "local" else set()
    return found


async def _roles(ctx: Context, doctors: Iterable[str]) -> set[str]:
    names = sorted(doctors)
    if not names:
        return set()
    where = _references("practitioner", names)
    rows = await ctx.reads.find(
        "PractitionerRole", where, limit=_MOST_ROLES, within=UNRESTRICTED
    )
    return {f"PractitionerRole/{row.id}" for row in rows}


def _parsed(ctx: Context, version: Stored) -> JsonObject:
    return loads(version.body, max_depth=ctx.services.limits.depth)
