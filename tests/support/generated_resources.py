"""A small hospital from a seed: resources that share few values, so that searches meet.

Values are drawn from short lists on purpose: equal dates, absent elements, names in two
alphabets, quantities in comparable units, references to what does not exist.
"""

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

JsonObject = dict[str, Any]

BASE = "https://clinic.example/fhir"
UCUM = "http://unitsofmeasure.org"
FAMILIES = ["Иванов", "Иванова", "Ёлкин", "Елкин", "Шевченко", "O'Neil", "van der Berg", "Ivan"]
GIVEN = ["Анна", "Марія", "Мария", "Anna", "Ann", "José", "Jose"]
CITIES = ["Київ", "Киев", "Москва", "Bern", "Saint-Denis"]
DATES = [
    "2023", "2024", "2024-05", "2024-05-01", "2024-05-01T10:00:00Z",
    "2024-05-01T12:00:00+02:00", "2024-05-01T10:00:00.500Z",
    "2024-05-02", "2024-12-31", "1970-01-01", "1969-12-31",
]  # fmt: skip
SYSTEMS = ["urn:s", "urn:s", "urn:s2", None]
CODES = ["a", "a", "a", "a", "b", "b", "a1", "A", "a|b", "a,b", "$a", "~"]
COUNTS = {
    "Patient": 30, "Practitioner": 6, "Organization": 6, "Encounter": 20, "Observation": 90,
    "Condition": 25, "Location": 15, "List": 4, "Appointment": 15, "ValueSet": 15,
    "RiskAssessment": 12, "QuestionnaireResponse": 8, "AuditEvent": 12,
}  # fmt: skip


def resources(seed: int) -> list[JsonObject]:
    """All of them, each with type and id (`p3`: the fourth patient)."""
    rng = Random(seed)
    return [
        {"resourceType": kind, "id": f"{kind.lower()}-{n}"}
        | {key: value for key, value in _MAKERS[kind](rng).items() if value is not None}
        | _common(rng)
        for kind, count in COUNTS.items()
        for n in range(count)
    ]


def _maybe(rng: Random, make: Callable[[], Any], chance: float = 0.7) -> Any:
    return make() if rng.random() < chance else None


def _without_none(**elements: Any) -> JsonObject:
    return {name: value for name, value in elements.items() if value is not None}


def _some(rng: Random, make: Callable[[], Any], most: int = 3) -> list[Any] | None:
    return [make() for _ in range(rng.randint(1, most))] if rng.random() < 0.8 else None


def _common(rng: Random) -> JsonObject:
    found: JsonObject = {}
    if rng.random() < 0.3:
        meta = _without_none(
            tag=_some(rng, lambda: coding(rng)),
            security=_maybe(rng, lambda: [coding(rng)], 0.3),
            profile=_maybe(rng, lambda: [rng.choice(["http://x.example/p", "urn:p|1"])]),
            source=_maybe(rng, lambda: rng.choice(["http://x.example/in", "urn:out"])),
        )
        found["meta"] = meta
    if rng.random() < 0.2:
        word = rng.choice(["болит", "pain", "Ёлка", "elevated"])
        div = f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{word} today</p></div>'
        found["text"] = {"status": "generated", "div": div}
    return found


def coding(rng: Random) -> JsonObject:
    return _without_none(
        system=rng.choice(SYSTEMS),
        code=_maybe(rng, lambda: rng.choice(CODES), 0.9),
        display=_maybe(rng, lambda: rng.choice(["Fever", "Head pain", "Боль"]), 0.4),
    )


def concept(rng: Random) -> JsonObject:
    return _without_none(
        coding=_some(rng, lambda: coding(rng), 2),
        text=_maybe(rng, lambda: rng.choice(["Fever", "Chronic head pain"]), 0.3),
    )


def identifier(rng: Random) -> JsonObject:
    return _without_none(
        system=rng.choice(SYSTEMS),
        value=_maybe(rng, lambda: str(rng.randint(1, 9)), 0.9),
        type=_maybe(rng, lambda: concept(rng), 0.4),
    )


