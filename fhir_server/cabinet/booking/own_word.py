"""Which elements of a visit a person writes, and which are the clinic's to say.

Why one comes, a comment, papers: the person's. How urgent it is, what to bring, what the visit
is: the clinic's. Time, places and people, and what a status may become, say `persons` and
`stamps`.

https://hl7.org/fhir/R4/appointment-definitions.html
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from fhir_server.cabinet.booking import refusals
from fhir_server.cabinet.booking.entries import is_out
from fhir_server.cabinet.booking.entry_stamps import is_offer
from fhir_server.cabinet.booking.names import (
    BOOKED_BY,
    CHANNEL,
    HOLD_EXPIRES,
    MINE,
    REPLACES,
    REQUIRES,
    TICKET,
    WAITLIST,
)
from fhir_server.cabinet.booking.policy import MINUTE
from fhir_server.cabinet.booking.visits import moment, whole_extension
from fhir_server.core.types import JsonObject

_CLINICS: Final = ("priority", "patientInstruction")
"""From the beginning."""
_SETTLED: Final = (
    "serviceCategory",
    "serviceType",
    "specialty",
    "appointmentType",
    "minutesDuration",
    "created",
)
"""Said when the visit is made, and by the clinic alone from then on."""
_KEPT: Final = ("identifier", "basedOn", "supportingInformation")
"""Of what is there nothing is taken away: others go by it."""
_STAMPED: Final = frozenset({BOOKED_BY, CHANNEL, HOLD_EXPIRES, TICKET, WAITLIST})
"""Extensions that the server writes, whatever is sent."""
_ECHOED: Final = frozenset({MINE, REQUIRES})
"""Extensions of what `$find` shows."""


def check_words(
    before: JsonObject | None, after: JsonObject, replaced: JsonObject | None = None
) -> None:
    """Whether a person may say `after`, as it was sent; `replaced` is the visit that a new one
    takes the place of, and from which the clinic's words may come along.

    Raises:
        Forbidden: the first element that is the clinic's.
    """
    if before is None:
        found = _of_new(after, replaced or {})
    elif _is_returned(before, after):  # of such an answer nothing is stored
        return
    else:
        found = _of_changed(before, after)
    name = next(found, None)
    if name is not None:
        raise refusals.clinics_word(name)


def _of_new(after: JsonObject, replaced: JsonObject) -> Iterator[str]:
    for name in _CLINICS:
        if name in after and after[name] != replaced.get(name):
            yield name
    if "minutesDuration" in after and after["minutesDuration"] != _minutes(after):
        yield "minutesDuration"


def _of_changed(before: JsonObject, after: JsonObject) -> Iterator[str]:
    is_queued = whole_extension(before, WAITLIST) is not None
    is_wish = "slot" not in before and not is_queued
    for name in (*_CLINICS, *(() if is_wish else _SETTLED)):
        if not _is_servers(before, after, name) and after.get(name) != before.get(name):
            yield name
    if before["status"] == "booked":
        yield from (name for name in _KEPT if _lacks(before, after, name))
    elif _lacks(before, after, "identifier"):
        yield "identifier"
    if _people(before) != _people(after):
        yield "participant"
    if not _may_extend(before, after):
        yield "extension"
    if _reason(before) != _reason(after) and not _is_ended(before, after):
        yield "cancelationReason"
    if is_out(after) and not is_out(before):
        yield "cancelationReason"


def _is_servers(before: JsonObject, after: JsonObject, name: str) -> bool:
    """Whether the server writes an element, whatever is sent: since when one waits, and the
    speciality of what is held."""
    if name == "created":
        return whole_extension(before, WAITLIST) is not None
    is_held = before["status"] == "pending" and after["status"] != "cancelled"
    return name == "specialty" and is_held and name not in after


def _is_returned(before: JsonObject, after: JsonObject) -> bool:
    is_given_up = after["status"] == "cancelled" and is_out(after)
    return is_offer(before) and (after["status"] == "waitlist" or is_given_up)


def _is_ended(before: JsonObject, after: JsonObject) -> bool:
    return (before["status"] == "cancelled", after["status"] == "cancelled") == (False, True)


def _minutes(visit: JsonObject) -> int | None:
    start, end = moment(visit.get("start")), moment(visit.get("end"))
    if start is None or end is None:
        return visit.get("minutesDuration")
    return (end - start) // MINUTE


def _reason(visit: JsonObject) -> Any:
    return visit.get("cancelationReason")


def _lacks(before: JsonObject, after: JsonObject, name: str) -> bool:
    given: Sequence[Any] = after.get(name, ())
    return any(each not in given for each in before.get(name, ()))


def _people(visit: JsonObject) -> Sequence[JsonObject]:
    """The participants, without what patients answer."""
    return [_unanswered(each) for each in visit["participant"]]


def _unanswered(participant: JsonObject) -> JsonObject:
    if "Patient/" not in participant.get("actor", {}).get("reference", ""):
        return participant
    return {name: value for name, value in participant.items() if name != "status"}


def _may_extend(before: JsonObject, after: JsonObject) -> bool:
    old, new = (_extensions(each) for each in (before, after))
    moved = [[e for e in each if e.get("url") == REPLACES] for each in (old, new)]
    return moved[0] == moved[1] and all(each in new for each in old)


def _extensions(visit: JsonObject) -> Sequence[JsonObject]:
    passed = _STAMPED | _ECHOED
    return [each for each in visit.get("extension", ()) if each.get("url") not in passed]
