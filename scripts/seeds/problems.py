"""Conditions, allergies, family history, risks, goals, flags: what troubles whom."""
# ruff: noqa: E501  # a row of a table is a line
# a row of a table is a line

from collections.abc import Iterator
from typing import Any, Final

from scripts.seeds.clinics import Clinic
from scripts.seeds.diseases import DISEASES, PROBLEMS, Problem, problem_of
from scripts.seeds.elements import (
    HL7,
    HOME,
    SNOMED,
    JsonObject,
    Term,
    Text,
    concept,
    day,
    identifier,
    narrative,
    period,
    quantity,
    reference,
    relative,
)
from scripts.seeds.families import ROLE
from scripts.seeds.laboratory import meta
from scripts.seeds.people import PATIENT, Person
from scripts.seeds.visits import first_visit

_CLINICAL: Final = f"{HL7}/condition-clinical"
_VERIFIED: Final = f"{HL7}/condition-ver-status"


def conditions(clinic: Clinic) -> Iterator[JsonObject]:
    return (_condition(each) for each in PROBLEMS if each.person.clinic is clinic)


def problems(clinic: Clinic) -> Iterator[JsonObject]:
    """All that troubles but is no disease."""
    for rows, make in _KINDS:
        yield from (make(*row) for row in rows if row[0].endswith(clinic.suffix))


_SEVERITY: Final = {
    "mild": ("255604002", "Mild"),
    "moderate": ("6736007", "Moderate"),
    "severe": ("24484000", "Severe"),
}


def _condition(row: Problem) -> JsonObject:
    person = row.person
    code = DISEASES[row.disease].concept(person.clinic)
    since = {"ru": "с", "uk": "з"}[person.clinic.key]
    elements = {
        "text": narrative(f"{code['text']}: {person.name}"),
        "identifier": [identifier(f"{HOME}/sid/condition", row.id)],
        "clinicalStatus": concept(_CLINICAL, row.status) if row.status else None,
        "verificationStatus": concept(_VERIFIED, row.verified),
        "category": [concept(f"{HL7}/condition-category", "problem-list-item")],
        "severity": concept(SNOMED, *_SEVERITY[row.severity]),
        "code": code,
        "bodySite": _site(row),
        "subject": person.reference,
        "encounter": first_visit(person),
        **_onset(row),
        **_abatement(row),
        "recordedDate": day(row.onset + 1),
        "recorder": person.gp.role,
        "asserter": person.gp.reference,
        "stage": _stage(row),
        "evidence": _evidence(row),
        "note": [{"text": f"{code['text']} {since} {day(row.onset)[:4]}"}]
        if row.severity == "severe"
        else None,
    }
    return relative("Condition", row.id, elements, **_meta(person))


def _meta(person: Person) -> JsonObject:
    return meta(person) | {"source": f"{person.clinic.site}/surgery"}


def _onset(row: Problem) -> JsonObject:
    """Old diseases began at an age or in a year, recent ones on a day."""
    if row.onset < -_LONG_AGO:
        years = int(row.person.age + row.onset / 365)
        return {"onsetAge": quantity(years, "a")}
    if row.id == "hypertension-pyotr-ivanov-ru":
        return {"onsetString": "после отпуска"}
    if row.disease == "pregnancy":
        return {"onsetPeriod": period(day(row.onset), day(row.onset + 7))}
    if row.status == "remission":
        return {"onsetDateTime": day(row.onset)[:7]}
    return {"onsetDateTime": day(row.onset)}


_LONG_AGO: Final = 3000


def _abatement(row: Problem) -> JsonObject:
    if row.status == "remission":
        return {"abatementString": "ремиссия"}
    if row.end is None:
        return {}
    if row.disease == "infarction":
        return {"abatementAge": quantity(int(row.person.age + row.end / 365), "a")}
    return {"abatementDateTime": day(row.end)}


def _site(row: Problem) -> list[Any]:
    if row.disease != "breast-cancer":
        return []
    return [concept(SNOMED, "80248007", "Left breast structure")]


def _stage(row: Problem) -> list[Any]:
    if row.disease != "breast-cancer":
        return []
    return [{"summary": concept(SNOMED, "258219007", "Stage 2")}]


def _evidence(row: Problem) -> list[Any]:
    found = _SHOWN_BY.get(row.id)
    thirst = concept(SNOMED, "17173007", "Excessive thirst")
    return [{"code": [thirst], "detail": [reference(f"Condition/{found}")]}] if found else []


