"""read, vread, find, count and scan; what a Restriction hides answers as absent.

https://hl7.org/fhir/R4/http.html#read
"""

import pytest

from fhir_server.core.errors import Conflict
from fhir_server.search.plan import (
    UNRESTRICTED,
    Containing,
    Everything,
    Ids,
    Keys,
    Nothing,
    Restriction,
)
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.port import ResourceStore
from tests.support.units import inserted, removed, updated
from tests.support.versions import OPEN, SECRET, ids, names, version

pytestmark = pytest.mark.anyio

NOBODY = Restriction(otherwise=Nothing())


@pytest.fixture(scope="module")
async def store(mongo_store: MongoStore) -> ResourceStore:
    """Live: open@1, changed@2 (@1 was secret), hidden@1 (secret), back@3 (deleted as @2).
    Deleted: gone@2, secretly@2 (secret)."""
    await mongo_store.insert(version("open"))
    await mongo_store.insert(version("changed", tokens=[SECRET]))
    await updated(mongo_store, "changed", at=2_000)
    await mongo_store.insert(version("hidden", tokens=[SECRET]))
    await mongo_store.insert(version("gone"))
    await removed(mongo_store, "gone", at=2_000)
    await mongo_store.insert(version("secretly", tokens=[SECRET]))
    await removed(mongo_store, "secretly", at=2_000)
    await mongo_store.insert(version("back"))
    await removed(mongo_store, "back", at=2_000)
    await inserted(mongo_store, version("back", 3, method="PUT", at=3_000))
    return mongo_store


@pytest.mark.parametrize(
    ("id_", "within", "expected"),
    [
        ("open", UNRESTRICTED, (1, False)),
        ("open", OPEN, (1, False)),
        ("open", NOBODY, None),
        ("changed", OPEN, (2, False)),
        ("hidden", UNRESTRICTED, (1, False)),
        ("hidden", OPEN, None),
        ("gone", UNRESTRICTED, (2, True)),
        ("gone", OPEN, (2, True)),
        ("gone", NOBODY, None),
        # A tombstone keeps the label of what it buried.
        ("secretly", UNRESTRICTED, (2, True)),
        ("secretly", OPEN, None),
        ("back", OPEN, (3, False)),
        ("never", UNRESTRICTED, None),
    ],
)
async def test_read(
    store: ResourceStore, id_: str, within: Restriction, expected: tuple[int, bool] | None
) -> None:
    found = await store.read("Patient", id_, within=within)
    assert (found and (found.number, found.deleted)) == expected


@pytest.mark.parametrize(
    ("id_", "number", "within", "deleted"),
    [
        ("open", 1, OPEN, False),
        ("open", 2, UNRESTRICTED, None),
        # "judged by its own index values": the live version is open, the first was not.
        ("changed", 2, OPEN, False),
        ("changed", 1, OPEN, None),
        ("changed", 1, UNRESTRICTED, False),
        ("gone", 1, OPEN, False),
        ("gone", 2, OPEN, True),
        ("secretly", 2, OPEN, None),
        ("secretly", 2, UNRESTRICTED, True),
        ("back", 2, OPEN, True),
        ("back", 3, OPEN, False),
    ],
)
async def test_vread(
    store: ResourceStore, id_: str, number: int, within: Restriction, deleted: bool | None
) -> None:
    found = await store.vread("Patient", id_, number, within=within)
    assert (found and found.deleted) == deleted
    assert found is None or found.number == number


async def test_a_read_gives_back_the_bytes_written(store: ResourceStore) -> None:
    found = await store.read("Patient", "open", within=OPEN)
    assert found is not None
    assert found.body == version("open").body
    assert (found.type, found.id, found.at, found.method) == ("Patient", "open", 1_000, "POST")


async def test_a_live_resource_hidden_from_the_caller_is_not_deleted_to_them(
    mongo_store: MongoStore,
) -> None:
    await mongo_store.insert(version("turned"))
    await removed(mongo_store, "turned", at=2_000)
    await inserted(mongo_store, version("turned", 3, method="PUT", tokens=[SECRET]))
    assert await mongo_store.read("Patient", "turned", within=OPEN) is None


