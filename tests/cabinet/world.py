"""A small clinic for whoever drives the patient's page: two doctors, a patient with a child,
results over time; dates are counted from now."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.support.fhir import JsonObject

ANNA: Final = "anna-ivanova-ru"
CHILD: Final = "sofia"
OTHER: Final = "oksana-lukianenko-ua"
NEW: Final = "olena"
NEW_EMAIL: Final = "olena@mail.example"
_POLICY: Final = "https://fhir-server.example/StructureDefinition/booking-policy"
_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
_ROLE: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
_SPECIALITIES: Final = "https://clinic.example/specialities"
_LOINC: Final = "http://loinc.org"
_ALLERGY: Final = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
_CONDITION: Final = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_ICD: Final = "http://hl7.org/fhir/sid/icd-10"
_CONSENTS: Final = "http://terminology.hl7.org/CodeSystem/consentscope"


def _today() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def _person(id_: str, family: str, given: str, born: str, email: str) -> JsonObject:
    return {
        "resourceType": "Patient",
        "id": id_,
        "name": [{"use": "official", "family": family, "given": [given]}],
        "birthDate": born,
        "telecom": [{"system": "email", "value": email}],
    }


def _people() -> Iterator[JsonObject]:
    yield _person(ANNA, "Иванова", "Анна", "1985-03-14", "anna@mail.example")
    yield _person(OTHER, "Лук'яненко", "Оксана", "1980-02-03", "oksana@mail.example")
    yield _person(NEW, "Коваль", "Олена", "1991-05-06", NEW_EMAIL)
    born = (_today() - timedelta(days=2000)).date().isoformat()
    yield _person(CHILD, "Иванова", "София", born, "child@mail.example")
    mother = {"coding": [{"system": _ROLE, "code": "MTH"}]}
    yield {
        "resourceType": "RelatedPerson",
        "id": "mother",
        "active": True,
        "patient": {"reference": f"Patient/{CHILD}"},
        "relationship": [mother],
        "name": [{"family": "Иванова", "given": ["Анна"]}],
    }
    yield {
        "resourceType": "RelatedPerson",
        "id": "brother",
        "active": True,
        "patient": {"reference": f"Patient/{ANNA}"},
        "relationship": [{"coding": [{"system": _ROLE, "code": "BRO"}]}],
        "name": [{"family": "Иванов", "given": ["Пётр"], "text": "Иванов Пётр"}],
    }
    for verified in ("mother", "brother"):
        yield {
            "resourceType": "VerificationResult",
            "id": verified,
            "target": [{"reference": f"RelatedPerson/{verified}"}],
            "status": "validated",
        }
    yield {
        "resourceType": "Person",
        "id": "anna",
        "active": True,
        "name": [{"family": "Иванова", "given": ["Анна"]}],
        "birthDate": "1985-03-14",
        "link": [
            {"target": {"reference": f"Patient/{ANNA}"}, "assurance": "level3"},
            {"target": {"reference": "RelatedPerson/mother"}, "assurance": "level3"},
        ],
    }
    consent = {
        "resourceType": "Consent",
        "id": "personal-data",
        "status": "active",
        "scope": {"coding": [{"system": _CONSENTS, "code": "patient-privacy"}]},
        "category": [{"text": "Обработка персональных данных"}],
        "patient": {"reference": f"Patient/{ANNA}"},
        "dateTime": "2026-01-05",
        "policyRule": {"text": "law"},
    }
    yield consent


def _doctor(id_: str, name: str, speciality: str, **policy: Any) -> Iterator[JsonObject]:
    yield {"resourceType": "Practitioner", "id": id_, "name": [{"text": name}]}
    rules = [{"url": key.replace("_", "-"), **value} for key, value in policy.items()]
    extension = {"extension": [{"url": _POLICY, "extension": rules}]} if rules else {}
    coding = {"system": _SPECIALITIES, "code": id_}
    yield {
        "resourceType": "Schedule",
        "id": id_,
        "active": True,
        **extension,
        "specialty": [{"coding": [coding], "text": speciality}],
        "actor": [
            {"reference": f"Practitioner/{id_}", "display": name},
            {"reference": "Location/room", "display": "Кабинет 12"},
        ],
    }


def _places(schedule: str, days: range, hours: range) -> Iterator[JsonObject]:
    for day in days:
        for hour in hours:
            start = _today().replace(hour=hour) + timedelta(days=day)
            yield {
                "resourceType": "Slot",
                "id": f"{schedule}-{day}-{hour}",
                "schedule": {"reference": f"Schedule/{schedule}"},
                "status": "free",
                "start": start.isoformat(),
                "end": (start + timedelta(minutes=30)).isoformat(),
            }


def _results() -> Iterator[JsonObject]:
    for month, number in enumerate((4.8, 4.1, 2.9, 2.2)):
        at = _today() - timedelta(days=30 * (4 - month))
        yield {
            "resourceType": "Observation",
            "id": f"tsh-{month}",
            "status": "final",
            "category": [{"coding": [{"system": _CATEGORY, "code": "laboratory"}]}],
            "code": {
                "coding": [{"system": _LOINC, "code": "3016-3"}],
                "text": "ТТГ",
            },
            "subject": {"reference": f"Patient/{ANNA}"},
            "effectiveDateTime": at.isoformat(),
            "valueQuantity": {"value": number, "unit": "мМЕ/л"},
            "referenceRange": [{"low": {"value": 0.4}, "high": {"value": 4}}],
        }


def _papers() -> Iterator[JsonObject]:
    about = {"reference": f"Patient/{ANNA}"}
    yield {
        "resourceType": "Communication",
        "id": "hello",
        "status": "completed",
        "subject": about,
        "topic": {"text": "Дозировка"},
        "about": [{"reference": "Appointment/last"}],
        "sent": _today().isoformat(),
        "sender": {"reference": "Practitioner/dr-sokolova", "display": "Соколова Елена"},
        "recipient": [about],
        "payload": [{"contentString": "Дозу не меняем."}],
    }
    binaries = (
        ("letter", "text/plain", "0JLRi9C/0LjRgdC60LA="),
        ("scan", "application/pdf", "JVBERi3/"),
    )
    for id_, kind, data in binaries:
        yield {
            "resourceType": "Binary",
            "id": id_,
            "contentType": kind,
            "securityContext": about,
            "data": data,
        }
    urls = ("Binary/letter", "https://elsewhere.example/letter.pdf", "Binary/scan")
    for number, url in enumerate(urls):
        yield {
            "resourceType": "DocumentReference",
            "id": f"paper-{number}",
            "status": "current",
            "subject": about,
            "description": f"Выписка {number}",
            "date": _today().isoformat(),
            "content": [{"attachment": {"url": url}}],
        }
    yield {
        "resourceType": "Immunization",
        "id": "flu",
        "status": "completed",
        "vaccineCode": {"text": "Грипп"},
        "patient": about,
        "occurrenceDateTime": "2026-09-04",
    }


def _card() -> Iterator[JsonObject]:
    """The rest of Anna's record: something of every kind that the page shows."""
    about = {"subject": {"reference": f"Patient/{ANNA}"}}
    doctor = {"reference": "Practitioner/dr-sokolova", "display": "Соколова Елена"}
    at = (_today() - timedelta(days=40)).isoformat()
    end = (_today() - timedelta(days=40) + timedelta(minutes=20)).isoformat()
    yield {
        "resourceType": "Encounter",
        "id": "seen",
        "status": "finished",
        "class": {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            "code": "AMB",
        },
        "period": {"start": at, "end": end},
        "participant": [{"individual": doctor}],
        "reasonCode": [{"text": "Слабость, сонливость"}],
        **about,
    }
    yield {
        "resourceType": "MedicationRequest",
        "id": "tablets",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": "Левотироксин натрия, таблетки 50 мкг"},
        "dosageInstruction": [{"text": "1 таблетка утром за полчаса до еды"}],
        "authoredOn": at,
        "requester": doctor,
        **about,
    }
    yield {
        "resourceType": "DiagnosticReport",
        "id": "ultrasound",
        "status": "final",
        "code": {"text": "УЗИ щитовидной железы"},
        "effectiveDateTime": at,
        "conclusion": "Диффузные изменения, узлов нет.",
        **about,
    }
    yield {
        "resourceType": "Condition",
        "id": "hypothyroidism",
        "clinicalStatus": {"coding": [{"system": _CONDITION, "code": "active"}]},
        "code": {"text": "Гипотиреоз"},
        "onsetDateTime": "2024-05",
        **about,
    }
    yield {
        "resourceType": "Condition",
        "id": "depression",
        "clinicalStatus": {"coding": [{"system": _CONDITION, "code": "active"}]},
        "code": {"coding": [{"system": _ICD, "code": "F32.1"}], "text": "Депрессия"},
        **about,
    }
    yield {
        "resourceType": "AllergyIntolerance",
        "id": "penicillin",
        "patient": about["subject"],
        "code": {"text": "Пенициллин"},
        "clinicalStatus": {"coding": [{"system": _ALLERGY, "code": "active"}]},
        "criticality": "high",
        "reaction": [{"manifestation": [{"text": "крапивница"}]}],
    }
    yield from _pressure(about)
    yield {
        "resourceType": "Appointment",
        "id": "last",
        "status": "fulfilled",
        "specialty": [{"text": "Терапия"}],
        "start": at,
        "end": end,
        "participant": [
            {"actor": about["subject"], "status": "accepted"},
            {"actor": doctor, "status": "accepted"},
        ],
    }


