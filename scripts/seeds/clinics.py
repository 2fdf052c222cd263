"""The two clinics: organizations, departments, places and services."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from scripts.seeds.elements import (
    HL7,
    HOME,
    SNOMED,
    TAGS,
    JsonObject,
    Term,
    Text,
    coding,
    concept,
    fixed,
    identifier,
    narrative,
    reference,
)

SPECIALITIES: Final = f"{HOME}/CodeSystem/specialities"
DEPARTMENT_CODES: Final = f"{HOME}/sid/department"


@dataclass(frozen=True, slots=True)
class Clinic:
    """A clinic and the language, clock and number systems of its country."""

    key: str
    """`ru` or `uk`, the language; ids and files end in `ru` and `ua`."""
    id: str
    name: str
    aliases: tuple[str, ...]
    city: str
    state: str
    country: str
    street: str
    postal_code: str
    zone: str
    latitude: float
    longitude: float
    phone: str
    site: str
    registry: tuple[str, str]
    """System and value of the clinic's number in the national register."""

    @property
    def suffix(self) -> str:
        return "ru" if self.key == "ru" else "ua"

    @property
    def reference(self) -> JsonObject:
        return reference(f"Organization/{self.id}", self.name)

    @property
    def tag(self) -> JsonObject:
        return coding(TAGS, f"clinic-{self.suffix}")

    def say(self, text: Text) -> str:
        """Choose the clinic's language."""
        return text[0] if self.key == "ru" else text[1]

    def system(self, name: str) -> str:
        """The clinic's own number system, e.g. `mrn`."""
        return f"{self.site}/sid/{name}"


RODNIK: Final = Clinic(
    key="ru",
    id="rodnik-ru",
    name="Поликлиника «Родник»",
    aliases=("Родник", "Rodnik Clinic"),
    city="Казань",
    state="Республика Татарстан",
    country="RU",
    street="Зелёная улица, 12",
    postal_code="420061",
    zone="+03:00",
    latitude=55.796127,
    longitude=49.106414,
    phone="+7 843 000-10-00",
    site="https://rodnik.example",
    registry=("urn:oid:1.2.643.5.1.13.13.11.1461", "1.2.643.5.1.13.13.12.2.16.99001"),
)
DZHERELO: Final = Clinic(
    key="uk",
    id="dzherelo-ua",
    name="Клініка «Джерело»",
    aliases=("Джерело", "Dzherelo Clinic"),
    city="Львів",
    state="Львівська область",
    country="UA",
    street="вулиця Ґонти, 7",
    postal_code="79010",
    zone="+02:00",
    latitude=49.839683,
    longitude=24.029717,
    phone="+380 32 000 20 00",
    site="https://dzherelo.example",
    registry=("https://fhir-server.example/sid/ua/edrpou", "99000012"),
)
CLINICS: Final = (RODNIK, DZHERELO)


@dataclass(frozen=True, slots=True)
class Speciality:
    """A department's trade: a row of the seeds' own code system and its SNOMED CT twin."""

    code: str
    name: Term

    def concept(self, clinic: Clinic) -> JsonObject:
        own = Term(SPECIALITIES, self.code, self.name.display, self.name.ru, self.name.uk)
        return self.name.concept(clinic.key, own)


def _speciality(code: str, snomed: str, display: str, ru: str, uk: str) -> Speciality:
    return Speciality(code, Term(SNOMED, snomed, display, ru, uk))


