"""Units of work: all or nothing, one winner, repeated when the database asks for it.

https://hl7.org/fhir/R4/http.html#transaction
https://hl7.org/fhir/R4/http.html#concurrency
"""

import asyncio

import pytest

from fhir_server.core.errors import Conflict, Gone, Unavailable
from fhir_server.core.messages import Text
from fhir_server.search.plan import UNRESTRICTED, Everything, Keys, Nothing, Restriction
from fhir_server.store.mongo import claims
from fhir_server.store.mongo.client import Client
from fhir_server.store.mongo.resources import StoreLimits
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.mongo.units import UndeclaredKindError
from fhir_server.store.port import HistoryPlan, Unit, Version
from tests.support.units import inserted, removed, updated
from tests.support.versions import OPEN, SECRET, ids, names, only, version

pytestmark = pytest.mark.anyio

STOP = Text("stop", "стоп", "стоп")


class Staying:
    """Work of a unit that stays open until it may leave."""

    def __init__(self) -> None:
        self.inside, self.leave = asyncio.Event(), asyncio.Event()

    async def __call__(self, unit: Unit) -> None:
        del unit
        self.inside.set()
        await self.leave.wait()


async def nothing(unit: Unit) -> int:
    del unit
    return 1


async def test_a_unit_sees_its_own_writes_and_nobody_else_does(mongo_store: MongoStore) -> None:
    await mongo_store.prepare(["Basic"])

    async def work(unit: Unit) -> None:
        await unit.insert([version("own", kind="Basic")])
        assert await unit.read("Basic", "own", within=UNRESTRICTED)
        assert await unit.count("Basic", Everything(), within=UNRESTRICTED) == 1
        assert await mongo_store.read("Basic", "own", within=UNRESTRICTED) is None

    await mongo_store.run(["Basic"], work)
    assert await mongo_store.read("Basic", "own", within=UNRESTRICTED)


async def test_a_unit_reads_one_snapshot(mongo_store: MongoStore) -> None:
    await mongo_store.insert(version("snapshot"))

    async def work(unit: Unit) -> list[int]:
        seen = []
        for number in (2, 3):
            found = await unit.read("Patient", "snapshot", within=UNRESTRICTED)
            assert found is not None
            seen.append(found.number)
            await updated(mongo_store, "snapshot", at=number)
        return seen

    assert await mongo_store.run([], work) == [1, 1]


async def test_what_a_unit_raises_leaves_nothing_written(mongo_store: MongoStore) -> None:
    await mongo_store.insert(version("kept", at=1))

    async def work(unit: Unit) -> None:
        old = await unit.read("Patient", "kept", within=UNRESTRICTED)
        assert old is not None
        await unit.replace(old, version("kept", 2, at=2))
        await unit.insert([version("never")])
        raise Gone(STOP)

    with pytest.raises(Gone):
        await mongo_store.run(["Patient"], work)
    assert await mongo_store.read("Patient", "never", within=UNRESTRICTED) is None
    rows, _, _ = await mongo_store.history(HistoryPlan("Patient", "kept"), within=UNRESTRICTED)
    assert names(rows) == [("kept", 1)]


async def test_a_unit_may_write_a_quarter_of_the_cache(mongo_store: MongoStore) -> None:
    rows = [version(f"big{n}", kind="Binary", body=b"%04d" % n * 2**20) for n in range(16)]
    await mongo_store.run(["Binary"], lambda unit: unit.insert(rows))
    assert await mongo_store.count("Binary", Everything(), within=UNRESTRICTED) == 16


async def test_a_version_that_is_no_longer_current_is_not_replaced(
    mongo_store: MongoStore,
) -> None:
    await mongo_store.insert(version("stale"))
    old = await mongo_store.read("Patient", "stale", within=UNRESTRICTED)
    assert old is not None
    await updated(mongo_store, "stale", at=2)
    stale = old
    with pytest.raises(Conflict):
        await mongo_store.run(
            ["Patient"], lambda unit: unit.replace(stale, version("stale", 2))
        )
    with pytest.raises(Conflict):
        await mongo_store.run(["Patient"], lambda unit: unit.remove(stale, at=3))


async def test_a_row_read_outside_a_unit_can_be_replaced(mongo_store: MongoStore) -> None:
    await mongo_store.insert(version("outside", tokens=["a|~|1"], at=1))
    old = await mongo_store.read("Patient", "outside", within=UNRESTRICTED)
    assert old is not None
    row = old
    await mongo_store.run(
        ["Patient"], lambda unit: unit.replace(row, version("outside", 2, at=2))
    )
    first = await mongo_store.vread("Patient", "outside", 1, within=UNRESTRICTED)
    assert first is not None
    assert first.body == old.body
    kept = await mongo_store.database["Patient_history"].find_one({"_id.id": "outside"})
    assert kept is not None
    assert kept["tok"] == ["a|~|1"]