def _referrals() -> Iterator[JsonObject]:
    """Two to the neurologist, one to somebody else."""
    for id_, doctor, day in (
        ("mri", "dr-referred", 2),
        ("pain", "dr-referred", 1),
        ("heart", "dr-busy", 3),
    ):
        yield {
            "resourceType": "ServiceRequest",
            "id": id_,
            "status": "active",
            "intent": "order",
            "code": {"text": f"Консультация {id_}"},
            "authoredOn": f"2026-11-0{day}",
            "performerType": {"coding": [{"system": _SPECIALITIES, "code": doctor}]},
            "subject": {"reference": f"Patient/{ANNA}"},
        }


def _pressure(about: JsonObject) -> Iterator[JsonObject]:
    for week, (systolic, diastolic) in enumerate(((138, 88), (131, 84), (124, 80))):
        values = (
            ("8480-6", "систолическое", systolic),
            ("8462-4", "диастолическое", diastolic),
        )
        yield {
            "resourceType": "Observation",
            "id": f"pressure-{week}",
            "status": "final",
            "category": [{"coding": [{"system": _CATEGORY, "code": "vital-signs"}]}],
            "code": {
                "coding": [{"system": _LOINC, "code": "85354-9"}],
                "text": "Артериальное давление",
            },
            "effectiveDateTime": (_today() - timedelta(days=7 * (3 - week))).isoformat(),
            "component": [
                {
                    "code": {"coding": [{"system": _LOINC, "code": code}], "text": text},
                    "valueQuantity": {
                        "value": value,
                        "unit": "mm[Hg]",
                        "system": "http://unitsofmeasure.org",
                        "code": "mm[Hg]",
                    },
                }
                for code, text, value in values
            ],
            **about,
        }


