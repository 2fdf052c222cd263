"""Medicines and vaccines: Medication, MedicationRequest and what follows, Immunization."""
# ruff: noqa: E501  # a row of a table is a line
# a row of a table is a line

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from scripts.seeds.clinics import Clinic
from scripts.seeds.diseases import DISEASES, problem_of
from scripts.seeds.elements import (
    ATC,
    HL7,
    HOME,
    SNOMED,
    JsonObject,
    Term,
    concept,
    day,
    identifier,
    moment,
    narrative,
    period,
    quantity,
    reference,
    relative,
)
from scripts.seeds.laboratory import meta
from scripts.seeds.people import PATIENT, Person
from scripts.seeds.visits import first_visit

_TABLET: Final = concept(SNOMED, "385055001", "Tablet")
_ORAL: Final = concept(SNOMED, "26643006", "Oral route")
PRESCRIPTION: Final = f"{HOME}/sid/prescription"


@dataclass(frozen=True, slots=True)
class Drug:
    name: Term
    milligrams: float


def _drug(atc: str, display: str, ru: str, uk: str, milligrams: float) -> Drug:
    return Drug(Term(ATC, atc, display, ru, uk), milligrams)


DRUGS: Final = {
    "metformin": _drug("A10BA02", "metformin", "Метформин", "Метформін", 1000),
    "glargine": _drug("A10AE04", "insulin glargine", "Инсулин гларгин", "Інсулін гларгін", 3.6),
    "levothyroxine": _drug("H03AA01", "levothyroxine sodium", "Левотироксин", "Левотироксин", 0.075),
    "thiamazole": _drug("H03BB02", "thiamazole", "Тиамазол", "Тіамазол", 10),
    "perindopril": _drug("C09AA04", "perindopril", "Периндоприл", "Периндоприл", 5),
    "amlodipine": _drug("C08CA01", "amlodipine", "Амлодипин", "Амлодипін", 5),
    "bisoprolol": _drug("C07AB07", "bisoprolol", "Бисопролол", "Бісопролол", 2.5),
    "furosemide": _drug("C03CA01", "furosemide", "Фуросемид", "Фуросемід", 40),
    "atorvastatin": _drug("C10AA05", "atorvastatin", "Аторвастатин", "Аторвастатин", 20),
    "aspirin": _drug("B01AC06", "acetylsalicylic acid", "Ацетилсалициловая кислота", "Ацетилсаліцилова кислота", 75),
    "warfarin": _drug("B01AA03", "warfarin", "Варфарин", "Варфарин", 2.5),
    "iron": _drug("B03AA07", "ferrous sulfate", "Железа сульфат", "Заліза сульфат", 320),
    "tamoxifen": _drug("L02BA01", "tamoxifen", "Тамоксифен", "Тамоксифен", 20),
    "salbutamol": _drug("R03AC02", "salbutamol", "Сальбутамол", "Сальбутамол", 0.1),
    "tiotropium": _drug("R03BB04", "tiotropium bromide", "Тиотропия бромид", "Тіотропію бромід", 0.018),
    "allopurinol": _drug("M04AA01", "allopurinol", "Аллопуринол", "Алопуринол", 100),
    "colecalciferol": _drug("A11CC05", "colecalciferol", "Колекальциферол", "Колекальциферол", 0.05),
    "sertraline": _drug("N06AB06", "sertraline", "Сертралин", "Сертралін", 50),
    "donepezil": _drug("N06DA02", "donepezil", "Донепезил", "Донепезил", 10),
    "sofosbuvir": _drug("J05AP55", "sofosbuvir and velpatasvir", "Софосбувир и велпатасвир", "Софосбувір і велпатасвір", 400),
    "paracetamol": _drug("N02BE01", "paracetamol", "Парацетамол", "Парацетамол", 500),
}  # fmt: skip


STOPPED_FOR: Final = {
    "perindopril": Term(SNOMED, "49727002", "Cough", "Кашель", "Кашель"),
    "furosemide": Term(SNOMED, "419099009", "Dead", "Смерть пациента", "Смерть пацієнта"),
}
"""Why patients took no more of it."""


