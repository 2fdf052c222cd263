"""Transactions of many entries: the database is asked a few times, not once an entry.

https://hl7.org/fhir/R4/http.html#transaction
"""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest
from pymongo import monitoring

from fhir_server.settings import Settings
from tests.support.commands import Commands
from tests.support.fhir import new_id, observation, patient
from tests.support.parallel import together
from tests.support.running import Running

JsonObject = dict[str, Any]

COUNT: Final = 300
MOST: Final = 18
"""Commands of one transaction with COUNT entries."""
SYSTEM: Final = "urn:many"


@pytest.fixture(scope="module")
def commands() -> Commands:
    """What every client sends that is made from now on."""
    listener = Commands()
    monitoring.register(listener)
    return listener


@pytest.fixture(scope="module")
def fhir(mongodb_uri: str, commands: Commands) -> Iterator[httpx.Client]:
    """A server whose commands are counted."""
    del commands
    settings = Settings(
        insecure_no_auth=True,
        mongodb_uri=mongodb_uri,
        database=f"many_{uuid4().hex[:12]}",
        seed=False,
        log_level="WARNING",
    )
    with (
        Running(settings) as server,
        httpx.Client(base_url=server.base_url, timeout=60) as client,
    ):
        yield client


Entries = list[JsonObject]


def entries(
    method: str,
    url: str,
    body: Callable[[str], JsonObject] | None,
    names: list[str],
    **more: str,
) -> Entries:
    """One for each of `names`, which stands where `{}` is."""
    found: Entries = []
    for name in names:
        request = {"method": method, "url": url.format(name)}
        request |= {key: value.format(name) for key, value in more.items()}
        found.append({"request": request} | ({"resource": body(name)} if body else {}))
    return found


def transact(fhir: httpx.Client, rows: Entries) -> httpx.Response:
    return fhir.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": rows})


def named(name: str, **more: Any) -> JsonObject:
    own = {"system": SYSTEM, "value": name}
    return patient(identifier=own) | {"active": True} | more


def with_id(name: str, **more: Any) -> JsonObject:
    return named(name, id=name, **more)


def changed(name: str) -> JsonObject:
    return with_id(name, gender="other")


def patch(name: str) -> JsonObject:
    parts = [
        {"name": "type", "valueCode": "add"},
        {"name": "path", "valueString": "Patient"},
        {"name": "name", "valueString": "language"},
        {"name": "value", "valueCode": "uk" if name else "en"},
    ]
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}


BY_IDENTIFIER: Final = "Patient?identifier=" + SYSTEM + "|{}"
BY_TWO: Final = "Patient?active=true&identifier=" + SYSTEM + "|{}"


def referring(name: str) -> JsonObject:
    return observation(BY_IDENTIFIER.format(name))


STEPS: Final[list[tuple[str, Callable[[list[str]], Entries], str]]] = [
    ("create", lambda n: entries("POST", "Patient", named, n), "201 Created"),
    ("update as create", lambda n: entries("PUT", "Patient/{}", with_id, n), "201 Created"),
    ("update", lambda n: entries("PUT", "Patient/{}", changed, n), "200 OK"),
    ("patch", lambda n: entries("PATCH", "Patient/{}", patch, n), "200 OK"),
    ("delete", lambda n: entries("DELETE", "Patient/{}", None, n), "204 No Content"),
    ("come back", lambda n: entries("PUT", "Patient/{}", with_id, n), "201 Created"),
    (
        "conditional create",
        lambda n: entries(
            "POST", "Patient", named, [f"c{x}" for x in n], ifNoneExist=BY_IDENTIFIER[8:]
        ),
        "201 Created",
    ),
    (
        "conditional create that matches",
        lambda n: entries(
            "POST", "Patient", named, [f"c{x}" for x in n], ifNoneExist=BY_IDENTIFIER[8:]
        ),
        "200 OK",
    ),
    (
        "conditional update",
        lambda n: entries(
            "PUT", BY_IDENTIFIER, lambda x: named(x, gender="male"), [f"c{x}" for x in n]
        ),
        "200 OK",
    ),
    (
        "conditional update as create",
        lambda n: entries("PUT", BY_TWO, named, [f"d{x}" for x in n]),
        "201 Created",
    ),
    (
        "conditional references",
        lambda n: entries("POST", "Observation", referring, [f"d{x}" for x in n]),
        "201 Created",
    ),
    (
        "conditional delete",
        lambda n: entries("DELETE", BY_IDENTIFIER, None, [f"d{x}" for x in n]),
        "204 No Content",
    ),
]