def emergency(at: datetime) -> JsonObject:
    """That a doctor opened Anna's record in an emergency, as another system tells it."""
    dicom = "http://dicom.nema.org/resources/ontology/DCM"
    purpose = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "BTG"}
    doctor = {"reference": "Practitioner/dr-sokolova", "display": "Соколова Елена"}
    return {
        "resourceType": "AuditEvent",
        "type": {"system": dicom, "code": "110113"},
        "subtype": [{"system": dicom, "code": "110127"}],
        "action": "E",
        "recorded": at.isoformat(),
        "outcome": "0",
        "agent": [{"who": doctor, "requestor": True, "purposeOfUse": [{"coding": [purpose]}]}],
        "source": {"observer": {"display": "HIS"}},
        "entity": [{"what": {"reference": f"Patient/{ANNA}"}}],
    }


def resources() -> list[JsonObject]:
    """Everything, in an order in which references lead back."""
    late = {"cancel_days": {"valueInteger": 60}, "cancel_time": {"valueTime": "00:00:00"}}
    queue = {"waitlist": {"valueBoolean": True}}
    return [
        *_people(),
        {"resourceType": "Location", "id": "room", "name": "Кабинет 12"},
        *_doctor("dr-sokolova", "Соколова Елена", "Терапия"),
        *_doctor("dr-later", "Поздний Игорь", "Терапия"),
        *_doctor("dr-guarded", "Закрытый Лев", "Психиатрия", level={"valueInteger": 3}),
        *_doctor("dr-referred", "Узкий Марк", "Неврология", referral={"valueBoolean": True}),
        *_referrals(),
        *_doctor("dr-strict", "Строгий Пётр", "Хирургия", **late),
        *_doctor("dr-busy", "Занятая Вера", "Кардиология", **queue),
        *_places("dr-sokolova", range(3, 6), range(6, 16)),
        *_places("dr-later", range(20, 34), range(6, 16)),
        *_places("dr-guarded", range(3, 4), range(6, 8)),
        *_places("dr-referred", range(3, 4), range(12, 15)),
        *_places("dr-strict", range(3, 5), range(6, 8)),
        *_results(),
        *_papers(),
        *_card(),
    ]