def reference(rng: Random, *kinds: str) -> JsonObject:
    kind = rng.choice(kinds)
    id_ = f"{kind.lower()}-{rng.randrange(COUNTS.get(kind, 3) + 1)}"  # the last one is missing
    text = rng.choice(
        [
            *[f"{kind}/{id_}"] * 9,
            f"{BASE}/{kind}/{id_}",
            f"{kind}/{id_}/_history/2",
            f"https://far.example/{kind}/{id_}",
            "urn:uuid:9a6b7f5e-0000-4000-8000-000000000001",
        ]
    )
    if rng.random() < 0.1:
        return {"identifier": identifier(rng)}
    return {"reference": text}


def quantity(rng: Random) -> JsonObject:
    unit = rng.choice(
        [{"system": UCUM, "code": code, "unit": code} for code in ("mg", "g", "kg", "mmol/L")]
        + [{"unit": "mg"}, {}]
    )
    value = rng.choice(["5", "5.0", "5000", "0.005", "5.4", "-1", "1E+1", "120"])
    more = {"comparator": rng.choice(["<", "<=", ">", ">="])} if rng.random() < 0.15 else {}
    return {"value": Decimal(value), **unit, **more}


def period(rng: Random) -> JsonObject:
    start, end = rng.choice(DATES), rng.choice(DATES)
    return rng.choice([{"start": start}, {"end": end}, {"start": "2023", "end": end}])


def _name(rng: Random) -> JsonObject:
    return _without_none(
        family=_maybe(rng, lambda: rng.choice(FAMILIES)),
        given=_some(rng, lambda: rng.choice(GIVEN), 2),
    )


def _effective(rng: Random) -> JsonObject:
    return rng.choice(
        [
            {"effectiveDateTime": rng.choice(DATES)},
            {"effectivePeriod": period(rng)},
            {"effectiveTiming": {"event": [rng.choice(DATES), rng.choice(DATES)]}},
            {},
        ]
    )


def _value(rng: Random) -> JsonObject:
    return rng.choice(
        [
            {"valueQuantity": quantity(rng)},
            {"valueCodeableConcept": concept(rng)},
            {"valueString": rng.choice(FAMILIES)},
            {"valueDateTime": rng.choice(DATES)},
            {},
        ]
    )


def _patient(rng: Random) -> JsonObject:
    return {
        "identifier": _some(rng, lambda: identifier(rng)),
        "active": _maybe(rng, lambda: rng.random() < 0.5, 0.5),
        "name": _some(rng, lambda: _name(rng), 2),
        "telecom": _some(rng, lambda: {"system": "phone", "value": f"+7 {rng.randint(1, 4)}"}),
        "gender": _maybe(rng, lambda: rng.choice(["male", "female", "unknown"])),
        "birthDate": _maybe(rng, lambda: rng.choice(["1990", "1990-05", "1990-05-01", "1969"])),
        "address": _some(rng, lambda: {"city": rng.choice(CITIES)}, 1),
        "generalPractitioner": _some(rng, lambda: reference(rng, "Practitioner")),
        "managingOrganization": _maybe(rng, lambda: reference(rng, "Organization")),
        "link": _maybe(rng, lambda: [{"other": reference(rng, "Patient")}], 0.2),
    }


def _performed(rng: Random) -> JsonObject:
    if rng.random() < 0.15:
        inside = {"resourceType": "Practitioner", "id": "inside", "name": [_name(rng)]}
        return {"contained": [inside], "performer": [{"reference": "#inside"}]}
    return {"performer": _some(rng, lambda: reference(rng, "Practitioner", "Patient"))}


def _observation(rng: Random) -> JsonObject:
    component = _some(rng, lambda: {"code": concept(rng), **_value(rng)}, 4)
    return {
        "status": rng.choice(["final", "amended"]),
        "code": concept(rng),
        "category": _some(rng, lambda: concept(rng), 1),
        "subject": _maybe(rng, lambda: reference(rng, "Patient", "Patient", "Location"), 0.9),
        "encounter": _maybe(rng, lambda: reference(rng, "Encounter")),
        **_performed(rng),
        "component": component if rng.random() < 0.6 else None,
        **_effective(rng),
        **_value(rng),
    }


