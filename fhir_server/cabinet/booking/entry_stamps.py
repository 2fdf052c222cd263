"""What the server says of a place in the queue, whatever its writer says: since when it is
waited for, what was offered and until when, and what becomes of an offer that is answered.

https://hl7.org/fhir/R4/appointment.html#statuses
"""

from dataclasses import replace

from fhir_server.cabinet.booking.actors import Actor
from fhir_server.cabinet.booking.entries import (
    State,
    accepted,
    is_out,
    returned,
    state_of,
    with_state,
    without_state,
)
from fhir_server.cabinet.booking.policy import BookingPolicy
from fhir_server.cabinet.booking.visits import visit_of
from fhir_server.core.datetimes import format_instant
from fhir_server.core.types import JsonObject


def stamped_entry(
    resource: JsonObject,
    before: JsonObject | None,
    actor: Actor,
    now: int,
    policy: BookingPolicy,
) -> JsonObject:
    """`resource` behind `before` as `actor` writes it at `now`; `policy` is the operator's."""
    old = None if before is None else visit_of(before)
    if before is None or old is None or not old.is_queued:
        return _new(resource, actor, now, policy)
    status = resource["status"]
    if is_offer(before):
        if status == "waitlist" or (status == "cancelled" and is_out(resource)):
            return returned(before, now, keep=policy.keep_place, counts=True)
        if status == "booked":
            return accepted(resource, before)
    found = with_state(resource, _state(resource, before, actor, now, policy))
    return _since(found, before) if actor == "person" else found


def is_offer(resource: JsonObject) -> bool:
    """Whether this is an entry that has an offer; its Slot may be named in any way."""
    visit = visit_of(resource)
    return visit.is_queued and visit.status == "proposed" and "slot" in resource


def _new(resource: JsonObject, actor: Actor, now: int, policy: BookingPolicy) -> JsonObject:
    if resource["status"] != "waitlist":
        return without_state(resource)
    found = with_state(resource, State(limit=policy.offers))
    queued = format_instant(now)
    if actor == "person":
        return {**found, "created": queued}
    return {"created": queued, **found} if "created" not in found else found


def _state(
    resource: JsonObject, before: JsonObject, actor: Actor, now: int, policy: BookingPolicy
) -> State:
    state = state_of(before)
    is_made = resource["status"] == "proposed" and "slot" in resource
    if not is_made:
        return replace(state, expires=None, own=None)
    if is_offer(before) or actor == "person":
        return state
    given = state_of(resource)  # staff and systems may make an offer by hand
    return replace(
        state,
        limit=given.limit or policy.offers,
        expires=given.expires or format_instant(now + policy.offer),
        own=given.own or len(before["participant"]),
    )


def _since(resource: JsonObject, before: JsonObject) -> JsonObject:
    kept = {name: before[name] for name in ("created",) if name in before}
    return {**{name: value for name, value in resource.items() if name != "created"}, **kept}