async def test_of_parallel_updates_each_gets_a_number_of_its_own(
    mongo_store: MongoStore,
) -> None:
    await mongo_store.insert(version("parallel", at=1))
    await asyncio.gather(*[updated(mongo_store, "parallel", at=2) for _ in range(12)])
    rows, _, _ = await mongo_store.history(
        HistoryPlan("Patient", "parallel"), within=UNRESTRICTED
    )
    assert [row.number for row in rows] == list(range(13, 0, -1))


async def test_a_version_that_moves_meanwhile_is_seen_once(mongo_store: MongoStore) -> None:
    await mongo_store.insert(version("moving", at=1))

    async def write() -> None:
        for at in range(2, 40):
            await updated(mongo_store, "moving", at=at)

    writing = asyncio.create_task(write())
    plan = HistoryPlan("Patient", "moving", total=True)
    while not writing.done():
        rows, _, total = await mongo_store.history(plan, within=UNRESTRICTED)
        assert [row.number for row in rows] == list(range(len(rows), 0, -1))
        assert total == len(rows)
    await writing


async def test_of_parallel_replacements_of_one_version_one_wins(
    mongo_store: MongoStore,
) -> None:
    await mongo_store.insert(version("contested"))
    old = await mongo_store.read("Patient", "contested", within=UNRESTRICTED)
    assert old is not None
    row = old

    async def attempt(at: int) -> bool:
        new = version("contested", 2, at=at)
        try:
            await mongo_store.run(["Patient"], lambda unit: unit.replace(row, new))
        except Conflict:
            return False
        return True

    assert sum(await asyncio.gather(*map(attempt, range(8)))) == 1


async def exchanged(store: MongoStore, number: int, new: Version, within: Restriction) -> bool:
    """Whether `number` was current, and `new` is now."""
    old = await store.run(["Patient"], lambda unit: unit.exchange(number, new, within=within))
    assert old is None or (old.id, old.number) == (new.id, number)
    return old is not None


async def test_a_version_is_exchanged_unread(mongo_store: MongoStore) -> None:
    await mongo_store.insert(version("swapped", tokens=["a|~|1"], at=1))
    first = await mongo_store.read("Patient", "swapped", within=UNRESTRICTED)
    new = version("swapped", 2, at=2, method="PUT", tokens=["b|~|1"])
    assert await exchanged(mongo_store, 1, new, UNRESTRICTED)
    rows, _, _ = await mongo_store.history(
        HistoryPlan("Patient", "swapped"), within=UNRESTRICTED
    )
    assert names(rows) == [("swapped", 2), ("swapped", 1)]
    assert first is not None
    assert [row.body for row in rows] == [new.body, first.body]
    kept = await mongo_store.database["Patient_history"].find_one({"_id.id": "swapped"})
    assert kept is not None
    assert (kept["tok"], kept["until"]) == (["a|~|1"], 2)


@pytest.mark.parametrize(
    ("id_", "number", "within"),
    [
        ("held", 2, UNRESTRICTED),
        ("held", 0, UNRESTRICTED),
        ("held", 1, OPEN),
        ("held", 1, only("Patient", Nothing())),
        ("gone", 1, UNRESTRICTED),
        ("gone", 2, UNRESTRICTED),
        ("absent", 1, UNRESTRICTED),
    ],
    ids=["later", "earlier", "secret", "no rights", "deleted", "tombstone", "absent"],
)
async def test_what_is_not_current_or_not_to_be_seen_is_not_exchanged(
    mongo_store: MongoStore, id_: str, number: int, within: Restriction
) -> None:
    if await mongo_store.read("Patient", "held", within=UNRESTRICTED) is None:
        await inserted(mongo_store, version("held", tokens=[SECRET]), version("gone"))
        await removed(mongo_store, "gone", at=2_000)
    plan = HistoryPlan("Patient", id_)
    before = await mongo_store.history(plan, within=UNRESTRICTED)
    new = version(id_, number + 1, at=3_000, method="PUT")
    assert not await exchanged(mongo_store, number, new, within)
    assert await mongo_store.history(plan, within=UNRESTRICTED) == before


