"""Requests that race: through one server, and through two on one database.

https://hl7.org/fhir/R4/http.html#concurrency
https://hl7.org/fhir/R4/http.html#ccreate
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import cycle, islice, pairwise
from typing import Final, TypeAlias
from uuid import uuid4

import httpx
import pytest

from fhir_server.settings import Settings
from tests.support.fhir import JsonObject, create, identifier, ids, new_id, patient
from tests.support.parallel import together
from tests.support.running import Running

CROWD: Final = 50
ROUNDS: Final = 5

Doors: TypeAlias = Sequence[httpx.Client]
"""Clients of servers that share a database."""


@pytest.fixture(scope="module")
def every_door(mongodb_uri: str) -> Iterator[Doors]:
    """Clients of two servers on one database."""
    settings = Settings(
        insecure_no_auth=True,
        mongodb_uri=mongodb_uri,
        database=f"race_{uuid4().hex[:12]}",
        seed=False,
        log_level="WARNING",
    )
    with ExitStack() as stack:
        servers = [stack.enter_context(Running(settings)) for _ in range(2)]
        yield [
            stack.enter_context(httpx.Client(base_url=each.base_url, timeout=60))
            for each in servers
        ]


@pytest.fixture(params=[1, 2], ids=["one server", "two servers"])
def doors(every_door: Doors, request: pytest.FixtureRequest) -> Doors:
    return every_door[: request.param]


def crowd(
    doors: Doors, method: str, path: str, *bodies: object, headers: dict[str, str] | None = None
) -> list[int]:
    """The statuses of requests that start together, one a body, spread over the doors."""
    works = [
        partial(door.request, method, path, json=body, headers=headers)
        for door, body in zip(cycle(doors), bodies, strict=False)
    ]
    return [answer.status_code for answer in together(works)]


def found(door: httpx.Client, criteria: str) -> list[str]:
    return ids(door.get(f"/Patient?{criteria}").json())


def history(door: httpx.Client, id_: str) -> list[JsonObject]:
    """The versions of a patient, the first one first."""
    bundle = door.get(f"/Patient/{id_}/_history", params={"_count": 1000}).json()
    entries: list[JsonObject] = bundle["entry"]
    return entries[::-1]


def numbers(door: httpx.Client, id_: str) -> list[int]:
    """Of the versions, as their ETags say them."""
    return [int(each["response"]["etag"][3:-1]) for each in history(door, id_)]


def test_parallel_conditional_creates_make_one_resource(doors: Doors) -> None:
    mrn = identifier()
    criteria = f"identifier={mrn['value']}"
    bodies = [patient(identifier=mrn)] * CROWD
    statuses = crowd(doors, "POST", "/Patient", *bodies, headers={"If-None-Exist": criteria})
    assert Counter(statuses) == {201: 1, 200: CROWD - 1}
    assert len(found(doors[0], criteria)) == 1


def test_parallel_conditional_updates_make_one_resource(doors: Doors) -> None:
    mrn = identifier()
    path = f"/Patient?identifier={mrn['value']}"
    bodies = [patient(family=f"F{n}", identifier=mrn) for n in range(CROWD)]
    statuses = crowd(doors, "PUT", path, *bodies)
    assert Counter(statuses)[201] == 1
    # Who loses too often is told to repeat; nobody is told a lie.
    assert set(statuses) <= {200, 201, 409}
    (id_,) = found(doors[0], f"identifier={mrn['value']}")
    written = CROWD - Counter(statuses)[409]
    assert numbers(doors[-1], id_) == list(range(1, written + 1))


def test_of_parallel_updates_with_if_match_exactly_one_wins(doors: Doors) -> None:
    made = create(doors[0], patient())
    for number in range(1, ROUNDS + 1):
        names = [f"F{number}-{n}" for n in range(10)]
        bodies = [{**patient(family=each), "id": made["id"]} for each in names]
        path, tag = f"/Patient/{made['id']}", f'W/"{number}"'
        statuses = crowd(doors, "PUT", path, *bodies, headers={"If-Match": tag})
        assert Counter(statuses)[200] == 1, statuses
        assert set(statuses) <= {200, 409, 412}
    assert numbers(doors[-1], made["id"]) == list(range(1, ROUNDS + 2))


def test_an_update_of_what_another_has_changed_is_refused(doors: Doors) -> None:
    made = create(doors[0], patient())
    path = f"/Patient/{made['id']}"
    seen = [door.get(path).headers["etag"] for door in (doors[0], doors[-1])]
    mine = {**patient(family="Mine"), "id": made["id"]}
    theirs = {**patient(family="Theirs"), "id": made["id"]}
    assert doors[0].put(path, json=mine, headers={"If-Match": seen[0]}).status_code == 200
    lost = doors[-1].put(path, json=theirs, headers={"If-Match": seen[1]})
    assert lost.status_code == 412
    assert doors[-1].get(path).json()["name"] == mine["name"]


def appended(door: httpx.Client, path: str, mark: str) -> None:
    """Add a given name, as a client does that must not lose others' changes."""
    while True:
        answer = door.get(path)
        body = answer.json()
        body["name"][0].setdefault("given", []).append(mark)
        tag = {"If-Match": answer.headers["etag"]}
        if door.put(path, json=body, headers=tag).status_code == 200:
            return


