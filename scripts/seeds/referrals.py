"""Referrals to a specialist: ServiceRequests that bookings and visits are based on."""

from collections.abc import Iterator
from typing import Final

from scripts.seeds.clinics import SPECIALITY, Clinic
from scripts.seeds.diseases import DISEASES, problem_of
from scripts.seeds.elements import (
    HOME,
    SNOMED,
    JsonObject,
    concept,
    day,
    identifier,
    reference,
    relative,
)
from scripts.seeds.people import PATIENT, Person
from scripts.seeds.staff import DOCTOR

_REFERRED: Final = (
    ("nikolai-ivanov-ru", "dr-gareeva"),
    ("pyotr-ivanov-ru", "dr-zhuravlyov"),
    ("aigul-khabibullina-ru", "dr-nasibullina"),
    ("yaryna-lukianenko-ua", "dr-yizhakevych"),
    ("hanna-lukianenko-ua", "dr-palianytsia"),
    ("bohdan-kovalchuk-ua", "dr-palianytsia"),
)
_DOCTOR: Final = dict(_REFERRED)


def referrals(clinic: Clinic) -> Iterator[JsonObject]:
    """Each replaces a former one, which was revoked."""
    for patient, _ in _REFERRED:
        person = PATIENT[patient]
        if person.clinic is clinic:
            yield _referral(person, f"former-referral-{patient}", {"status": "revoked"})
            yield _referral(person, f"referral-{patient}", _present(person))


def referrals_of(person: Person) -> list[JsonObject]:
    if person.id not in _DOCTOR:
        return []
    return [reference(f"ServiceRequest/referral-{person.id}")]


def _present(person: Person) -> JsonObject:
    former = [reference(f"ServiceRequest/former-referral-{person.id}")]
    return {"status": "active", "replaces": former, "basedOn": former}


def _referral(person: Person, name: str, more: JsonObject) -> JsonObject:
    clinic, doctor = person.clinic, DOCTOR[_DOCTOR[person.id]]
    problem = problem_of(person.id)
    elements = {
        "identifier": [identifier(f"{HOME}/sid/referral", name)],
        "instantiatesCanonical": [f"{HOME}/PlanDefinition/dispensary"],
        "instantiatesUri": [f"{clinic.site}/plans/referral"],
        **more,
        "intent": "order",
        "category": [concept(SNOMED, "3457005", "Patient referral")],
        "priority": "routine",
        "code": SPECIALITY[doctor.speciality].concept(clinic),
        "subject": person.reference,
        "occurrenceDateTime": day(10),
        "authoredOn": day(-24),
        "requester": person.gp.reference,
        "performer": [doctor.reference],
        "reasonCode": [DISEASES[problem.disease].concept(clinic)] if problem else None,
        "reasonReference": [problem.reference] if problem else None,
    }
    return relative("ServiceRequest", name, elements, tag=[clinic.tag])
