"""The resources of the benchmark: a ward of patients and their observations, by number.

Everything follows from a number alone, so that a database of any size is made twice alike.
Every second patient is chronically ill: 90 observations, 60 of them of one code, so that a
page of 50 by patient and code is full; the others have 10.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from fhir_server.core.types import JsonObject

A_PAIR: Final = 100
"""Observations of two patients."""
CHRONIC: Final = 90
CHIEF: Final = 60
"""Observations of a chronically ill patient that have the patient's chief code."""
MRN: Final = "https://hospital.example.org/mrn"
LOINC: Final = "http://loinc.org"
WRITTEN: Final = 512
"""Patients who are there to be written; no search meets them."""
HISTORIES: Final = 64
"""Patients who have a history of VERSIONS versions."""
VERSIONS: Final = 5

_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
_INTERPRETATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_UCUM: Final = "http://unitsofmeasure.org"
_SEQUENCE: Final = 7_919
"""A prime step through the names and days: neighbours differ."""

_FAMILIES: Final = (
    "Иванова", "Шевченко", "Петров", "Ковальчук", "Smith", "Соколов", "Мельник", "Garcia",
    "Кузнецова", "Бондаренко", "Попов", "Ткаченко", "Müller", "Лебедев", "Кравченко",
    "Новикова", "Олійник", "Морозов", "Коваленко", "Johnson", "Волкова", "Поліщук",
)  # fmt: skip
_GIVENS: Final = (
    "Анна", "Тарас", "Пётр", "Оксана", "Maria", "Илья", "Соломія", "James", "Ольга",
    "Андрій", "Дмитрий", "Катерина", "Hans", "Светлана", "Богдан",
)  # fmt: skip
_CITIES: Final = ("Казань", "Київ", "Springfield", "Львів", "Самара", "Одеса", "Тверь")


@dataclass(frozen=True, slots=True)
class Measured:
    """What an observation measures: LOINC code, its name, the unit."""

    code: str
    display: str
    unit: str


MEASURED: Final = (
    Measured("2339-0", "Glucose [Mass/volume] in Blood", "mg/dL"),
    Measured("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", "%"),
    Measured("2093-3", "Cholesterol [Mass/volume] in Serum or Plasma", "mg/dL"),
    Measured("38483-4", "Creatinine [Mass/volume] in Blood", "mg/dL"),
    Measured("6299-2", "Urea nitrogen [Mass/volume] in Blood", "mg/dL"),
    Measured("2947-0", "Sodium [Moles/volume] in Blood", "mmol/L"),
    Measured("6298-4", "Potassium [Moles/volume] in Blood", "mmol/L"),
    Measured("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL"),
    Measured("8302-2", "Body Height", "cm"),
    Measured("29463-7", "Body Weight", "kg"),
)


def made_id(sequence: int, number: int) -> str:
    """The id `number` of a sequence: in the form, and before the time, of the server's own."""
    return f"01000000-{sequence:04x}-7000-8000-{number:012x}"


def patient_id(number: int) -> str:
    return made_id(1, number)


def written_id(number: int) -> str:
    return f"w{number:04d}"


def history_id(number: int) -> str:
    return f"h{number:04d}"


def chief(number: int) -> Measured:
    """What most observations of a patient measure."""
    return MEASURED[number % len(MEASURED)]


def family(number: int) -> str:
    """Some hundreds of patients in ten thousand share a name, as they do in life."""
    return _FAMILIES[number * _SEQUENCE % len(_FAMILIES)]


def birth_date(number: int) -> str:
    day = number * _SEQUENCE
    return f"{1930 + day % 90}-{1 + day // 90 % 12:02d}-{1 + day // 1080 % 28:02d}"


def mrn(number: int) -> str:
    return f"MRN{number:07d}"


