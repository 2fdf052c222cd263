"""The Patient resources of the thirty."""

from collections.abc import Iterator
from typing import Any, Final

from scripts.seeds.clinics import RODNIK, Clinic
from scripts.seeds.elements import (
    HL7,
    HOME,
    SEED_SYSTEM,
    TAGS,
    JsonObject,
    coding,
    concept,
    day,
    identifier,
    narrative,
    period,
    pruned,
    reference,
    relative,
)
from scripts.seeds.identifiers import enp, rnokpp, snils, unzr
from scripts.seeds.people import PATIENT_IDS, RESTRICTED, VERY_RESTRICTED, Person, of_clinic
from scripts.seeds.staff import LANGUAGES, SNILS

ENP: Final = "urn:oid:1.2.643.2.69.1.1.1.6.228"
RNOKPP: Final = f"{HOME}/sid/ua/rnokpp"
UNZR: Final = f"{HOME}/sid/ua/unzr"
PASSPORT: Final = f"{HOME}/sid/passport"
_EXTENSION: Final = "http://hl7.org/fhir/StructureDefinition"
_UNKNOWN: Final = "unknown-man-ru"
_DUPLICATE: Final = "anna-ivanova-duplicate-ru"
_DECEASED: Final = {"galina-shcherbakova-ru": -212}
_TWINS: Final = {"artyom-semyonov-ru": 1, "matvey-semyonov-ru": 2}
_FOREIGN: Final = "emilia-de-la-cruz-ua"
_HOURS_OLD: Final = {"nemovlia-yizhak-ua": "05:40", "sofia-ivanova-ru": "14:25"}


def patients(clinic: Clinic) -> Iterator[JsonObject]:
    return (patient(each) for each in of_clinic(clinic))


def patient(row: Person) -> JsonObject:
    clinic = row.clinic
    elements = {
        "text": narrative(row.name, clinic.say(row.note)),
        "extension": _extensions(row),
        "identifier": list(_identifiers(row)),
        "active": row.id not in {_DUPLICATE, *_DECEASED},
        "name": list(_names(row)),
        "telecom": list(_telecom(row)),
        "gender": row.gender,
        **_birth(row),
        "address": [_home(row)] if row.home[0] else None,
        "maritalStatus": _marital(row),
        **_special(row),
        "contact": _contact(row),
        "communication": _communication(row),
        "generalPractitioner": [row.gp.reference, clinic.reference],
        "managingOrganization": clinic.reference,
    }
    return relative("Patient", row.id, elements, **_meta(row))


def _meta(row: Person) -> JsonObject:
    birth = [coding(SEED_SYSTEM, "relative-birth")] if row.is_child else []
    own = [coding(TAGS, each) for each in row.tags]
    labels = {"R": RESTRICTED, "V": VERY_RESTRICTED}
    return {
        "tag": [*birth, row.clinic.tag, *own],
        "security": [labels[each] for each in row.security],
        "source": f"{row.clinic.site}/registry",
    }


def _extensions(row: Person) -> list[JsonObject]:
    city = {"city": row.clinic.city, "country": row.clinic.country}
    if row.id in {_UNKNOWN, _FOREIGN}:
        return []
    return [{"url": f"{_EXTENSION}/patient-birthPlace", "valueAddress": city}]


def _identifiers(row: Person) -> Iterator[JsonObject]:
    clinic = row.clinic
    assigner = {"assigner": clinic.reference}
    yield identifier(clinic.system("mrn"), row.number, "MR", use="usual", **assigner)
    if row.id not in {_UNKNOWN, _DUPLICATE, _FOREIGN}:
        yield from _russian(row) if clinic is RODNIK else _ukrainian(row)
    if row.id == _FOREIGN:
        yield identifier(
            PASSPORT, "XDB123456", "PPN", period=period("2021-04-01", "2031-04-01")
        )


def _russian(row: Person) -> Iterator[JsonObject]:
    place = PATIENT_IDS.index(row.id)
    issuer = {"assigner": {"display": "Социальный фонд России"}}
    yield identifier(SNILS, snils(150_000_700 + 37 * place), "SB", use="official", **issuer)
    yield identifier(ENP, enp(169_900_084_000_100 + 173 * place), "NIIP", use="official")


def _ukrainian(row: Person) -> Iterator[JsonObject]:
    place = PATIENT_IDS.index(row.id)
    if row.is_child:
        number = f"І-СГ {410_000 + place}"
        yield identifier(f"{HOME}/sid/ua/birth-certificate", number, "BCT", use="official")
        return
    tax = rnokpp(row.birthday, 110 + place, row.gender)
    yield identifier(RNOKPP, tax, "TAX", use="official")
    yield identifier(UNZR, unzr(row.birthday, 10 + place), "NI", use="official")


