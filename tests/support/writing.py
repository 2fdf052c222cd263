"""Clients that write without pause and remember what was promised to them."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import httpx

from fhir_server.outward import trust
from tests.support.fhir import JsonObject, new_id, patient

REFUSED: Final = frozenset({503, 504})


@dataclass
class Record:
    """What one client has seen."""

    acknowledged: list[str] = field(default_factory=list)
    """`Patient/1/_history/2` of each version that a create or update named."""
    refused: list[httpx.Response] = field(default_factory=list)
    unanswered: int = 0
    """Requests whose connection broke: their fate is unknown."""
    bundles: dict[str, bool] = field(default_factory=dict)
    """Tag of each transaction -> whether it was acknowledged."""
    latest: float = 0.0
    """When a write was last acknowledged, by the monotonic clock."""


class Writers:
    """`with Writers(base, 6).running() as records:` clients that create, update, transact."""

    def __init__(self, base: str, clients: int, *, entries: int = 5) -> None:
        self._base = base
        self._entries = entries
        self._ended = threading.Event()
        self.records = [Record() for _ in range(clients)]

    @contextmanager
    def running(self) -> Iterator[list[Record]]:
        threads = [threading.Thread(target=self._write, args=(each,)) for each in self.records]
        for each in threads:
            each.start()
        try:
            yield self.records
        finally:
            self._ended.set()
            for each in threads:
                each.join()

    @property
    def acknowledged(self) -> int:
        return sum(len(each.acknowledged) for each in self.records)

    def wait_for_writes_by_all(self, patience: float) -> None:
        """Until each client has a new acknowledgement."""
        begun = time.monotonic()
        while any(each.latest < begun for each in self.records):
            assert time.monotonic() < begun + patience
            time.sleep(0.05)

    def _write(self, record: Record) -> None:
        chance = random.Random()
        with httpx.Client(base_url=self._base, verify=trust(), timeout=60) as client:
            while not self._ended.is_set():
                try:
                    chance.choice((self._create, self._update, self._transact))(client, record)
                except httpx.TransportError:
                    record.unanswered += 1
                    time.sleep(0.05)

    def _create(self, client: httpx.Client, record: Record) -> None:
        _note(record, client.post("/Patient", json=patient()))

    def _update(self, client: httpx.Client, record: Record) -> None:
        own = record.acknowledged
        id_ = random.choice(own).split("/")[1] if own else new_id()
        body = {**patient(family=new_id()), "id": id_}
        _note(record, client.put(f"/Patient/{id_}", json=body))

    def _transact(self, client: httpx.Client, record: Record) -> None:
        tag = new_id()
        record.bundles[tag] = False
        answer = client.post("", json=tagged_bundle(tag, self._entries))
        if answer.is_success:
            record.bundles[tag] = True
            record.latest = time.monotonic()
        else:
            record.refused.append(answer)


def _note(record: Record, answer: httpx.Response) -> None:
    if answer.is_success:
        record.latest = time.monotonic()
        record.acknowledged.append(_version(answer.json()))
    else:
        record.refused.append(answer)


def _version(resource: JsonObject) -> str:
    return (
        f"{resource['resourceType']}/{resource['id']}/_history/{resource['meta']['versionId']}"
    )


def tagged_bundle(tag: str, entries: int) -> JsonObject:
    """A transaction that makes as many Basics, all with the tag."""
    resource = {
        "resourceType": "Basic",
        "meta": {"tag": [{"system": "urn:test:bundle", "code": tag}]},
        "code": {"text": "entry"},
    }
    entry = {"resource": resource, "request": {"method": "POST", "url": "Basic"}}
    return {"resourceType": "Bundle", "type": "transaction", "entry": [entry] * entries}


def tagged(client: httpx.Client, tag: str) -> int:
    """How many resources of a bundle there are."""
    params = {"_tag": f"urn:test:bundle|{tag}", "_summary": "count"}
    total: int = client.get("/Basic", params=params).json()["total"]
    return total


def check_refusal(answer: httpx.Response) -> None:
    """It says come back later, and nothing of what is inside."""
    assert answer.status_code in REFUSED, (answer.status_code, answer.text)
    assert int(answer.headers["retry-after"]) > 0
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    assert {each["code"] for each in outcome["issue"]} <= {"transient", "timeout"}
    for told in ("Traceback", "pymongo", "mongo", "127.0.0.1", "Error"):
        assert told not in answer.text


def check_kept(client: httpx.Client, records: list[Record], entries: int) -> None:
    """Every acknowledged version is there; every transaction is there whole, or, where nobody
    was told of it, not at all."""
    for record in records:
        for each in record.acknowledged:
            answer = client.get(f"/{each}")
            assert answer.status_code == 200, (each, answer.text)
        for tag, acknowledged in record.bundles.items():
            count = tagged(client, tag)
            assert count == entries or (count == 0 and not acknowledged), (tag, count)
