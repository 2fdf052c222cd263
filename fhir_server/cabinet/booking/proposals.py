"""A free place as an Appointment that may be made of it. Pure.

Nothing of it is stored. Its id says its Slot, so that an app that kept the id alone can book.

https://profiles.ihe.net/ITI/Scheduling/StructureDefinition-ihe-sched-appt.html
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from fhir_server.cabinet.booking.names import MINE, REQUIRES
from fhir_server.cabinet.booking.policy import MINUTE, BookingPolicy
from fhir_server.cabinet.booking.visits import moment
from fhir_server.core.types import JsonObject

_LEAD: Final = "slot."
_LONGEST: Final = 64 - len(_LEAD)
OF_PLACE: Final = ("serviceCategory", "serviceType", "specialty", "appointmentType")
"""Elements that an Appointment has of its Slot, or else of the Schedule."""
_NOT_OF_SCHEDULE: Final = "appointmentType"


def proposal_id(slot: str) -> str | None:
    """The id of what is proposed on the Slot with that logical id; None: that is too long,
    and the resource as a whole has to be sent."""
    return _LEAD + slot if len(slot) <= _LONGEST else None


def proposed_slot(id_: str) -> str | None:
    """The Slot that an id of `proposal_id` names; None for other ids."""
    return id_.removeprefix(_LEAD) if id_.startswith(_LEAD) else None


def concepts(slot: JsonObject, schedule: JsonObject | None) -> JsonObject:
    """What a visit on `slot` is for."""
    found = {name: slot[name] for name in OF_PLACE if name in slot}
    for name in OF_PLACE:
        if name != _NOT_OF_SCHEDULE and schedule is not None and name in schedule:
            found.setdefault(name, schedule[name])
    return {name: found[name] for name in OF_PLACE if name in found}


def proposal(
    slot: JsonObject,
    schedule: JsonObject | None,
    actors: Sequence[JsonObject],
    policy: BookingPolicy,
    more: JsonObject,
    own: str | None = None,
) -> JsonObject:
    """The Appointment; `actors` are references, `more` further elements, `own` a reference to
    the caller's visit that is on the place already."""
    id_ = proposal_id(slot["id"]) if own is None else None
    minutes = ((moment(slot["end"]) or 0) - (moment(slot["start"]) or 0)) // MINUTE
    extensions: list[JsonObject] = [
        {"url": REQUIRES, "valueCode": each} for each in requirements(policy)
    ]
    if own is not None:
        extensions = [{"url": MINE, "valueReference": {"reference": own}}]
    patient = more.get("participant", [])
    return {
        "resourceType": "Appointment",
        **({} if id_ is None else {"id": id_}),
        **({"extension": extensions} if extensions else {}),
        "status": "proposed" if own is None else "booked",
        **concepts(slot, schedule),
        **{name: value for name, value in more.items() if name != "participant"},
        "start": slot["start"],
        "end": slot["end"],
        **({"minutesDuration": minutes} if minutes else {}),
        "slot": [{"reference": f"Slot/{slot['id']}"}],
        "participant": [
            *patient,
            *({"actor": e, "required": "required", "status": "needs-action"} for e in actors),
        ]
        or [{"type": [{"text": "place"}], "status": "needs-action"}],
    }


def requirements(policy: BookingPolicy) -> Iterator[str]:
    """What a person needs for booking, by codes of REQUIRES."""
    if policy.level:
        yield f"level-{policy.level}"
    if policy.referral:
        yield "referral"
    if policy.coverage:
        yield "coverage"
    if policy.consent:
        yield "consent"
    if policy.verified_phone:
        yield "verified-phone"


def said(pairs: Sequence[tuple[str, str]], patient: str | None) -> JsonObject:
    """What a question tells of the visit itself."""
    found: dict[str, list[Any]] = {}
    for name, text in pairs:
        system, _, code = text.rpartition("|")
        known = {"system": system} if system else {}
        match name:
            case "reason":
                coded = {"coding": [{**known, "code": code}]}
                found.setdefault("reasonCode", []).append(coded)
            case "referral-identifier":
                named = {"identifier": {**known, "value": code}}
                found.setdefault("basedOn", []).append(named)
            case "referral-reference":
                found.setdefault("basedOn", []).append({"reference": text})
            case _:
                found.setdefault("supportingInformation", []).append({"reference": text})
    if patient is not None:
        actor = {"reference": patient if "/" in patient else f"Patient/{patient}"}
        found["participant"] = [{"actor": actor, "status": "needs-action"}]
    return found