async def test_find_gives_id_order_and_no_more_than_the_limit(store: ResourceStore) -> None:
    where = Ids(("open", "changed", "back", "hidden", "gone"))
    assert ids(await store.find("Patient", where, limit=2, within=OPEN)) == ["back", "changed"]
    found = await store.find("Patient", where, limit=9, within=OPEN)
    assert ids(found) == ["back", "changed", "open"]


async def test_count_counts_what_may_be_seen(store: ResourceStore) -> None:
    where = Ids(("open", "changed", "back", "hidden", "gone"))
    assert await store.count("Patient", where, within=UNRESTRICTED) == 4
    assert await store.count("Patient", where, within=OPEN) == 3
    assert await store.count("Patient", Everything(), within=NOBODY) == 0


@pytest.mark.parametrize(
    ("within", "prefix", "expected"),
    [
        (UNRESTRICTED, "_security|", [SECRET]),
        (UNRESTRICTED, "_tag|", []),
        # Only the hidden have it; the others had it, or are gone.
        (OPEN, "_security|", []),
        (NOBODY, "_security|", []),
    ],
)
async def test_keys_are_those_of_what_may_be_seen(
    store: ResourceStore, within: Restriction, prefix: str, expected: list[str]
) -> None:
    assert await store.keys("Patient", "tokens", prefix, limit=9, within=within) == expected


async def test_scan_walks_what_may_be_seen_from_a_place_on(store: ResourceStore) -> None:
    walk = store.scan("Patient", after="b", within=OPEN)
    assert [row.id async for row in walk] == ["back", "changed", "open"]
    walk = store.scan("Patient", after="changed", within=OPEN)
    assert [row.id async for row in walk] == ["open"]


async def test_a_type_without_a_collection_is_empty(store: ResourceStore) -> None:
    assert await store.read("Basic", "a", within=UNRESTRICTED) is None
    assert await store.vread("Basic", "a", 1, within=UNRESTRICTED) is None
    assert await store.count("Basic", Everything(), within=UNRESTRICTED) == 0
    assert await store.find("Basic", Everything(), limit=1, within=UNRESTRICTED) == []


async def test_kinds_are_the_types_written(mongo_store: MongoStore) -> None:
    await mongo_store.insert(version("a", kind="Slot"))
    assert {"Patient", "Slot"} <= set(await mongo_store.kinds())
    assert "Basic" not in await mongo_store.kinds()


async def test_a_taken_id_is_a_conflict(mongo_store: MongoStore) -> None:
    await mongo_store.insert(version("taken"))
    with pytest.raises(Conflict):
        await mongo_store.insert(version("taken"))


@pytest.mark.parametrize("number", [1, 2])
async def test_a_number_of_the_history_is_a_conflict(
    mongo_store: MongoStore, number: int
) -> None:
    name = f"buried-{number}"
    await mongo_store.insert(version(name))
    await removed(mongo_store, name, at=2_000)
    with pytest.raises(Conflict):
        await mongo_store.insert(version(name, number, method="PUT"))
    await mongo_store.insert(version(name, 3, method="PUT"))


async def test_a_first_version_has_no_gap_before_it(mongo_store: MongoStore) -> None:
    with pytest.raises(Conflict):
        await mongo_store.insert(version("gap", 2, method="PUT"))


@pytest.mark.parametrize(
    "text", ["$where", "a.b", "{'$gt': ''}", "\0", "нет", "💥", "a" * 5_000]
)
async def test_any_text_is_only_a_value(store: ResourceStore, text: str) -> None:
    assert await store.read("Patient", text, within=OPEN) is None
    found = await store.find("Patient", Keys("tokens", (text,)), limit=9, within=OPEN)
    assert names(found) == []


async def test_a_text_is_contained_across_line_ends(mongo_store: MongoStore) -> None:
    await mongo_store.insert(version("lines", strings=["note|first\nsecond (.*)"]))
    for text, expected in (("second", 1), ("t\ns", 1), ("(.*)", 1), ("x.*", 0), ("", 1)):
        where = Containing("strings", "note|", text)
        assert await mongo_store.count("Patient", where, within=UNRESTRICTED) == expected
