"""Vaccinations: Immunization and what is due next, ImmunizationRecommendation."""
# ruff: noqa: E501  # a row of a table is a line
# a row of a table is a line

from collections.abc import Iterator
from typing import Any, Final

from scripts.seeds.clinics import Clinic
from scripts.seeds.diseases import problem_of
from scripts.seeds.elements import (
    CVX,
    HL7,
    HOME,
    LOINC,
    SNOMED,
    JsonObject,
    Term,
    concept,
    day,
    identifier,
    moment,
    quantity,
    reference,
    relative,
)
from scripts.seeds.laboratory import meta
from scripts.seeds.people import PATIENT, Person, of_clinic
from scripts.seeds.staff import Doctor

VACCINES: Final = {
    "bcg": Term(CVX, "19", "BCG", "БЦЖ", "БЦЖ"),
    "hepatitis-b": Term(CVX, "08", "Hep B, adolescent or pediatric", "Гепатит B", "Гепатит B"),
    "dtap-ipv-hib": Term(CVX, "120", "DTaP-Hib-IPV", "АКДС, полиомиелит, Хиб", "АКДП, поліомієліт, Хіб"),
    "mmr": Term(CVX, "03", "MMR", "Корь, паротит, краснуха", "Кір, паротит, краснуха"),
    "pneumococcus": Term(CVX, "133", "Pneumococcal conjugate PCV 13", "Пневмококк", "Пневмокок"),
    "varicella": Term(CVX, "21", "varicella", "Ветряная оспа", "Вітряна віспа"),
    "influenza": Term(CVX, "140", "Influenza, seasonal, injectable, preservative free", "Грипп", "Грип"),
    "tetanus": Term(CVX, "09", "Td (adult)", "Дифтерия, столбняк", "Дифтерія, правець"),
}  # fmt: skip
_DISEASE: Final = {
    "bcg": ("56717001", "Tuberculosis"),
    "hepatitis-b": ("66071002", "Viral hepatitis type B"),
    "dtap-ipv-hib": ("27836007", "Pertussis"),
    "mmr": ("14189004", "Measles"),
    "pneumococcus": ("16814004", "Pneumococcal infectious disease"),
    "varicella": ("38907003", "Varicella"),
    "influenza": ("6142004", "Influenza"),
    "tetanus": ("76902006", "Tetanus"),
}

_CALENDAR: Final = (
    ("hepatitis-b", 1, 1),
    ("bcg", 4, 1),
    ("hepatitis-b", 30, 2),
    ("dtap-ipv-hib", 60, 1),
    ("pneumococcus", 61, 1),
    ("dtap-ipv-hib", 120, 2),
    ("pneumococcus", 121, 2),
    ("dtap-ipv-hib", 180, 3),
    ("hepatitis-b", 181, 3),
    ("mmr", 370, 1),
    ("varicella", 400, 1),
    ("dtap-ipv-hib", 540, 4),
    ("mmr", 2190, 2),
)
"""Vaccine, day of life, dose."""
_DUE: Final = "30980-7"
_REFUSED: Final = ("matvii-lukianenko-ua", "varicella")
_REACTED: Final = ("ivan-ivanov-ru", "dtap-ipv-hib")


def vaccinations(clinic: Clinic) -> Iterator[JsonObject]:
    for person in of_clinic(clinic):
        if person.is_child:
            yield from _childhood(person)
        elif len(person.given) > 1 and not person.id.startswith("galina"):
            yield _given(person, "influenza", -80, 1)
            yield _given(person, "tetanus", -1400, 1)
    newborn = {"ru": "sofia-ivanova-ru", "uk": "nemovlia-yizhak-ua"}[clinic.key]
    yield _recommended(PATIENT[newborn])


def _childhood(person: Person) -> Iterator[JsonObject]:
    lived = round(person.age * 365.25)
    for vaccine, age, dose in _CALENDAR:
        if age < lived:
            yield _given(person, vaccine, age - lived, dose)


