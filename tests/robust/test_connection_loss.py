"""The database stops answering, or is gone: requests are refused in time, and it passes.

https://hl7.org/fhir/R4/http.html#Status-Codes
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from fhir_server.settings import Settings
from tests.support.fhir import create, new_id, patient
from tests.support.parallel import together
from tests.support.polling import until
from tests.support.replica_set import Member, ReplicaSet
from tests.support.running import Running
from tests.support.writing import check_refusal, tagged_bundle

TIMEOUT: Final = 2  # seconds, of one operation
SELECTION: Final = 1
LONGEST: Final = 15.0
"""Seconds for any answer: a unit of work is repeated for ten."""

pytestmark = pytest.mark.slow

Loss = Callable[[ReplicaSet, Member], None]


@pytest.fixture(scope="module")
def replica_set(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplicaSet]:
    folder: Path = tmp_path_factory.mktemp("loss")
    with ReplicaSet(folder, size=1) as started:
        yield started


@pytest.fixture(scope="module")
def client(replica_set: ReplicaSet) -> Iterator[httpx.Client]:
    settings = Settings(
        insecure_no_auth=True,
        mongodb_uri=replica_set.uri,
        mongodb_timeout_seconds=TIMEOUT,
        mongodb_selection_seconds=SELECTION,
        seed=False,
        log_level="ERROR",
    )
    with (
        Running(settings) as running,
        httpx.Client(base_url=running.base_url, timeout=60) as client,
    ):
        yield client


def health(client: httpx.Client, kind: str) -> int:
    root = str(client.base_url).removesuffix("/fhir/")
    return client.get(f"{root}/health/{kind}").status_code


@contextmanager
def stopped(replica_set: ReplicaSet) -> Iterator[None]:
    """The process is there, its connections too; nothing answers."""
    (member,) = replica_set.members
    os.kill(member.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(member.process.pid, signal.SIGCONT)


@contextmanager
def killed(replica_set: ReplicaSet) -> Iterator[None]:
    (member,) = replica_set.members
    replica_set.kill(member)
    try:
        yield
    finally:
        replica_set.restart(member)


def requests(id_: str) -> list[dict[str, Any]]:
    """One of every kind that asks the database."""
    body = patient()
    never = {"If-None-Exist": f"identifier={new_id()}"}
    return [
        {"method": "GET", "url": f"/Patient/{id_}"},
        {"method": "GET", "url": f"/Patient/{id_}/_history/1"},
        {"method": "GET", "url": f"/Patient/{id_}/_history"},
        {"method": "GET", "url": "/Patient/_history"},
        {"method": "GET", "url": "/_history"},
        {"method": "GET", "url": "/Patient?family=Row"},
        {"method": "GET", "url": "/Patient?_has:Observation:patient:code=x&_total=accurate"},
        {"method": "GET", "url": f"/Patient/{id_}/$everything"},
        {"method": "GET", "url": f"/Patient/{id_}/*"},
        {"method": "GET", "url": "/?_type=Patient,Observation"},
        {"method": "POST", "url": "/Patient", "json": body},
        {"method": "POST", "url": "/Patient", "json": body, "headers": never},
        {"method": "POST", "url": "/Patient/_search", "data": {"family": "Row"}},
        {"method": "PUT", "url": f"/Patient/{id_}", "json": {**body, "id": id_}},
        {"method": "PUT", "url": f"/Patient?identifier={new_id()}", "json": body},
        {"method": "DELETE", "url": f"/Patient/{id_}"},
        {"method": "DELETE", "url": "/Patient?family=Row"},
        {
            "method": "PATCH",
            "url": f"/Patient/{id_}",
            "json": [{"op": "add", "path": "/active", "value": True}],
            "headers": {"Content-Type": "application/json-patch+json"},
        },
        {"method": "POST", "url": "", "json": tagged_bundle(new_id(), 3)},
    ]


def refused(client: httpx.Client, request: dict[str, Any]) -> None:
    begun = time.monotonic()
    answer = client.request(**request)
    assert time.monotonic() - begun < LONGEST, request
    try:
        check_refusal(answer)
    except (AssertionError, KeyError) as error:
        message = (request, answer.status_code, dict(answer.headers), answer.text)
        raise AssertionError(message) from error


@pytest.mark.parametrize("lost", [stopped, killed])
def test_without_the_database_every_request_is_refused_in_time_and_it_passes(
    replica_set: ReplicaSet, client: httpx.Client, lost: Any
) -> None:
    id_ = create(client, patient())["id"]
    assert health(client, "ready") == 200
    with lost(replica_set):
        assert health(client, "ready") == 503
        assert health(client, "live") == 200
        assert client.get("/metadata").status_code == 200
        together([partial(refused, client, each) for each in requests(id_)])
        # A second time: what is known to be gone is not waited for longer.
        refused(client, requests(id_)[0])
    until(lambda: health(client, "ready") == 200)
    assert client.get(f"/Patient/{id_}").status_code in (200, 410)
    create(client, patient())
