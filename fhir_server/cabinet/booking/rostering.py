"""Rosters are made in the background, each once, whichever process is first.

https://hl7.org/fhir/R4/list.html
"""

from collections.abc import AsyncIterator
from typing import Final

from fhir_server.access.rights import UNLIMITED
from fhir_server.cabinet.booking.policies import Policies
from fhir_server.cabinet.booking.rosters import LISTED, Day, due, named, roster
from fhir_server.cabinet.booking.visits import Visit, visit_of
from fhir_server.core.errors import TooCostly
from fhir_server.interactions.commands import Create
from fhir_server.interactions.context import Context, Services
from fhir_server.interactions.create import create
from fhir_server.interactions.facts import Facts
from fhir_server.search import keys
from fhir_server.search.plan import (
    UNRESTRICTED,
    After,
    And,
    Compare,
    Everything,
    Keys,
    Node,
    Range,
    Search,
)
from fhir_server.search.values import Interval

_PAGE: Final = 200
_MOST: Final = 2_000
"""Slots of a schedule in a day, and visits on them; with more there is no roster."""
_REMEMBERED: Final = 100_000
"""Rosters, each some 100 bytes."""


class Rostering:
    """`await make()`, again and again: what was made is remembered."""

    def __init__(self, services: Services, policies: Policies) -> None:
        self._services = services
        self._policies = policies
        self._facts = Facts(services)
        self._made: set[tuple[str, str]] = set()

    async def make(self) -> None:
        """Make the rosters that are due, of schedules with Slots on the day.

        Raises:
            TooCostly: a day has more Slots or visits than a roster holds; the others are made.
        """
        ctx = Context(self._services, UNLIMITED)
        failed: TooCostly | None = None
        async for schedule in self._schedules():
            policy = await self._policies.of(ctx, schedule)
            for day in due(self._services.now(), policy):
                try:
                    await self._once(ctx, schedule, day)
                except TooCostly as error:
                    failed = error
        if failed is not None:
            raise failed

    async def _once(self, ctx: Context, schedule: str, day: Day) -> None:
        name = (schedule, day.date.isoformat())
        if name not in self._made and await self._make(ctx, schedule, day):
            if len(self._made) >= _REMEMBERED:
                self._made.clear()  # the store knows them
            self._made.add(name)

    async def _make(self, ctx: Context, schedule: str, day: Day) -> bool:
        """Whether there is a roster now: not without Slots, which may still come."""
        name = named(schedule, day)
        criterion = f"{name['system']}|{name['value']}"
        known = Keys("tokens", (keys.token("identifier", name["system"], name["value"]),))
        if await self._facts.find("List", known, _MOST):
            return True
        slots = await self._slots(schedule, day)
        if not slots:
            return False
        found = roster(schedule, day, await self._visits(slots), self._services.now())
        await create(ctx, Create("List", found, (("identifier", criterion),)))
        return True

    async def _slots(self, schedule: str, day: Day) -> list[str]:
        begins = (Compare("lo", ">=", "lo"), Compare("lo", "<", "hi"))
        where: Node = And((
            Keys("references", (keys.reference("schedule", f"Schedule/{schedule}"),)),
            Range("dates", "start", Interval(day.start, day.end), (begins,)),
        ))  # fmt: skip
        return [each["id"] for each in await self._facts.find("Slot", where, _MOST)]

    async def _visits(self, slots: list[str]) -> list[Visit]:
        on_them = tuple(keys.reference("slot", f"Slot/{each}") for each in slots)
        statuses = tuple(keys.token("status", None, each) for each in LISTED)
        where = And((Keys("references", on_them), Keys("tokens", statuses)))
        base = self._services.base_url
        found = await self._facts.find("Appointment", where, _MOST)
        return [visit_of(each, base) for each in found]

    async def _schedules(self) -> AsyncIterator[str]:
        after: After | None = None
        while True:
            plan = Search("Schedule", Everything(), count=_PAGE, after=after)
            page = await self._services.store.search(plan, within=UNRESTRICTED)
            for row in page.rows:
                yield row.id
            if not page.more:
                return
            last = page.rows[-1]
            after = After(last.sort_values, last.id)
