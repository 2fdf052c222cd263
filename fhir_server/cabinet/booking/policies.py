"""Which rules hold for a place: those of its Schedule, service and organization.

https://hl7.org/fhir/R4/schedule.html
"""

from dataclasses import dataclass

from fhir_server.cabinet.booking.calendars import ruled
from fhir_server.cabinet.booking.policy import BookingPolicy, merged
from fhir_server.core.types import JsonObject
from fhir_server.interactions.context import Context


@dataclass(frozen=True, slots=True)
class Ruling:
    """The rules for places of a Schedule."""

    policy: BookingPolicy
    schedule: JsonObject | None = None
    """None: there is none."""


class Policies:
    """`await of(ctx, schedule)`; a changed rule may be overlooked for a second."""

    def __init__(self, default: BookingPolicy) -> None:
        self.default = default

    def look(self, ctx: Context) -> "Look":
        """The rules as one write meets them."""
        return Look(self, ctx)

    async def of(self, ctx: Context, schedule: str | None) -> BookingPolicy:
        """The rules for places of `schedule` (a logical id); None: the operator's.

        Raises:
            ValueError: a stored rule cannot be read; profiles keep that from being stored.
        """
        return (await self.ruling(ctx, schedule)).policy

    async def ruling(self, ctx: Context, schedule: str | None) -> Ruling:
        """As `of`, with the Schedule."""
        found = {} if schedule is None else await ruled(ctx, (schedule,))
        if schedule is None or schedule not in found:
            return Ruling(self.default)
        own, above = found[schedule]
        return Ruling(merged(self.default, own, *above), own)


class Look:
    """Rules of Schedules, each asked for once."""

    def __init__(self, policies: Policies, ctx: Context) -> None:
        self._policies = policies
        self._ctx = ctx
        self._known: dict[str | None, Ruling] = {}

    async def of(self, schedule: str | None) -> BookingPolicy:
        """As `Policies.of`."""
        return (await self.ruling(schedule)).policy

    async def ruling(self, schedule: str | None) -> Ruling:
        """As `Policies.ruling`."""
        if schedule not in self._known:
            self._known[schedule] = await self._policies.ruling(self._ctx, schedule)
        return self._known[schedule]
