"""Vital signs and findings: Observations of the profiles of vital signs, and odd values."""
# ruff: noqa: E501  # a row of a table is a line
# a row of a table is a line

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from scripts.seeds.clinics import Clinic
from scripts.seeds.elements import (
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
    narrative,
    noise,
    quantity,
    reference,
    relative,
)
from scripts.seeds.laboratory import LABORATORY, meta
from scripts.seeds.people import PATIENT, Person, of_clinic

_CATEGORY: Final = f"{HL7}/observation-category"
VITAL: Final = concept(_CATEGORY, "vital-signs", "Vital Signs")
_PROFILES: Final = "http://hl7.org/fhir/StructureDefinition"


@dataclass(frozen=True, slots=True)
class Sign:
    """A vital sign, its profile and its unit."""

    name: Term
    profile: str
    unit: str
    digits: int = 0


def _sign(code: str, names: tuple[str, str, str], profile: str, unit: str, digits: int) -> Sign:
    return Sign(Term(LOINC, code, *names), profile, unit, digits)


SIGNS: Final = {
    "weight": _sign("29463-7", ("Body weight", "Масса тела", "Маса тіла"), "bodyweight", "kg", 1),
    "height": _sign("8302-2", ("Body height", "Рост", "Зріст"), "bodyheight", "cm", 0),
    "bmi": _sign("39156-5", ("Body mass index (BMI) [Ratio]", "ИМТ", "ІМТ"), "bmi", "kg/m2", 1),
    "pulse": _sign("8867-4", ("Heart rate", "Пульс", "Пульс"), "heartrate", "/min", 0),
    "temperature": _sign("8310-5", ("Body temperature", "Температура", "Температура"), "bodytemp", "Cel", 1),
    "saturation": _sign("2708-6", ("Oxygen saturation in Arterial blood", "Сатурация", "Сатурація"), "oxygensat", "%", 0),
}  # fmt: skip
_PRESSURE: Final = Term(LOINC, "85354-9", "Blood pressure panel", "Давление", "Тиск")
_SYSTOLIC: Final = Term(LOINC, "8480-6", "Systolic blood pressure", "Верхнее", "Верхній")
_DIASTOLIC: Final = Term(LOINC, "8462-4", "Diastolic blood pressure", "Нижнее", "Нижній")

_ADULT: Final = 18
_HEIGHTS: Final = {"male": 177, "female": 165, "other": 50, "unknown": 170}
_GROWTH: Final = ((0, 3.4, 50), (1, 9.8, 76), (2, 12.4, 88), (6, 20.5, 116), (10, 32, 139), (14, 51, 163), (18, 64, 172))  # fmt: skip
"""Age in years, weight in kilograms, height in centimetres."""


def body(person: Person, age: float) -> tuple[float, float]:
    """Weight and height of `person` at `age`: the growth curve, then a steady body."""
    if age >= _ADULT:
        height = _HEIGHTS[person.gender] + 8 * noise(f"{person.id}height")
        return height**2 / 10000 * (25 + 5 * noise(f"{person.id}weight")), height
    later = next(n for n, row in enumerate(_GROWTH) if row[0] > age)
    (a, weight_a, height_a), (b, weight_b, height_b) = _GROWTH[later - 1 : later + 1]
    part = (age - a) / (b - a)
    return weight_a + (weight_b - weight_a) * part, height_a + (height_b - height_a) * part


