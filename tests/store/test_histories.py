"""history of an instance, a type and the system, newest first.

https://hl7.org/fhir/R4/http.html#history
"""

import pytest

from fhir_server.search.plan import UNRESTRICTED, Everything, Ids, Nothing, Restriction
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.port import HistoryPlan, ResourceStore, Stored
from tests.support.units import inserted, removed, updated
from tests.support.versions import OPEN, SECRET, names, only, version

pytestmark = pytest.mark.anyio

ALL = [
    ("slot", 1),  # at 900, of another type
    ("b", 4),  # at 600, after the deletion
    ("d", 1),  # at 500, of the same instant as c
    ("c", 1),
    ("b", 3),  # at 400, deleted
    ("b", 2),  # at 300, secret
    ("a", 2),  # at 200
    ("early", 1),  # at 100, as the three below: by type, then id
    ("b", 1),
    ("a", 1),
    ("account", 1),
]
PATIENTS = [row for row in ALL if row[0] in "abcd"]
SECRET_ONES = {("b", 2), ("b", 3)}


@pytest.fixture(scope="module")
async def store(mongo_store: MongoStore) -> ResourceStore:
    await mongo_store.insert(version("a", at=100))
    await mongo_store.insert(version("b", at=100))
    await updated(mongo_store, "a", at=200)
    await updated(mongo_store, "b", at=300, tokens=[SECRET])
    await removed(mongo_store, "b", at=400)
    await mongo_store.insert(version("c", at=500))
    await mongo_store.insert(version("d", at=500))
    await inserted(mongo_store, version("b", 4, at=600, method="PUT"))
    await mongo_store.insert(version("slot", kind="Slot", at=900))
    await mongo_store.insert(version("early", kind="Slot", at=100))
    await mongo_store.insert(version("account", kind="Account", at=100))
    return mongo_store


def visible(rows: list[tuple[str, int]]) -> list[tuple[str, int]]:
    return [row for row in rows if row not in SECRET_ONES]


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (HistoryPlan(None), ALL),
        (HistoryPlan("Patient"), PATIENTS),
        (HistoryPlan("Patient", "b"), [("b", 4), ("b", 3), ("b", 2), ("b", 1)]),
        (HistoryPlan("Patient", "a"), [("a", 2), ("a", 1)]),
        (HistoryPlan("Patient", "none"), []),
        (HistoryPlan("Basic"), []),
        # "Only include resource versions that were created at or after the given instant".
        (HistoryPlan("Patient", since=500), [("b", 4), ("d", 1), ("c", 1)]),
        (HistoryPlan("Patient", since=501), [("b", 4)]),
        # "Only include resource versions that were current at some point during the time
        # period": b was deleted then, which is a version too.
        (HistoryPlan("Patient", at=(450, 460)), [("b", 3), ("a", 2)]),
        (HistoryPlan("Patient", at=(300, 301)), [("b", 2), ("a", 2)]),
        (HistoryPlan("Patient", at=(299, 301)), [("b", 2), ("a", 2), ("b", 1)]),
        (HistoryPlan("Patient", at=(600, 601)), [("b", 4), ("d", 1), ("c", 1), ("a", 2)]),
        (HistoryPlan("Patient", at=(0, 100)), []),
        (HistoryPlan("Patient", where=Ids(("c", "a"))), [("c", 1), ("a", 2), ("a", 1)]),
        (HistoryPlan("Patient", "a", where=Ids(("c",))), []),
        (HistoryPlan(None, where=Nothing()), []),
    ],
)
async def test_which_versions(
    store: ResourceStore, plan: HistoryPlan, expected: list[tuple[str, int]]
) -> None:
    rows, more, total = await store.history(plan, within=UNRESTRICTED)
    assert (names(rows), more, total) == (expected, False, None)
    # Each version by its own values: b@1 and b@4 are open, b@2 and its tombstone are not.
    rows, _, _ = await store.history(plan, within=OPEN)
    assert names(rows) == visible(expected)


@pytest.mark.parametrize("count", [1, 2, 3, 8, 11])
@pytest.mark.parametrize("within", [UNRESTRICTED, OPEN], ids=["all", "open"])
async def test_pages_meet_without_gaps(
    store: ResourceStore, count: int, within: Restriction
) -> None:
    found: list[Stored] = []
    after = None
    while True:
        plan = HistoryPlan(None, count=count, after=after)
        rows, more, _ = await store.history(plan, within=within)
        assert len(rows) <= count
        found += rows
        if not more:
            break
        after = (rows[-1].at, rows[-1].type, rows[-1].id, rows[-1].number)
    assert names(found) == (ALL if within is UNRESTRICTED else visible(ALL))


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("within", [UNRESTRICTED, OPEN], ids=["all", "open"])
async def test_pages_of_one_resource_meet_without_gaps(
    store: ResourceStore, count: int, within: Restriction
) -> None:
    versions = [row for row in PATIENTS if row[0] == "b"]
    expected = versions if within is UNRESTRICTED else visible(versions)
    found: list[Stored] = []
    after = None
    while True:
        plan = HistoryPlan("Patient", "b", count=count, after=after, total=True)
        rows, more, total = await store.history(plan, within=within)
        assert total == len(expected)
        found += rows
        if not more:
            break
        after = (rows[-1].at, "Patient", "b", rows[-1].number)
    assert names(found) == expected


async def test_a_count_of_zero_gives_the_total_of_one_resource(store: ResourceStore) -> None:
    plan = HistoryPlan("Patient", "b", count=0, total=True)
    assert await store.history(plan, within=UNRESTRICTED) == ([], True, 4)
    assert await store.history(plan, within=only("Patient", Nothing())) == ([], False, 0)


@pytest.mark.parametrize(
    ("within", "expected"),
    [
        (UNRESTRICTED, 11),
        (OPEN, 9),
        (only("Patient", Ids(("a",))), 5),
        (only("Patient", Nothing()), 3),
        (Restriction(), 0),
    ],
)
async def test_the_total_tells_of_no_hidden_version(
    store: ResourceStore, within: Restriction, expected: int
) -> None:
    for count in (1, 50):
        plan = HistoryPlan(None, count=count, total=True)
        rows, _, total = await store.history(plan, within=within)
        assert total == expected
        assert len(rows) == min(count, expected)


async def test_the_total_does_not_depend_on_the_page(store: ResourceStore) -> None:
    plan = HistoryPlan("Patient", count=1, after=(200, "Patient", "a", 2), total=True)
    assert (await store.history(plan, within=UNRESTRICTED))[2] == len(PATIENTS)


async def test_a_row_says_what_made_it(store: ResourceStore) -> None:
    plan = HistoryPlan("Patient", "b")
    rows, _, _ = await store.history(plan, within=UNRESTRICTED)
    assert [row.method for row in rows] == ["PUT", "DELETE", "PUT", "POST"]
    assert [bool(row.body) for row in rows] == [True, False, True, True]
    assert {row.type for row in rows} == {"Patient"}


async def test_an_empty_store_has_no_history(mongo_store: MongoStore) -> None:
    nothing = Restriction(
        dict.fromkeys(("Patient", "Slot", "Account"), Nothing()), Everything()
    )
    plan = HistoryPlan(None, total=True)
    assert await mongo_store.history(plan, within=nothing) == ([], False, 0)
