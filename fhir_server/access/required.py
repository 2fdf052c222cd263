"""Consents that a patient must have given before the cabinet opens.

The law of the place decides which (processing of personal data, telemedicine, …); an operator
names them by the category of the Consent. They close the cabinet only: what clinicians write
and read for care never depends on them.

https://hl7.org/fhir/R4/consent-definitions.html#Consent.category
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from fhir_server.access.codings import AS_USUAL, Coding, codings, has_category
from fhir_server.access.periods import period
from fhir_server.core import references
from fhir_server.core.errors import Forbidden, Issue
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject

MISSING: Final = Text(
    "A consent is missing: {title_en}. It can be given here: {where_en}.",
    "Не хватает согласия: {title_ru}. Его можно дать здесь: {where_ru}.",
    "Бракує згоди: {title_uk}. Її можна надати тут: {where_uk}.",
)

CODE: Final = "consent-missing"
"""Of the refusal, among the cabinet's codes."""


@dataclass(frozen=True, slots=True)
class Required:
    """One consent that must be on file."""

    categories: tuple[Coding, ...]
    """Any of these among `Consent.category` fulfils it."""
    title: Text
    """What a person calls it."""
    where: Text
    """Where it can be given: the address of a page, or a desk."""
    questionnaire: str = ""
    """Canonical of the Questionnaire by which it is given; empty: there is none."""
    policy: str = ""
    """URI of what the person agrees to; empty: none is named."""


@dataclass(frozen=True, slots=True)
class Demanded:
    """A required consent, and the one on file that fulfils it."""

    required: Required
    given: str | None
    """Logical id of the Consent; None: it is missing."""


def demanded(
    required: Iterable[Required],
    consents: Iterable[JsonObject],
    patient: str,
    now: int,
    *bases: str,
) -> tuple[Demanded, ...]:
    """Each of `required` with the Consent of the patient (a logical id) that fulfils it.

    Given is a Consent that is active, in its period at `now` (milliseconds since 1970), of
    this patient, and no refusal at its root; nor does it only say exceptions to what is usual.
    """
    given = [each for each in consents if _is_given(each, patient, now, bases)]
    return tuple(Demanded(each, _fulfilling(each, given)) for each in required)


def _fulfilling(required: Required, given: Iterable[JsonObject]) -> str | None:
    found = (
        each.get("id", "")
        for each in given
        if any(has_category(each, code) for code in required.categories)
    )
    return next(found, None)


def missing(
    required: Iterable[Required],
    consents: Iterable[JsonObject],
    patient: str,
    now: int,
    *bases: str,
) -> tuple[Required, ...]:
    """Which of `required` the patient has not given, or not any more (`demanded`)."""
    found = demanded(required, consents, patient, now, *bases)
    return tuple(each.required for each in found if each.given is None)


def _is_given(consent: JsonObject, patient: str, now: int, bases: Sequence[str]) -> bool:
    whose = references.parse(consent.get("patient", {}).get("reference", ""), *bases)
    provision = consent.get("provision", {})
    when = period(provision.get("period"))
    return (
        consent.get("status") == "active"
        and (whose.kind, whose.type, whose.id) == ("local", "Patient", patient)
        and provision.get("type", "permit") == "permit"
        and AS_USUAL not in codings(consent.get("policyRule"))
        and when is not None
        and when.lo <= now < when.hi
    )


def refusal(required: Sequence[Required]) -> Forbidden:
    """The 403 that names each missing consent, at least one, and where it can be given."""
    found = (Issue("forbidden", MISSING, words(each), detail=CODE) for each in required)
    return Forbidden.of(found)


def words(required: Required) -> dict[str, object]:
    """The places of MISSING."""
    title, where = required.title._asdict(), required.where._asdict()
    return {
        **{f"title_{language}": text for language, text in title.items()},
        **{f"where_{language}": text for language, text in where.items()},
    }
