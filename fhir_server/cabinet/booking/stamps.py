"""What the server says of a visit itself, whatever its writer says: who booked it, by which
way, since when, until when a place is held, and the number that the visit was given.

https://hl7.org/fhir/R4/appointment.html
"""

from typing import Any, Final

from fhir_server.access.principal import Principal
from fhir_server.cabinet.booking.actors import actor_of
from fhir_server.cabinet.booking.entry_stamps import is_offer, stamped_entry
from fhir_server.cabinet.booking.names import BOOKED_BY, CHANNEL, HOLD_EXPIRES, PORTAL, TICKET
from fhir_server.cabinet.booking.policy import BookingPolicy
from fhir_server.cabinet.booking.visits import whole_extension
from fhir_server.core.datetimes import format_instant
from fhir_server.core.types import JsonObject
from fhir_server.interactions.context import Context, Stamp
from fhir_server.interactions.said import with_extensions

_HELD: Final = frozenset({"pending"})


def stamp(policy: BookingPolicy) -> Stamp:
    """The stamp of Appointment under the operator's `policy`."""

    def stamped(ctx: Context, resource: JsonObject, before: JsonObject | None) -> JsonObject:
        principal = ctx.principal
        if principal is None:
            return resource
        actor = actor_of(principal)
        now = ctx.services.now()
        resource = stamped_entry(resource, before, actor, now, policy)
        number = None if before is None else whole_extension(before, TICKET)
        if actor == "system":
            # What it brings may be kept, where the clinic gives no numbers itself.
            is_told = whole_extension(resource, TICKET) is not None or number is None
            return resource if is_told else with_extensions(resource, {TICKET: number})
        is_taken = before is not None and is_offer(before) and resource["status"] == "booked"
        is_new = before is None or (is_taken and actor == "person")
        said = _of_new(principal) if is_new else _of_before(before or {})
        said[TICKET] = number
        if actor == "person":
            said[HOLD_EXPIRES] = _hold(ctx, resource, before, policy.hold)
        return with_extensions(resource, said)

    return stamped


def _of_before(before: JsonObject) -> dict[str, Any]:
    return {
        BOOKED_BY: whole_extension(before, BOOKED_BY),
        CHANNEL: whole_extension(before, CHANNEL),
    }


def _of_new(principal: Principal) -> dict[str, Any]:
    return {
        BOOKED_BY: {"url": BOOKED_BY, "valueReference": {"reference": principal.user}},
        CHANNEL: {"url": CHANNEL, "valueCode": "registry" if principal.staff else PORTAL},
    }


def _hold(
    ctx: Context, resource: JsonObject, before: JsonObject | None, hold: int
) -> JsonObject | None:
    if resource.get("status") not in _HELD:
        return None
    if before is not None and before.get("status") in _HELD:
        return whole_extension(before, HOLD_EXPIRES)
    until = format_instant(ctx.services.now() + hold)
    return {"url": HOLD_EXPIRES, "valueInstant": until}
