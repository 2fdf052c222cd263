"""Terminology, forms and devices the records use."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from scripts.seeds.clinics import RODNIK, SPECIALITIES, SPECIALITY, Clinic
from scripts.seeds.elements import (
    HL7,
    HOME,
    LOINC,
    SNOMED,
    JsonObject,
    Text,
    concept,
    day,
    fixed,
    identifier,
    narrative,
    quantity,
    reference,
    relative,
)
from scripts.seeds.tests_table import TESTS

_PUBLISHED: Final[JsonObject] = {
    "version": "1.0.0",
    "status": "active",
    "experimental": False,
    "date": "2026-01-05",
    "publisher": "fhir-server",
    "jurisdiction": [
        {"coding": [{"system": "urn:iso:std:iso:3166", "code": code} for code in ("RU", "UA")]}
    ],
    "useContext": [
        {
            "code": {"system": f"{HL7}/usage-context-type", "code": "focus"},
            "valueCodeableConcept": concept(SNOMED, "116154003", "Patient"),
        },
        {
            "code": {"system": f"{HL7}/usage-context-type", "code": "age"},
            "valueQuantity": quantity(18, "a"),
        },
    ],
}  # fmt: skip


def knowledge(clinic: Clinic) -> Iterator[JsonObject]:
    """What both clinics share comes with the first."""
    if clinic is RODNIK:
        yield _specialities()
        yield _english_names()
        yield from _value_sets()
        yield from _concept_maps()
        yield from _questionnaires()
        yield _plan_definition()
    yield from (_device(*row) for row in _DEVICES if row[0].endswith(clinic.suffix))


def _canonical(kind: str, name: str, title: str, **elements: Any) -> JsonObject:
    head = {
        "text": narrative(title),
        "url": f"{HOME}/{kind}/{name}",
        "identifier": [identifier(f"{HOME}/sid/canonical", f"{kind}-{name}")],
        "name": "".join(part.capitalize() for part in name.split("-")),
        "title": title,
        "description": title,
    }
    return fixed(kind, name, head | _PUBLISHED | elements)


_GROUPS: Final[tuple[tuple[str, Text, tuple[str, ...]], ...]] = (
    ("primary", ("Первичная помощь", "Первинна допомога"), ("general", "family", "pediatrics")),
    (
        "inner",
        ("Внутренние болезни", "Внутрішні хвороби"),
        ("cardiology", "endocrinology", "gastroenterology", "infections", "oncology"),
    ),
    ("other", ("Прочие", "Інші"), ("gynecology", "psychiatry")),
)


def _specialities() -> JsonObject:
    return _canonical(
        "CodeSystem",
        "specialities",
        "Специальности врачей",
        caseSensitive=True,
        valueSet=f"{HOME}/ValueSet/specialities",
        hierarchyMeaning="is-a",
        content="complete",
        count=len(SPECIALITY) + len(_GROUPS),
        concept=[_group(*row) for row in _GROUPS],
    )


def _group(code: str, name: Text, members: Iterable[str]) -> JsonObject:
    ru, uk = name
    return _entry(code, code.capitalize(), ru, uk) | {"concept": [_member(m) for m in members]}


def _member(code: str) -> JsonObject:
    name = SPECIALITY[code].name
    return _entry(code, name.display, name.ru, name.uk)


def _entry(code: str, display: str, ru: str, uk: str) -> JsonObject:
    names = [{"language": "ru", "value": ru}, {"language": "uk", "value": uk}]
    return {"code": code, "display": display, "designation": names}


def _value_sets() -> Iterator[JsonObject]:
    everything = {"include": [{"system": SPECIALITIES}]}
    yield _canonical("ValueSet", "specialities", "Все специальности", compose=everything)
    inner = {"property": "concept", "op": "is-a", "value": "inner"}
    some = {"include": [{"system": SPECIALITIES, "filter": [inner]}]}
    yield _canonical("ValueSet", "inner-medicine", "Внутренние болезни", compose=some)
    sugar = [{"code": TESTS[name].name.code} for name in ("glucose", "glucose-mg", "hba1c")]
    yield _canonical(
        "ValueSet",
        "sugar-tests",
        "Анализы при диабете",
        compose={"include": [{"system": LOINC, "concept": sugar}]},
        expansion={
            "identifier": f"{HOME}/expansions/sugar-tests",
            "timestamp": "2026-01-05",
            "contains": [{"system": LOINC, **each} for each in sugar],
        },
    )


def _english_names() -> JsonObject:
    """What English readers call a speciality: a supplement."""
    return _canonical(
        "CodeSystem",
        "specialities-in-english",
        "Specialities in English",
        content="supplement",
        supplements=SPECIALITIES,
        concept=[
            {"code": code, "designation": [{"language": "en", "value": row.name.display}]}
            for code, row in SPECIALITY.items()
        ],
    )


def _concept_maps() -> Iterator[JsonObject]:
    yield _tests_to_loinc()
    yield _specialities_to_snomed()


def _specialities_to_snomed() -> JsonObject:
    country = {"property": f"{HOME}/properties/country", "value": "RU"}
    rows: list[Any] = [
        {"code": code, "target": [{"code": row.name.code, "equivalence": "equal"}]}
        for code, row in SPECIALITY.items()
    ]
    rows[0]["target"][0] |= {"dependsOn": [country], "product": [country]}
    other = {"mode": "other-map", "url": f"{HOME}/ConceptMap/tests-to-loinc"}
    group = {"source": SPECIALITIES, "target": SNOMED, "element": rows, "unmapped": other}
    title = "Специальности в SNOMED CT"
    found = _canonical("ConceptMap", "specialities-to-snomed", title, group=[group])
    return found | {
        "identifier": found["identifier"][0],
        "sourceCanonical": f"{HOME}/ValueSet/specialities",
        "targetCanonical": "http://hl7.org/fhir/ValueSet/c80-practice-codes",
    }


def _tests_to_loinc() -> JsonObject:
    rows = [
        {"code": name, "target": [{"code": test.name.code, "equivalence": "equivalent"}]}
        for name, test in TESTS.items()
    ]
    group = {"source": RODNIK.system("test"), "target": LOINC, "element": rows}
    found = _canonical(
        "ConceptMap", "tests-to-loinc", "Коды лаборатории в LOINC", group=[group]
    )
    single = found["identifier"][0]
    return found | {
        "identifier": single,
        "sourceUri": f"{HOME}/ValueSet/tests",
        "targetUri": f"{HOME}/ValueSet/loinc-tests",
    }


def _questionnaires() -> Iterator[JsonObject]:
    diary = [
        _item("mood", "Самочувствие / Самопочуття", "choice", answerOption=_answers()),
        _item("sleep", "Часы сна / Години сну", "decimal"),
        _item("pulse", "Пульс", "integer", definition=f"{HOME}/Questionnaire/diary#pulse"),
        _item("date", "Дата", "date"),
        _item("note", "Примечание / Примітка", "text"),
    ]
    codes = [{"system": LOINC, "code": "74465-6", "display": "Questionnaire response Document"}]
    yield _canonical(
        "Questionnaire",
        "diary",
        "Дневник здоровья",
        subjectType=["Patient"],
        code=codes,
        item=diary,
    )
    history = [
        _item("smoking", "Курите? / Палите?", "boolean"),
        _item("allergies", "Аллергии / Алергії", "string"),
        _item("relatives", "Болезни родных / Хвороби рідних", "text"),
    ]
    yield _canonical(
        "Questionnaire",
        "history",
        "Анамнез",
        subjectType=["Patient"],
        item=history,
        effectivePeriod={"start": "2021-01-01"},
    )


def _item(link: str, text: str, kind: str, **more: Any) -> JsonObject:
    code = [{"system": f"{HOME}/CodeSystem/questions", "code": link}]
    return {"linkId": link, "code": code, "text": text, "type": kind, **more}


def _answers() -> list[JsonObject]:
    system = f"{HOME}/CodeSystem/mood"
    return [{"valueCoding": {"system": system, "code": each}} for each in ("good", "bad")]


_DIARY: Final = f"{HOME}/Questionnaire/diary"
_RELATIONS: Final = ("depends-on", "derived-from", "composed-of", "predecessor", "successor")


def _plan_definition() -> JsonObject:
    return _canonical(
        "PlanDefinition",
        "dispensary",
        "Диспансерное наблюдение",
        type=concept(f"{HL7}/plan-definition-type", "clinical-protocol", "Clinical Protocol"),
        relatedArtifact=[{"type": each, "resource": _DIARY} for each in _RELATIONS],
        topic=[concept(f"{HL7}/definition-topic", "treatment", "Treatment")],
        action=[
            {
                "title": "Осмотр раз в квартал",
                "code": [concept(SNOMED, "185389009")],
                "definitionCanonical": _DIARY,
            }
        ],
        effectivePeriod={"start": "2021-01-01"},
    )


_DEVICES: Final = (
    ("oximeter-ru", "448703006", "Pulse oximeter", None, "OX-100"),
    ("oximeter-ua", "448703006", "Pulse oximeter", None, "OX-100"),
    ("pump-ru", "69805005", "Insulin pump", "ruslan-khabibullin-ru", "PUMP-7"),
    ("prosthesis-ua", "53350007", "Prosthesis", "andrii-shevchenko-ua", "LEG-3"),
)


def _device(name: str, code: str, display: str, patient: str | None, model: str) -> JsonObject:
    suffix = name[-2:]
    clinic = {"ru": "rodnik-ru", "ua": "dzherelo-ua"}[suffix]
    udi = {
        "deviceIdentifier": f"0084400{model}",
        "carrierHRF": f"(01)0084400{model}(21){name}",
        "jurisdiction": "http://hl7.org/fhir/NamingSystem/gs1-di",
    }
    elements = {
        "identifier": [identifier(f"{HOME}/sid/device", name, "SNO")],
        "udiCarrier": [udi],
        "status": "active",
        "manufacturer": "Прибор / Прилад",
        "manufactureDate": day(-900),
        "expirationDate": day(2000),
        "lotNumber": f"LOT-{model}",
        "serialNumber": f"SN-{name}",
        "deviceName": [{"name": display, "type": "user-friendly-name"}],
        "modelNumber": model,
        "type": concept(SNOMED, code, display),
        "patient": reference(f"Patient/{patient}") if patient else None,
        "owner": reference(f"Organization/{clinic}"),
        "location": None if patient else reference(f"Location/{clinic}"),
        "url": f"{HOME}/devices/{name}",
    }
    return relative("Device", name, elements)
