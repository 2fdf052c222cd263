"""The diseases known here, and who has which since when."""
# ruff: noqa: E501  # a row of a table is a line
# a row of a table is a line

from dataclasses import dataclass
from typing import Final

from scripts.seeds.clinics import Clinic
from scripts.seeds.elements import ICD10, SNOMED, JsonObject, Term, reference
from scripts.seeds.people import PATIENT, Person


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

    @property
    def reference(self) -> JsonObject:
        return reference(f"Condition/{self.id}")


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


def problem_of(patient: str) -> Problem | None:
    """Give the first problem on the patient's list."""
    return next((each for each in PROBLEMS if each.patient == patient), None)