def _given(person: Person, vaccine: str, offset: int, dose: int) -> JsonObject:
    name = f"{vaccine}-{dose}-{person.id}"
    refused = (person.id, vaccine) == _REFUSED
    problem = problem_of(person.id) if vaccine == "influenza" else None
    declined = concept(f"{HL7}/v3-ActReason", "PATOBJ", "patient objection")
    elements: dict[str, Any] = {
        "identifier": [identifier(f"{HOME}/sid/immunization", name)],
        "status": "not-done" if refused else "completed",
        "statusReason": declined if refused else None,
        "vaccineCode": VACCINES[vaccine].concept(person.clinic.key),
        "patient": person.reference,
        "occurrenceDateTime": moment(offset, "10:10", person.clinic.zone),
        "recorded": day(offset),
        "primarySource": True,
        "location": reference(f"Location/{person.gp.department.id}"),
        **({} if refused else _dose(person, vaccine, dose)),
        "performer": [_vaccinator(person.gp)],
        "reasonCode": [concept(f"{HOME}/CodeSystem/vaccination-reason", "calendar")],
        "reasonReference": [problem.reference] if problem else None,
        "reaction": _reaction(person, vaccine, offset),
        "protocolApplied": [_protocol(vaccine, dose)],
    }
    return relative("Immunization", name, elements, **_meta(person))


def _meta(person: Person) -> JsonObject:
    return meta(person) | {"source": f"{person.clinic.site}/vaccinations"}


def _dose(person: Person, vaccine: str, dose: int) -> JsonObject:
    insurer = f"Organization/insurer-{person.clinic.suffix}"
    return {
        "manufacturer": reference(insurer),
        "lotNumber": f"{vaccine[:3].upper()}{dose}{person.number}",
        "expirationDate": day(200),
        "site": concept(f"{HL7}/v3-ActSite", "LA", "left arm"),
        "route": concept(f"{HL7}/v3-RouteOfAdministration", "IM", "Injection, intramuscular"),
        "doseQuantity": quantity(0.5, "mL"),
    }


def _vaccinator(doctor: Doctor) -> JsonObject:
    role = concept(f"{HL7}/v2-0443", "AP", "Administering Provider")
    return {"function": role, "actor": doctor.reference}


def _reaction(person: Person, vaccine: str, offset: int) -> list[JsonObject]:
    if (person.id, vaccine) != _REACTED:
        return []
    detail = reference("Observation/temperature-after-vaccine-ivan-ivanov-ru")
    return [{"date": day(offset + 1), "detail": detail, "reported": True}]


def _protocol(vaccine: str, dose: int) -> JsonObject:
    return {
        "series": "календарь" if vaccine != "influenza" else "сезон",
        "targetDisease": [concept(SNOMED, *_DISEASE[vaccine])],
        "doseNumberPositiveInt": dose,
    }


def _recommended(person: Person) -> JsonObject:
    name = f"due-{person.id}"
    due = {
        "vaccineCode": [VACCINES["dtap-ipv-hib"].concept(person.clinic.key)],
        "targetDisease": concept(SNOMED, *_DISEASE["dtap-ipv-hib"]),
        "forecastStatus": concept(f"{HL7}/immunization-recommendation-status", "due", "Due"),
        "dateCriterion": [{"code": concept(LOINC, _DUE, "Date vaccine due"), "value": day(45)}],
        "doseNumberPositiveInt": 1,
        "supportingImmunization": [reference(f"Immunization/hepatitis-b-1-{person.id}")],
        "supportingPatientInformation": [person.reference],
    }
    elements = {
        "identifier": [identifier(f"{HOME}/sid/recommendation", name)],
        "patient": person.reference,
        "date": day(-1),
        "authority": person.clinic.reference,
        "recommendation": [due],
    }
    return relative("ImmunizationRecommendation", name, elements, **_meta(person))
