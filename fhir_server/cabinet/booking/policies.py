"""Which rules hold for a place: those of its Schedule, service and organization.

https://hl7.org/fhir/R4/schedule.html
"""

from collections.abc import Iterator, Sequence
from time import monotonic
from typing import Final

from fhir_server.cabinet.booking.policy import BookingPolicy, merged
from fhir_server.core import references
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Context
from fhir_server.search.plan import UNRESTRICTED

_KEPT: Final = 1.0
"""Seconds for which a changed rule may be overlooked."""
_MOST: Final = 10_000
"""Schedules remembered a worker."""


class Policies:
    """`await of(ctx, schedule)`, remembered for a second."""

    def __init__(self, default: BookingPolicy) -> None:
        self.default = default
        self._kept: dict[str, tuple[float, BookingPolicy]] = {}

    async def of(self, ctx: Context, schedule: str | None) -> BookingPolicy:
        """The rules for places of `schedule` (a logical id); None: the operator's.

        Raises:
            ValueError: a stored rule cannot be read; profiles keep that from being stored.
        """
        if schedule is None:
            return self.default
        kept = self._kept.get(schedule)
        if kept is not None and monotonic() < kept[0]:
            return kept[1]
        found = await self._read(ctx, "Schedule", schedule)
        services = await self._all(ctx, "HealthcareService", _actors(found))
        providers = [each.get("providedBy", {}).get("reference", "") for each in services]
        organizations = await self._all(ctx, "Organization", providers)
        policy = merged(self.default, found, *services, *organizations)
        if len(self._kept) >= _MOST:
            self._kept.clear()
        self._kept[schedule] = monotonic() + _KEPT, policy
        return policy

    async def _all(self, ctx: Context, kind: str, named: Sequence[str]) -> Sequence[JsonObject]:
        found: list[JsonObject] = []
        for text in dict.fromkeys(named):
            each = references.parse(text, ctx.services.base_url)
            if each.kind == "local" and each.type == kind and each.id is not None:
                resource = await self._read(ctx, kind, each.id)
                found += [resource] if resource is not None else []
        return found

    async def _read(self, ctx: Context, kind: str, id_: str) -> JsonObject | None:
        # Rules of the house: no caller has to see them for them to hold.
        found = await ctx.reads.read(kind, id_, within=UNRESTRICTED)
        if found is None or found.deleted:
            return None
        return loads(found.body, max_depth=ctx.services.limits.depth)


def _actors(schedule: JsonObject | None) -> Sequence[str]:
    given: Iterator[JsonObject] = iter(() if schedule is None else schedule.get("actor", ()))
    return [each.get("reference", "") for each in given]