def test_no_kind_of_entry_asks_once_an_entry(fhir: httpx.Client, commands: Commands) -> None:
    names = [new_id() for _ in range(COUNT)]
    for kind, made, status in STEPS:
        commands.clear()
        answer = transact(fhir, made(names))
        assert answer.status_code == 200, (kind, answer.text)
        statuses = {each["response"]["status"] for each in answer.json()["entry"]}
        assert statuses == {status}, kind
        assert len(commands.within) <= MOST, (kind, Counter(commands.within))
    assert fhir.get("/Patient", params={"_summary": "count"}).json()["total"] == 3 * COUNT


def two_of(fhir: httpx.Client, name: str) -> None:
    assert transact(fhir, entries("POST", "Patient", named, [name, name])).is_success


@pytest.mark.parametrize(
    ("method", "url", "body", "more"),
    [
        ("POST", "Patient", named, {"ifNoneExist": BY_IDENTIFIER[8:]}),
        ("PUT", BY_IDENTIFIER, named, {}),
        ("PATCH", BY_IDENTIFIER, patch, {}),
    ],
)
def test_the_one_that_finds_two_is_named_among_many(
    fhir: httpx.Client, method: str, url: str, body: Any, more: dict[str, str]
) -> None:
    names = [new_id() for _ in range(30)]
    two_of(fhir, names[17])
    answer = transact(fhir, entries(method, url, body, names, **more))
    assert answer.status_code == 412, answer.text
    [issue] = answer.json()["issue"]
    assert issue["code"] == "multiple-matches"
    assert issue["expression"] == ["Bundle.entry[17].request"]


def test_every_reference_that_does_not_find_one_is_told_at_its_place(
    fhir: httpx.Client,
) -> None:
    names = [new_id() for _ in range(30)]
    assert transact(fhir, entries("POST", "Patient", named, names)).is_success
    two_of(fhir, twice := new_id())
    rows = entries("POST", "Observation", referring, names)
    for place, reference in (
        (4, BY_IDENTIFIER.format(twice)),
        (9, BY_IDENTIFIER.format("nobody")),
        (15, "Patient?shoe-size=46"),
        (20, BY_IDENTIFIER.format("nobody")),
    ):
        rows[place]["resource"] = observation(reference)
    answer = transact(fhir, rows)
    assert answer.status_code == 400, answer.text
    told = [(each["expression"][0], each["code"]) for each in answer.json()["issue"]]
    places = [f"Bundle.entry[{place}].resource.subject.reference" for place in (4, 9, 15, 20)]
    assert told == [
        (places[0], "multiple-matches"),
        (places[1], "not-found"),
        (f"{places[2]}.shoe-size", "not-supported"),
        (places[3], "not-found"),
    ]


def test_of_parallel_bundles_with_the_same_conditions_one_creates(fhir: httpx.Client) -> None:
    names = [new_id() for _ in range(40)]
    orders = [names if n % 2 else names[::-1] for n in range(8)]

    def post(order: list[str]) -> Counter[str]:
        rows = entries("POST", "Patient", named, order, ifNoneExist=BY_IDENTIFIER[8:])
        answer = transact(fhir, rows)
        assert answer.status_code == 200, answer.text
        return Counter(each["response"]["status"] for each in answer.json()["entry"])

    done = together([partial(post, order) for order in orders])
    assert sum(done, Counter()) == {"201 Created": 40, "200 OK": 280}


def test_criteria_speak_of_the_state_before_the_transaction(fhir: httpx.Client) -> None:
    name = new_id()
    [made] = transact(fhir, entries("POST", "Patient", named, [name])).json()["entry"]
    id_ = made["response"]["location"].rpartition("/Patient/")[2].partition("/")[0]
    rows = [
        *entries("DELETE", "Patient/{}", None, [id_]),
        *entries("POST", "Patient", named, [name], ifNoneExist=BY_IDENTIFIER[8:]),
    ]
    statuses = [e["response"]["status"] for e in transact(fhir, rows).json()["entry"]]
    assert statuses == ["204 No Content", "200 OK"]
