"""kill -9 of a server right after an answer: what was answered is in the audit.

https://hl7.org/fhir/R4/security.html#audit
"""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import httpx
import pytest
from pymongo import MongoClient

from fhir_server.store.mongo.audit_log import LOG
from tests.support.audited_server import PATIENT
from tests.support.auditing import Caller, observation, subtypes
from tests.support.polling import until

pytestmark = pytest.mark.slow

ROOT = {"authorization": "Bearer root"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def server(
    uri: str, database: str, grant: str = "lives"
) -> Iterator[tuple[Caller, "subprocess.Popen[bytes]"]]:
    """A process that is killed at the end, if it has not been before."""
    port = free_port()
    command = [sys.executable, "-m", "tests.support.audited_server", uri, database]
    process = subprocess.Popen([*command, str(port), "durable", grant])
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/fhir", timeout=60) as client:
            until_up(client)
            yield Caller(client, PATIENT), process
    finally:
        process.kill()
        process.wait()


def until_up(client: httpx.Client) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            client.get("/metadata")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError


def test_what_was_answered_is_there_after_a_kill(mongodb_uri: str) -> None:
    database = f"kill_{uuid4().hex[:12]}"
    with server(mongodb_uri, database) as (caller, process):
        person = {"resourceType": "Patient", "id": "p1"}
        assert caller.http.put("/Patient/p1", json=person, headers=ROOT).status_code == 201
        first = caller.ask("POST", "/Observation", observation("p1")).json()["id"]
        changed = observation("p1", id=first, status="amended")
        assert caller.ask("PUT", f"/Observation/{first}", changed).status_code == 200
        assert caller.get(f"/Observation/{first}").status_code == 200
        process.send_signal(signal.SIGKILL)
        process.wait()
    with server(mongodb_uri, database) as (caller, _):
        found = [subtypes(each)[0] for each in caller.events()]
    # All that came before: its own search is not kept when it is answered.
    assert found == ["read", "update", "create", "update"]


@pytest.mark.parametrize("turn", range(3))
def test_no_resource_is_there_without_its_row(mongodb_uri: str, turn: int) -> None:
    """Killed at any moment, under load."""
    database = f"kill_{uuid4().hex[:12]}"
    with server(mongodb_uri, database) as (caller, process):
        person = {"resourceType": "Patient", "id": "p1"}
        caller.http.put("/Patient/p1", json=person, headers=ROOT)
        until = time.monotonic() + 0.3 + 0.2 * turn
        while time.monotonic() < until:
            made = caller.ask("POST", "/Observation", observation("p1")).json()["id"]
            changed = observation("p1", id=made, status="amended")
            caller.ask("PUT", f"/Observation/{made}", changed)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with MongoClient[dict[str, object]](mongodb_uri) as client:
        tables = client[database]
        rows = b"".join(bytes(each["body"]) for each in tables[LOG].find({}, {"body": 1}))  # type: ignore[call-overload]  # BSON's binary
        for row in tables["Observation"].find({}, {"v": 1}):
            for version in range(1, int(str(row["v"])) + 1):
                place = f"Observation/{row['_id']}/_history/{version}"
                assert place.encode() in rows
        client.drop_database(database)


ENTRIES = 150


def later(caller: Caller) -> str:
    """An order of the patient; the path of its status."""
    person = {"resourceType": "Patient", "id": "p1"}
    assert caller.http.put("/Patient/p1", json=person, headers=ROOT).status_code == 201
    request = {"method": "POST", "url": "Observation"}
    entries = [{"resource": observation("p1"), "request": request}] * ENTRIES
    body = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    accepted = caller.ask("POST", "/", body, prefer="respond-async")
    assert accepted.status_code == 202, accepted.text
    place: str = accepted.headers["content-location"]
    return place[place.index("/$job-status") :]  # the next server has another port


def made(caller: Caller, kind: str = "Observation", query: str = "") -> int:
    found = caller.http.get(f"/{kind}?_summary=count&{query}", headers=ROOT)
    total: int = found.json()["total"]
    return total


@pytest.mark.parametrize("grant", ["lives", "over"])
def test_bulks_16_a_killed_job_goes_on_with_the_rights_of_now(
    mongodb_uri: str, grant: str
) -> None:
    database = f"kill_{uuid4().hex[:12]}"
    with server(mongodb_uri, database) as (caller, process):
        place = later(caller)
        until(lambda: made(caller) > 0)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with server(mongodb_uri, database, grant) as (caller, _):
        before = made(caller)

        def ask() -> httpx.Response | None:
            found = caller.get(place)
            return None if found.status_code == 202 else found

        answer = until(ask, patience=150)  # see Pace.postpones
        after = made(caller)
        if grant == "over":
            assert answer.status_code == 403
            assert before == after < ENTRIES
        else:
            assert answer.status_code == 200
            assert after == ENTRIES
        assert made(caller, "Provenance") == after
        assert made(caller, "AuditEvent", "subtype=create&outcome=0") == after