@dataclass(frozen=True, slots=True)
class Prescription:
    """What whom from when, in days from the anchor, how often a day, and how it stands."""

    patient: str
    drug: str
    since: int
    status: str = "active"
    a_day: int = 1
    shape: str = "reference"
    """Where the medication stands: `reference`, `contained` or `coded`."""

    @property
    def id(self) -> str:
        return f"{self.drug}-{self.patient}"

    @property
    def person(self) -> Person:
        return PATIENT[self.patient]


PRESCRIPTIONS: Final = (
    Prescription("anna-ivanova-ru", "levothyroxine", -1840),
    Prescription("anna-ivanova-ru", "iron", -1690, "completed", 2),
    Prescription("pyotr-ivanov-ru", "perindopril", -390, "stopped"),
    Prescription("pyotr-ivanov-ru", "amlodipine", -160),
    Prescription("ivan-ivanov-ru", "salbutamol", -900, a_day=2, shape="contained"),
    Prescription("nikolai-ivanov-ru", "metformin", -2000, a_day=2),
    Prescription("nikolai-ivanov-ru", "atorvastatin", -1810),
    Prescription("nikolai-ivanov-ru", "aspirin", -2860),
    Prescription("nikolai-ivanov-ru", "bisoprolol", -2860, shape="coded"),
    Prescription("maria-ivanova-ru", "colecalciferol", -1700),
    Prescription("fyodor-semyonov-ru", "furosemide", -200),
    Prescription("fyodor-semyonov-ru", "bisoprolol", -1500, "on-hold"),
    Prescription("alyona-semyonova-ru", "tamoxifen", -1700),
    Prescription("artyom-semyonov-ru", "paracetamol", -300, "cancelled", 3, shape="coded"),
    Prescription("ruslan-khabibullin-ru", "glargine", -1800, shape="contained"),
    Prescription("aigul-khabibullina-ru", "iron", -28, "draft", 2),
    Prescription("galina-shcherbakova-ru", "furosemide", -1000, "stopped"),
    Prescription("oksana-lukianenko-ua", "metformin", -1890, a_day=2),
    Prescription("oksana-lukianenko-ua", "atorvastatin", -900),
    Prescription("taras-lukianenko-ua", "allopurinol", -1700),
    Prescription("taras-lukianenko-ua", "perindopril", -1380),
    Prescription("hanna-lukianenko-ua", "warfarin", -1200),
    Prescription("hanna-lukianenko-ua", "bisoprolol", -2500),
    Prescription("matvii-lukianenko-ua", "paracetamol", -5, "completed", 3, shape="contained"),
    Prescription("orest-gudz-ua", "sofosbuvir", -640, "completed"),
    Prescription("yivha-yizhak-ua", "iron", -270, a_day=2),
    Prescription("bohdan-kovalchuk-ua", "tiotropium", -1500),
    Prescription("bohdan-kovalchuk-ua", "salbutamol", -2300, shape="coded"),
    Prescription("solomiia-kovalchuk-ua", "sertraline", -580),
    Prescription("zinaida-kravets-ua", "donepezil", -1100),
    Prescription("zinaida-kravets-ua", "furosemide", -1400, "entered-in-error"),
    Prescription("andrii-shevchenko-ua", "sertraline", -700, "unknown"),
    Prescription("lesia-ponomarenko-ua", "thiamazole", -1840),
    Prescription("emilia-de-la-cruz-ua", "paracetamol", -3, a_day=3, shape="coded"),
)


def drugs(clinic: Clinic) -> Iterator[JsonObject]:
    """The Medications that the prescriptions of one clinic refer to."""
    own = [each for each in PRESCRIPTIONS if each.person.clinic is clinic]
    needed = sorted({each.drug for each in own if each.shape == "reference"})
    return (medication(f"{each}-{clinic.suffix}", each, clinic) for each in needed)


