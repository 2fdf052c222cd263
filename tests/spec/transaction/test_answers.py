"""What the entries of an answer hold: https://hl7.org/fhir/R4/bundle.html#Bundle.entry.response."""

from typing import Any

import httpx
import pytest

from tests.support.fhir import create, identifier, new_id, patient

JsonObject = dict[str, Any]
KINDS = pytest.mark.parametrize("kind", ["batch", "transaction"])


def send(fhir: httpx.Client, kind: str, *entries: JsonObject, prefer: str = "") -> JsonObject:
    bundle = {"resourceType": "Bundle", "type": kind, "entry": list(entries)}
    answer = fhir.post("/", json=bundle, headers={"Prefer": prefer})
    assert answer.status_code == 200, answer.text
    found: JsonObject = answer.json()
    return found


def read(url: str, method: str = "GET", **conditions: str) -> JsonObject:
    return {"request": {"method": method, "url": url} | conditions}


@KINDS
def test_an_outcome_is_given_where_it_is_preferred(fhir: httpx.Client, kind: str) -> None:
    made = create(fhir, patient())
    entries = send(
        fhir,
        kind,
        {"request": {"method": "POST", "url": "Patient"}, "resource": patient()},
        read(f"Patient/{made['id']}", "DELETE"),
        read("Patient?_count=1"),
        prefer="return=OperationOutcome",
    )["entry"]
    for each in entries[:2]:
        assert each["response"]["outcome"]["issue"][0]["severity"] == "information"
        assert "resource" not in each
    assert entries[2]["resource"]["type"] == "searchset"
    assert "outcome" not in entries[2]["response"]


@KINDS
def test_head_is_get_without_the_resource(fhir: httpx.Client, kind: str) -> None:
    made = create(fhir, patient())
    url = f"Patient/{made['id']}"
    answer = send(
        fhir, kind, read(url, "HEAD"), read("Patient?_count=1", "HEAD"),
        prefer="return=representation",
    )  # fmt: skip
    one, page = answer["entry"]
    assert one["response"]["status"] == "200 OK"
    assert one["response"]["etag"] == 'W/"1"'
    assert "resource" not in one
    assert page["response"]["status"] == "200 OK"
    assert "resource" not in page


@KINDS
@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        ({"ifNoneMatch": 'W/"1"'}, "304 Not Modified"),
        ({"ifNoneMatch": 'W/"2"'}, "200 OK"),
        # An instant, where the header has an HTTP date.
        ({"ifModifiedSince": "2100-01-01T00:00:00Z"}, "304 Not Modified"),
        ({"ifModifiedSince": "2100-01-01T00:00:00.5+03:00"}, "304 Not Modified"),
        ({"ifModifiedSince": "2000-01-01T00:00:00Z"}, "200 OK"),
    ],
)
def test_a_conditional_read(
    fhir: httpx.Client, kind: str, conditions: dict[str, str], status: str
) -> None:
    made = create(fhir, patient())
    (entry,) = send(fhir, kind, read(f"Patient/{made['id']}", **conditions))["entry"]
    assert entry["response"]["status"] == status
    assert ("resource" in entry) is status.startswith("200")


def test_an_instant_that_is_none_is_refused(fhir: httpx.Client) -> None:
    (entry,) = send(fhir, "batch", read("Patient/1", ifModifiedSince="yesterday"))["entry"]
    assert entry["response"]["status"] == "400 Bad Request"
    issue = entry["response"]["outcome"]["issue"][0]
    assert issue["expression"] == ["Bundle.entry[0].request.ifModifiedSince"]


@KINDS
def test_equal_conditional_creates_make_one_resource(fhir: httpx.Client, kind: str) -> None:
    mrn = identifier()
    url = f"urn:uuid:{new_id()}"
    criteria = f"identifier={mrn['system']}|{mrn['value']}"
    request = {"method": "POST", "url": "Patient", "ifNoneExist": criteria}
    one = {"request": request, "resource": patient(identifier=mrn), "fullUrl": url}
    two = {"request": request, "resource": patient(identifier=mrn)}
    first, second = send(fhir, kind, one, two)["entry"]
    assert first["response"]["status"] == "201 Created"
    assert second["response"]["status"] == "200 OK"
    assert first["response"]["location"] == second["response"]["location"]
    params = {"identifier": f"{mrn['system']}|{mrn['value']}", "_summary": "count"}
    assert fhir.get("/Patient", params=params).json()["total"] == 1
