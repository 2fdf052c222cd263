"""HL7's own tests of FHIRPath for R4, as far as they lie beside the repository.

https://github.com/FHIR/fhir-test-cases, r4/fhirpath/tests-fhir-r4.xml
"""

import json
import os
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fhir_server.core.types import JsonObject
from fhir_server.core.xml import from_xml
from fhir_server.fhirpath import Environment, FhirPathError, Item, compile  # noqa: A004 # re.compile's word
from fhir_server.fhirpath.functions.conversion import to_text
from fhir_server.fhirpath.model import system_type
from fhir_server.fhirpath.values import system

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("FHIR_SHARED_DATA", ROOT.parent / "shared" / "data")) / "fhirpath"
FILE = DATA / "tests.json"
VECTORS: list[JsonObject] = json.loads(FILE.read_text()) if FILE.exists() else []

NOW = "2026-11-22T06:00:00.000+00:00"

# What the tests call a type, and what it may be: a FHIR primitive or its System value.
TYPES = {
    "string": {"string", "String"},
    "boolean": {"boolean", "Boolean"},
    "integer": {"integer", "Integer"},
    "decimal": {"decimal", "Decimal"},
    "date": {"date", "Date"},
    "dateTime": {"dateTime", "DateTime"},
    "time": {"time", "Time"},
    "code": {"code"},
    "id": {"id"},
    "Quantity": {"Quantity"},
}


@cache
def read(name: str | None) -> JsonObject:
    """An input; the XML is the original where there are both."""
    if name is None:
        return {"resourceType": "Patient"}
    file = DATA / name
    if file.suffix == ".xml":
        return from_xml(file.read_bytes())
    resource: JsonObject = json.loads(file.read_text(), parse_float=Decimal)
    return resource


def outcome(vector: JsonObject) -> list[Item]:
    resource = read(vector.get("inputfile"))
    kind = resource["resourceType"]
    expression = compile(vector["expression"], type=kind, strict=vector.get("mode") == "strict")
    env = Environment((kind, resource, None), now=NOW)
    if vector.get("predicate") == "true":
        return [expression.holds(resource, env)]
    return expression(resource, env)


def shown(item: Item) -> tuple[str, str | None]:
    """Type and text of a result."""
    return item[0] if type(item) is tuple else system_type(item), to_text(system(item))


def expected(row: JsonObject) -> tuple[set[str] | None, str]:
    text: str = row["value"]
    # "@T10:30:59.999" is the literal, whose value is written without `@T`.
    return TYPES.get(row.get("type", "")), text.removeprefix("@").removeprefix("T")


def fits(item: Item, row: JsonObject) -> bool:
    (kind, text), (kinds, wanted) = shown(item), expected(row)
    return text == wanted and (kinds is None or kind in kinds)


@pytest.mark.skipif(not VECTORS, reason="the vectors are not beside the repository")
@pytest.mark.parametrize(
    "vector", VECTORS, ids=[f"{row['group']}-{row['name']}" for row in VECTORS]
)
def test_hl7s_vector(vector: dict[str, Any]) -> None:
    if "invalid" in vector:
        with pytest.raises(FhirPathError):
            outcome(vector)
        return
    found, rows = outcome(vector), vector["output"]
    if vector.get("ordered") == "false":
        found = sorted(found, key=lambda item: str(shown(item)[1]))
        rows = sorted(rows, key=lambda row: str(row["value"]))
    assert len(found) == len(rows)
    assert all(fits(item, row) for item, row in zip(found, rows, strict=True))