_PRESSURES: Final = {
    "pyotr-ivanov-ru": (7, 24, 158, 128),
    "nikolai-ivanov-ru": (30, 12, 164, 138),
    "fyodor-semyonov-ru": (60, 6, 118, 104),
    "aigul-khabibullina-ru": (28, 6, 112, 132),
    "taras-lukianenko-ua": (7, 20, 162, 131),
    "hanna-lukianenko-ua": (30, 12, 149, 136),
    "zinaida-kravets-ua": (60, 6, 141, 138),
}
"""Days between, times, systolic pressure at the beginning and now."""
_SATURATIONS: Final = {
    "bohdan-kovalchuk-ua": (30, 8, 89, 93),
    "ivan-ivanov-ru": (60, 5, 94, 98),
    "nemovlia-yizhak-ua": (1, 1, 97, 97),
}
_FEVERS: Final = {
    "matvii-lukianenko-ua": (1, 5, 39.4, 36.7),
    "mykhailo-kovalchuk-ua": (1, 4, 38.8, 36.6),
    "emilia-de-la-cruz-ua": (1, 3, 38.2, 36.9),
    "unknown-man-ru": (1, 1, 34.9, 34.9),
}
_STRANGER: Final = "unknown-man-ru"
_DEAD: Final = "galina-shcherbakova-ru"


def vitals(clinic: Clinic) -> Iterator[JsonObject]:
    for person in of_clinic(clinic):
        if person.id not in {_STRANGER, _DEAD, "anna-ivanova-duplicate-ru"}:
            yield from _measurements(person)
        yield from _pressures(person)
        yield from _course(person, "saturation", _SATURATIONS)
        yield from _course(person, "temperature", _FEVERS)
    yield from (each for each in _findings() if each["id"].endswith(clinic.suffix))


def _measurements(person: Person) -> Iterator[JsonObject]:
    """Weight, height, body mass index and pulse, once a year."""
    years = range(min(4, int(person.age) + 1))
    for turn in years:
        offset = -1 - turn * 365 if person.age < 1 else -40 - turn * 365
        weight, height = body(person, max(person.age + offset / 365.25, 0))
        weight = round(weight + turn * 0.3, 1)
        height = round(height)
        yield _signed(person, "weight", turn, offset, weight)
        yield _signed(person, "height", turn, offset, height)
        yield _bmi(person, turn, offset, round(weight / (height / 100) ** 2, 1))
        yield _signed(person, "pulse", turn, offset, _pulse(person, turn))


def _pulse(person: Person, turn: int) -> int:
    rest = 72 if person.age >= _ADULT else 130 - 4 * int(min(person.age, 12))
    return round(rest + 8 * noise(f"{person.id}pulse{turn}"))


def _bmi(person: Person, turn: int, offset: int, value: float) -> JsonObject:
    found = _signed(person, "bmi", turn, offset, value)
    parts = [f"Observation/{name}-{turn + 1:02}-{person.id}" for name in ("weight", "height")]
    return found | {"derivedFrom": [reference(each) for each in parts]}


def _course(person: Person, name: str, rows: dict[str, Any]) -> Iterator[JsonObject]:
    if person.id in rows:
        every, times, first, last = rows[person.id]
        for turn in range(times):
            level = _level(first, last, turn, times)
            value = round(level, SIGNS[name].digits) if SIGNS[name].digits else round(level)
            yield _signed(person, name, turn, -1 - turn * every, value)


def _level(first: float, last: float, turn: int, times: int) -> float:
    return last + (first - last) * turn / max(times - 1, 1)


def _signed(person: Person, name: str, turn: int, offset: int, value: float) -> JsonObject:
    sign = SIGNS[name]
    code = sign.name.concept(person.clinic.key)
    if name == "saturation":
        pulse_oximetry = Term(LOINC, "59408-5", "Oxygen saturation by Pulse oximetry", "", "")
        code["coding"].append(pulse_oximetry.coding())
    elements = {
        **_head(person, f"{name}-{turn + 1:02}-{person.id}", offset),
        "code": code,
        "valueQuantity": quantity(value, sign.unit),
        "device": reference("Device/oximeter-ua") if name == "saturation" else None,
    }
    return relative("Observation", elements.pop("id"), elements, **_meta(person, sign.profile))


def _meta(person: Person, profile: str) -> JsonObject:
    profiles = [f"{_PROFILES}/vitalsigns", f"{_PROFILES}/{profile}"]
    return {"profile": profiles, **meta(person), "source": f"{person.clinic.site}/surgery"}


