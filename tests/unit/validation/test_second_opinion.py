"""Two independent validators beside ours: python's jsonschema, and fhir.resources (R4B models).

fhir.resources knows less (no bindings, invariants or reference targets), so that what it
refuses is refused here too; what it accepts proves nothing.
"""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.spec.structures import RESOURCE_TYPES
from fhir_server.spec.tables import load
from fhir_server.validation.gate import gate

NOT_IN_R4B = {"EffectEvidenceSynthesis", "RiskEvidenceSynthesis"} | {
    each for each in RESOURCE_TYPES if each.startswith(("MedicinalProduct", "Substance"))
}


def examples(shared: Path, *names: str) -> Iterator[tuple[str, JsonObject]]:
    for path in sorted((shared / "examples").glob("*.json")):
        if path.name.startswith(names):
            yield path.name, loads(path.read_bytes(), max_depth=100)


def as_floats(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: as_floats(each) for name, each in value.items()}
    if isinstance(value, list):
        return [as_floats(each) for each in value]
    return float(value) if isinstance(value, Decimal) else value


def test_the_schemas_are_json_schemas() -> None:
    definitions = load("schemas")["defs"]
    for name in ("Patient", "Observation", "Extension", "Reference.Patient", "Timing.repeat"):
        jsonschema.Draft202012Validator.check_schema(definitions[name])


@pytest.mark.parametrize("kind", ["Patient", "Observation", "Condition", "MedicationRequest"])
def test_jsonschema_reads_the_schemas_the_same_way(shared: Path, kind: str) -> None:
    schema = {"$ref": f"#/$defs/{kind}", "$defs": load("schemas")["defs"]}
    other = jsonschema.Draft202012Validator(schema)
    for _, resource in examples(shared, f"{kind}-"):
        for broken in (resource, resource | {"foo": 1}, resource | {"id": "a b"}):
            assert gate(kind)(broken) == other.is_valid(as_floats(broken))


def test_what_fhir_resources_refuses_is_refused_here(validator: Any, shared: Path) -> None:
    refused = []
    for name, resource in examples(shared, *RESOURCE_TYPES):
        if resource["resourceType"] in NOT_IN_R4B or not valid(validator, resource):
            continue
        try:
            get_fhir_model_class(resource["resourceType"]).model_validate(as_floats(resource))
        except ValidationError:
            refused.append(name)
    assert refused == []


def valid(validator: Any, resource: JsonObject) -> bool:
    issues = validator.validate(resource, resource["resourceType"])
    return all(each.severity != "error" for each in issues)
