"""A server killed in the middle of jobs: the next one ends them, and nothing is done twice.

https://hl7.org/fhir/R4/async.html
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.support.fhir import JsonObject, identifier, new_id, patient
from tests.support.polling import until
from tests.support.serving import Serving

pytestmark = pytest.mark.slow

ENTRIES = 400
LATER = {"Prefer": "respond-async, return=minimal"}

Start = Callable[[], Serving]


@pytest.fixture
def start(mongodb_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts a server on the database of this test, with short leases."""
    monkeypatch.setenv("FHIR_DATABASE", f"killed_{uuid4().hex[:12]}")
    monkeypatch.setenv("FHIR_JOB_LEASE_SECONDS", "1")
    monkeypatch.setenv("FHIR_JOB_POLL_SECONDS", "0.05")
    monkeypatch.setenv("FHIR_DEFINITIONS_SECONDS", "0.1")
    monkeypatch.setenv("FHIR_REINDEX_BATCH", "10")
    monkeypatch.setenv("FHIR_MONGODB_URI", mongodb_uri)
    started: list[Serving] = []

    def serving() -> Serving:
        started.append(Serving(tmp_path))
        return started[-1].__enter__()

    yield serving
    for each in started:
        each.__exit__(None, None, None)


def client(server: Serving) -> httpx.Client:
    return httpx.Client(base_url=server.base, timeout=60)


def place_of(accepted: httpx.Response) -> str:
    assert accepted.status_code == 202, accepted.text
    place: str = accepted.headers["content-location"]
    return place[place.index("/$job-status") :]  # the next server has another port


def bundle(kind: str, mark: JsonObject) -> JsonObject:
    request = {"method": "POST", "url": "Patient"}
    entry = {"resource": patient(identifier=mark), "request": request}
    return {"resourceType": "Bundle", "type": kind, "entry": [entry] * ENTRIES}


def killed(server: Serving) -> None:
    server.process.kill()
    server.process.wait()


def answer(server: Serving, place: str) -> httpx.Response:
    with client(server) as fhir:

        def ask() -> httpx.Response | None:
            found = fhir.get(place)
            return None if found.status_code == 202 else found

        return until(ask, patience=150)  # see Pace.postpones


@pytest.mark.parametrize("kind", ["transaction", "batch"])
def test_every_entry_is_carried_out_exactly_once(start: Start, kind: str) -> None:
    ordered: list[tuple[JsonObject, str]] = []
    for pause in (0.05, 0.25, 0.5):
        server = start()
        with client(server) as fhir:
            mark = identifier()
            accepted = fhir.post("/", json=bundle(kind, mark), headers=LATER)
            ordered.append((mark, place_of(accepted)))
            time.sleep(pause)
        killed(server)
    server = start()
    for mark, place in ordered:
        done = answer(server, place)
        assert done.status_code == 200, done.text
        responses = [each["response"] for each in done.json()["entry"]]
        assert [each for each in responses if each["status"] != "201 Created"] == []
        locations = {each["location"] for each in responses}
        with client(server) as fhir:
            asked = {"identifier": mark["value"], "_summary": "count"}
            assert fhir.get("/Patient", params=asked).json()["total"] == ENTRIES
        assert len(locations) == ENTRIES


def test_a_reindex_goes_on_from_where_it_was(start: Start) -> None:
    server = start()
    mark, code = identifier(), f"own-{new_id()[:8]}"
    with client(server) as fhir:
        assert fhir.post("/", json=bundle("transaction", mark)).status_code == 200
        parameter = {
            "resourceType": "SearchParameter",
            "url": f"urn:uuid:{new_id()}",
            "name": "Own",
            "description": "Own.",
            "status": "active",
            "code": code,
            "base": ["Patient"],
            "type": "token",
            "expression": "Patient.identifier",
        }
        assert fhir.post("/SearchParameter", json=parameter).status_code == 201
        place = place_of(fhir.post("/Patient/$reindex"))
        seen = until(lambda: "of" in fhir.get(place).headers.get("x-progress", ""))
        assert seen
    killed(server)
    server = start()
    done = answer(server, place)
    assert done.status_code == 200, done.text
    with client(server) as fhir:
        found = fhir.get("/Patient", params={code: mark["value"], "_summary": "count"})
        assert found.json()["total"] == ENTRIES