async def test_of_parallel_exchanges_of_one_version_one_wins(mongo_store: MongoStore) -> None:
    await mongo_store.insert(version("coveted"))
    news = [version("coveted", 2, at=2_000 + n, method="PUT") for n in range(8)]
    works = [exchanged(mongo_store, 1, each, UNRESTRICTED) for each in news]
    assert sum(await asyncio.gather(*works)) == 1
    rows, _, _ = await mongo_store.history(
        HistoryPlan("Patient", "coveted"), within=UNRESTRICTED
    )
    assert [row.number for row in rows] == [2, 1]


async def test_an_exchange_that_is_thought_better_of_leaves_nothing(
    mongo_store: MongoStore,
) -> None:
    await mongo_store.insert(version("regretted"))

    async def work(unit: Unit) -> None:
        new = version("regretted", 2, at=2_000, method="PUT")
        assert await unit.exchange(1, new, within=UNRESTRICTED)
        raise Gone(STOP)

    with pytest.raises(Gone):
        await mongo_store.run(["Patient"], work)
    rows, _, _ = await mongo_store.history(
        HistoryPlan("Patient", "regretted"), within=UNRESTRICTED
    )
    assert [row.number for row in rows] == [1]


@pytest.mark.parametrize("stores", [1, 2], ids=["one process", "two processes"])
async def test_of_parallel_units_with_the_same_claims_each_condition_is_met_once(
    mongodb_client: Client, database_name: str, stores: int
) -> None:
    opened = [await MongoStore.open(mongodb_client, database_name) for _ in range(stores)]
    numbers = range(30)
    same = [Keys("tokens", (f"many|{stores}|{n}", f"many|~|{stores}-{n}")) for n in numbers]

    async def create(unit_number: int) -> int:
        async def work(unit: Unit) -> int:
            await unit.claim(*(f"Patient?many={stores}-{n}" for n in numbers))
            found = await unit.find_each("Patient", same, limit=2, within=UNRESTRICTED)
            fresh = [n for n in numbers if not found[n]]
            await unit.insert(
                [
                    version(f"m{stores}-{unit_number}-{n}", tokens=list(same[n].keys))
                    for n in fresh
                ]
            )
            return len(fresh)

        return await opened[unit_number % stores].run(["Patient"], work)

    assert sum(await asyncio.gather(*map(create, range(8)))) == 30


@pytest.mark.parametrize("stores", [1, 2], ids=["one process", "two processes"])
async def test_of_parallel_conditional_creates_one_writes(
    mongodb_client: Client, database_name: str, stores: int
) -> None:
    opened = [await MongoStore.open(mongodb_client, database_name) for _ in range(stores)]
    same = Keys("tokens", (f"identifier|~|{stores}",))

    async def create(number: int) -> bool:
        async def work(unit: Unit) -> bool:
            await unit.claim(f"Patient?identifier={stores}")
            if await unit.find("Patient", same, limit=1, within=UNRESTRICTED):
                return False
            await unit.insert([version(f"made-{stores}-{number}", tokens=list(same.keys))])
            return True

        return await opened[number % stores].run(["Patient"], work)

    assert sum(await asyncio.gather(*map(create, range(50)))) == 1
    assert await opened[0].count("Patient", same, within=UNRESTRICTED) == 1


@pytest.mark.parametrize("stores", [1, 2], ids=["one process", "two processes"])
async def test_parallel_units_are_given_numbers_without_gaps(
    mongodb_client: Client, database_name: str, stores: int
) -> None:
    opened = [await MongoStore.open(mongodb_client, database_name) for _ in range(stores)]
    key = f"numbers of {stores}"

    async def take(number: int) -> int | None:
        async def work(unit: Unit) -> int:
            await unit.claim(key)
            given = await unit.number(key)
            if number % 3 == 0:
                raise Gone(STOP)  # what is given up is given to the next
            return given

        try:
            return await opened[number % stores].run([], work)
        except Gone:
            return None

    given = await asyncio.gather(*map(take, range(30)))
    assert sorted(each for each in given if each is not None) == list(range(1, 21))


async def test_numbers_of_one_sequence_follow_in_a_unit(mongo_store: MongoStore) -> None:
    async def work(unit: Unit) -> list[int]:
        return [await unit.number(key) for key in ("in-one", "in-one", "in-another")]

    assert await mongo_store.run([], work) == [1, 2, 1]


async def test_a_unit_that_claims_what_it_writes_does_not_wait_for_itself(
    mongo_store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "_LONGEST_WAIT", 60)

    async def work(unit: Unit) -> str:
        await unit.claim("Patient/claimed-by-its-writer")
        return "done"

    wanted = mongo_store.run(["Patient"], work, resource="Patient/claimed-by-its-writer")
    assert await asyncio.wait_for(wanted, 30) == "done"