def patient(id_: str, number: int) -> JsonObject:
    """About 1 KB."""
    given = _GIVENS[number % len(_GIVENS)]
    return {
        "resourceType": "Patient",
        "id": id_,
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{given} {family(number)}</div>',
        },
        "identifier": [
            {
                "use": "usual",
                "type": {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/v2-0203",
                            "code": "MR",
                            "display": "Medical Record Number",
                        }
                    ]
                },
                "system": MRN,
                "value": mrn(number),
            },
            {"system": "https://insurance.example.org/member", "value": f"{number:010d}"},
        ],
        "active": True,
        "name": [{"use": "official", "family": family(number), "given": [given]}],
        "telecom": [
            {"system": "phone", "value": f"+7 900 {number:07d}", "use": "mobile"},
            {"system": "email", "value": f"p{number}@example.org"},
        ],
        "gender": "female" if number % 2 else "male",
        "birthDate": birth_date(number),
        "address": [
            {
                "use": "home",
                "line": [f"{number % 120 + 1} Main St"],
                "city": _CITIES[number % len(_CITIES)],
                "postalCode": f"{number % 900_000 + 100_000}",
                "country": "RU",
            }
        ],
        "communication": [
            {"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "ru"}]}}
        ],
        "managingOrganization": {"reference": "Organization/o1"},
    }


def encounter(id_: str, subject: str) -> JsonObject:
    return {
        "resourceType": "Encounter",
        "id": id_,
        "status": "finished",
        "class": {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            "code": "AMB",
        },
        "subject": {"reference": subject},
        "participant": [{"individual": {"reference": "Practitioner/d1"}}],
        "period": {"start": "2024-03-01T10:00:00+03:00", "end": "2024-03-01T10:20:00+03:00"},
        "serviceProvider": {"reference": "Organization/o1"},
    }


def observation(id_: str, subject: str, visit: str, of: Measured, number: int) -> JsonObject:
    """About 1 KB."""
    when = _when(number)
    value = 40 + number % 600 / 10
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "category": [
            {"coding": [{"system": _CATEGORY, "code": "laboratory", "display": "Laboratory"}]}
        ],
        "code": {
            "coding": [{"system": LOINC, "code": of.code, "display": of.display}],
            "text": of.display,
        },
        "subject": {"reference": subject},
        "encounter": {"reference": visit},
        "effectiveDateTime": when,
        "issued": when,
        "performer": [{"reference": "Practitioner/d1"}],
        "valueQuantity": {"value": value, "unit": of.unit, "system": _UCUM, "code": of.unit},
        "interpretation": [
            {"coding": [{"system": _INTERPRETATION, "code": "N", "display": "Normal"}]}
        ],
        "referenceRange": [
            {
                "low": {"value": 40, "unit": of.unit, "system": _UCUM, "code": of.unit},
                "high": {"value": 100, "unit": of.unit, "system": _UCUM, "code": of.unit},
            }
        ],
    }


def _when(number: int) -> str:
    day = number * _SEQUENCE
    date = f"{2015 + day % 10}-{1 + day // 10 % 12:02d}-{1 + day // 120 % 28:02d}"
    return f"{date}T{day // 3360 % 24:02d}:{number % 60:02d}:00+03:00"


def staff() -> Iterator[JsonObject]:
    """Whom everything refers to."""
    yield {"resourceType": "Organization", "id": "o1", "name": "City hospital"}
    yield {"resourceType": "Practitioner", "id": "d1", "name": [{"family": "Houser"}]}
    for number in range(WRITTEN):
        yield patient(written_id(number), 10_000_000 + number)


def with_histories() -> Iterator[Sequence[JsonObject]]:
    """The versions of patients who have several, oldest first."""
    for number in range(HISTORIES):
        last = patient(history_id(number), 11_000_000 + number)
        yield [last | {"multipleBirthInteger": each} for each in range(1, VERSIONS + 1)]


def ward(first: int, last: int) -> Iterator[JsonObject]:
    """The patients, visits and observations of the observations `first` to `last` - 1, both
    multiples of A_PAIR."""
    for pair in range(first // A_PAIR, last // A_PAIR):
        for number, count in ((2 * pair, CHRONIC), (2 * pair + 1, A_PAIR - CHRONIC)):
            yield from _record(number, count, pair * A_PAIR + (CHRONIC if number % 2 else 0))


def _record(number: int, count: int, begin: int) -> Iterator[JsonObject]:
    subject, visit = f"Patient/{patient_id(number)}", made_id(2, number)
    yield patient(patient_id(number), number)
    yield encounter(visit, subject)
    for i in range(count):
        of = chief(number) if i < CHIEF else MEASURED[(number + i) % len(MEASURED)]
        id_ = made_id(3, begin + i)
        yield observation(id_, subject, f"Encounter/{visit}", of, begin + i)
