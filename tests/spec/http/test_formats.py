"""Formats and negotiation: https://hl7.org/fhir/R4/http.html#mime-type."""

import gzip

import httpx
import pytest

from tests.support.fhir import create, identifier, patient

XML = '<Patient xmlns="http://hl7.org/fhir"><name><family value="Икс"/></name></Patient>'


@pytest.mark.parametrize(
    ("accept", "format_", "expected"),
    [
        ("", None, "application/fhir+json"),
        ("*/*", None, "application/fhir+json"),
        ("application/fhir+xml", None, "application/fhir+xml"),
        ("application/xml;q=0.9, application/fhir+json;q=0.8", None, "application/fhir+xml"),
        ("application/fhir+xml", "json", "application/fhir+json"),
        ("application/fhir+json", "xml", "application/fhir+xml"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", None, "application/fhir+json"),
    ],
)
def test_the_answer_has_the_form_asked_for(
    fhir: httpx.Client, accept: str, format_: str | None, expected: str
) -> None:
    made = create(fhir, patient())
    params = {"_format": format_} if format_ else {}
    answer = fhir.get(f"/Patient/{made['id']}", headers={"Accept": accept}, params=params)
    assert answer.headers["content-type"].startswith(expected)


@pytest.mark.parametrize(
    "accept", ["text/turtle", "image/png", "text/html", "application/fhir+turtle"]
)
def test_a_form_that_is_not_written_is_406(fhir: httpx.Client, accept: str) -> None:
    answer = fhir.get("/Patient/1", headers={"Accept": accept})
    assert answer.status_code == 406
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_xml_goes_in_and_json_comes_out(fhir: httpx.Client) -> None:
    answer = fhir.post(
        "/Patient", content=XML.encode(), headers={"Content-Type": "application/fhir+xml"}
    )
    assert answer.status_code == 201
    assert answer.json()["name"] == [{"family": "Икс"}]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/fhir+json; charset=utf-8", 201),
        ("application/json", 201),
        ("application/fhir+json; fhirVersion=4.0", 201),
        ("application/fhir+json; fhirVersion=3.0", 415),
        ("application/fhir+json; charset=cp1251", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
    ],
)
def test_the_content_type_must_be_one_of_fhir(
    fhir: httpx.Client, content_type: str, status: int
) -> None:
    headers = {"Content-Type": content_type}
    answer = fhir.post("/Patient", content=b'{"resourceType":"Patient"}', headers=headers)
    assert answer.status_code == status


def test_a_form_may_name_the_format(fhir: httpx.Client) -> None:
    answer = fhir.post("/Patient/_search", data={"_id": "nobody", "_format": "xml"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/fhir+xml; charset=utf-8"
    answer = fhir.post("/Patient/_search", data={"_format": "image/png"})
    assert answer.status_code == 406


@pytest.mark.parametrize(
    "path", ["/Patient/_search", "/_search", "/Patient/1/Observation/_search"]
)
def test_a_posted_search_is_a_form(fhir: httpx.Client, path: str) -> None:
    answer = fhir.post(path, json={"name": "x"})
    assert answer.status_code == 415
    assert answer.json()["issue"][0]["code"] == "not-supported"


def test_numbers_and_order_survive(fhir: httpx.Client) -> None:
    text = (
        '{"resourceType":"Observation","valueQuantity":{"value":1.10,"unit":"g"},'
        '"status":"final","code":{"text":"x"},"extension":[{"url":"http://a/b","valueDecimal":1e3},'
        '{"url":"http://a/c","valueDecimal":0.00010}],"_issued":{"extension":'
        '[{"url":"http://a/d","valueCode":"unknown"}]}}'
    )
    headers = {"Content-Type": "application/fhir+json"}
    made = fhir.post("/Observation", content=text, headers=headers)
    assert made.status_code == 201, made.text
    stored = fhir.get(made.headers["location"]).text
    assert '"value":1.10,' in stored
    assert '"valueDecimal":1e3' in stored
    assert '"valueDecimal":0.00010' in stored
    assert stored.index("valueQuantity") < stored.index('"status"')
    assert '"_issued"' in stored


def test_pretty_is_for_people(fhir: httpx.Client) -> None:
    made = create(fhir, patient())
    plain = fhir.get(f"/Patient/{made['id']}")
    pretty = fhir.get(f"/Patient/{made['id']}", params={"_pretty": "true"})
    assert "\n" in pretty.text
    assert pretty.json() == plain.json()


@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_answers_are_compressed_when_asked(fhir: httpx.Client, coding: str) -> None:
    answer = fhir.get("/metadata", headers={"Accept-Encoding": coding})
    assert answer.headers["content-encoding"] == coding
    assert answer.json()["resourceType"] == "CapabilityStatement"


def test_a_compressed_body_is_read(fhir: httpx.Client) -> None:
    mrn = identifier()
    body = gzip.compress(
        httpx.Request("POST", "http://x", json=patient(identifier=mrn)).content
    )
    headers = {"Content-Type": "application/fhir+json", "Content-Encoding": "gzip"}
    assert fhir.post("/Patient", content=body, headers=headers).status_code == 201
