"""$reindex: who may be asked for it, what it answers, and that it changes no version.

https://hl7.org/fhir/R4/operations.html
"""

from typing import Any

import httpx
import pytest

from tests.support.fhir import JsonObject, create, identifier, patient
from tests.support.polling import finished

GENDER = "http://hl7.org/fhir/SearchParameter/individual-gender"


def parameters(**values: str | list[str]) -> JsonObject:
    rows = [
        {"name": name, "valueString": value}
        for name, given in values.items()
        for value in ([given] if isinstance(given, str) else given)
    ]
    return {"resourceType": "Parameters", "parameter": rows}


def counts(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return {row["name"]: row["valueInteger"] for row in answer.json()["parameter"]}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/$reindex", None),
        ("/$reindex", parameters(type=["Patient", "Observation"])),
        ("/$reindex?type=Patient,Observation", None),
        ("/Patient/$reindex", None),
        ("/$reindex", parameters(url=GENDER)),
        ("/Patient/$reindex", parameters(searchParameter=GENDER)),
    ],
)
def test_it_always_runs_as_a_job(
    fhir: httpx.Client, path: str, body: JsonObject | None
) -> None:
    create(fhir, patient())
    done = counts(finished(fhir, fhir.post(path, json=body)))
    assert done["versions"] >= 1
    assert done["failed"] == 0


def test_one_resource_with_its_past(fhir: httpx.Client) -> None:
    made = create(fhir, patient())
    fhir.put(f"/Patient/{made['id']}", json=made | {"gender": "male"})
    fhir.delete(f"/Patient/{made['id']}")
    fhir.put(f"/Patient/{made['id']}", json=made | {"gender": "female"})
    answer = finished(fhir, fhir.post(f"/Patient/{made['id']}/$reindex"))
    assert counts(answer) == {"versions": 4, "failed": 0}


def test_no_version_is_made_and_no_byte_changed(fhir: httpx.Client) -> None:
    made = create(fhir, patient(identifier=identifier()))
    before = fhir.get(f"/Patient/{made['id']}/_history")
    finished(fhir, fhir.post(f"/Patient/{made['id']}/$reindex"))
    after = fhir.get(f"/Patient/{made['id']}/_history")
    assert before.json()["entry"] == after.json()["entry"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/Patient/none/$reindex", 404),
        ("/Nothing/$reindex", 404),
        ("/$reindex?type=Nothing", 400),
        ("/$reindex?url=http://example.org/none", 400),
        (f"/Observation/$reindex?url={GENDER}", 400),
        ("/$reindex?foo=bar", 400),
    ],
)
def test_what_it_cannot_do_is_refused_at_once(
    fhir: httpx.Client, path: str, status: int
) -> None:
    answer = fhir.post(path)
    assert answer.status_code == status, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_a_deleted_resource_is_gone(fhir: httpx.Client) -> None:
    made = create(fhir, patient())
    fhir.delete(f"/Patient/{made['id']}")
    assert fhir.post(f"/Patient/{made['id']}/$reindex").status_code == 410


def test_get_is_not_allowed(fhir: httpx.Client) -> None:
    assert fhir.get("/$reindex").status_code == 405


def test_it_is_listed(fhir: httpx.Client) -> None:
    rest = fhir.get("/metadata").json()["rest"][0]
    assert "reindex" in {each["name"] for each in rest["operation"]}
    assert all(
        "reindex" in {each["name"] for each in row["operation"]} for row in rest["resource"]
    )