def _head(person: Person, name: str, offset: int) -> JsonObject:
    """What all vital signs have; a diary is kept by the patient, all else by the doctor."""
    diary = "portal" in person.tags and name.startswith("pressure")
    return {
        "id": name,
        "identifier": [identifier(f"{HOME}/sid/result", name)],
        "status": "final",
        "category": [VITAL],
        "subject": person.reference,
        "effectiveDateTime": moment(offset, "08:40", person.clinic.zone),
        "issued": moment(offset, "08:45", person.clinic.zone),
        "performer": [person.reference if diary else person.gp.reference],
    }


def _pressures(person: Person) -> Iterator[JsonObject]:
    if person.id in _PRESSURES:
        every, times, first, last = _PRESSURES[person.id]
        for turn in range(times):
            wave = 6 * noise(f"{person.id}pressure{turn}")
            yield _pressure(
                person, turn, -1 - turn * every, _level(first, last, turn, times) + wave
            )


def _pressure(person: Person, turn: int, offset: int, systolic: float) -> JsonObject:
    elements = {
        **_head(person, f"pressure-{turn + 1:02}-{person.id}", offset),
        "code": _PRESSURE.concept(person.clinic.key),
        "bodySite": concept(SNOMED, "368209003", "Right upper arm"),
        "method": concept(SNOMED, "37931006", "Auscultation"),
        "component": [
            _component(person, _SYSTOLIC, round(systolic), 140),
            _component(person, _DIASTOLIC, round(systolic * 0.55 + 8), 90),
        ],
    }
    return relative("Observation", elements.pop("id"), elements, **_meta(person, "bp"))


def _component(person: Person, name: Term, value: int, limit: int) -> JsonObject:
    code, display = ("H", "High") if value >= limit else ("N", "Normal")
    system = f"{HL7}/v3-ObservationInterpretation"
    return {
        "code": name.concept(person.clinic.key),
        "valueQuantity": quantity(value, "mm[Hg]"),
        "interpretation": [concept(system, code, display)],
        "referenceRange": [{"high": quantity(limit - 1, "mm[Hg]")}],
    }


def _findings() -> Iterator[JsonObject]:
    """Observations with values of every other kind."""
    yield from _coded_and_dated()
    yield from _of_other_types()


def _coded_and_dated() -> Iterator[JsonObject]:
    yield _finding(
        "blood-group", "anna-ivanova-ru", "882-1", "ABO and Rh group [Type] in Blood",
        LABORATORY, -1500, valueCodeableConcept=concept(SNOMED, "278147001", "A Rh(D) positive"),
    )  # fmt: skip
    yield _finding(
        "urine-glucose", "aigul-khabibullina-ru", "25428-4",
        "Glucose [Presence] in Urine by Test strip", LABORATORY, -20,
        valueCodeableConcept=concept(SNOMED, "260385009", "Negative"),
    )  # fmt: skip
    yield _finding(
        "last-period", "aigul-khabibullina-ru", "8665-2", "Last menstrual period start date",
        concept(_CATEGORY, "exam", "Exam"), -170, valueDateTime=day(-196),
    )  # fmt: skip
    yield _finding(
        "smoking", "bohdan-kovalchuk-ua", "72166-2", "Tobacco smoking status",
        concept(_CATEGORY, "social-history", "Social History"), -40,
        valueCodeableConcept=concept(SNOMED, "449868002", "Smokes tobacco daily"),
    )  # fmt: skip
    yield _finding(
        "hcv-rna-1", "orest-gudz-ua", "11011-4",
        "Hepatitis C virus RNA [Units/volume] (viral load) in Serum or Plasma by NAA",
        LABORATORY, -900, valueQuantity=quantity(1850000, "[IU]/mL"),
    )  # fmt: skip


