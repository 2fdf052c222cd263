"""The server serves what the operator's CapabilityStatement lists, through every door.

https://hl7.org/fhir/R4/capabilitystatement.html
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from fhir_server.operations.table import OPERATIONS
from fhir_server.rest.capability import full
from fhir_server.settings import Settings
from tests.support.running import Running

JsonObject = dict[str, Any]


def _statement() -> JsonObject:
    """Patients, their Observations and Organizations; of each less than there is."""
    statement: JsonObject = full(OPERATIONS)
    (rest,) = statement["rest"]
    served = {"Patient", "Observation", "Organization"}
    rest["resource"] = [row for row in rest["resource"] if row["type"] in served]
    rest["compartment"] = [each for each in rest["compartment"] if each.endswith("/patient")]
    rest["interaction"] = [each for each in rest["interaction"] if each["code"] != "batch"]
    rest["searchParam"] = [each for each in rest["searchParam"] if each["name"] != "_filter"]
    patient = next(row for row in rest["resource"] if row["type"] == "Patient")
    codes = {"read", "create", "update", "search-type"}
    patient["interaction"] = [row for row in patient["interaction"] if row["code"] in codes]
    names = {"name", "organization", "identifier"}
    patient["searchParam"] = [row for row in patient["searchParam"] if row["name"] in names]
    patient["searchInclude"] = []
    patient["searchRevInclude"] = ["Observation:patient"]
    patient["operation"] = [row for row in patient["operation"] if row["name"] == "validate"]
    patient |= {"conditionalCreate": False, "conditionalDelete": "not-supported"}
    observation = next(row for row in rest["resource"] if row["type"] == "Observation")
    observation["searchInclude"] = ["Observation:subject"]
    return statement


@pytest.fixture(scope="module")
def narrow(
    mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A client of a server that offers little, and holds one of each type."""
    path: Path = tmp_path_factory.mktemp("statement") / "capability_statement.json"
    path.write_text(json.dumps(_statement()))
    settings = Settings(
        insecure_no_auth=True,
        mongodb_uri=mongodb_uri,
        database=f"spec_{uuid4().hex[:12]}",
        seed=False,
        log_level="WARNING",
        capability_statement=path,
    )
    with Running(settings) as running, httpx.Client(base_url=running.base_url) as client:
        for resource in (
            {"resourceType": "Organization", "id": "o", "name": "O"},
            {
                "resourceType": "Patient",
                "id": "p",
                "name": [{"family": "F"}],
                "managingOrganization": {"reference": "Organization/o"},
            },
            {
                "resourceType": "Observation",
                "id": "b",
                "status": "final",
                "code": {"text": "c"},
                "subject": {"reference": "Patient/p"},
            },
        ):
            url = f"/{resource['resourceType']}/{resource['id']}"
            assert client.put(url, json=resource).status_code == 201
        yield client


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "Patient/p", 200),
        ("GET", "Patient?name=f", 200),
        ("GET", "Patient?_id=p", 200),
        ("GET", "Patient?_sort=name", 200),
        ("GET", "Observation?patient.name=f", 200),
        ("GET", "Patient?_revinclude=Observation:patient", 200),
        ("GET", "Observation?_include=Observation:subject", 200),
        ("GET", "Patient/p/Observation", 200),
        ("GET", "Patient/p/$validate", 200),
        # Types.
        ("GET", "Condition", 404),
        ("GET", "Condition/1", 404),
        ("GET", "Patient/p/Condition", 404),
        # Interactions.
        ("GET", "Patient/p/_history", 405),
        ("DELETE", "Patient/p", 405),
        ("DELETE", "Patient?name=nobody", 405),
        # Search parameters.
        ("GET", "Patient?gender=male", 400),
        ("GET", "Patient?gender:missing=true", 400),
        ("GET", "Patient?_filter=name eq f", 400),
        ("GET", "Patient?_sort=gender", 400),
        ("GET", "Patient?_sort=birthdate", 400),
        ("GET", "Observation?patient.gender=male", 400),
        ("GET", "Organization?_has:Patient:organization:gender=male", 400),
        ("GET", "Organization?_has:Patient:organization:name=f", 200),
        # Includes.
        ("GET", "Patient?_include=Patient:organization", 400),
        ("GET", "Patient?_include=*", 400),
        ("GET", "Observation?_include=Observation:*", 400),
        ("GET", "Observation?_include=Observation:patient", 400),
        ("GET", "Observation?_include:iterate=Patient:organization", 400),
        ("GET", "Patient?_revinclude=Observation:subject", 400),
        ("GET", "Organization?_revinclude=Observation:patient", 400),
        # Operations and compartments.
        ("GET", "Patient/p/$everything", 404),
        ("GET", "Patient/p/$meta", 404),
        ("GET", "Encounter/e/Observation", 404),
        ("GET", "Practitioner/e/Observation", 404),
    ],
)
def test_what_is_struck_out_is_not_served(
    narrow: httpx.Client, method: str, path: str, status: int
) -> None:
    answer = narrow.request(method, f"/{path}")
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "Patient/p", {"GET", "HEAD", "PUT", "OPTIONS"}),
        ("OPTIONS", "Patient/p", {"GET", "HEAD", "PUT", "OPTIONS"}),
        ("DELETE", "Patient?name=x", {"GET", "HEAD", "POST", "PUT", "PATCH", "OPTIONS"}),
        ("GET", "Patient/p/_history", {"OPTIONS"}),
        ("OPTIONS", "Patient/p/Observation", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_allow_names_what_is_left(
    narrow: httpx.Client, method: str, path: str, allow: set[str]
) -> None:
    answer = narrow.request(method, f"/{path}")
    assert set(answer.headers["allow"].split(", ")) == allow


def test_a_reverse_include_of_everything_is_of_everything_listed(narrow: httpx.Client) -> None:
    bundle = narrow.get("/Patient?_revinclude=*").json()
    assert [each["resource"]["id"] for each in bundle["entry"]] == ["p", "b"]
    bundle = narrow.get("/Organization?_revinclude=*").json()
    assert "p" in [each["resource"]["id"] for each in bundle["entry"]]


def test_a_conditional_create_is_switched_by_itself(narrow: httpx.Client) -> None:
    condition = {"If-None-Exist": "identifier=1"}
    body = {"resourceType": "Patient"}
    answer = narrow.post("/Patient", json=body, headers=condition)
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["code"] == "not-supported"
    assert narrow.put("/Patient?identifier=1", json=body).status_code == 201


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"method": "GET", "url": "Patient/p"}, 200),
        ({"method": "DELETE", "url": "Patient/p"}, 400),
        ({"method": "GET", "url": "Condition/1"}, 400),
        ({"method": "GET", "url": "Patient?gender=male"}, 400),
        ({"method": "POST", "url": "Patient", "ifNoneExist": "identifier=1"}, 400),
    ],
)
def test_entries_of_bundles_are_held_to_it_too(
    narrow: httpx.Client, request_: JsonObject, status: int
) -> None:
    entry = {"request": request_, "resource": {"resourceType": "Patient"}}
    if request_["method"] != "POST":
        del entry["resource"]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    answer = narrow.post("", json=bundle)
    assert answer.status_code == status, answer.text
    assert narrow.get("/Patient/p").status_code == 200


def test_an_interaction_of_the_system_is_switched(narrow: httpx.Client) -> None:
    assert narrow.post("", json={"resourceType": "Bundle", "type": "batch"}).status_code == 405


def test_the_metadata_lists_what_is_served(narrow: httpx.Client) -> None:
    statement = narrow.get("/metadata").json()
    patient = next(r for r in statement["rest"][0]["resource"] if r["type"] == "Patient")
    names = {each["name"] for each in patient["searchParam"]}
    assert names == {"name", "organization", "identifier"}
