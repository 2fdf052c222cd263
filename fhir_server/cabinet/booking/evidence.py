"""Whether a resource is the referral, the insurance or the verified number that a booking
needs. Pure.

https://hl7.org/fhir/R4/servicerequest.html
https://hl7.org/fhir/R4/coverage.html
https://hl7.org/fhir/R4/verificationresult.html
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from fhir_server.access.periods import period
from fhir_server.access.proxies import verified_by
from fhir_server.cabinet.booking.entered import is_entered
from fhir_server.cabinet.booking.visits import Visit, codings
from fhir_server.core import references
from fhir_server.core.types import JsonObject

_NOT_ORDERED: Final = frozenset({"proposal", "plan", "option"})
"""Intents of a ServiceRequest that nobody has ordered yet."""
_PHONES: Final = frozenset({"phone", "sms"})
_LEAST: Final = 5
"""Digits of a telephone number."""


def is_referral(request: JsonObject, visit: Visit, *bases: str) -> bool:
    """Whether a ServiceRequest is active, somebody else's word, and about this patient, this
    time and what is booked."""
    return (
        request["status"] == "active"
        and request["intent"] not in _NOT_ORDERED
        and not request.get("doNotPerform", False)
        and not is_entered(request)
        and _is_of([request["subject"]], visit, bases)
        and _covers(request.get("occurrencePeriod"), visit)
        and _is_for(request, visit)
    )


def _is_for(request: JsonObject, visit: Visit) -> bool:
    """What the request says of who is to do it, or of what is to be done, fits what the places
    say. Where they say nothing, or in other systems, nothing can be told from it."""
    wanted = frozenset(codings([request.get("performerType", {})]))
    if wanted:
        return not visit.specialities or bool(wanted & visit.specialities)
    asked = frozenset(codings([request.get("code", {})]))
    spoken = {system for system, _ in visit.services}
    comparable = {each for each in asked if each[0] in spoken}
    return not comparable or bool(comparable & visit.services)


def is_insurance(coverage: JsonObject, visit: Visit, *bases: str) -> bool:
    """Whether a Coverage is in force for the patient when the visit begins."""
    return (
        coverage["status"] == "active"
        and not is_entered(coverage)
        and _is_of([coverage["beneficiary"]], visit, bases)
        and _covers(coverage.get("period"), visit)
    )


def is_contract(contract: JsonObject, visit: Visit, *bases: str) -> bool:
    """Whether a Contract with the patient is in force when the visit begins."""
    return (
        contract.get("status") == "executed"
        and not is_entered(contract)
        and _is_of(contract.get("subject", ()), visit, bases)
        and _covers(contract.get("applies"), visit)
    )


def has_verified_phone(
    patient: JsonObject, results: Iterable[JsonObject], now: int, *bases: str
) -> bool:
    """Whether one of the patient's numbers is among those that VerificationResults have
    validated: `targetLocation` names the number."""
    target = f"Patient/{patient['id']}"
    valid = (each for each in results if target in verified_by([each], now, *bases))
    known = {_digits(text) for each in valid for text in each.get("targetLocation", ())}
    return any(number in known for number in _numbers(patient, now))


def _numbers(patient: JsonObject, now: int) -> Iterator[str]:
    for each in patient.get("telecom", ()):
        when = period(each.get("period"))
        is_now = when is not None and when.lo <= now < when.hi
        number = _digits(each.get("value", ""))
        is_phone = each.get("system") in _PHONES and each.get("use") != "old"
        if is_phone and is_now and len(number) >= _LEAST:
            yield number


def _digits(text: str) -> str:
    return "".join(each for each in text if each.isascii() and each.isdigit())


def _is_of(named: Iterable[JsonObject], visit: Visit, bases: Sequence[str]) -> bool:
    found = (references.parse(each.get("reference", ""), *bases) for each in named)
    return any(
        each.kind == "local" and each.type == "Patient" and each.id == visit.patients[0]
        for each in found
    )


def _covers(value: JsonObject | None, visit: Visit) -> bool:
    """Whether the visit begins in the Period; without one, at any time."""
    when = period(value)
    return when is not None and visit.start is not None and when.lo <= visit.start < when.hi
