"""Pages while others write: what is there all the time is seen once, whatever the order.

https://hl7.org/fhir/R4/http.html#paging
https://hl7.org/fhir/R4/search.html#sort
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import httpx
import pytest

from tests.support.fhir import JsonObject, create, ids, new_id
from tests.support.polling import until

STEADY: Final = 40
PAGE: Final = 7
SYSTEM: Final = "urn:test:churn"

Maker = Callable[[random.Random], JsonObject]


def day(chance: random.Random) -> str:
    return f"20{chance.randint(10, 14)}-0{chance.randint(1, 4)}-1{chance.randint(0, 3)}"


def observation(chance: random.Random) -> JsonObject:
    """Few different values, so that many rows share one; some rows lack one."""
    made: JsonObject = {
        "resourceType": "Observation",
        "status": chance.choice(("final", "preliminary", "amended")),
        "code": {"coding": [{"system": "urn:c", "code": chance.choice("abc")}]},
        "subject": {"reference": f"Patient/churn{chance.randint(1, 4)}"},
    }
    if chance.random() < 0.8:
        made["effectiveDateTime"] = day(chance)
    if chance.random() < 0.8:
        value = chance.choice((1, 2.5, -3, 1000))
        unit = {"system": "http://unitsofmeasure.org", "code": chance.choice(("g", "mg"))}
        made["valueQuantity"] = {"value": value, **unit}
    return made


def patient(chance: random.Random) -> JsonObject:
    made: JsonObject = {"resourceType": "Patient"}
    if chance.random() < 0.8:
        made["name"] = [
            {
                "family": chance.choice(("Йо", "Ёж", "Zo", "а")),
                "given": ["B", chance.choice("AC")],
            }
        ]
    if chance.random() < 0.8:
        made["birthDate"] = day(chance)
    return made


def assessment(chance: random.Random) -> JsonObject:
    made: JsonObject = {
        "resourceType": "RiskAssessment",
        "status": "final",
        "subject": {"reference": "Patient/churn1"},
    }
    if chance.random() < 0.8:
        made["prediction"] = [{"probabilityDecimal": chance.choice((0.1, 0.25, 1, 50))}]
    return made


MAKERS: Final[dict[str, Maker]] = {
    "Observation": observation,
    "Patient": patient,
    "RiskAssessment": assessment,
}
SORTS: Final = [
    ("Observation", ""),
    ("Observation", "_id"),
    ("Observation", "-_id"),
    ("Observation", "_lastUpdated"),
    ("Observation", "-_lastUpdated"),
    ("Observation", "date"),  # an index serves it
    ("Observation", "-date"),
    ("Observation", "status"),  # token
    ("Observation", "-code"),
    ("Observation", "subject"),  # reference
    ("Observation", "value-quantity"),
    ("Observation", "-value-quantity"),
    ("Observation", "_source"),  # uri
    ("Observation", "status,-date"),
    ("Observation", "-value-quantity,code,-_id"),
    ("Patient", "family"),  # an index serves it
    ("Patient", "-family"),
    ("Patient", "given"),  # string
    ("Patient", "-birthdate,given"),
    ("RiskAssessment", "probability"),  # number
    ("RiskAssessment", "-probability"),
]


class Churn:
    """A writer that makes, changes and removes resources beside the steady ones."""

    def __init__(self, fhir: httpx.Client, kind: str, *, touching: bool) -> None:
        self._fhir = fhir
        self._kind = kind
        self._touching = touching
        self._chance = random.Random(7)
        self._passing: list[str] = []
        self._ended = threading.Event()
        self.tag = new_id()
        self.steady = [self._make() for _ in range(STEADY)]
        self.moved: set[str] = set()
        """Ids whose place in the order a write may have changed."""
        self.writes = 0
        for _ in range(10):
            self._insert()

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def go_on(self) -> None:
        """Wait for one more write."""
        written = self.writes
        until(lambda: self.writes > written)

    def _run(self) -> None:
        actions = [self._insert, self._insert, self._change, self._remove]
        if self._touching:
            actions.append(self._touch)
        while not self._ended.is_set():
            self._chance.choice(actions)()
            self.writes += 1

    def _body(self) -> JsonObject:
        meta: JsonObject = {"tag": [{"system": SYSTEM, "code": self.tag}]}
        if self._chance.random() < 0.8:
            meta["source"] = f"urn:s:{self._chance.choice('xyz')}"
        return {**MAKERS[self._kind](self._chance), "meta": meta}

    def _make(self) -> JsonObject:
        return create(self._fhir, self._body())

    def _insert(self) -> None:
        self._passing.append(self._make()["id"])

    def _change(self) -> None:
        if self._passing:
            id_ = self._chance.choice(self._passing)
            self.moved.add(id_)
            body = {**self._body(), "id": id_}
            assert self._fhir.put(f"/{self._kind}/{id_}", json=body).status_code == 200

    def _remove(self) -> None:
        if len(self._passing) > 10:
            id_ = self._passing.pop(self._chance.randrange(len(self._passing)))
            assert self._fhir.delete(f"/{self._kind}/{id_}").is_success

    def _touch(self) -> None:
        """A new version of a steady one, in its old place."""
        one = self._chance.choice(self.steady)
        text = {
            "status": "generated",
            "div": f"<div xmlns='http://www.w3.org/1999/xhtml'>{new_id()}</div>",
        }
        body = {**one, "text": text}
        answer = self._fhir.put(f"/{self._kind}/{one['id']}", json=body)
        assert answer.status_code == 200, answer.text


def walk(churn: Churn, fhir: httpx.Client, url: str, relation: str) -> tuple[list[str], str]:
    """The ids on the way to the last page, and the address of that page's neighbour back;
    between two pages something is written."""
    seen: list[str] = []
    back = ""
    while url:
        answer = fhir.get(url)
        assert answer.status_code == 200, answer.text
        links = {each["relation"]: each["url"] for each in answer.json()["link"]}
        page = ids(answer.json())
        seen += page if relation == "next" else page[::-1]
        back = links.get("previous", "")
        url = links.get(relation, "")
        churn.go_on()
    return seen, back


@pytest.mark.parametrize(("kind", "sort"), SORTS)
def test_rows_that_stay_are_seen_once(fhir: httpx.Client, kind: str, sort: str) -> None:
    churn = Churn(fhir, kind, touching="_lastUpdated" not in sort)
    query = f"/{kind}?_tag={SYSTEM}|{churn.tag}&_count={PAGE}" + (
        f"&_sort={sort}" if sort else ""
    )
    steady = {each["id"] for each in churn.steady}
    with churn.running():
        ahead, last = walk(churn, fhir, query, "next")
        behind, _ = walk(churn, fhir, last, "previous")
    for seen in (ahead, behind):
        often = {id_ for id_, times in Counter(seen).items() if times > 1}
        assert often <= churn.moved
    assert steady <= set(ahead)
    # Backwards the last page itself is not walked again.
    assert steady - set(behind) <= set(ahead[-2 * PAGE :])
