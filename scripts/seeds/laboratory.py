"""Laboratory results of years: ServiceRequest, Specimen, Observation, DiagnosticReport."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from scripts.seeds.clinics import RODNIK, Clinic
from scripts.seeds.elements import (
    HL7,
    HOME,
    SNOMED,
    JsonObject,
    coding,
    concept,
    identifier,
    moment,
    narrative,
    noise,
    number,
    pruned,
    quantity,
    reference,
    relative,
)
from scripts.seeds.people import PATIENT, RESTRICTED, VERY_RESTRICTED, Person
from scripts.seeds.tests_table import PANELS, PLANS, TESTS, Panel, Plan, Test
from scripts.seeds.visits import first_visit

LABORATORY: Final = concept(f"{HL7}/observation-category", "laboratory", "Laboratory")
_SPREAD: Final = 0.06
"""Part of a value by which it wavers."""
_TRACED: Final = 3
"""So many of a plan's latest draws keep their order and specimen."""
_ALARM: Final = 1.5
"""Times the upper limit from which a result is called critical."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One sample of a plan; `turn` 0 is the latest."""

    plan: Plan
    turn: int

    @property
    def person(self) -> Person:
        return PATIENT[self.plan.patient]

    @property
    def panel(self) -> Panel:
        return PANELS[self.plan.panel]

    @property
    def id(self) -> str:
        return f"{self.plan.panel}-{self.turn + 1:02}-{self.plan.patient}"

    @property
    def offset(self) -> int:
        stagger = number(f"{self.plan.patient}{self.plan.panel}", 20)
        return (
            -3
            - stagger
            - self.turn * self.plan.every
            - _AFTER_DEATH * (self.person.id in _GONE)
        )

    @property
    def taken(self) -> str:
        return moment(self.offset, "08:15", self.person.clinic.zone)

    @property
    def issued(self) -> str:
        return moment(self.offset, "17:40", self.person.clinic.zone)

    @property
    def traced(self) -> bool:
        return self.turn < _TRACED


_GONE: Final = frozenset({"galina-shcherbakova-ru"})
_AFTER_DEATH: Final = 240
"""Days before the anchor by which her last draw is put back."""


def laboratory(clinic: Clinic) -> Iterator[JsonObject]:
    for plan in PLANS:
        if PATIENT[plan.patient].clinic is clinic:
            for turn in range(plan.times):
                yield from _draw(Draw(plan, turn))


def _draw(draw: Draw) -> Iterator[JsonObject]:
    if draw.traced:
        yield _order(draw)
        yield _specimen(draw)
        if draw.turn == 0:
            yield _aliquot(draw)
    for name in draw.panel.tests:
        yield _result(draw, name)
    yield _report(draw)


def meta(person: Person) -> JsonObject:
    """Origin and labels of what a laboratory sends about `person`."""
    labels = {"R": RESTRICTED, "V": VERY_RESTRICTED}
    return {
        "tag": [person.clinic.tag],
        "security": [labels[each] for each in person.security],
        "source": f"{person.clinic.site}/laboratory",
    }


def laboratory_of(clinic: Clinic) -> JsonObject:
    name = "rodnik-laboratory" if clinic is RODNIK else "dzherelo-laboratory"
    return reference(f"Organization/{name}")


def _order(draw: Draw) -> JsonObject:
    person = draw.person
    elements = {
        "identifier": [identifier(f"{HOME}/sid/order", draw.id, "PLAC")],
        "requisition": identifier(f"{HOME}/sid/requisition", f"R-{draw.id}"),
        "status": "completed" if draw.turn else "active",
        "intent": "order",
        "category": [concept(SNOMED, "108252007", "Laboratory procedure")],
        "priority": "routine" if draw.turn else "urgent",
        "code": draw.panel.name.concept(person.clinic.key),
        "subject": person.reference,
        "encounter": first_visit(person),
        "occurrenceDateTime": draw.taken,
        "authoredOn": moment(draw.offset - 2, "12:00", person.clinic.zone),
        "requester": person.gp.role,
        "performerType": concept(SNOMED, "159001006", "Medical laboratory technician"),
        "performer": [laboratory_of(person.clinic)],
        "specimen": [reference(f"Specimen/{draw.id}")],
        "bodySite": [concept(SNOMED, "53120007", "Upper limb")],
    }
    return relative("ServiceRequest", draw.id, elements, **meta(person))


def _specimen(draw: Draw) -> JsonObject:
    person = draw.person
    collected = {
        "collector": person.gp.reference,
        "collectedDateTime": draw.taken,
        "quantity": quantity(5, "мл", "mL"),
        "bodySite": concept(SNOMED, "53120007", "Upper limb"),
    }
    tube = {
        "identifier": [identifier(f"{HOME}/sid/tube", f"T-{draw.id}")],
        "type": concept(SNOMED, "702281005", "Evacuated blood collection tube"),
    }
    elements = {
        "identifier": [identifier(f"{HOME}/sid/specimen", draw.id)],
        "accessionIdentifier": identifier(f"{HOME}/sid/accession", f"A-{draw.id}", "ACSN"),
        "status": "available",
        "type": concept(SNOMED, "119297000", "Blood specimen"),
        "subject": person.reference,
        "receivedTime": moment(draw.offset, "09:30", person.clinic.zone),
        "request": [reference(f"ServiceRequest/{draw.id}")],
        "collection": collected,
        "container": [tube],
    }
    return relative("Specimen", draw.id, elements, **meta(person))