def test_no_change_is_lost_by_clients_that_read_and_write_under_if_match(doors: Doors) -> None:
    made = create(doors[0], patient())
    path = f"/Patient/{made['id']}"
    marks = [f"G{n}" for n in range(8)]
    pairs = zip(cycle(doors), marks, strict=False)
    together([partial(appended, door, path, mark) for door, mark in pairs])
    assert sorted(doors[-1].get(path).json()["name"][0]["given"]) == marks


def test_what_is_written_is_read_at_once_by_every_way(doors: Doors) -> None:
    writer, reader = doors[0], doors[-1]
    for n in range(ROUNDS):
        mrn = identifier()
        made = create(writer, patient(family="First", identifier=mrn))
        path = f"/Patient/{made['id']}"
        assert reader.get(path).status_code == 200
        assert found(reader, f"identifier={mrn['value']}") == [made["id"]]
        changed = {**patient(family=f"Then{n}", identifier=mrn), "id": made["id"]}
        assert writer.put(path, json=changed).status_code == 200
        assert reader.get(path).json()["name"] == [{"family": f"Then{n}"}]
        assert found(reader, f"identifier={mrn['value']}&family=Then{n}") == [made["id"]]
        assert found(reader, f"identifier={mrn['value']}&family=First") == []
        assert writer.delete(path).status_code in (200, 204)
        assert reader.get(path).status_code == 410
        assert found(reader, f"identifier={mrn['value']}") == []


def bundle(*mrns: JsonObject) -> JsonObject:
    entries = [
        {
            "fullUrl": f"urn:uuid:{new_id()}",
            "resource": patient(identifier=mrn),
            "request": {
                "method": "POST",
                "url": "Patient",
                "ifNoneExist": f"identifier={mrn['value']}",
            },
        }
        for mrn in mrns
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def test_transactions_that_overlap_share_what_they_make(doors: Doors) -> None:
    mrns = [identifier() for _ in range(6)]
    windows = [islice(cycle(mrns), start, start + 3) for start in range(12)]
    bundles = [bundle(*window) for window in windows]
    bundles += [bundle(*reversed(mrns)), bundle(*mrns)]  # in opposite orders: a deadlock?
    statuses = crowd(doors, "POST", "", *bundles)
    assert set(statuses) <= {200, 409, 503}
    assert Counter(statuses)[200] >= len(bundles) - 2, statuses
    for mrn in mrns:
        assert len(found(doors[-1], f"identifier={mrn['value']}")) == 1


def test_parallel_puts_to_a_new_id_make_one_history(doors: Doors) -> None:
    id_ = new_id()
    bodies = [{**patient(family=f"F{n}"), "id": id_} for n in range(20)]
    statuses = crowd(doors, "PUT", f"/Patient/{id_}", *bodies)
    assert Counter(statuses)[201] == 1
    assert set(statuses) <= {200, 201, 409}
    written = len(bodies) - Counter(statuses)[409]
    assert numbers(doors[-1], id_) == list(range(1, written + 1))


def test_if_none_match_lets_exactly_one_put_create(doors: Doors) -> None:
    id_ = new_id()
    bodies = [{**patient(family=f"F{n}"), "id": id_} for n in range(20)]
    never = {"If-None-Match": "*"}
    statuses = crowd(doors, "PUT", f"/Patient/{id_}", *bodies, headers=never)
    assert Counter(statuses)[201] == 1
    assert set(statuses) <= {201, 409, 412}
    assert numbers(doors[-1], id_) == [1]


def test_updates_and_deletes_that_race_leave_a_history_without_gaps(doors: Doors) -> None:
    made = create(doors[0], patient())
    path = f"/Patient/{made['id']}"
    works = [
        partial(door.request, "DELETE", path)
        if n % 3 == 0
        else partial(
            door.request, "PUT", path, json={**patient(family=f"F{n}"), "id": made["id"]}
        )
        for n, door in zip(range(24), cycle(doors), strict=False)
    ]
    statuses = [answer.status_code for answer in together(works)]
    assert set(statuses) <= {200, 201, 204, 409}
    versions = history(doors[-1], made["id"])
    assert numbers(doors[-1], made["id"]) == list(range(1, len(versions) + 1))
    times = [each["response"]["lastModified"] for each in versions]
    assert times == sorted(times)
    methods = [each["request"]["method"] for each in versions]
    assert ("DELETE", "DELETE") not in set(pairwise(methods))
    assert doors[0].get(path).status_code == (410 if methods[-1] == "DELETE" else 200)