def medication(name: str, drug: str, clinic: Clinic) -> JsonObject:
    row = DRUGS[drug]
    code = row.name.concept(clinic.key)
    strength = {
        "numerator": quantity(row.milligrams, "mg"),
        "denominator": quantity(1, "{tbl}"),
    }
    elements = {
        "identifier": [identifier(f"{HOME}/sid/medication", name)],
        "code": code,
        "status": "inactive" if drug == "donepezil" else "active",
        "manufacturer": clinic.reference,
        "form": _TABLET,
        "ingredient": [
            {"itemCodeableConcept": code, "isActive": True, "strength": strength},
            *_with_statin(drug, clinic),
        ],
        "batch": {"lotNumber": f"LOT-{drug.upper()}", "expirationDate": day(500)},
    }
    return relative("Medication", name, elements)


def _with_statin(drug: str, clinic: Clinic) -> list[JsonObject]:
    """Perindopril comes as a fixed combination, made of another Medication."""
    if drug != "perindopril":
        return []
    return [{"itemReference": reference(f"Medication/atorvastatin-{clinic.suffix}")}]


def prescriptions(clinic: Clinic) -> Iterator[JsonObject]:
    yield from drugs(clinic)
    own = [each for each in PRESCRIPTIONS if each.person.clinic is clinic]
    for row in own:
        yield _request(row)
        if row.status in {"active", "completed", "stopped"}:
            yield _statement(row)
        if _is_dispensed(row):
            yield _dispense(row)
    yield from (_administration(row) for row in (own[0], own[-1]))


def _is_dispensed(row: Prescription) -> bool:
    return row.status == "active" and row.shape != "contained"


def _what(row: Prescription) -> JsonObject:
    clinic = row.person.clinic
    if row.shape == "coded":
        return {"medicationCodeableConcept": DRUGS[row.drug].name.concept(clinic.key)}
    if row.shape == "contained":
        return {"medicationReference": reference("#drug")}
    name = DRUGS[row.drug].name.concept(clinic.key)["text"]
    return {"medicationReference": reference(f"Medication/{row.drug}-{clinic.suffix}", name)}


def _contained(row: Prescription) -> list[JsonObject]:
    if row.shape != "contained":
        return []
    clinic = row.person.clinic
    code = DRUGS[row.drug].name.concept(clinic.key)
    return [{"resourceType": "Medication", "id": "drug", "code": code, "form": _TABLET}]


def _dosage(row: Prescription) -> JsonObject:
    clinic = row.person.clinic
    times = clinic.say((f"{row.a_day} раза в день", f"{row.a_day} рази на день"))
    once = clinic.say(("1 раз в день", "1 раз на день"))
    bounds = {"boundsPeriod": period(day(row.since))}
    return {
        "sequence": 1,
        "text": times if row.a_day > 1 else once,
        "timing": {
            "event": [moment(row.since, "08:00", clinic.zone)],
            "repeat": {**bounds, "frequency": row.a_day, "period": 1, "periodUnit": "d"},
        },
        "asNeededBoolean": row.drug in {"salbutamol", "paracetamol"},
        "route": _ORAL,
        "doseAndRate": [{"doseQuantity": quantity(DRUGS[row.drug].milligrams, "mg")}],
    }


def _request(row: Prescription) -> JsonObject:
    person, clinic = row.person, row.person.clinic
    problem = problem_of(row.patient)
    category = concept(f"{HL7}/medicationrequest-category", "outpatient", "Outpatient")
    elements: dict[str, Any] = {
        "text": narrative(DRUGS[row.drug].name.concept(clinic.key)["text"], person.name),
        "contained": _contained(row),
        "identifier": [identifier(PRESCRIPTION, f"{clinic.suffix.upper()}-{row.id}", "FILL")],
        "status": row.status,
        "intent": "plan" if row.status == "draft" else "order",
        "category": [category],
        "priority": "routine",
        "reportedBoolean": row.shape == "coded",
        **_what(row),
        "subject": person.reference,
        "encounter": first_visit(person),
        "authoredOn": moment(row.since, "10:30", clinic.zone),
        "requester": person.gp.by_number if row.shape == "coded" else person.gp.reference,
        "performer": clinic.reference,
        "performerType": concept(SNOMED, "46255001", "Pharmacist"),
        "reasonReference": [problem.reference] if problem else None,
        "reasonCode": [DISEASES[problem.disease].concept(clinic)] if problem else None,
        "groupIdentifier": identifier(f"{HOME}/sid/prescription-group", person.number),
        "dosageInstruction": [_dosage(row)],
        "dispenseRequest": {
            "validityPeriod": period(day(row.since), day(row.since + 90)),
            "numberOfRepeatsAllowed": 3,
            "quantity": quantity(90, "{tbl}"),
            "performer": clinic.reference,
        },
        "substitution": {"allowedBoolean": row.drug != "levothyroxine"},
    }
    return relative("MedicationRequest", row.id, elements, **_meta(person))


