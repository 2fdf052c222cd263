"""$validate: https://hl7.org/fhir/R4/resource-operation-validate.html."""

from typing import Any

import httpx
import pytest

from tests.support.fhir import create, patient


def severities(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 200, answer.text
    outcome: dict[str, Any] = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    return {issue["severity"] for issue in outcome["issue"]}


@pytest.mark.parametrize("wrapped", [True, False])
@pytest.mark.parametrize(
    ("resource", "valid"),
    [(patient(), True), (patient() | {"gender": "foo"}, False), (patient() | {"x": 1}, False)],
)
def test_a_resource_as_body_or_parameter(
    fhir: httpx.Client, resource: dict[str, Any], valid: bool, wrapped: bool
) -> None:
    body = resource
    if wrapped:
        row = {"name": "resource", "resource": resource}
        body = {"resourceType": "Parameters", "parameter": [row]}
    answer = fhir.post("/Patient/$validate", json=body)
    assert ("error" in severities(answer)) is not valid


def test_nothing_is_stored(fhir: httpx.Client) -> None:
    before = fhir.get("/Patient", params={"_summary": "count"}).json()["total"]
    fhir.post("/Patient/$validate", json=patient())
    assert fhir.get("/Patient", params={"_summary": "count"}).json()["total"] == before


def test_the_stored_instance(fhir: httpx.Client) -> None:
    made = create(fhir, patient())
    assert "error" not in severities(fhir.get(f"/Patient/{made['id']}/$validate"))


def test_another_type_is_an_error(fhir: httpx.Client) -> None:
    assert "error" in severities(fhir.post("/Observation/$validate", json=patient()))


def test_a_profile_is_judged(fhir: httpx.Client) -> None:
    url = "http://hl7.org/fhir/StructureDefinition/vitalsigns"
    observation = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    answer = fhir.post("/Observation/$validate", params={"profile": url}, json=observation)
    assert "error" in severities(answer)


def test_an_unknown_profile_is_named(fhir: httpx.Client) -> None:
    url = "http://example.org/StructureDefinition/none"
    answer = fhir.post("/Patient/$validate", params={"profile": url}, json=patient())
    assert url in answer.text


def test_deleting_may_be_asked(fhir: httpx.Client) -> None:
    made = create(fhir, patient())
    answer = fhir.get(f"/Patient/{made['id']}/$validate", params={"mode": "delete"})
    assert severities(answer) == {"information"}


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("/Patient/$validate", {"mode": "foo"}, 400),
        ("/Patient/$validate", {"mode": "delete"}, 400),
        ("/Patient/$validate", {"mode": "profile"}, 400),
        ("/Patient/$validate", {}, 400),
        ("/Patient/$validate", {"foo": "1"}, 400),
        ("/Patient/nobody/$validate", {}, 404),
    ],
)
def test_a_wrong_call_is_refused(
    fhir: httpx.Client, path: str, params: dict[str, str], status: int
) -> None:
    assert fhir.get(path, params=params).status_code == status


@pytest.mark.parametrize(("given", "code"), [({}, "required"), ({"id": "other"}, "value")])
def test_an_update_needs_its_id(fhir: httpx.Client, given: dict[str, str], code: str) -> None:
    made = create(fhir, patient())
    body = patient() | given
    url = f"/Patient/{made['id']}"
    told = fhir.post(f"{url}/$validate", params={"mode": "update"}, json=body).json()["issue"]
    refused = fhir.put(url, json=body)
    assert refused.status_code == 400
    (issue,) = refused.json()["issue"]
    assert (issue["code"], issue["expression"]) == (code, ["Patient.id"])
    assert code in {each["code"] for each in told if each["severity"] == "error"}
    assert "None" not in str(told)
