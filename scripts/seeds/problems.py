"""Conditions, allergies, family history, risks, goals, flags: what troubles whom."""
# ruff: noqa: E501  # a row of a table is a line

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from scripts.seeds.clinics import Clinic
from scripts.seeds.elements import (
    HL7,
    HOME,
    ICD10,
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

_CLINICAL: Final = f"{HL7}/condition-clinical"
_VERIFIED: Final = f"{HL7}/condition-ver-status"


@dataclass(frozen=True, slots=True)
class Disease:
    name: Term
    icd: str

    def concept(self, clinic: Clinic) -> JsonObject:
        classified = Term(ICD10, self.icd, self.name.display, self.name.ru, self.name.uk)
        return self.name.concept(clinic.key, classified)


def _disease(snomed: str, icd: str, display: str, ru: str, uk: str) -> Disease:
    return Disease(Term(SNOMED, snomed, display, ru, uk), icd)


DISEASES: Final = {
    "hypertension": _disease("38341003", "I10", "Hypertensive disorder", "Гипертоническая болезнь", "Гіпертонічна хвороба"),
    "diabetes-2": _disease("44054006", "E11.9", "Diabetes mellitus type 2", "Сахарный диабет 2 типа", "Цукровий діабет 2 типу"),
    "diabetes-1": _disease("46635009", "E10.9", "Diabetes mellitus type 1", "Сахарный диабет 1 типа", "Цукровий діабет 1 типу"),
    "asthma": _disease("195967001", "J45.9", "Asthma", "Бронхиальная астма", "Бронхіальна астма"),
    "hypothyroidism": _disease("40930008", "E03.9", "Hypothyroidism", "Гипотиреоз", "Гіпотиреоз"),
    "hyperthyroidism": _disease("34486009", "E05.9", "Hyperthyroidism", "Тиреотоксикоз", "Тиреотоксикоз"),
    "heart-failure": _disease("84114007", "I50.9", "Heart failure", "Сердечная недостаточность", "Серцева недостатність"),
    "fibrillation": _disease("49436004", "I48", "Atrial fibrillation", "Фибрилляция предсердий", "Фібриляція передсердь"),
    "coronary": _disease("53741008", "I25.1", "Coronary arteriosclerosis", "Ишемическая болезнь сердца", "Ішемічна хвороба серця"),
    "copd": _disease("13645005", "J44.9", "Chronic obstructive pulmonary disease", "ХОБЛ", "ХОЗЛ"),
    "iron-deficiency": _disease("87522002", "D50.9", "Iron deficiency anemia", "Железодефицитная анемия", "Залізодефіцитна анемія"),
    "depression": _disease("35489007", "F32.1", "Depressive disorder", "Депрессивный эпизод", "Депресивний епізод"),
    "ptsd": _disease("47505003", "F43.1", "Posttraumatic stress disorder", "ПТСР", "ПТСР"),
    "breast-cancer": _disease("254837009", "C50.9", "Malignant neoplasm of breast", "Рак молочной железы", "Рак молочної залози"),
    "hepatitis-c": _disease("128302006", "B18.2", "Chronic hepatitis C", "Хронический гепатит C", "Хронічний гепатит C"),
    "kidney-disease": _disease("709044004", "N18.3", "Chronic kidney disease", "Хроническая болезнь почек", "Хронічна хвороба нирок"),
    "coeliac": _disease("396331005", "K90.0", "Celiac disease", "Целиакия", "Целіакія"),
    "osteoporosis": _disease("64859006", "M81.9", "Osteoporosis", "Остеопороз", "Остеопороз"),
    "pregnancy": _disease("77386006", "Z34.9", "Pregnancy", "Беременность", "Вагітність"),
    "gout": _disease("90560007", "M10.9", "Gout", "Подагра", "Подагра"),
    "dementia": _disease("52448006", "F03", "Dementia", "Деменция", "Деменція"),
    "migraine": _disease("37796009", "G43.9", "Migraine", "Мигрень", "Мігрень"),
    "scoliosis": _disease("298382003", "M41.9", "Scoliosis deformity of spine", "Сколиоз", "Сколіоз"),
    "fever": _disease("386661006", "R50.9", "Fever", "Лихорадка", "Гарячка"),
    "infarction": _disease("22298006", "I21.9", "Myocardial infarction", "Инфаркт миокарда", "Інфаркт міокарда"),
    "hypothermia": _disease("386689009", "T68", "Hypothermia", "Переохлаждение", "Переохолодження"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """A patient's disease: `onset` in days from the anchor, `end` where it is over."""

    patient: str
    disease: str
    onset: int
    severity: str = "moderate"
    verified: str = "confirmed"
    status: str = "active"
    end: int | None = None

    @property
    def id(self) -> str:
        return f"{self.disease}-{self.patient}"

    @property
    def person(self) -> Person:
        return PATIENT[self.patient]


PROBLEMS: Final = (
    Problem("anna-ivanova-ru", "hypothyroidism", -1850),
    Problem("anna-ivanova-ru", "iron-deficiency", -1700, "mild", status="resolved", end=-700),
    Problem("anna-ivanova-ru", "pregnancy", -290, status="resolved", end=-16),
    Problem("pyotr-ivanov-ru", "hypertension", -400),
    Problem("ivan-ivanov-ru", "asthma", -1600, status="remission"),
    Problem("nikolai-ivanov-ru", "diabetes-2", -4100, "severe"),
    Problem("nikolai-ivanov-ru", "coronary", -2900, "severe"),
    Problem("nikolai-ivanov-ru", "infarction", -2870, "severe", status="resolved", end=-2840),
    Problem("nikolai-ivanov-ru", "kidney-disease", -1100),
    Problem("maria-ivanova-ru", "osteoporosis", -2000),
    Problem("fyodor-semyonov-ru", "heart-failure", -2500, "severe"),
    Problem("fyodor-semyonov-ru", "hypertension", -9000),
    Problem("alyona-semyonova-ru", "breast-cancer", -1790, "severe", status="remission"),
    Problem("artyom-semyonov-ru", "migraine", -420),
    Problem("matvey-semyonov-ru", "scoliosis", -800, "mild"),
    Problem("ruslan-khabibullin-ru", "diabetes-1", -5200, "severe"),
    Problem("aigul-khabibullina-ru", "pregnancy", -196),
    Problem("aigul-khabibullina-ru", "iron-deficiency", -30, "mild", verified="provisional"),
    Problem("galina-shcherbakova-ru", "heart-failure", -3300, "severe", status="inactive"),
    Problem("unknown-man-ru", "hypothermia", -1, "severe", verified="provisional"),
    Problem("oksana-lukianenko-ua", "diabetes-2", -1900),
    Problem("taras-lukianenko-ua", "hypertension", -1400),
    Problem("taras-lukianenko-ua", "gout", -1850, status="recurrence"),
    Problem("yaryna-lukianenko-ua", "coeliac", -1850),
    Problem("matvii-lukianenko-ua", "fever", -5, "mild", status="resolved", end=-1),
    Problem("hanna-lukianenko-ua", "fibrillation", -2600),
    Problem("hanna-lukianenko-ua", "hypertension", -7000),
    Problem("orest-gudz-ua", "hepatitis-c", -1900, status="resolved", end=-300),
    Problem("yivha-yizhak-ua", "iron-deficiency", -1850),
    Problem("yivha-yizhak-ua", "pregnancy", -275, status="resolved", end=-2),
    Problem("bohdan-kovalchuk-ua", "copd", -2400, "severe"),
    Problem("solomiia-kovalchuk-ua", "depression", -600),
    Problem("zinaida-kravets-ua", "dementia", -1200, "severe"),
    Problem("zinaida-kravets-ua", "heart-failure", -1500),
    Problem("andrii-shevchenko-ua", "ptsd", -900),
    Problem("lesia-ponomarenko-ua", "hyperthyroidism", -1850),
    Problem("emilia-de-la-cruz-ua", "fever", -3, "mild", verified="unconfirmed"),
    Problem("emilia-de-la-cruz-ua", "asthma", -3, verified="refuted", status=""),
)


def problems(clinic: Clinic) -> Iterator[JsonObject]:
    own = [each for each in PROBLEMS if each.person.clinic is clinic]
    yield from (_condition(each) for each in own)
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
        **_onset(row),
        "abatementDateTime": day(row.end) if row.end else None,
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
    if row.disease == "pregnancy":
        return {"onsetPeriod": period(day(row.onset), day(row.onset + 7))}
    if row.status == "remission":
        return {"onsetDateTime": day(row.onset)[:7]}
    return {"onsetDateTime": day(row.onset)}


_LONG_AGO: Final = 3000


def _site(row: Problem) -> list[Any]:
    if row.disease != "breast-cancer":
        return []
    return [concept(SNOMED, "80248007", "Left breast structure")]


def _stage(row: Problem) -> list[Any]:
    if row.disease != "breast-cancer":
        return []
    return [{"summary": concept(SNOMED, "258219007", "Stage 2")}]


def _evidence(row: Problem) -> list[Any]:
    found = {
        "diabetes-2-nikolai-ivanov-ru": "sugar-20-nikolai-ivanov-ru",
        "hypothyroidism-anna-ivanova-ru": "thyroid-20-anna-ivanova-ru",
        "fibrillation-hanna-lukianenko-ua": "clotting-40-hanna-lukianenko-ua",
    }.get(row.id)
    thirst = concept(SNOMED, "17173007", "Excessive thirst")
    return (
        [{"code": [thirst], "detail": [reference(f"DiagnosticReport/{found}")]}]
        if found
        else []
    )


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
    own = next(each for each in PROBLEMS if each.patient == patient)
    elements = {
        "identifier": [identifier(f"{HOME}/sid/risk", name)],
        "status": "final",
        "method": {"coding": [{"system": f"{HOME}/CodeSystem/risk", "code": "score"}]},
        "subject": person.reference,
        "occurrenceDateTime": day(-45),
        "condition": reference(f"Condition/{own.id}"),
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
    own = next(each for each in PROBLEMS if each.patient == patient)
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
        "addresses": [reference(f"Condition/{own.id}")],
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