async def test_units_that_claim_in_opposite_order_both_end(mongo_store: MongoStore) -> None:
    async def both(*keys: str) -> None:
        async def work(unit: Unit) -> None:
            for key in keys:
                await unit.claim(key)
                await asyncio.sleep(0.05)

        await mongo_store.run([], work)

    async with asyncio.timeout(15):
        await asyncio.gather(both("x", "y"), both("y", "x"))


async def test_a_conflict_repeats_the_work_up_to_a_limit(mongo_store: MongoStore) -> None:
    calls: list[Unit] = []

    async def work(unit: Unit) -> None:
        calls.append(unit)
        raise Conflict(STOP)

    with pytest.raises(Conflict):
        await mongo_store.run([], work)
    assert len(calls) == StoreLimits().conflicts
    assert len(set(map(id, calls))) == len(calls)


async def test_what_a_rule_refuses_is_not_tried_again(mongo_store: MongoStore) -> None:
    calls: list[Unit] = []

    async def work(unit: Unit) -> None:
        calls.append(unit)
        raise Conflict(STOP).coded("slot-taken")

    with pytest.raises(Conflict):
        await mongo_store.run([], work)
    assert len(calls) == 1


async def test_a_hundred_versions_of_several_types_are_one_unit(
    mongo_store: MongoStore,
) -> None:
    many = [
        version(f"many-{n}", kind=kind, tokens=[f"many|~|{n}"])
        for n in range(50)
        for kind in ("Patient", "Observation")
    ]
    await mongo_store.run(["Patient", "Observation"], lambda unit: unit.insert(many))
    assert await mongo_store.count("Observation", Everything(), within=UNRESTRICTED) == 50
    clash = [version("fresh"), version("many-3")]
    with pytest.raises(Conflict):
        await mongo_store.run(["Patient"], lambda unit: unit.insert(clash))
    assert await mongo_store.read("Patient", "fresh", within=UNRESTRICTED) is None


async def test_a_unit_writes_only_the_types_it_was_opened_for(mongo_store: MongoStore) -> None:
    with pytest.raises(UndeclaredKindError):
        await mongo_store.run(
            ["Patient"], lambda unit: unit.insert([version("x", kind="Task")])
        )


@pytest.mark.parametrize("single", [False, True])
async def test_with_all_places_taken_a_unit_is_turned_away(
    mongodb_client: Client, database_name: str, single: bool
) -> None:
    limits = StoreLimits(open_units=1, open_singles=1, admission_seconds=0.05)
    store = await MongoStore.open(mongodb_client, database_name, limits)
    stay = Staying()
    first = asyncio.create_task(store.run([], stay, single=single))
    await stay.inside.wait()
    with pytest.raises(Unavailable) as caught:
        await store.run([], nothing, single=single)
    assert caught.value.headers["Retry-After"]
    # Bundles and writes of one resource have places of their own.
    assert await store.run([], nothing, single=not single) == 1
    stay.leave.set()
    await first
    assert await store.run([], nothing, single=single) == 1


async def test_units_of_one_resource_wait_rather_than_collide(mongo_store: MongoStore) -> None:
    await mongo_store.insert(version("hot"))
    attempts = 0

    async def work(unit: Unit) -> None:
        nonlocal attempts
        attempts += 1
        old = await unit.read("Patient", "hot", within=UNRESTRICTED)
        assert old is not None
        await unit.replace(old, version("hot", old.number + 1, at=old.at + 1, method="PUT"))

    units = [mongo_store.run(["Patient"], work, resource="Patient/hot") for _ in range(8)]
    await asyncio.gather(*units)
    assert attempts == len(units)


async def test_who_waits_long_for_a_resource_tries_it(
    mongodb_client: Client, database_name: str
) -> None:
    limits = StoreLimits(admission_seconds=0.05)
    store = await MongoStore.open(mongodb_client, database_name, limits)
    stay = Staying()
    first = asyncio.create_task(store.run([], stay, resource="Patient/long"))
    await stay.inside.wait()
    assert await store.run([], nothing, resource="Patient/long") == 1
    stay.leave.set()
    await first


async def test_a_cancelled_unit_leaves_nothing_and_its_place(mongo_store: MongoStore) -> None:
    inside = asyncio.Event()

    async def work(unit: Unit) -> None:
        await unit.insert([version("cancelled")])
        inside.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(mongo_store.run(["Patient"], work))
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await mongo_store.insert(version("cancelled"))
    found = await mongo_store.find("Patient", Everything(), limit=1, within=UNRESTRICTED)
    assert ids(found) == ["cancelled"]