def _names(row: Person) -> Iterator[JsonObject]:
    if row.id == _UNKNOWN:
        yield {"use": "temp", "text": row.family, "family": row.family}
        return
    use = "temp" if row.id == "nemovlia-yizhak-ua" else "official"
    text = f"{row.family} {' '.join(row.given)}"
    yield {"use": use, "text": text, "family": row.family, "given": list(row.given)}
    if row.id == "anna-ivanova-ru":
        ended = period("1985-03-14", "2014-08-30")
        yield {"use": "maiden", "family": "Королёва", "given": ["Анна"], "period": ended}
    if row.latin[0]:
        yield {"use": "usual", "family": row.latin[0], "given": [row.latin[1]]}


def _telecom(row: Person) -> Iterator[JsonObject]:
    place = PATIENT_IDS.index(row.id)
    if row.id in {_UNKNOWN, _DUPLICATE} or row.is_child:
        return
    russian = row.clinic is RODNIK
    prefix, dash = ("+7 900 000-", "-") if russian else ("+380 50 000 ", " ")
    number = f"{prefix}{place + 10}{dash}{place + 40}"
    yield {"system": "phone", "value": number, "use": "mobile", "rank": 1}
    if "portal" in row.tags:
        mailbox = f"{row.id.rpartition('-')[0].replace('-', '.')}@mail.example"
        yield {"system": "email", "value": mailbox, "use": "home"}


def _birth(row: Person) -> JsonObject:
    if row.id == _UNKNOWN:
        return {"_birthDate": {"extension": [{"url": _ABSENT, "valueCode": "unknown"}]}}
    found: JsonObject = {"birthDate": row.birthday.isoformat()}
    if row.id in _HOURS_OLD:
        clock = f"{row.birthday.isoformat()}T{_HOURS_OLD[row.id]}:00{row.clinic.zone}"
        birth_time = {"url": f"{_EXTENSION}/patient-birthTime", "valueDateTime": clock}
        found["_birthDate"] = {"extension": [birth_time]}
    return found


_ABSENT: Final = f"{_EXTENSION}/data-absent-reason"


def _home(row: Person) -> JsonObject:
    clinic = row.clinic
    street, postal_code = row.home
    return {
        "use": "home",
        "type": "physical",
        "text": f"{postal_code}, {clinic.city}, {street}",
        "line": [street],
        "city": clinic.city,
        "state": clinic.state,
        "postalCode": postal_code,
        "country": clinic.country,
    }


_MARRIED: Final = frozenset(
    {"anna-ivanova-ru", "pyotr-ivanov-ru", "nikolai-ivanov-ru", "maria-ivanova-ru"}
    | {"ruslan-khabibullin-ru", "aigul-khabibullina-ru"}
    | {"oksana-lukianenko-ua", "taras-lukianenko-ua", "bohdan-kovalchuk-ua"}
)
_WIDOWED: Final = frozenset({"fyodor-semyonov-ru", "hanna-lukianenko-ua", "zinaida-kravets-ua"})
_DIVORCED: Final = frozenset({"alyona-semyonova-ru", "andrii-shevchenko-ua"})
_MARITAL: Final = (
    ("M", "Married", _MARRIED),
    ("W", "Widowed", _WIDOWED),
    ("D", "Divorced", _DIVORCED),
)


def _marital(row: Person) -> Any:
    system = f"{HL7}/v3-MaritalStatus"
    for code, display, members in _MARITAL:
        if row.id in members:
            return concept(system, code, display)
    return None


def _special(row: Person) -> JsonObject:
    """Death, multiple birth and the links between records of one person."""
    found: JsonObject = {}
    if row.id in _DECEASED:
        found["deceasedDateTime"] = day(_DECEASED[row.id])
    elif row.id == "fyodor-semyonov-ru":
        found["deceasedBoolean"] = False
    if row.id in _TWINS:
        found["multipleBirthInteger"] = _TWINS[row.id]
    if row.id == _DUPLICATE:
        found["link"] = [{"other": reference("Patient/anna-ivanova-ru"), "type": "replaced-by"}]
    if row.id == "anna-ivanova-ru":
        found["link"] = [{"other": reference(f"Patient/{_DUPLICATE}"), "type": "replaces"}]
    return found


def _contact(row: Person) -> list[JsonObject]:
    if row.id != "zinaida-kravets-ua":
        return []
    kind = concept(f"{HL7}/v2-0131", "N", "Next-of-Kin")
    name = {"family": "Кравець", "given": ["Ґеорґій"]}
    phone = {"system": "phone", "value": "+380 67 000 77 77"}
    return [{"relationship": [kind], "name": name, "telecom": [phone], "gender": "male"}]


def _communication(row: Person) -> list[JsonObject]:
    spoken = row.languages or (() if row.id == _UNKNOWN else (row.clinic.key,))
    return [
        pruned({"language": concept(LANGUAGES, each), "preferred": n == 0 or None})
        for n, each in enumerate(spoken)
    ]
