"""CORS: https://hl7.org/fhir/R4/security.html#cors."""

import httpx
import pytest

from tests.support.fhir import create, patient

ASKED = {
    "Access-Control-Request-Method": "PUT",
    "Access-Control-Request-Headers": "content-type, if-match, prefer, authorization",
}
EXPOSED = {
    *("etag", "last-modified", "location", "content-location", "retry-after", "x-progress"),
    *("x-request-id", "www-authenticate", "link"),
}


@pytest.mark.parametrize(
    "origin",
    ["http://localhost:3000", "http://127.0.0.1:8080", "https://localhost", "http://[::1]:1"],
)
def test_a_page_of_this_machine_may_call(fhir: httpx.Client, origin: str) -> None:
    asked = fhir.options("/Patient/1", headers={"Origin": origin} | ASKED)
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == origin
    assert "PUT" in asked.headers["access-control-allow-methods"]
    allowed = asked.headers["access-control-allow-headers"]
    assert "if-match" in allowed
    assert "authorization" in allowed
    answer = fhir.post("/Patient", json=patient(), headers={"Origin": origin})
    assert answer.headers["access-control-allow-origin"] == origin
    named = answer.headers["access-control-expose-headers"].lower().split(", ")
    assert set(named) >= EXPOSED
    refused = fhir.get("/Patient/nobody", headers={"Origin": origin})
    assert refused.status_code == 404
    assert refused.headers["access-control-allow-origin"] == origin


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://localhost.evil.example",
        "http://localhost:80.evil.example",
        "http://127.0.0.1.evil.example",
        "null",
    ],
)
def test_a_page_from_elsewhere_may_not(fhir: httpx.Client, origin: str) -> None:
    made = create(fhir, patient())
    answer = fhir.get(f"/Patient/{made['id']}", headers={"Origin": origin})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers
    asked = fhir.options("/Patient/1", headers={"Origin": origin} | ASKED)
    assert asked.status_code == 204
    assert "PUT" in asked.headers["allow"]
    assert "access-control-allow-origin" not in asked.headers


def test_the_statement_tells_it(fhir: httpx.Client) -> None:
    assert fhir.get("/metadata").json()["rest"][0]["security"]["cors"] is True