def _encounter(rng: Random) -> JsonObject:
    return {
        "status": rng.choice(["planned", "finished"]),
        "class": coding(rng),
        "subject": _maybe(rng, lambda: reference(rng, "Patient")),
        "period": _maybe(rng, lambda: period(rng)),
        "partOf": _maybe(rng, lambda: reference(rng, "Encounter")),
        "length": _maybe(rng, lambda: {"value": 2, "system": UCUM, "code": "h"}, 0.5),
        "participant": _some(rng, lambda: {"individual": reference(rng, "Practitioner")}),
    }


def _condition(rng: Random) -> JsonObject:
    onset: JsonObject = rng.choice(
        [
            {"onsetDateTime": rng.choice(DATES)},
            {"onsetAge": {"value": rng.randint(1, 3), "system": UCUM, "code": "a"}},
            {"onsetRange": {"low": quantity(rng)}},
            {"onsetString": "in May"},
            {},
        ]
    )
    return {
        "code": _maybe(rng, lambda: concept(rng)),
        "subject": reference(rng, "Patient"),
        "encounter": _maybe(rng, lambda: reference(rng, "Encounter"), 0.5),
        "recordedDate": _maybe(rng, lambda: rng.choice(DATES)),
        **onset,
    }


def _location(rng: Random) -> JsonObject:
    longitude, latitude = rng.uniform(29, 33), rng.uniform(49, 52)
    place = {"longitude": Decimal(str(longitude)), "latitude": Decimal(str(latitude))}
    return {
        "name": _maybe(rng, lambda: rng.choice(CITIES)),
        "position": _maybe(rng, lambda: place, 0.8),
        "partOf": _maybe(rng, lambda: reference(rng, "Location"), 0.9),
    }


def _value_set(rng: Random) -> JsonObject:
    return {
        "status": "active",
        "url": _maybe(
            rng, lambda: f"http://x.example/{rng.choice('ab')}/vs{rng.randint(1, 2)}"
        ),
        "version": _maybe(rng, lambda: rng.choice(["1.0", "2"])),
        "title": _maybe(rng, lambda: rng.choice(FAMILIES)),
    }


def _one(**makers: Callable[[Random], Any]) -> Callable[[Random], JsonObject]:
    def make(rng: Random) -> JsonObject:
        return {name: each(rng) for name, each in makers.items() if rng.random() < 0.7}

    return make


_MAKERS: dict[str, Callable[[Random], JsonObject]] = {
    "Patient": _patient,
    "Practitioner": _one(
        name=lambda rng: [_name(rng)], identifier=lambda rng: [identifier(rng)]
    ),
    "Organization": _one(
        name=lambda rng: rng.choice(CITIES), partOf=lambda rng: reference(rng, "Organization")
    ),
    "Encounter": _encounter,
    "Observation": _observation,
    "Condition": _condition,
    "Location": _location,
    "List": _one(
        title=lambda rng: rng.choice(FAMILIES),
        entry=lambda rng: [{"item": reference(rng, "Patient", "Condition")} for _ in range(8)],
    ),
    "Appointment": _one(
        start=lambda rng: rng.choice(DATES[4:7]),
        participant=lambda rng: [
            {"actor": reference(rng, "Patient", "Practitioner", "Location")} for _ in range(2)
        ],
    ),
    "ValueSet": _value_set,
    "RiskAssessment": _one(
        subject=lambda rng: reference(rng, "Patient"),
        prediction=lambda rng: [
            rng.choice(
                [
                    {"probabilityDecimal": Decimal(rng.choice(["0.1", "0.10", "0.5", "1"]))},
                    {"probabilityRange": {"low": {"value": 0}, "high": {"value": 1}}},
                ]
            )
        ],
    ),
    "QuestionnaireResponse": _one(
        questionnaire=lambda rng: rng.choice(["http://x.example/q", "http://x.example/q|2"]),
        subject=lambda rng: reference(rng, "Patient"),
        authored=lambda rng: rng.choice(DATES),
    ),
    "AuditEvent": _one(
        recorded=lambda rng: rng.choice(DATES[4:7]),
        agent=lambda rng: [{"requestor": True, "who": reference(rng, "Patient")}],
    ),
}
