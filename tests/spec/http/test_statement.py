"""What the CapabilityStatement says is so: each parameter, include and operation is asked for.

https://hl7.org/fhir/R4/capabilitystatement.html
"""

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import pytest

from fhir_server.operations.call import Operation
from fhir_server.operations.table import OPERATIONS
from fhir_server.rest import ipa
from fhir_server.rest.capability import full

JsonObject = dict[str, Any]

STATEMENT: Final = full(OPERATIONS)
REST: Final = STATEMENT["rest"][0]
TYPES: Final = {row["type"]: row for row in REST["resource"]}
VALUES: Final = {
    "token": "heart",
    "string": "heart",
    "date": "2024",
    "reference": "1",
    "number": "1",
    "quantity": "1",
    "uri": "http://example.org",
}
COMPOSITE: Final = "heart$2024"  # the second may be a code, a date or a number
SPECIAL: Final = {"_filter": "_id eq 1", "near": "1|1|1|km"}
AT_ONCE: Final = 50


def query(parameter: JsonObject) -> tuple[str, str]:
    name, kind = parameter["name"], parameter["type"]
    if name.endswith("-coordinate"):
        return name, "heart$1$1"
    return name, SPECIAL.get(name) or VALUES.get(kind, COMPOSITE)


def asked(kind: str) -> Iterator[str]:
    """Searches of a type that together ask for everything that is stated of it."""
    row = TYPES[kind]
    parameters = [query(each) for each in (*row.get("searchParam", ()), *REST["searchParam"])]
    includes = [("_include", each) for each in row.get("searchInclude", ())]
    reverse = [("_revinclude", each) for each in row.get("searchRevInclude", ())]
    for part in (parameters, includes, reverse):
        for begin in range(0, len(part), AT_ONCE):
            yield urlencode(part[begin : begin + AT_ONCE])


@pytest.mark.parametrize("kind", TYPES)
def test_caps_13_what_is_stated_of_a_type_is_done(fhir: httpx.Client, kind: str) -> None:
    for text in asked(kind):
        answer = fhir.get(f"{kind}?{text}")
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("kind", ["Patient", "Observation", "ValueSet"])
def test_caps_13_what_is_not_stated_is_not_done(fhir: httpx.Client, kind: str) -> None:
    for pair in (
        {"colour": "red"},
        {"_include": f"{kind}:colour"},
        {"_revinclude": f"Binary:{kind}"},
    ):
        assert fhir.get(kind, params=pair).status_code == 400
    assert fhir.get(f"{kind}/$colour").status_code == 404


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_caps_13_an_operation_is_there(fhir: httpx.Client, operation: Operation) -> None:
    kind = min(operation.types or {"Patient"})
    paths = {"system": "", "type": f"{kind}/", "instance": f"{kind}/none/"}
    for level in operation.levels:
        path = f"{paths[level]}{operation.name}"
        if operation.affects_state:
            assert fhir.get(path).status_code == 405  # it waits for a POST
        else:
            empty = {"resourceType": "Parameters"}
            assert "There is no operation" not in fhir.post(path, json=empty).text
    row = TYPES[kind] if operation.levels != {"system"} else REST
    assert operation.name[1:] in [each["name"] for each in row["operation"]]


def test_caps_01_caps_05_the_statement_is_read_by_everybody(fhir: httpx.Client) -> None:
    answer = fhir.get("metadata", headers={"Authorization": "Bearer x"})
    assert answer.json()["resourceType"] == "CapabilityStatement"
    assert "json" in answer.json()["format"]


def test_caps_06_without_smart_nothing_is_claimed_of_ipa(fhir: httpx.Client) -> None:
    assert STATEMENT["instantiates"] == [ipa.SERVER]
    assert "instantiates" not in fhir.get("metadata").json()
