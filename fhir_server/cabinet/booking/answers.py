"""AppointmentResponse: a patient's answer to an offer is a write of the Appointment, in the
same unit, under the same rules as any other write of it.

https://hl7.org/fhir/R4/appointmentresponse.html
"""

from dataclasses import replace
from typing import Final

from fhir_server.access.rights import UNLIMITED
from fhir_server.cabinet.booking import refusals
from fhir_server.cabinet.booking.actors import actor_of
from fhir_server.cabinet.booking.entries import accepted, returned
from fhir_server.cabinet.booking.policy import BookingPolicy
from fhir_server.cabinet.booking.visits import Visit, moment, visit_of
from fhir_server.core import references
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Context, Guard, Intent
from fhir_server.interactions.update import put
from fhir_server.store.port import Stored, Unit

_ANSWERS: Final = frozenset({"accepted", "declined"})
"""What else may be said leaves the offer open."""


def answering(policy: BookingPolicy) -> Guard:
    """The guard of AppointmentResponse under the operator's `policy`."""

    async def answered(ctx: Context, intent: Intent) -> None:
        """An answer to an offer has the effect that it says.

        Raises:
            Conflict: the offer is over.
            BusinessRule: a person answers for a visit that is not the own one.
            FhirError: a rule of booking, as for a write of the Appointment.
        """
        unit, answer = ctx.unit, _answer(ctx, intent)
        is_person = actor_of(ctx.principal) == "person"
        if unit is None or intent.after is None or (answer is None and not is_person):
            return
        current = await _answered(ctx, unit, intent.after)
        if current is None and is_person:
            raise refusals.unknown_visit("AppointmentResponse.appointment")
        if current is None or answer is None:
            return
        before = loads(current.body, max_depth=ctx.services.limits.depth)
        visit = visit_of(before, ctx.services.base_url)
        if not visit.is_queued:
            return
        if not _is_open(visit, answer):
            if _is_late(ctx, visit, answer):
                raise refusals.offer_expired()
            return
        if answer["participantStatus"] == "accepted":
            after = accepted(before, before)
        else:
            now, keep = ctx.services.now(), policy.keep_place
            after = returned(before, now, keep=keep, counts=True)
        # To answer is the patient's right; the app need not be one that changes visits.
        inside = replace(ctx, rights=UNLIMITED, trail=None)
        await put(inside, unit, "Appointment", current.id, current, after)

    return answered


def _answer(ctx: Context, intent: Intent) -> JsonObject | None:
    """The response, if it says something that it did not say before."""
    after = intent.after
    if after is None or after.get("participantStatus") not in _ANSWERS:
        return None
    if intent.before is not None:
        before = loads(intent.before.body, max_depth=ctx.services.limits.depth)
        if before.get("participantStatus") == after["participantStatus"]:
            return None
    return after


async def _answered(ctx: Context, unit: Unit, answer: JsonObject) -> Stored | None:
    """The Appointment that the caller may see and its patient answers for."""
    base = ctx.services.base_url
    named = references.parse(answer["appointment"].get("reference", ""), base)
    actor = references.parse(answer.get("actor", {}).get("reference", ""), base)
    if named.kind != "local" or named.type != "Appointment" or named.id is None:
        return None
    found = await unit.read("Appointment", named.id, within=ctx.rights.read)
    if found is None or found.deleted:
        return None
    visit = visit_of(loads(found.body, max_depth=ctx.services.limits.depth), base)
    is_own = actor.kind == "local" and actor.type == "Patient" and actor.id in visit.patients
    return found if is_own else None


def _is_open(visit: Visit, answer: JsonObject) -> bool:
    """Whether it is the present offer that is answered."""
    start = moment(answer.get("start"))
    return visit.is_offer and start in (None, visit.start)


def _is_late(ctx: Context, visit: Visit, answer: JsonObject) -> bool:
    # A system may tell of answers that were given long ago.
    is_gone = visit.status in {"waitlist", "cancelled"} or visit.is_offer
    is_yes = answer["participantStatus"] == "accepted"
    return is_yes and is_gone and actor_of(ctx.principal) != "system"
