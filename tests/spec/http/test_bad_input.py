"""What no client should send: each a clear 4xx, nothing written.

https://hl7.org/fhir/R4/http.html#Status-Codes
"""

import gzip
import socket
from typing import Any

import httpx
import pytest

from tests.support.fhir import create, identifier, ids, patient

JSON = {"Content-Type": "application/fhir+json"}
DEEP = b'{"resourceType":"Basic","code":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"{}",
        b'{"resourceType":"Patient",}',
        b'{"resourceType":"Patient","resourceType":"Patient"}',
        b'{"resourceType":"Foo"}',
        b'{"resourceType":["Patient"]}',
        b'{"resourceType":"Patient","id":5}',
        b'{"resourceType":"Patient","name":{}}',
        b'{"resourceType":"Patient","name":[]}',
        b'{"resourceType":"Patient","name":null}',
        b'{"resourceType":"Patient","active":"true"}',
        b'{"resourceType":"Patient","$where":"1"}',
        b'{"resourceType":"Patient","a.b":1}',
        b'{"resourceType":"Patient","language":"\\u0000"}',
        b'{"resourceType":"Patient","language":"\\ud800"}',
        b'{"resourceType":"Patient","language":"\xff"}',
        b"\xef\xbb\xbf" + b'{"resourceType":"Patient"}',
        b'{"resourceType":"Patient","multipleBirthInteger":1e999999999}',
        b'{"resourceType":"Patient","multipleBirthInteger":NaN}',
        DEEP,
    ],
    ids=lambda body: repr(body[:40]),
)
def test_a_bad_json_body_is_4xx(fhir: httpx.Client, body: bytes) -> None:
    answer = fhir.post("/Patient", content=body, headers=JSON)
    assert 400 <= answer.status_code < 500
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    assert all(issue["severity"] in ("fatal", "error") for issue in outcome["issue"])


EXTERNAL_ENTITY = (
    b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    b'<Patient xmlns="http://hl7.org/fhir"><language value="&e;"/></Patient>'
)
ENTITY_BOMB = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b'<Patient xmlns="http://hl7.org/fhir"><language value="&b;"/></Patient>'
)


@pytest.mark.parametrize(
    "body",
    [
        b"<Patient/>",
        b"<Patient",
        b'<Patient xmlns="http://hl7.org/fhir"><foo value="1"/></Patient>',
        b'<Patient xmlns="http://hl7.org/fhir"><active>true</active></Patient>',
        b'<Patient xmlns="http://hl7.org/fhir"><active value="true" x="1"/></Patient>',
        EXTERNAL_ENTITY,
        ENTITY_BOMB,
        b'<Patient xmlns="http://hl7.org/fhir">' + b"<contact>" * 5000,
    ],
)
def test_a_bad_xml_body_is_4xx(fhir: httpx.Client, body: bytes) -> None:
    headers = {"Content-Type": "application/fhir+xml"}
    answer = fhir.post("/Patient", content=body, headers=headers)
    assert 400 <= answer.status_code < 500
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_a_body_that_will_be_too_large_is_not_waited_for(fhir: httpx.Client) -> None:
    url = fhir.base_url
    with socket.create_connection((url.host, url.port or 80), timeout=10) as connection:
        head = f"POST {url.path}Patient HTTP/1.1\r\nHost: {url.host}\r\n"
        head += "Content-Type: application/fhir+json\r\nContent-Length: 999999999999\r\n\r\n{"
        connection.sendall(head.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_a_zip_bomb_is_413(fhir: httpx.Client) -> None:
    body = gzip.compress(b" " * 200_000_000)
    headers = JSON | {"Content-Encoding": "gzip"}
    assert fhir.post("/Patient", content=body, headers=headers).status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/", 405),
        ("DELETE", "/", 405),
        ("POST", "/Patient/1", 405),
        ("PUT", "/Patient/1/_history/1", 405),
        ("POST", "/metadata", 405),
        ("GET", "/Foo", 404),
        ("GET", "/Patient/1/2/3/4/5", 404),
        ("GET", "/Patient/1/$foo", 404),
        ("TRACE", "/Patient", 405),
    ],
)
def test_a_verb_or_path_of_no_interaction(
    fhir: httpx.Client, method: str, path: str, status: int
) -> None:
    answer = fhir.request(method, path, json={"resourceType": "Patient"})
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"
    if status == 405:
        assert "GET" in answer.headers["allow"] or "POST" in answer.headers["allow"]


@pytest.mark.parametrize(
    "params",
    [
        {"foo": "1"},
        {"name:foo": "1"},
        {"_count": "-1"},
        {"_count": "x"},
        {"_cursor": "AAAA"},
        {"birthdate": "2021-02-30"},
        {"birthdate": "zz2020"},
        {"_sort": "foo"},
        {"_include": "Patient:foo"},
        {"_summary": "maybe"},
        {"_total": "some"},
        {"organization.foo": "1"},
        {"_has:Observation:foo:code": "1"},
        {"identifier": "\x00"},
        {"identifier": ",".join(str(n) for n in range(10_000))},
        {"_filter": "name eq"},
        {"_filter": "(" * 5000},
    ],
    ids=lambda p: str(p)[:50],
)
def test_a_bad_search_is_400(fhir: httpx.Client, params: dict[str, str]) -> None:
    if len(str(params)) > 8_000:  # longer than HTTP takes in a URL
        answer = fhir.post("/Patient/_search", data=params)
    else:
        answer = fhir.get("/Patient", params=params)
    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("value", [".*", "a$b", "$ne", '{"$gt":""}', "(", "\\", "a'b", "%"])
def test_characters_of_regexes_and_operators_are_only_text(
    fhir: httpx.Client, value: str
) -> None:
    made = create(fhir, patient(family=f"Z{value}"))
    create(fhir, patient(family="Zother"))
    for modifier in ("", ":exact", ":contains"):
        escaped = f"Z{value}".replace("\\", "\\\\").replace("$", "\\$").replace(",", "\\,")
        found = fhir.get("/Patient", params={f"family{modifier}": escaped}).json()
        assert made["id"] in ids(found)
        assert len(ids(found)) < 20


def test_a_percent_sequence_that_is_not_utf8_is_400(fhir: httpx.Client) -> None:
    assert fhir.get("/Patient?name=%ff%fe").status_code == 400


def test_nothing_was_written_by_any_of_it(fhir: httpx.Client) -> None:
    mrn = identifier()
    bad: dict[str, Any] = patient(identifier=mrn) | {"gender": "foo"}
    assert fhir.post("/Patient", json=bad).status_code in (400, 422)
    assert ids(fhir.get("/Patient", params={"identifier": mrn["value"]}).json()) == []
