"""Whether what somebody types is what a patient's record says: all four, or no match.

The e-mail address, surname, first name and date of birth. Names are compared without case,
accents, ё or apostrophes of another shape; nothing is guessed beyond that.

https://hl7.org/fhir/R4/patient-operation-match.html
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from fhir_server.cabinet.accounts import emails
from fhir_server.core.types import JsonObject


@dataclass(frozen=True, slots=True)
class Claim:
    """Who somebody says they are."""

    email: str
    family: str
    given: str
    birth_date: str
    """`YYYY-MM-DD`."""


def matches(patient: JsonObject, claim: Claim) -> bool:
    """Whether the record says the same of its patient, its address among them."""
    return emails.normal(claim.email) in addresses(patient) and same_person(patient, claim)


def same_person(patient: JsonObject, claim: Claim) -> bool:
    """Whether names and date of birth are the patient's, who is alive and not replaced."""
    return (
        patient.get("active", True) is True
        and "deceasedDateTime" not in patient
        and patient.get("deceasedBoolean", False) is False
        and not any(each.get("type") == "replaced-by" for each in patient.get("link", ()))
        and patient.get("birthDate") == claim.birth_date
        and any(_is_name(each, claim) for each in patient.get("name", ()))
    )


def addresses(patient: JsonObject) -> frozenset[str]:
    """The e-mail addresses that are in use, in their normal form."""
    found = (each for each in patient.get("telecom", ()) if is_email(each))
    return frozenset(emails.normal(each["value"]) for each in found)


def is_email(telecom: JsonObject) -> bool:
    """Whether a ContactPoint is an e-mail address that is in use."""
    in_use = telecom.get("use") != "old" and "value" in telecom
    return in_use and telecom.get("system") == "email"


def display(patient: JsonObject) -> str:
    """How a page calls the patient."""
    names = sorted(patient.get("name", ()), key=_order)
    if not names:
        return ""
    given = " ".join(names[0].get("given", ()))
    return names[0].get("text") or f"{given} {names[0].get('family', '')}".strip()


def _order(name: JsonObject) -> int:
    order = {"official": 0, "usual": 1, None: 2}
    return order.get(name.get("use"), 3)


def _is_name(name: JsonObject, claim: Claim) -> bool:
    if name.get("use") in ("old", "maiden", "temp", "anonymous"):
        return False
    given = {folded(each) for each in _words(name)}
    return (
        folded(name.get("family", "")) == folded(claim.family) and folded(claim.given) in given
    )


def _words(name: JsonObject) -> Iterator[str]:
    """The first name, alone and with the others."""
    given = name.get("given", ())
    yield from given[:1]
    yield " ".join(given)


def folded(text: str) -> str:
    """Without case, accents and signs."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in apart if each.isalnum())