_SHOWN_BY: Final = {
    "coronary-nikolai-ivanov-ru": "infarction-nikolai-ivanov-ru",
    "kidney-disease-nikolai-ivanov-ru": "diabetes-2-nikolai-ivanov-ru",
    "fibrillation-hanna-lukianenko-ua": "hypertension-hanna-lukianenko-ua",
}


_FOOD, _DRUG, _SURROUNDINGS = "food", "medication", "environment"
_ALLERGIES: Final = (
    ("mykhailo-kovalchuk-ua", Term(SNOMED, "762952008", "Peanut", "Арахис", "Арахіс"), _FOOD, "high", "39579001", "Anaphylaxis"),
    ("lesia-ponomarenko-ua", Term(SNOMED, "373270004", "Penicillin", "Пенициллин", "Пеніцилін"), _DRUG, "high", "271807003", "Eruption of skin"),
    ("ivan-ivanov-ru", Term(SNOMED, "260152009", "Cat dander", "Шерсть кошки", "Шерсть кота"), _SURROUNDINGS, "low", "56018004", "Wheezing"),
    ("anna-ivanova-ru", Term(SNOMED, "256277009", "Grass pollen", "Пыльца злаков", "Пилок злаків"), _SURROUNDINGS, "low", "70076002", "Rhinitis"),
    ("matvii-lukianenko-ua", Term(SNOMED, "3718001", "Cow's milk", "Коровье молоко", "Коров'яче молоко"), _FOOD, "unable-to-assess", "271807003", "Eruption of skin"),
    ("fyodor-semyonov-ru", Term(SNOMED, "387458008", "Aspirin", "Аспирин", "Аспірин"), _DRUG, "low", "271807003", "Eruption of skin"),
)  # fmt: skip


def _allergy(  # a row of the table above
    patient: str, what: Term, category: str, criticality: str, sign: str, display: str
) -> JsonObject:
    person = PATIENT[patient]
    name = f"allergy-{patient}"
    code = what.concept(person.clinic.key)
    elements = {
        "text": narrative(f"{code['text']}: {person.name}"),
        "identifier": [identifier(f"{HOME}/sid/allergy", name)],
        "clinicalStatus": concept(f"{HL7}/allergyintolerance-clinical", "active"),
        "verificationStatus": concept(f"{HL7}/allergyintolerance-verification", "confirmed"),
        "type": "intolerance" if patient.startswith("matvii") else "allergy",
        "category": [category],
        "criticality": criticality,
        "code": code,
        "patient": person.reference,
        "onsetDateTime": day(-420),
        "recordedDate": day(-400),
        "recorder": person.gp.reference,
        "asserter": person.gp.reference,
        "lastOccurrence": day(-90),
        "reaction": [
            {
                "substance": code,
                "manifestation": [concept(SNOMED, sign, display)],
                "onset": day(-90),
                "severity": "severe" if criticality == "high" else "mild",
                "exposureRoute": concept(SNOMED, "26643006", "Oral route"),
            }
        ],
    }
    return relative("AllergyIntolerance", name, elements, **_meta(person))


_RELATIVES: Final = (
    ("anna-ivanova-ru", "MTH", "mother", "hypothyroidism", 41),
    ("pyotr-ivanov-ru", "FTH", "father", "infarction", 64),
    ("alyona-semyonova-ru", "MTH", "mother", "breast-cancer", 52),
    ("oksana-lukianenko-ua", "FTH", "father", "diabetes-2", 58),
    ("taras-lukianenko-ua", "MTH", "mother", "hypertension", 55),
)


def _history(patient: str, role: str, display: str, disease: str, age: int) -> JsonObject:
    person = PATIENT[patient]
    name = f"{display}-of-{patient}"
    found = {"code": DISEASES[disease].concept(person.clinic), "onsetAge": quantity(age, "a")}
    elements = {
        "identifier": [identifier(f"{HOME}/sid/family-history", name)],
        "instantiatesCanonical": [f"{HOME}/Questionnaire/history"],
        "instantiatesUri": [f"{person.clinic.site}/forms/history"],
        "status": "completed",
        "patient": person.reference,
        "date": day(-350),
        "relationship": concept(ROLE, role, display),
        "sex": concept("http://hl7.org/fhir/administrative-gender", "male")
        if role == "FTH"
        else concept("http://hl7.org/fhir/administrative-gender", "female"),
        "condition": [found],
    }
    return relative("FamilyMemberHistory", name, elements, **_meta(person))


