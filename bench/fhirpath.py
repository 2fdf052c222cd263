"""What FHIRPath costs: search parameters of a resource, and single invariants.

    python -m bench.fhirpath

Each figure is the least of several runs, in microseconds, beside reading the same resource
from JSON by the standard library on the same machine.
"""

import json
import timeit
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from fhir_server.core.types import JsonObject
from fhir_server.fhirpath import Selected, Selector, around, compile, selector  # noqa: A004 # re.compile's word
from fhir_server.spec.search_parameters import of_type

PATIENT: Final[JsonObject] = {
    "resourceType": "Patient",
    "id": "p1",
    "meta": {"lastUpdated": "2024-05-01T08:30:00Z", "profile": ["http://example.org/p"]},
    "identifier": [{"system": f"urn:oid:1.2.{n}", "value": f"{n}{n}{n}"} for n in range(3)],
    "active": True,
    "name": [
        {"use": "official", "family": "Шевченко", "given": ["Тарас", "Григорович"]},
        {"use": "usual", "given": ["Тарасик"]},
    ],
    "telecom": [
        {"system": "phone", "value": "+380 44 000 0000", "use": "home"},
        {"system": "phone", "value": "+380 50 000 0000", "use": "mobile"},
        {"system": "email", "value": "taras@example.org"},
    ],
    "gender": "male",
    "birthDate": "1814-03-09",
    "deceasedDateTime": "1861-03-10",
    "address": [
        {
            "use": use,
            "line": [f"вул. Хрещатик, {n}"],
            "city": "Київ",
            "state": "Київ",
            "postalCode": "01001",
            "country": "UA",
            "period": {"start": "1840"},
        }
        for n, use in enumerate(("home", "work"))
    ],
    "maritalStatus": {"coding": [{"system": "http://example.org/m", "code": "S"}]},
    "contact": [{"name": {"family": "Щепкін"}, "telecom": [{"system": "phone", "value": "1"}]}],
    "communication": [
        {
            "language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "uk"}]},
            "preferred": True,
        }
    ],
    "generalPractitioner": [{"reference": "Practitioner/1", "display": "Др. Козачковський"}],
    "managingOrganization": {"reference": "Organization/1"},
    "link": [{"other": {"reference": "Patient/2"}, "type": "seealso"}],
}
OBSERVATION: Final[JsonObject] = {
    "resourceType": "Observation",
    "id": "o1",
    "status": "final",
    "category": [{"coding": [{"system": "http://example.org/c", "code": "vital-signs"}]}],
    "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
    "subject": {"reference": "Patient/p1"},
    "encounter": {"reference": "Encounter/e1"},
    "effectiveDateTime": "2024-05-01T08:30:00Z",
    "performer": [{"reference": "Practitioner/1"}],
    "component": [
        {
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": {"value": value, "code": "mm[Hg]"},
        }
        for code, value in (("8480-6", 120), ("8462-4", 80))
    ],
}
INVARIANTS: Final = (
    ("Quantity", "code.empty() or system.exists()", {"value": 1, "code": "g", "system": "s"}),
    ("Extension", "extension.exists() != value.exists()", {"url": "x", "valueCode": "a"}),
    ("HumanName", "hasValue() or (children().count() > id.count())", PATIENT["name"][0]),
    ("Patient.contact", "name.exists() or telecom.exists()", PATIENT["contact"][0]),
    ("Bundle", "total.empty() or (type = 'searchset') or (type = 'history')", {"total": 1}),
    ("Appointment", "status in ('proposed' | 'cancelled' | 'waitlist')", {"status": "booked"}),
)
_NUMBER: Final = 2_000


def microseconds(call: Callable[[], Any]) -> float:
    """The least time of one call."""
    return min(timeit.repeat(call, number=_NUMBER, repeat=7)) / _NUMBER * 1e6


def _select(selectors: list[Selector], resource: JsonObject) -> list[list[Selected]]:
    env = around(resource, resource["resourceType"])
    return [select(resource, env) for select in selectors]


def main() -> None:
    print("| what | µs | × json.loads |")
    print("|---|---|---|")
    for resource in (PATIENT, OBSERVATION):
        kind = resource["resourceType"]
        text = json.dumps(resource)
        reading = microseconds(partial(json.loads, text))
        rows = [each.expression for each in of_type(kind).values() if each.expression]
        selectors = [selector(row, kind) for row in rows]
        cost = microseconds(partial(_select, selectors, resource))
        name = f"{len(rows)} search parameters of {kind}, {len(text.encode())} bytes"
        print(f"| {name} | {cost:.1f} | {cost / reading:.2f} |")
    for kind, text, value in INVARIANTS:
        expression, node = compile(text, type=kind), (kind, value, None)
        cost = microseconds(partial(expression.holds, node))
        print(f"| `{text}` of {kind} | {cost:.2f} | |")


if __name__ == "__main__":
    main()
