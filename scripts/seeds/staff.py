"""The twelve doctors and what they do where."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from scripts.seeds.clinics import DEPARTMENTS, SPECIALITY, Clinic, Department, address
from scripts.seeds.elements import (
    HL7,
    HOME,
    SNOMED,
    JsonObject,
    Text,
    concept,
    fixed,
    identifier,
    narrative,
    period,
    reference,
)
from scripts.seeds.identifiers import snils

STAFF_NUMBERS: Final = f"{HOME}/sid/staff"
SNILS: Final = "urn:oid:1.2.643.100.3"
LANGUAGES: Final = "urn:ietf:bcp:47"
DEPARTMENT: Final = {each.id: each for each in DEPARTMENTS}


@dataclass(frozen=True, slots=True)
class Doctor:
    """A Practitioner with one PractitionerRole and one Schedule, all of the same id."""

    id: str
    department: Department
    speciality: str
    family: str
    given: tuple[str, str]
    latin: tuple[str, str]
    """Family and given name in Latin letters."""
    gender: str
    born: str
    since: str
    days: tuple[int, ...]
    """Surgery days, 0 is Monday."""
    opens: int
    """Minutes after midnight."""
    languages: tuple[str, ...]

    @property
    def clinic(self) -> Clinic:
        return self.department.clinic

    @property
    def name(self) -> str:
        return f"{self.family} {' '.join(self.given)}"

    @property
    def reference(self) -> JsonObject:
        return reference(f"Practitioner/{self.id}", self.name)

    @property
    def role(self) -> JsonObject:
        return reference(f"PractitionerRole/{self.id}", self.name)

    @property
    def number(self) -> str:
        """The staff number, which conditional references go by."""
        return f"{self.clinic.suffix.upper()}-{STAFF_IDS.index(self.id) + 101}"

    @property
    def by_number(self) -> JsonObject:
        """A conditional reference, resolved by the server that loads the bundle."""
        return reference(f"Practitioner?identifier={STAFF_NUMBERS}|{self.number}")


_MORNING, _NOON = 8 * 60, 13 * 60
_RU, _UK = ("ru",), ("uk",)


def _row(  # noqa: PLR0913, PLR0917  # a row of the table below
    name: str,
    department: str,
    speciality: str,
    cyrillic: tuple[str, str, str],
    latin: tuple[str, str],
    person: tuple[str, str, str],
    surgery: tuple[tuple[int, ...], int],
    languages: tuple[str, ...],
) -> Doctor:
    family, given, patronymic = cyrillic
    gender, born, since = person
    return Doctor(
        id=name,
        department=DEPARTMENT[department],
        speciality=speciality,
        family=family,
        given=(given, patronymic),
        latin=latin,
        gender=gender,
        born=born,
        since=since,
        days=surgery[0],
        opens=surgery[1],
        languages=languages,
    )


DOCTORS: Final = (
    _row(
        "dr-sokolova",
        "rodnik-therapy",
        "general",
        ("Соколова", "Елена", "Викторовна"),
        ("Sokolova", "Elena"),
        ("female", "1974-06-11", "2004-09-01"),
        ((0, 2, 4), _MORNING),
        ("ru", "tt"),
    ),
    _row(
        "dr-zhuravlyov",
        "rodnik-heart",
        "cardiology",
        ("Журавлёв", "Фёдор", "Игоревич"),
        ("Zhuravlyov", "Fyodor"),
        ("male", "1968-01-30", "1998-08-15"),
        ((0, 1, 3), _MORNING),
        _RU,
    ),
    _row(
        "dr-gareeva",
        "rodnik-endocrine",
        "endocrinology",
        ("Гареева", "Лейсан", "Рустемовна"),
        ("Gareeva", "Leysan"),
        ("female", "1983-11-05", "2012-02-01"),
        ((1, 2, 4), _NOON),
        ("ru", "tt", "en"),
    ),
    _row(
        "dr-berezina",
        "rodnik-children",
        "pediatrics",
        ("Берёзина", "Ольга", "Львовна"),
        ("Beryozina", "Olga"),
        ("female", "1989-04-22", "2016-09-01"),
        ((0, 1, 4), _MORNING),
        _RU,
    ),
    _row(
        "dr-yermolaev",
        "rodnik-women",
        "oncology",
        ("Ермолаев", "Артём", "Павлович"),
        ("Yermolaev", "Artyom"),
        ("male", "1977-09-17", "2007-03-12"),
        ((2, 3), _NOON),
        ("ru", "en"),
    ),
    _row(
        "dr-nasibullina",
        "rodnik-women",
        "gynecology",
        ("Насибуллина", "Гульнара", "Айратовна"),
        ("Nasibullina", "Gulnara"),
        ("female", "1981-02-03", "2010-10-01"),
        ((0, 3, 4), _MORNING),
        ("ru", "tt"),
    ),
    _row(
        "dr-hrytsenko",
        "dzherelo-family",
        "family",
        ("Гриценко", "Наталія", "Іванівна"),
        ("Hrytsenko", "Nataliia"),
        ("female", "1976-12-19", "2003-09-01"),
        ((0, 1, 2), _MORNING),
        ("uk", "pl"),
    ),
    _row(
        "dr-palianytsia",
        "dzherelo-heart",
        "cardiology",
        ("Паляниця", "Юрій", "Олегович"),
        ("Palianytsia", "Yurii"),
        ("male", "1970-03-08", "1999-07-01"),
        ((1, 3, 4), _MORNING),
        _UK,
    ),
    _row(
        "dr-gedz",
        "dzherelo-children",
        "pediatrics",
        ("Ґедзь", "Ірина", "Василівна"),
        ("Gedz", "Iryna"),
        ("female", "1985-08-28", "2013-01-15"),
        ((0, 2, 3), _NOON),
        ("uk", "en"),
    ),
    _row(
        "dr-dziuba",
        "dzherelo-inner",
        "infections",
        ("Дзюба", "Максим", "Євгенович"),
        ("Dziuba", "Maksym"),
        ("male", "1979-05-14", "2008-04-01"),
        ((1, 2), _MORNING),
        ("uk", "en"),
    ),
    _row(
        "dr-yizhakevych",
        "dzherelo-inner",
        "gastroenterology",
        ("Їжакевич", "Соломія", "Андріївна"),
        ("Yizhakevych", "Solomiia"),
        ("female", "1990-10-02", "2018-09-01"),
        ((0, 4), _NOON),
        _UK,
    ),
    _row(
        "dr-vdovychenko",
        "dzherelo-mind",
        "psychiatry",
        ("Вдовиченко", "Лук'ян", "Петрович"),
        ("Vdovychenko", "Lukian"),
        ("male", "1972-07-21", "2001-11-01"),
        ((2, 4), _MORNING),
        _UK,
    ),
)
STAFF_IDS: Final = tuple(each.id for each in DOCTORS)
DOCTOR: Final = {each.id: each for each in DOCTORS}

_DIPLOMA: Final[Text] = ("Врач", "Лікар")
_LEFT: Final = "dr-vdovychenko"
"""On leave: an inactive role for searches by `active=false`."""


def practitioners(clinic: Clinic) -> Iterator[JsonObject]:
    for each in DOCTORS:
        if each.clinic is clinic:
            yield _practitioner(each)
            yield _role(each)


def _practitioner(row: Doctor) -> JsonObject:
    clinic = row.clinic
    numbers = [identifier(STAFF_NUMBERS, row.number, "EI", use="official")]
    if clinic.key == "ru":
        serial = 120_000_400 + STAFF_IDS.index(row.id)
        numbers.append(identifier(SNILS, snils(serial), "SB"))
    elements = {
        "identifier": numbers,
        "active": True,
        "name": [
            {
                "use": "official",
                "text": row.name,
                "family": row.family,
                "given": list(row.given),
                "prefix": ["д-р" if clinic.key == "ru" else "лікар"],
            },
            {"use": "usual", "family": row.latin[0], "given": [row.latin[1]], "prefix": ["Dr"]},
        ],
        "telecom": [
            {"system": "phone", "value": clinic.phone, "use": "work"},
            {"system": "email", "value": f"{row.id}@{clinic.site[8:]}", "use": "work"},
        ],
        "address": [address(clinic)],
        "gender": row.gender,
        "birthDate": row.born,
        "qualification": [_qualification(row)],
        "communication": [concept(LANGUAGES, each) for each in row.languages],
        "text": narrative(row.name, SPECIALITY[row.speciality].concept(clinic)["text"]),
    }
    return fixed("Practitioner", row.id, elements, tag=[clinic.tag])


def _qualification(row: Doctor) -> JsonObject:
    return {
        "identifier": [identifier(f"{HOME}/sid/diploma", f"D-{row.number}")],
        "code": concept(f"{HL7}/v2-0360", "MD", "Doctor of Medicine", row.clinic.say(_DIPLOMA)),
        "period": period(row.since[:4]),
        "issuer": row.clinic.reference,
    }


def _role(row: Doctor) -> JsonObject:
    clinic = row.clinic
    elements = {
        "identifier": [identifier(f"{HOME}/sid/role", row.number)],
        "active": row.id != _LEFT,
        "period": period(row.since),
        "practitioner": row.reference,
        "organization": row.department.reference,
        "code": [
            concept(f"{HL7}/practitioner-role", "doctor", "Doctor"),
            concept(SNOMED, "158965000", "Medical practitioner"),
        ],
        "specialty": [SPECIALITY[row.speciality].concept(clinic)],
        "location": [reference(f"Location/{row.department.id}")],
        "healthcareService": [reference(f"HealthcareService/{row.department.id}")],
        "telecom": [
            {"system": "phone", "value": clinic.phone, "use": "work"},
            {"system": "email", "value": f"{row.id}@{clinic.site[8:]}", "use": "work"},
        ],
        "endpoint": [reference(f"Endpoint/{clinic.id}")],
    }
    return fixed("PractitionerRole", row.id, elements, tag=[clinic.tag])