def _meta(person: Person) -> JsonObject:
    return meta(person) | {"source": f"{person.clinic.site}/prescriptions"}


def _statement(row: Prescription) -> JsonObject:
    person = row.person
    over = None if row.status == "active" else day(row.since + 80)
    reason = STOPPED_FOR[row.drug] if row.status == "stopped" else None
    elements = {
        "contained": _contained(row),
        "identifier": [identifier(f"{HOME}/sid/statement", row.id)],
        "basedOn": [reference(f"MedicationRequest/{row.id}")],
        "partOf": [reference(f"MedicationDispense/dispensed-{row.id}")]
        if _is_dispensed(row)
        else None,
        "status": row.status,
        "statusReason": [reason.concept(person.clinic.key)] if reason else None,
        "category": concept(f"{HL7}/medication-statement-category", "outpatient"),
        **_what(row),
        "subject": person.reference,
        "context": first_visit(person),
        "effectivePeriod": period(day(row.since), over),
        "dateAsserted": day(row.since + 30),
        "informationSource": person.reference,
        "derivedFrom": [reference(f"MedicationRequest/{row.id}")],
        "dosage": [_dosage(row)],
    }
    return relative("MedicationStatement", f"taking-{row.id}", elements, **_meta(person))


def _dispense(row: Prescription) -> JsonObject:
    person, clinic = row.person, row.person.clinic
    handed = moment(row.since + 1, "16:00", clinic.zone)
    elements = {
        "identifier": [identifier(f"{HOME}/sid/dispense", row.id)],
        "status": "completed",
        "type": concept(f"{HL7}/v3-ActCode", "FF", "First Fill"),
        **_what(row),
        "subject": person.reference,
        "context": first_visit(person),
        "performer": [{"actor": clinic.reference}],
        "location": reference(f"Location/{clinic.id}"),
        "authorizingPrescription": [reference(f"MedicationRequest/{row.id}")],
        "quantity": quantity(30, "{tbl}"),
        "daysSupply": quantity(30, "d"),
        "whenPrepared": handed,
        "whenHandedOver": handed,
        "destination": reference(f"Location/{clinic.id}"),
        "receiver": [person.reference],
        "dosageInstruction": [_dosage(row)],
        "substitution": {"wasSubstituted": False, "responsibleParty": [person.gp.reference]},
    }
    return relative("MedicationDispense", f"dispensed-{row.id}", elements, **_meta(person))


def _administration(row: Prescription) -> JsonObject:
    person = row.person
    elements = {
        "identifier": [identifier(f"{HOME}/sid/administration", row.id)],
        "status": "not-done",
        "statusReason": [concept(f"{HL7}/reason-medication-not-given", "a", "None")],
        **_what(row),
        "subject": person.reference,
        "context": first_visit(person),
        "effectiveDateTime": moment(-30, "09:00", person.clinic.zone),
        "performer": [{"actor": person.gp.reference}],
        "reasonCode": [concept(f"{HL7}/reason-medication-given", "b", "Given as Ordered")],
        "request": reference(f"MedicationRequest/{row.id}"),
        "device": [reference(f"Device/oximeter-{person.clinic.suffix}")],
    }
    return relative("MedicationAdministration", f"given-{row.id}", elements, **_meta(person))
