"""The quick passes may refuse what is valid, and never accept what is not.

Valid resources are bent at random; whatever the quick passes still accept, the walker must
find no error in.
"""

from copy import deepcopy
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from fhir_server.core.types import JsonObject
from fhir_server.terminology.terminology import Terminology
from fhir_server.validation import remainder
from fhir_server.validation.walker import walk

CODED = {"coding": [{"system": "http://loinc.org", "code": "1-8"}]}
PERIOD = {"start": "2020-01-01", "end": "2021"}
EXTENSION = {"url": "http://example.org/x", "valueString": "y"}
NARRATIVE = {"status": "empty", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
SEEDS: list[JsonObject] = [
    {
        "resourceType": "Patient",
        "id": "p",
        "text": NARRATIVE,
        "extension": [EXTENSION],
        "identifier": [{"system": "urn:x", "value": "1", "period": PERIOD}],
        "name": [{"given": ["a", "b"], "_family": {"extension": [EXTENSION]}}],
        "telecom": [{"system": "phone", "value": "1"}],
        "gender": "male",
        "birthDate": "1970-03-30",
        "_birthDate": {"extension": [EXTENSION]},
        "deceasedBoolean": False,
        "multipleBirthInteger": 2,
        "contact": [{"name": {"text": "x"}, "period": PERIOD}],
        "communication": [
            {"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "uk"}]}}
        ],
        "managingOrganization": {"reference": "Organization/1", "type": "Organization"},
    },
    {
        "resourceType": "Patient",
        "extension": [{"url": "http://example.org/y", "valuePeriod": PERIOD}],
        "name": [{"given": ["a", "b"], "_given": [None, {"extension": [EXTENSION]}]}],
    },
    {
        "resourceType": "Observation",
        "status": "final",
        "category": [CODED],
        "code": CODED,
        "subject": {"reference": "Patient/1"},
        "effectivePeriod": PERIOD,
        "valueQuantity": {"value": Decimal("1.0"), "system": "http://u.org", "code": "g"},
        "referenceRange": [{"low": {"value": 1}, "high": {"value": 2}}],
        "component": [{"code": {"text": "x"}, "valueRange": {"low": {"value": 1}}}],
    },
    {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/1"},
        "medicationReference": {"reference": "#m"},
        "contained": [{"resourceType": "Medication", "id": "m", "status": "active"}],
        "dosageInstruction": [
            {
                "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
                "doseAndRate": [{"doseQuantity": {"value": 1}}],
            }
        ],
        "dispenseRequest": {"validityPeriod": PERIOD, "expectedSupplyDuration": {"value": 1}},
    },
    {
        "resourceType": "Appointment",
        "status": "booked",
        "start": "2024-01-01T10:00:00Z",
        "end": "2024-01-01T11:00:00Z",
        "participant": [{"actor": {"reference": "Patient/1"}, "status": "accepted"}],
    },
    {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
                "resource": {"resourceType": "Patient", "active": True},
                "request": {"method": "POST", "url": "Patient"},
            }
        ],
    },
]
KINDS = {each["resourceType"] for each in SEEDS}
VALUES: list[Any] = [
    "", "foo", "2021-02-30", "2020-02-29", "#m", "#", "Patient/1", "Foo/1", "a  b",
    "\x01",
    "Patient?x=y", "text/plain", None, True, False, 0, -1, 2**31, Decimal("1.0"),
    [], {}, [None], {"id": "a"}, {"extension": [EXTENSION]}, {"start": "2021", "end": "2020"},
    {"value": "5"}, {"reference": "Practitioner/1"}, {"reference": "#m"}, CODED,
    {"type": "Patient", "reference": "Group/1"}, {"value": 1, "comparator": "<"},
]  # fmt: skip
NAMES = [
    "id", "extension", "valueString", "valueQuantity", "_status", "status", "period", "foo",
    "code", "system", "start", "end", "identifier", "contained", "text", "reference", "type",
    "resourceType", "value", "_value", "total", "search", "when", "offset",
]  # fmt: skip


def containers(value: Any) -> list[Any]:
    found = [value]
    for each in value.values() if isinstance(value, dict) else value:
        if isinstance(each, (dict, list)):
            found += containers(each)
    return found


def bend(resource: JsonObject, random: Random) -> JsonObject:
    bent = deepcopy(resource)
    for _ in range(random.randint(1, 2)):
        everywhere = containers(bent)
        here = random.choice(everywhere)
        value = deepcopy(random.choice([*VALUES, random.choice(everywhere)]))
        names = [*here, random.choice(NAMES)] if isinstance(here, dict) else []
        if isinstance(here, list):
            here.insert(random.randint(0, len(here)), value)
        elif random.random() < 0.3 and len(names) > 1:
            del here[random.choice(names[:-1])]
        else:
            here[random.choice(names)] = value
    return bent


@pytest.mark.parametrize("seed", range(10))
def test_what_the_quick_passes_accept_has_no_error(seed: int) -> None:
    random = Random(seed)
    terminology = Terminology()
    accepted = 0
    for _ in range(300):
        resource = bend(random.choice(SEEDS), random)
        kind = resource.get("resourceType")
        if not isinstance(kind, str) or kind not in KINDS:
            continue
        if remainder.accepts(resource, kind):
            accepted += 1
            assert (walk(resource, kind, terminology), resource) == ([], resource)
    assert accepted > 3
