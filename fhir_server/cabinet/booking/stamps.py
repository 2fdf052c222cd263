"""What the server says of a visit itself, whatever its writer says: who booked it, by which
way, since when, and until when a place is held.

https://hl7.org/fhir/R4/appointment.html
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from fhir_server.access.principal import Principal
from fhir_server.cabinet.booking.actors import actor_of
from fhir_server.cabinet.booking.names import BOOKED_BY, CHANNEL, HOLD_EXPIRES, PORTAL
from fhir_server.core.datetimes import format_instant
from fhir_server.core.types import JsonObject
from fhir_server.interactions.context import Context, Stamp

_HELD: Final = frozenset({"pending"})


def stamp(hold: Callable[[], int]) -> Stamp:
    """The stamp of Appointment; `hold` gives for how long a person keeps a place, in
    milliseconds."""

    def stamped(ctx: Context, resource: JsonObject, before: JsonObject | None) -> JsonObject:
        principal = ctx.principal
        if principal is None or actor_of(principal) == "system":
            return resource
        said = _of_before(before) if before is not None else _of_new(principal)
        if actor_of(principal) == "person":
            said[HOLD_EXPIRES] = _hold(ctx, resource, before, hold())
        return _with(resource, said)

    return stamped


def _of_before(before: JsonObject) -> dict[str, Any]:
    return {
        BOOKED_BY: _whole(before, BOOKED_BY),
        CHANNEL: _whole(before, CHANNEL),
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
        return _whole(before, HOLD_EXPIRES)
    until = format_instant(ctx.services.now() + hold)
    return {"url": HOLD_EXPIRES, "valueInstant": until}


def _whole(resource: JsonObject, url: str) -> JsonObject | None:
    return next((e for e in resource.get("extension", ()) if e.get("url") == url), None)


def _with(resource: JsonObject, said: dict[str, Any]) -> JsonObject:
    """`resource` with these extensions, or without where they are None; others stay."""
    given: Iterable[JsonObject] = resource.get("extension", ())
    kept = [each for each in given if each.get("url") not in said]
    kept += [each for each in said.values() if each is not None]
    if kept:
        return {**resource, "extension": kept}  # in its place, where it had one
    return {name: value for name, value in resource.items() if name != "extension"}