def _aliquot(draw: Draw) -> JsonObject:
    """What is kept of the latest sample."""
    elements = {
        "identifier": [identifier(f"{HOME}/sid/specimen", f"aliquot-{draw.id}")],
        "status": "available",
        "type": concept(SNOMED, "119364003", "Serum specimen"),
        "subject": draw.person.reference,
        "parent": [reference(f"Specimen/{draw.id}")],
    }
    return relative("Specimen", f"aliquot-{draw.id}", elements, **meta(draw.person))


def _result(draw: Draw, name: str) -> JsonObject:
    person, test = draw.person, TESTS[name]
    clinic = person.clinic
    value = _value(draw, name, test)
    elements: dict[str, Any] = {
        "identifier": [identifier(f"{HOME}/sid/result", _result_id(draw, name))],
        "basedOn": [reference(f"ServiceRequest/{draw.id}")] if draw.traced else None,
        "status": _status(draw),
        "category": [LABORATORY],
        "code": _code(name, test, clinic),
        "subject": person.reference,
        "encounter": first_visit(person) if draw.traced else None,
        "effectiveDateTime": draw.taken,
        "issued": draw.issued,
        "performer": [laboratory_of(clinic)],
        **_measured(value, test),
        "interpretation": _interpretation(value, test),
        "specimen": reference(f"Specimen/{draw.id}") if draw.traced else None,
        "referenceRange": [_range(test)],
    }
    return relative("Observation", _result_id(draw, name), elements, **meta(person))


def _result_id(draw: Draw, name: str) -> str:
    return f"{name}-{draw.turn + 1:02}-{draw.plan.patient}"


def _code(name: str, test: Test, clinic: Clinic) -> JsonObject:
    found = test.name.concept(clinic.key)
    return found | {"coding": [*found["coding"], coding(clinic.system("test"), name)]}


def _status(draw: Draw) -> str:
    """The latest is preliminary; an older one was corrected, another entered in error."""
    return {0: "preliminary", 3: "corrected", 7: "amended"}.get(draw.turn, "final")


_DETECTABLE: Final = {"tsh": 0.05}


def _measured(value: float, test: Test) -> JsonObject:
    limit = _DETECTABLE.get(_NAME[test], 0)
    shown = quantity(max(value, limit), test.unit, test.ucum)
    if value < limit:
        return {"valueQuantity": {"value": limit, "comparator": "<"} | _without_value(shown)}
    return {"valueQuantity": shown}


def _without_value(shown: JsonObject) -> JsonObject:
    return {name: each for name, each in shown.items() if name != "value"}


_NAME: Final = {test: name for name, test in TESTS.items()}


def _value(draw: Draw, name: str, test: Test) -> float:
    """Linear from the first to the last value of the plan's course, with a wave on it."""
    course = {test: (a, b) for test, a, b in draw.plan.course}
    first, last = course.get(name, (test.middle, test.middle))
    gone = 1 - draw.turn / max(draw.plan.times - 1, 1)
    level = first + (last - first) * gone
    wave = level * _SPREAD * noise(f"{draw.id}{name}")
    value = round(level + wave, test.digits)
    return value if test.digits else int(value)


def _interpretation(value: float, test: Test) -> list[Any]:
    system = f"{HL7}/v3-ObservationInterpretation"
    if test.high is not None and value > test.high * _ALARM:
        return [concept(system, "HH", "Critical high")]
    if test.high is not None and value > test.high:
        return [concept(system, "H", "High")]
    if test.low is not None and value < test.low:
        return [concept(system, "L", "Low")]
    return [concept(system, "N", "Normal")]


def _range(test: Test) -> JsonObject:
    low = None if test.low is None else quantity(test.low, test.unit, test.ucum)
    high = None if test.high is None else quantity(test.high, test.unit, test.ucum)
    kind = concept(f"{HL7}/referencerange-meaning", "normal", "Normal Range")
    return pruned({"low": low, "high": high, "type": kind})


def _report(draw: Draw) -> JsonObject:
    person = draw.person
    clinic = person.clinic
    title = draw.panel.name.concept(clinic.key)["text"]
    first = draw.turn == 0
    elements = {
        "text": narrative(f"{title}: {person.name}") if first else None,
        "identifier": [identifier(f"{HOME}/sid/report", draw.id)],
        "basedOn": [reference(f"ServiceRequest/{draw.id}")] if draw.traced else None,
        "status": "preliminary" if first else "final",
        "category": [concept(f"{HL7}/v2-0074", "LAB", "Laboratory")],
        "code": draw.panel.name.concept(clinic.key),
        "subject": person.reference,
        "encounter": first_visit(person) if draw.traced else None,
        "effectiveDateTime": draw.taken,
        "issued": draw.issued,
        "performer": [laboratory_of(clinic)],
        "resultsInterpreter": [person.gp.reference],
        "specimen": [reference(f"Specimen/{draw.id}")] if draw.traced else None,
        "result": [
            reference(f"Observation/{_result_id(draw, name)}") for name in draw.panel.tests
        ],
        "conclusion": clinic.say(_CONCLUSION) if first else None,
        "conclusionCode": [concept(SNOMED, "165346000", "Laboratory test result abnormal")]
        if first
        else None,
    }
    return relative("DiagnosticReport", draw.id, elements, **meta(person))


_CONCLUSION: Final = (
    "Показатели в динамике; рекомендована консультация лечащего врача.",
    "Показники в динаміці; рекомендовано консультацію лікаря.",
)
