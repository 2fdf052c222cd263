"""`_summary` and `_elements` on a single resource, whichever door it is asked through.

https://hl7.org/fhir/R4/search.html#summary
"""

from typing import Any
from uuid import uuid4

import httpx
import pytest


@pytest.fixture(scope="module")
def patient(fhir: httpx.Client) -> str:
    id_ = f"viewed-{uuid4()}"
    body = {
        "resourceType": "Patient",
        "id": id_,
        "text": {
            "status": "generated",
            "div": '<div xmlns="http://www.w3.org/1999/xhtml">A</div>',
        },
        "name": [{"family": "A"}],
        "gender": "female",
    }
    assert fhir.put(f"/Patient/{id_}", json=body).status_code == 201
    return id_


def shown(resource: dict[str, Any]) -> set[str]:
    assert resource["meta"]["tag"][-1]["code"] == "SUBSETTED"
    return set(resource) - {"resourceType", "id", "meta"}


VIEWS = [
    ("_elements=gender", {"gender"}),
    ("_summary=text", {"text"}),
    ("_summary=data", {"name", "gender"}),
]


@pytest.mark.parametrize(("view", "names"), VIEWS)
@pytest.mark.parametrize("path", ["Patient/{}", "Patient/{}/_history/1"])
def test_of_a_read(
    fhir: httpx.Client, patient: str, path: str, view: str, names: set[str]
) -> None:
    assert shown(fhir.get(f"/{path.format(patient)}?{view}").json()) == names


@pytest.mark.parametrize(("view", "names"), VIEWS)
@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_of_an_entry(
    fhir: httpx.Client, patient: str, kind: str, view: str, names: set[str]
) -> None:
    request = {"method": "GET", "url": f"Patient/{patient}?{view}"}
    bundle = {"resourceType": "Bundle", "type": kind, "entry": [{"request": request}]}
    assert shown(fhir.post("", json=bundle).json()["entry"][0]["resource"]) == names


def test_a_summary_that_is_none_is_refused_in_an_entry(
    fhir: httpx.Client, patient: str
) -> None:
    request = {"method": "GET", "url": f"Patient/{patient}?_summary=count"}
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": [{"request": request}]}
    response = fhir.post("", json=bundle).json()["entry"][0]["response"]
    assert response["status"] == "400 Bad Request"


def test_of_the_capability_statement(fhir: httpx.Client) -> None:
    whole = fhir.get("/metadata")
    summary = fhir.get("/metadata?_summary=true")
    assert len(summary.content) < len(whole.content) / 4
    assert summary.json()["fhirVersion"] == "4.0.1"
    part = shown(fhir.get("/metadata?_elements=software").json())
    assert "software" in part
    assert "rest" not in part


def test_the_statement_is_sent_once(fhir: httpx.Client) -> None:
    # 680 KB that change when the server does: a client that has them is told so.
    etag = fhir.get("/metadata").headers["etag"]
    known = fhir.get("/metadata", headers={"If-None-Match": etag})
    assert known.status_code == 304
    assert known.content == b""
    assert known.headers["etag"] == etag
    assert fhir.get("/metadata", headers={"If-None-Match": 'W/"1"'}).status_code == 200
    other = fhir.get("/metadata?mode=normative", headers={"If-None-Match": etag})
    assert other.status_code == 200
    assert other.headers["etag"] != etag
