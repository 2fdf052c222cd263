"""The leak matrix of break-glass: an emergency of one patient tells nothing of another.

As in `test_leaks`, every request is put to two servers, of which only one has something of
patient `b` that is restricted. Whoever may not see it gets the same answer from both: a doctor
before the emergency of `b`, in another app during it, and when it is over; and a doctor whose
emergency is of patient `a`.

https://hl7.org/fhir/R4/security.html
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final
from uuid import uuid4

import httpx
import pytest

from fhir_server.access.principal import Principal
from fhir_server.settings import Settings
from tests.support.doors import READS
from tests.support.doors_for_writing import WRITES
from tests.support.emergencies import (
    Ward,
    WardTokens,
    consent,
    doctor,
    permit,
    person,
    restricted,
)
from tests.support.fhir import JsonObject
from tests.support.running import Running
from tests.support.worlds import ROOT, Answer, Ask, World

DOCTOR: Final = doctor("wilson")
OTHER_APP: Final = doctor("wilson", "second")
OF_ANOTHER: Final = doctor("house")
_MINUTES: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")

Answers = Mapping[str, tuple[list[Answer], list[Answer]]]
"""By door, of the server that hides something and of the one that does not."""


def hidden_ids(p: str) -> dict[str, str]:
    """One resource for all reads, and one for each door that writes."""
    return dict.fromkeys(READS, f"{p}-hidden") | {
        door: f"{p}-hidden-{n}" for n, door in enumerate(WRITES)
    }


def open_part(p: str) -> list[JsonObject]:
    """What the doctor sees in any case: it names what is hidden."""
    about = {"subject": {"reference": f"Patient/{p}"}}
    hidden = [f"Observation/{each}" for each in sorted(set(hidden_ids(p).values()))]
    results = [{"reference": each} for each in hidden]
    items = [{"reference": f"DiagnosticReport/{p}-report"}, *results]
    visible = _observation(f"{p}-seen", p)
    del visible["meta"]
    report = {"resourceType": "DiagnosticReport", "id": f"{p}-report", "status": "final"}
    return [
        person(p),
        consent(p, "permit"),
        {"resourceType": "Practitioner", "id": f"{p}-doctor"},
        {"resourceType": "Encounter", "id": f"{p}-encounter", "status": "finished",
            "class": {"code": "AMB"}, **about},
        {**report, "code": {"text": "report"}, "result": results, **about},
        {"resourceType": "List", "id": f"{p}-list", "status": "current", "mode": "working",
            "entry": [{"item": each} for each in items], **about},
        visible,
    ]  # fmt: skip


def hidden_part(p: str) -> list[JsonObject]:
    return [_observation(each, p) for each in sorted(set(hidden_ids(p).values()))]


def _observation(id_: str, p: str) -> JsonObject:
    return restricted(
        id_,
        p,
        identifier=[{"system": "urn:h", "value": id_}],
        category=[{"coding": [{"system": "urn:category", "code": "laboratory"}]}],
        encounter={"reference": f"Encounter/{p}-encounter"},
        performer=[{"reference": f"Practitioner/{p}-doctor"}],
        effectiveDateTime="2020-01-02",
        valueQuantity={"value": 999, "unit": "kg"},
        note=[{"text": f"of {id_}"}],
    )


@dataclass(frozen=True)
class Matrix:
    """Two servers and the doctors who ask both."""

    worlds: tuple[World, World]

    def answers(self, doors: Mapping[str, Ask], who: Principal, p: str) -> Answers:
        ids = hidden_ids(p)
        return {
            door: (
                self._asked(self.worlds[0], ask, who, p, ids[door]),
                self._asked(self.worlds[1], ask, who, p, ids[door]),
            )
            for door, ask in doors.items()
        }

    def _asked(self, world: World, ask: Ask, who: Principal, p: str, id_: str) -> list[Answer]:
        found = world.ask(ask, who.token, p, id_)
        # The notice of the emergency says the time in words.
        return [replace(each, body=_MINUTES.sub("TIME", each.body)) for each in found]


@pytest.fixture(scope="module")
def matrix(mongodb_uri: str) -> Iterator[tuple[Matrix, list[Ward]]]:
    tokens, names = WardTokens(), [f"{each}_{uuid4().hex[:12]}" for each in ("full", "none")]
    for who in (DOCTOR, OTHER_APP, OF_ANOTHER):
        tokens.give(who)
    full, none = (
        Settings(mongodb_uri=mongodb_uri, database=each, seed=False, log_level="WARNING",
            max_count=20, audit="off")
        for each in names
    )  # fmt: skip
    with (
        Running(full, tokens.gate) as first,
        Running(none, tokens.gate) as second,
        httpx.Client(base_url=first.base_url, timeout=60) as one,
        httpx.Client(base_url=second.base_url, timeout=60) as other,
    ):
        for name in names:
            for who in (DOCTOR, OTHER_APP, OF_ANOTHER):
                permit(mongodb_uri, name, who.account or "", who.client)
        worlds = World(one), World(other)
        for p in ("a", "b"):
            for world in worlds:
                world.load(*open_part(p))
        for world in worlds:
            world.load(*hidden_part("a"))
        worlds[0].load(*hidden_part("b"))
        yield Matrix(worlds), [Ward(one, tokens), Ward(other, tokens)]


@pytest.fixture(scope="module")
def told(matrix: tuple[Matrix, list[Ward]]) -> Mapping[str, Answers]:
    """What was answered, in the order in which it was asked."""
    found, wards = matrix
    for each in wards:
        assert each.declare(OF_ANOTHER, "a").status_code == 200
        assert each.sees(OF_ANOTHER, "/Observation/a-hidden")
    stages = {"of another patient": found.answers(READS, OF_ANOTHER, "b")}
    stages["writing to another patient"] = found.answers(WRITES, OF_ANOTHER, "b")
    stages["before"] = found.answers(READS, DOCTOR, "b")
    for each in wards:
        assert each.declare(DOCTOR, "b").status_code == 200
    stages["during"] = found.answers(READS, DOCTOR, "b")
    stages["to root"] = found.answers(READS, ROOT, "b")
    stages["in another app"] = found.answers(READS, OTHER_APP, "b")
    for each in wards:
        assert each.end(DOCTOR, "b").is_success
    stages["after"] = found.answers(READS, DOCTOR, "b")
    return stages


@pytest.mark.parametrize("door", READS)
@pytest.mark.parametrize("stage", ["before", "of another patient", "in another app", "after"])
def test_both_servers_answer_alike(told: Mapping[str, Answers], stage: str, door: str) -> None:
    full, none = told[stage][door]
    assert full == none


@pytest.mark.parametrize("door", WRITES)
def test_both_servers_refuse_alike(told: Mapping[str, Answers], door: str) -> None:
    full, none = told["writing to another patient"][door]
    assert full == none


@pytest.mark.parametrize("door", READS)
def test_the_emergency_shows_it_through_every_door(
    told: Mapping[str, Answers], door: str
) -> None:
    """Through every one that would tell who may see everything."""
    everything, nothing = told["to root"][door]
    full, none = told["during"][door]
    assert full != none or everything == nothing


def test_most_doors_tell_who_may_see_everything(told: Mapping[str, Answers]) -> None:
    telling = [door for door, (full, none) in told["to root"].items() if full != none]
    assert len(telling) > len(READS) / 2
