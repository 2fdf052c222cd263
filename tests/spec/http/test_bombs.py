"""Small requests that mean much work: each a clear 4xx, soon, and nobody else waits.

https://hl7.org/fhir/R4/http.html#Status-Codes
"""

import json
import socket
import time
from collections.abc import Callable
from typing import Any, Final

import httpx
import pytest

from fhir_server.cli.protocol import MAX_HEAD
from tests.support.fhir import create, patient
from tests.support.running import Running

pytestmark = pytest.mark.alone

JSON: Final = {"Content-Type": "application/fhir+json"}
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
JSON_PATCH: Final = {"Content-Type": "application/json-patch+json"}
LONGEST: Final = 5.0
"""Seconds on a machine that runs the tests besides; alone none takes one. Those that were
found took from 3 s to minutes, or gigabytes."""


def code(answer: httpx.Response) -> str:
    found: str = answer.json()["issue"][0]["code"]
    return found


@pytest.fixture(scope="module")
def path(fhir: httpx.Client) -> str:
    return f"/Patient/{create(fhir, patient())['id']}"


def timed(asked: Callable[[], httpx.Response]) -> httpx.Response:
    began = time.perf_counter()
    answer = asked()
    assert time.perf_counter() - began < LONGEST
    return answer


NAMES: Final = b",".join(b'"k%d":1' % n for n in range(100_000))
CODE: Final = {"coding": [{"system": "urn:x", "code": "a " * 5_000_000}]}
BODIES: Final = [
    ("/Patient", b'{"resourceType":"Patient",%b,"k99999":1}' % NAMES, "structure"),
    (
        "/Observation",
        json.dumps({"resourceType": "Observation", "status": "final", "code": CODE}).encode(),
        "value",
    ),
]


@pytest.mark.parametrize(("where", "body", "expected"), BODIES, ids=["names", "code"])
def test_a_body(fhir: httpx.Client, where: str, body: bytes, expected: str) -> None:
    answer = timed(lambda: fhir.post(where, content=body, headers=JSON))
    assert (answer.status_code, code(answer)) == (400, expected)


@pytest.mark.parametrize("body", [b"name=" + b"%41" * 7_000_000, b"&" * 20_000_000])
def test_a_form_longer_than_any_search(fhir: httpx.Client, body: bytes) -> None:
    answer = timed(lambda: fhir.post("/Patient/_search", content=body, headers=FORM))
    assert (answer.status_code, code(answer)) == (413, "too-long")


TEN: Final = "(1|2|3|4|5|6|7|8|9|10)"
LONG: Final = "'aaaaaaaaaa'" + ".replace('a','aaaaaaaaaa')" * 4
SLOW: Final = f"'{'a' * 5000}'.replaceMatches('(a*)*b','').length() > 0"
PATHS: Final = [
    "repeat($this).exists() and name.repeat('a' & $this.toString()).exists()",
    f"{TEN}.select({TEN}).select({TEN}).select({TEN}).select({LONG}).count() > 0",
    f"{TEN}.select({TEN}).select({TEN}).select({LONG} & 'b').count() > 0",
    f"{TEN}.select({TEN}).select({TEN}).select({LONG} + 'b').count() > 0",
    f"{TEN}.select({TEN}).select({TEN}).select({LONG}.toChars()).count() > 0",
    f"{TEN}.select({TEN}).select({TEN}).where({SLOW}).count() > 0",
]


@pytest.mark.parametrize("criterion", PATHS)
def test_a_fhirpath_patch(fhir: httpx.Client, path: str, criterion: str) -> None:
    parts = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": f"Patient.where({criterion}).active"},
        {"name": "value", "valueBoolean": True},
    ]
    body = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}
    answer = timed(lambda: fhir.patch(path, json=body, headers=JSON))
    assert (answer.status_code, code(answer)) == (400, "value"), answer.text
    assert "FHIRPath" in answer.text


def test_a_json_patch_that_copies_texts(fhir: httpx.Client, path: str) -> None:
    photo: list[Any] = [{"data": "A" * 2_000_000}]
    steps: list[Any] = [{"op": "add", "path": "/photo", "value": photo}]
    steps += [{"op": "copy", "from": "/photo/0", "path": "/photo/-"}] * 900
    body = json.dumps(steps).encode()
    answer = timed(lambda: fhir.patch(path, content=body, headers=JSON_PATCH))
    assert (answer.status_code, code(answer)) == (400, "too-costly")


@pytest.mark.parametrize("line", [b"X-A: " + b"a" * 2_000_000, b"X: a\r\n" * 300_000])
def test_a_head_without_an_end(server: Running, line: bytes) -> None:
    address = httpx.URL(server.base_url)
    with socket.create_connection((address.host, address.port or 80), timeout=LONGEST) as line_:
        line_.sendall(b"GET /fhir/Patient HTTP/1.1\r\nHost: %b\r\n" % address.netloc)
        received = b""
        try:
            line_.sendall(line)
            while part := line_.recv(65536):
                received += part
        except ConnectionError:
            assert received or len(line) > MAX_HEAD  # it was closed while we were sending
    assert not received or received.startswith(b"HTTP/1.1 431 ")