def _of_other_types() -> Iterator[JsonObject]:
    undetected = {"value": 15, "comparator": "<", **_unit("[IU]/mL")}
    yield _finding(
        "hcv-rna-2", "orest-gudz-ua", "11011-4",
        "Hepatitis C virus RNA [Units/volume] (viral load) in Serum or Plasma by NAA",
        LABORATORY, -300, valueQuantity=undetected,
    )  # fmt: skip
    yield _finding(
        "culture", "emilia-de-la-cruz-ua", "600-7", "Bacteria identified in Blood by Culture",
        LABORATORY, -2, status="registered",
        dataAbsentReason=concept(f"{HL7}/data-absent-reason", "temp-unknown", "Temporarily Unknown"),
    )  # fmt: skip
    yield _finding(
        "apgar", "nemovlia-yizhak-ua", "9274-2", "5 minute Apgar Score",
        concept(_CATEGORY, "survey", "Survey"), -2, valueInteger=9, component=[
            _apgar("32401-2", "5 minute Apgar Color", valueCodeableConcept=_PINK),
            _apgar("32402-0", "5 minute Apgar Heart rate", dataAbsentReason=_UNKNOWN),
        ],
    )  # fmt: skip
    yield _finding(
        "glucose-profile", "ruslan-khabibullin-ru", "41653-7",
        "Glucose [Mass/volume] in Capillary blood by Glucometer",
        LABORATORY, -1, valueString="Дневник: утро 6,8; обед 8,1; вечер 7,4",
        device=reference("Device/pump-ru"), method=concept(SNOMED, "702668005", "Glucometer"),
    )  # fmt: skip
    yield _finding(
        "foetal-heart", "aigul-khabibullina-ru", "55283-6", "Fetal Heart rate",
        concept(_CATEGORY, "exam", "Exam"), -6, valueQuantity=quantity(142, "/min"),
        focus=[reference("Observation/last-period-aigul-khabibullina-ru")],
        hasMember=[reference("Observation/urine-glucose-aigul-khabibullina-ru")],
        partOf=[reference("Procedure/ultrasound-aigul-khabibullina-ru")],
    )  # fmt: skip
    yield _finding(
        "ecg-period", "hanna-lukianenko-ua", "11524-6", "EKG study",
        concept(_CATEGORY, "procedure", "Procedure"), -30, status="cancelled",
        valueRange={"low": quantity(58, "/min"), "high": quantity(131, "/min")},
    )  # fmt: skip
    yield _finding(
        "temperature-after-vaccine", "ivan-ivanov-ru", "8310-5", "Body temperature",
        VITAL, -2870, valueQuantity=quantity(38.1, "Cel"),
    )  # fmt: skip
    yield _finding(
        "mistake", "pyotr-ivanov-ru", "14749-6", "Glucose [Moles/volume] in Serum or Plasma",
        LABORATORY, -60, status="entered-in-error", valueQuantity=quantity(54.2, "mmol/L"),
    )  # fmt: skip


_PINK: Final = concept(LOINC, "LA6725-1", "Completely pink")
_UNKNOWN: Final = concept(f"{HL7}/data-absent-reason", "unknown", "Unknown")


def _unit(code: str) -> JsonObject:
    return {name: each for name, each in quantity(0, code).items() if name != "value"}


def _apgar(code: str, display: str, **value: Any) -> JsonObject:
    return {
        "code": concept(LOINC, code, display),
        **value,
    }


def _finding(  # a row of the list above
    what: str, patient: str, code: str, display: str, category: Any, offset: int, **more: Any
) -> JsonObject:  # fmt: skip
    person = PATIENT[patient]
    name = f"{what}-{patient}"
    elements = {
        "text": narrative(f"{display}: {person.name}"),
        "identifier": [identifier(f"{HOME}/sid/result", name)],
        "status": "final",
        "category": [category],
        "code": concept(LOINC, code, display),
        "subject": person.reference,
        "effectiveDateTime": moment(offset, "11:20", person.clinic.zone),
        "issued": moment(offset, "11:50", person.clinic.zone),
        "performer": [person.gp.reference],
        **more,
    }
    return relative("Observation", name, elements, **meta(person))
