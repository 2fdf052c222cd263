"""The leak matrix: through no door does a caller learn of what it may not see.

Every request is put to two servers, of which only one has the hidden resource. A limited
caller gets the same answer from both, to the letter; somebody who may see everything does not,
so each door is known to be one.

https://hl7.org/fhir/R4/security.html
https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pytest

from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.search.plan import UNRESTRICTED
from fhir_server.store.mongo import histories
from fhir_server.store.mongo.chains import Resolver
from fhir_server.store.mongo.resources import Reader
from tests.support.doors import READS, WRITES
from tests.support.fhir import JsonObject
from tests.support.worlds import ROOT, Answer, Ask, Tokens, World

DOORS: Final = {**READS, **WRITES}
OTHERS: Final = "patient/Patient.rs patient/Encounter.rs patient/DiagnosticReport.rs"


@dataclass(frozen=True, slots=True)
class Limit:
    """A caller, and what is out of its reach."""

    name: str
    scopes: str
    whose: str = "{p}-other"
    """Whom the hidden resource is about."""
    category: str = "laboratory"
    level: str = "patient"

    @property
    def principal(self) -> Principal:
        represented = (self.name,) if self.level == "user" else ()
        return Principal(
            "app",
            parse_scopes(self.scopes),
            patient=self.name if self.level == "patient" else None,
            user=f"Patient/{self.name}",
            represented=represented,
            token=self.name,
        )

    @property
    def about(self) -> str:
        return self.whose.replace("{p}", self.name)


LIMITS: Final = (
    Limit("whole", "patient/*.cruds"),
    Limit("v1", "patient/*.*"),
    Limit("read-only", "patient/*.rs"),
    Limit(
        "category",
        f"patient/Observation.cruds?category=urn:category|laboratory patient/List.rs {OTHERS}",
        whose="{p}",
        category="vital-signs",
    ),
    Limit(
        "two-categories",
        "patient/Observation.rs?category=urn:category|laboratory "
        f"patient/Observation.rs?category=urn:category|survey patient/List.rs {OTHERS}",
        whose="{p}",
        category="vital-signs",
    ),
    Limit("other-type", f"{OTHERS} patient/List.rs", whose="{p}"),
    Limit("search-only", "patient/*.s"),
    Limit("proxy-ended", "user/*.cruds", level="user"),
    Limit("nobody", "patient/*.cruds", whose="{p}", level="user"),
)
TEETH: Final = Limit("teeth", "system/*.cruds", whose="{p}")


def hidden_ids(limit: Limit) -> dict[str, str]:
    """A hidden resource for all reads, and one for each door that writes."""
    ids = dict.fromkeys(READS, f"{limit.name}-hidden")
    return ids | {door: f"{limit.name}-hidden-{n}" for n, door in enumerate(WRITES)}


def observation(id_: str, about: str, limit: Limit, category: str, day: int) -> JsonObject:
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "identifier": [{"system": "urn:h", "value": id_}],
        "category": [{"coding": [{"system": "urn:category", "code": category}]}],
        "code": {"text": id_},
        "subject": {"reference": f"Patient/{about}"},
        "encounter": {"reference": f"Encounter/{limit.name}-encounter"},
        "performer": [{"reference": f"Practitioner/{limit.name}-doctor"}],
        "effectiveDateTime": f"2020-01-{day:02}",
        "valueQuantity": {"value": 30 - day, "unit": "kg"},
        "note": [{"text": f"of {id_}"}],
    }


def visible(limit: Limit) -> list[JsonObject]:
    p = limit.name
    person = {"reference": f"Patient/{p}"}
    results = [f"{p}-seen-{n}" for n in range(4)] + sorted(set(hidden_ids(limit).values()))
    return [
        {"resourceType": "Patient", "id": p},
        {"resourceType": "Practitioner", "id": f"{p}-doctor"},
        {
            "resourceType": "Encounter",
            "id": f"{p}-encounter",
            "status": "finished",
            "class": {"code": "AMB"},
            "subject": person,
        },
        {
            "resourceType": "DiagnosticReport",
            "id": f"{p}-report",
            "status": "final",
            "code": {"text": "report"},
            "subject": person,
            "result": [{"reference": f"Observation/{id_}"} for id_ in results],
        },
        {
            "resourceType": "List",
            "id": f"{p}-list",
            "status": "current",
            "mode": "working",
            "subject": person,
            "entry": [
                {"item": {"reference": reference}}
                for reference in (
                    f"DiagnosticReport/{p}-report",
                    *(f"Observation/{id_}" for id_ in results),
                )
            ],
        },
        *(observation(f"{p}-seen-{n}", p, limit, "laboratory", 10 + n) for n in range(4)),
    ]


def concealed(limit: Limit) -> list[JsonObject]:
    found = [
        observation(id_, limit.about, limit, limit.category, 1) | heavy()
        for id_ in sorted(set(hidden_ids(limit).values()))
    ]
    if limit.about != limit.name:
        found.append({"resourceType": "Patient", "id": limit.about})
    return found


def heavy() -> JsonObject:
    return {"valueQuantity": {"value": 999, "unit": "kg"}}


@pytest.fixture(scope="session", autouse=True)
def loaded(worlds: tuple[World, World], tokens: Tokens) -> None:
    hiding, empty = worlds
    for limit in (*LIMITS, TEETH):
        tokens.give(ROOT if limit is TEETH else limit.principal)
        for world in worlds:
            world.load(*visible(limit))
        hiding.load(*concealed(limit))
    # Versions of its own keep a search of the other from standing out by time.
    empty.load({"resourceType": "Patient", "id": "padding"})


def answers(
    worlds: tuple[World, World], limit: Limit, ask: Ask, door: str
) -> tuple[list[Answer], list[Answer]]:
    token = "root" if limit is TEETH else limit.name
    hidden = hidden_ids(limit)[door]
    hiding, empty = (world.ask(ask, token, limit.name, hidden) for world in worlds)
    return hiding, empty


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("limit", LIMITS, ids=lambda each: each.name)
def test_both_servers_answer_alike(
    worlds: tuple[World, World], limit: Limit, door: str
) -> None:
    hiding, empty = answers(worlds, limit, DOORS[door], door)
    assert hiding == empty


@pytest.mark.parametrize("door", READS)
def test_a_door_shows_what_may_be_seen(worlds: tuple[World, World], door: str) -> None:
    """Whoever may see it finds it: the matrix above looks where there is something."""
    hiding, empty = answers(worlds, TEETH, DOORS[door], door)
    assert hiding != empty


@pytest.mark.parametrize("door", WRITES)
def test_a_door_for_writing_meets_what_is_there(worlds: tuple[World, World], door: str) -> None:
    hiding, empty = answers(worlds, TEETH, DOORS[door], door)
    assert hiding != empty


@pytest.mark.parametrize(
    ("door", "limit"),
    [
        ("search", "whole"),
        ("everything", "whole"),
        ("include", "whole"),
        ("search", "category"),
    ],
)
def test_what_may_be_seen_is_seen(worlds: tuple[World, World], door: str, limit: str) -> None:
    found = next(each for each in LIMITS if each.name == limit)
    hiding, _ = answers(worlds, found, DOORS[door], door)
    text = "".join(each.body for each in hiding)
    assert all(f'"{limit}-seen-{n}"' in text for n in range(4))


MUTANTS: Final = {
    "read": (Reader, "read"),
    "vread": (Reader, "vread"),
    "find": (Reader, "find"),
    "search": (Reader, "search"),
    "count": (Reader, "count"),
    "history": (histories, "history"),
    "chain": (Resolver, "resolve"),
}


@contextmanager
def without_restriction(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> Iterator[None]:
    """The store with one of its calls forgetting the caller's Restriction."""
    genuine = getattr(owner, name)

    async def forgetful(*given: Any, **named: Any) -> Any:
        if "within" in named:
            named["within"] = UNRESTRICTED
        elif owner is histories:
            given = (*given[:-1], UNRESTRICTED)
        else:
            given = (type(given[0])(given[0].lookup, UNRESTRICTED, given[0].most), *given[1:])
        return await genuine(*given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, forgetful)
        yield


@pytest.mark.parametrize("call", MUTANTS)
def test_a_call_that_forgets_the_restriction_is_noticed(
    worlds: tuple[World, World], monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    limit = LIMITS[0]
    doors = [*READS, "conditional patch", "conditional create"]
    with without_restriction(monkeypatch, *MUTANTS[call]):
        told = [
            door
            for door in doors
            if (pair := answers(worlds, limit, DOORS[door], door))[0] != pair[1]
        ]
    assert told