_RISKS: Final = (
    ("nikolai-ivanov-ru", "coronary", 0.31, "high"),
    ("pyotr-ivanov-ru", "coronary", 0.07, "moderate"),
    ("fyodor-semyonov-ru", "heart-failure", 0.84, "high"),
    ("alyona-semyonova-ru", "breast-cancer", 0.125, "moderate"),
    ("oksana-lukianenko-ua", "coronary", 0.06, "low"),
    ("hanna-lukianenko-ua", "fibrillation", 0.048, "moderate"),
    ("maria-ivanova-ru", "osteoporosis", 0.22, "high"),
)


def _risk(patient: str, disease: str, probability: float, level: str) -> JsonObject:
    person = PATIENT[patient]
    name = f"risk-{patient}"
    own = problem_of(patient)
    elements = {
        "identifier": [identifier(f"{HOME}/sid/risk", name)],
        "status": "final",
        "method": {"coding": [{"system": f"{HOME}/CodeSystem/risk", "code": "score"}]},
        "subject": person.reference,
        "occurrenceDateTime": day(-45),
        "encounter": first_visit(person),
        "condition": own.reference if own else None,
        "performer": person.gp.reference,
        "prediction": [
            {
                "outcome": DISEASES[disease].concept(person.clinic),
                "probabilityDecimal": probability,
                "qualitativeRisk": concept(f"{HL7}/risk-probability", level),
                "whenRange": {"low": quantity(0, "a"), "high": quantity(10, "a")},
            }
        ],
    }
    return relative("RiskAssessment", name, elements, **_meta(person))


_GOALS: Final[tuple[tuple[str, Text, str, float, str], ...]] = (
    ("nikolai-ivanov-ru", ("Гликированный гемоглобин ниже 7 %", "Глікований гемоглобін нижче 7 %"), "4548-4", 7, "%"),
    ("pyotr-ivanov-ru", ("Давление ниже 130", "Тиск нижче 130"), "8480-6", 130, "mm[Hg]"),
    ("oksana-lukianenko-ua", ("Снизить вес до 70 кг", "Знизити вагу до 70 кг"), "29463-7", 70, "kg"),
)  # fmt: skip


def _goal(patient: str, text: Text, measure: str, value: float, unit: str) -> JsonObject:
    person = PATIENT[patient]
    own = problem_of(patient)
    elements = {
        "identifier": [identifier(f"{HOME}/sid/goal", f"goal-{patient}")],
        "lifecycleStatus": "active",
        "achievementStatus": concept(f"{HL7}/goal-achievement", "improving", "Improving"),
        "category": [concept(f"{HL7}/goal-category", "physiotherapy", "Physiotherapy")],
        "description": {"text": person.clinic.say(text)},
        "subject": person.reference,
        "startDate": day(-180),
        "target": [
            {
                "measure": concept("http://loinc.org", measure),
                "detailQuantity": quantity(value, unit),
                "dueDate": day(180),
            }
        ],
        "statusDate": day(-180),
        "expressedBy": person.reference,
        "addresses": [own.reference] if own else None,
    }
    return relative("Goal", f"goal-{patient}", elements, **_meta(person))


_FLAGS: Final[tuple[tuple[str, str, Text], ...]] = (
    ("fyodor-semyonov-ru", "safety", ("Риск падения", "Ризик падіння")),
    ("nikolai-ivanov-ru", "clinical", ("Не назначать НПВС", "Не призначати НПЗП")),
    ("artyom-semyonov-ru", "admin", ("Запрет самозаписи", "Заборона самозапису")),
    ("mykhailo-kovalchuk-ua", "safety", ("Анафилаксия: арахис", "Анафілаксія: арахіс")),
    ("zinaida-kravets-ua", "behavioral", ("Говорить с опекуном", "Говорити з опікуном")),
)


def _flag(patient: str, category: str, text: Text) -> JsonObject:
    person = PATIENT[patient]
    elements = {
        "identifier": [identifier(f"{HOME}/sid/flag", f"flag-{patient}")],
        "status": "inactive" if category == "admin" else "active",
        "category": [concept(f"{HL7}/flag-category", category)],
        "code": concept(f"{HOME}/CodeSystem/flags", category, None, person.clinic.say(text)),
        "subject": person.reference,
        "period": period(day(-100), day(-10) if category == "admin" else None),
        "encounter": first_visit(person),
        "author": person.gp.reference,
    }
    return relative("Flag", f"flag-{patient}", elements, **_meta(person))


_KINDS: Final[tuple[tuple[Any, Any], ...]] = (
    (_ALLERGIES, _allergy),
    (_RELATIVES, _history),
    (_RISKS, _risk),
    (_GOALS, _goal),
    (_FLAGS, _flag),
)
