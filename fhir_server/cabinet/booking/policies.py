"""Which rules hold for a place: those of its Schedule, service and organization.

https://hl7.org/fhir/R4/schedule.html
"""

from fhir_server.cabinet.booking.calendars import ruled
from fhir_server.cabinet.booking.policy import BookingPolicy, merged
from fhir_server.interactions.context import Context


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
        found = {} if schedule is None else await ruled(ctx, (schedule,))
        if schedule is None or schedule not in found:
            return self.default
        own, above = found[schedule]
        return merged(self.default, own, *above)


class Look:
    """`await of(schedule)`, asked once for each."""

    def __init__(self, policies: Policies, ctx: Context) -> None:
        self._policies = policies
        self._ctx = ctx
        self._known: dict[str | None, BookingPolicy] = {}

    async def of(self, schedule: str | None) -> BookingPolicy:
        """As `Policies.of`."""
        if schedule not in self._known:
            self._known[schedule] = await self._policies.of(self._ctx, schedule)
        return self._known[schedule]