SPECIALITY: Final = {
    row.code: row
    for row in (
        _speciality("general", "394802001", "General medicine", "Терапия", "Терапія"),
        _speciality(
            "family", "419772000", "Family practice", "Общая практика", "Сімейна медицина"
        ),
        _speciality("cardiology", "394579002", "Cardiology", "Кардиология", "Кардіологія"),
        _speciality(
            "endocrinology", "394583002", "Endocrinology", "Эндокринология", "Ендокринологія"
        ),
        _speciality("pediatrics", "394537008", "Pediatric specialty", "Педиатрия", "Педіатрія"),
        _speciality("oncology", "394593009", "Medical oncology", "Онкология", "Онкологія"),
        _speciality("gynecology", "394586005", "Gynecology", "Гинекология", "Гінекологія"),
        _speciality("psychiatry", "394587001", "Psychiatry", "Психиатрия", "Психіатрія"),
        _speciality(
            "infections",
            "394807007",
            "Infectious diseases",
            "Инфекционные болезни",
            "Інфекційні хвороби",
        ),
        _speciality(
            "gastroenterology",
            "394584008",
            "Gastroenterology",
            "Гастроэнтерология",
            "Гастроентерологія",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Department:
    """A part of a clinic: an Organization, a Location on a floor, a HealthcareService."""

    clinic: Clinic
    id: str
    name: str
    floor: int
    specialities: tuple[str, ...] = ()

    @property
    def reference(self) -> JsonObject:
        return reference(f"Organization/{self.id}", self.name)


DEPARTMENTS: Final = (
    Department(RODNIK, "rodnik-therapy", "Терапевтическое отделение", 1, ("general",)),
    Department(RODNIK, "rodnik-heart", "Кардиологическое отделение", 2, ("cardiology",)),
    Department(
        RODNIK, "rodnik-endocrine", "Эндокринологический кабинет", 2, ("endocrinology",)
    ),
    Department(RODNIK, "rodnik-children", "Детское отделение", 1, ("pediatrics",)),
    Department(RODNIK, "rodnik-women", "Женская консультация", 3, ("gynecology", "oncology")),
    Department(RODNIK, "rodnik-laboratory", "Клинико-диагностическая лаборатория", 0),
    Department(DZHERELO, "dzherelo-family", "Відділення сімейної медицини", 1, ("family",)),
    Department(DZHERELO, "dzherelo-heart", "Кардіологічне відділення", 2, ("cardiology",)),
    Department(DZHERELO, "dzherelo-children", "Дитяче відділення", 1, ("pediatrics",)),
    Department(
        DZHERELO,
        "dzherelo-inner",
        "Відділення внутрішніх хвороб",
        2,
        ("infections", "gastroenterology"),
    ),
    Department(DZHERELO, "dzherelo-mind", "Центр психічного здоров'я", 3, ("psychiatry",)),
    Department(DZHERELO, "dzherelo-laboratory", "Клінічна лабораторія", 0),
)


def organizations(clinic: Clinic) -> Iterator[JsonObject]:
    """Everything of one clinic's directory, containers before what they contain."""
    own = [each for each in DEPARTMENTS if each.clinic is clinic]
    yield _organization(clinic)
    yield _insurer(clinic)
    yield from (_department(each) for each in own)
    yield _building(clinic)
    yield from (_floor(each) for each in own)
    yield from (_service(each) for each in own if each.specialities)
    yield _endpoint(clinic)


def _organization(clinic: Clinic) -> JsonObject:
    system, value = clinic.registry
    words = {
        "identifier": [
            identifier(system, value, "PRN", use="official"),
            identifier(f"{HOME}/sid/clinic", clinic.id, "XX"),
        ],
        "active": True,
        "type": [concept(f"{HL7}/organization-type", "prov", "Healthcare Provider")],
        "name": clinic.name,
        "alias": list(clinic.aliases),
        "telecom": [
            {"system": "phone", "value": clinic.phone, "use": "work"},
            {"system": "url", "value": clinic.site, "use": "work"},
        ],
        "address": [address(clinic)],
        "endpoint": [reference(f"Endpoint/{clinic.id}")],
        "text": narrative(f"{clinic.name}, {clinic.city}"),
    }
    return fixed("Organization", clinic.id, words, tag=[clinic.tag], source=clinic.site)


def address(clinic: Clinic) -> JsonObject:
    return {
        "use": "work",
        "type": "both",
        "text": f"{clinic.postal_code}, {clinic.city}, {clinic.street}",
        "line": [clinic.street],
        "city": clinic.city,
        "state": clinic.state,
        "postalCode": clinic.postal_code,
        "country": clinic.country,
    }


def insurer_id(clinic: Clinic) -> str:
    return f"insurer-{clinic.suffix}"


_INSURERS: Final = ("Страховая компания «Полис»", "Національна служба страхування")


def _insurer(clinic: Clinic) -> JsonObject:
    words = {
        "identifier": [
            identifier(f"{HOME}/sid/insurer", clinic.suffix.upper() + "-01", "NIIP")
        ],
        "active": True,
        "type": [concept(f"{HL7}/organization-type", "pay", "Payer")],
        "name": clinic.say((_INSURERS[0], _INSURERS[1])),
    }
    return fixed("Organization", insurer_id(clinic), words)


def _department(row: Department) -> JsonObject:
    words = {
        "identifier": [identifier(DEPARTMENT_CODES, row.id)],
        "active": True,
        "type": [concept(f"{HL7}/organization-type", "dept", "Hospital Department")],
        "name": row.name,
        "partOf": row.clinic.reference,
    }
    return fixed("Organization", row.id, words, tag=[row.clinic.tag])


def _building(clinic: Clinic) -> JsonObject:
    words = {
        "identifier": [identifier(f"{HOME}/sid/location", clinic.id)],
        "status": "active",
        "name": clinic.say((f"Здание: {clinic.name}", f"Будівля: {clinic.name}")),
        "alias": list(clinic.aliases),
        "mode": "instance",
        "type": [concept(f"{V3_ROLE}", "OF", "Outpatient facility")],
        "telecom": [{"system": "phone", "value": clinic.phone}],
        "address": address(clinic),
        "physicalType": concept(f"{HL7}/location-physical-type", "bu", "Building"),
        "position": {"longitude": clinic.longitude, "latitude": clinic.latitude},
        "managingOrganization": clinic.reference,
        "endpoint": [reference(f"Endpoint/{clinic.id}")],
    }
    return fixed("Location", clinic.id, words, tag=[clinic.tag])


V3_ROLE: Final = f"{HL7}/v3-RoleCode"
_STEP: Final = 0.0005
"""Degrees between doors of one building: some 40 metres, so that `near` can tell them apart."""


def _floor(row: Department) -> JsonObject:
    clinic = row.clinic
    place = DEPARTMENTS.index(row)
    words = {
        "identifier": [identifier(f"{HOME}/sid/location", row.id)],
        "status": "suspended" if row.id == "dzherelo-mind" else "active",
        "operationalStatus": coding(f"{HL7}/v2-0116", "O", "Occupied"),
        "name": row.name,
        "description": clinic.say((f"Этаж {row.floor}", f"Поверх {row.floor}")),
        "mode": "instance",
        "address": address(clinic),
        "physicalType": concept(f"{HL7}/location-physical-type", "lvl", "Level"),
        "position": {
            "longitude": round(clinic.longitude + place * _STEP, 6),
            "latitude": round(clinic.latitude + place * _STEP, 6),
        },
        "managingOrganization": row.reference,
        "partOf": reference(f"Location/{clinic.id}"),
    }
    return fixed("Location", row.id, words, tag=[clinic.tag])


_HOURS: Final = ("08:00:00", "18:00:00")


def _service(row: Department) -> JsonObject:
    clinic = row.clinic
    words = {
        "identifier": [identifier(f"{HOME}/sid/service", row.id)],
        "active": row.id != "dzherelo-mind",
        "providedBy": row.reference,
        "category": [concept(f"{HL7}/service-category", "17", "General Practice")],
        "type": [concept(f"{HL7}/service-type", "124", "General Practice")],
        "specialty": [SPECIALITY[each].concept(clinic) for each in row.specialities],
        "location": [reference(f"Location/{row.id}")],
        "name": row.name,
        "telecom": [{"system": "phone", "value": clinic.phone}],
        "coverageArea": [reference(f"Location/{clinic.id}")],
        "program": [concept(f"{HL7}/program", "7", "Public Healthcare")],
        "characteristic": [concept(f"{HOME}/CodeSystem/access", "ramp", "Wheelchair access")],
        "referralMethod": [concept(f"{HL7}/service-referral-method", "phone", "Phone")],
        "appointmentRequired": True,
        "availableTime": [
            {
                "daysOfWeek": ["mon", "tue", "wed", "thu", "fri"],
                "availableStartTime": _HOURS[0],
                "availableEndTime": _HOURS[1],
            }
        ],
        "endpoint": [reference(f"Endpoint/{clinic.id}")],
    }
    return fixed("HealthcareService", row.id, words, tag=[clinic.tag])


def _endpoint(clinic: Clinic) -> JsonObject:
    words = {
        "identifier": [identifier(f"{HOME}/sid/endpoint", clinic.id)],
        "status": "active",
        "connectionType": coding(f"{HL7}/endpoint-connection-type", "hl7-fhir-rest"),
        "name": clinic.name,
        "managingOrganization": clinic.reference,
        "payloadType": [concept(f"{HL7}/endpoint-payload-type", "any", "Any")],
        "payloadMimeType": ["application/fhir+json"],
        "address": f"{clinic.site}/fhir",
    }
    return fixed("Endpoint", clinic.id, words)
