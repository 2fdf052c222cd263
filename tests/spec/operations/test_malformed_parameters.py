"""Parameters that are none: refused as any resource would be, whatever the operation.

https://hl7.org/fhir/R4/operations.html#request
"""

from typing import Any

import httpx
import pytest

from tests.support.fhir import create, patient

OPERATIONS = ["$validate", "$meta-add", "$meta-delete", "$everything"]

PARAMETERS: list[Any] = [
    None,
    5,
    "x",
    {},
    [5],
    [None],
    [{"name": 5, "valueCode": "create"}],
    [{"valueCode": "create"}],
    [{"name": "mode", "valueCode": {"a": 1}}],
    [{"name": "resource", "resource": 5}],
    [{"name": "resource", "resource": None}],
    [{"name": "meta", "valueMeta": 5}],
    [{"name": "meta", "valueMeta": {"tag": 5}}],
    [{"name": "meta", "valueMeta": {"tag": [{"system": {}}]}}],
    [{"name": "meta", "valueMeta": {"tag": [5]}}],
    [{"name": "profile", "valueUri": ["x"]}],
    [{"name": "start", "valueDate": 2020}],
]


@pytest.fixture(scope="module")
def made(fhir: httpx.Client) -> str:
    return f"/Patient/{create(fhir, patient())['id']}"


@pytest.mark.parametrize("parameter", PARAMETERS, ids=str)
@pytest.mark.parametrize("name", OPERATIONS)
def test_what_is_no_parameters_resource_is_refused(
    fhir: httpx.Client, made: str, name: str, parameter: Any
) -> None:
    body = {"resourceType": "Parameters", "parameter": parameter}
    answer = fhir.post(f"{made}/{name}", json=body)
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    "value", [{"valueMeta": {"tag": [{"code": "x"}]}}, {"valueInteger": 5}]
)
def test_a_parameter_of_another_type_is_refused(
    fhir: httpx.Client, made: str, value: dict[str, Any]
) -> None:
    body = {"resourceType": "Parameters", "parameter": [{"name": "mode", **value}]}
    assert fhir.post(f"{made}/$validate", json=body).status_code == 400


@pytest.mark.parametrize(
    ("parameter", "severity"),
    [([{"name": "a", "valueCode": "b"}], "information"), (5, "error"), ([{"x": 1}], "error")],
)
def test_parameters_themselves_are_validated(
    fhir: httpx.Client, parameter: Any, severity: str
) -> None:
    body = {"resourceType": "Parameters", "parameter": parameter}
    answer = fhir.post("/Parameters/$validate", json=body)
    assert answer.status_code == 200
    assert answer.json()["issue"][0]["severity"] == severity
