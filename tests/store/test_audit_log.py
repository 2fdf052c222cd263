"""The audit's log: durable, chained, made into events once, kept for a while.

https://www.mongodb.com/docs/manual/reference/write-concern/
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from itertools import count

import pytest
from bson.binary import Binary

from fhir_server.access.audit_log import AuditRow
from fhir_server.access.audit_rows import Deed, Who, entry_bytes
from fhir_server.interactions.audit import Drain, Names
from fhir_server.jobs.audit import StoredNames
from fhir_server.search.indexing import Indexer
from fhir_server.search.plan import UNRESTRICTED, Everything, Search
from fhir_server.search.registry import Registry
from fhir_server.store.mongo.audit_archive import MongoAuditArchive
from fhir_server.store.mongo.audit_chain import Chain, Unsealed, retain, verify
from fhir_server.store.mongo.audit_log import CHECKPOINTS, LOG, MongoAuditLog, prepare
from fhir_server.store.mongo.client import Client
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.port import Unit
from tests.support.fhir import new_id
from tests.support.versions import version

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000_000
LATER = NOW + 3_600_000


@pytest.fixture
async def store(mongodb_client: Client) -> AsyncIterator[MongoStore]:
    name = f"test_{new_id()[:12]}"
    store = await MongoStore.open(mongodb_client, name)
    await prepare(store.database)
    yield store
    await mongodb_client.drop_database(name)


@pytest.fixture
def log(store: MongoStore) -> MongoAuditLog:
    return MongoAuditLog(store.database, new_id)


async def nobody(_: object) -> dict[str, str]:
    return {}


def drain(store: MongoStore, log: MongoAuditLog, names: Names = nobody) -> Drain:
    indexer = Indexer(Registry(), "http://x/fhir")
    archive = MongoAuditArchive(store.database, indexer.values, store.prepare)
    return Drain(log, archive, "http://x/fhir", names)


NUMBERS = count(1)


def row(patient: str = "p1", at: int = NOW, user: str = "Practitioner/x") -> AuditRow:
    number = next(NUMBERS)
    deed = Deed("read", f"Observation/o{number}", "", (patient,))
    who = Who(client="app", user=user, staff=True)
    return AuditRow(f"r{number}", at, entry_bytes(who, at, [deed], "", ""), (patient,))


async def chains(store: MongoStore) -> Sequence[Chain | Unsealed]:
    return [each async for each in verify(store.database, LATER)]


async def events(store: MongoStore) -> int:
    plan = Search("AuditEvent", Everything(), count=1000)
    return len((await store.search(plan, within=UNRESTRICTED)).rows)


async def test_a_row_is_there_when_keep_returns(store: MongoStore, log: MongoAuditLog) -> None:
    await log.keep(row())
    found = await store.database[LOG].find_one()
    assert found is not None
    assert found["p"] == ["p1"]


async def test_rows_that_come_together_share_batches(
    store: MongoStore, log: MongoAuditLog
) -> None:
    await asyncio.gather(*(log.keep(row()) for _ in range(200)))
    assert await store.database[LOG].count_documents({}) < 10
    (chain,) = await chains(store)
    assert isinstance(chain, Chain)
    assert chain.broken == ""
    await drain(store, log).all(None)
    assert await events(store) == 200


async def test_a_relaxed_log_answers_at_once_and_writes_soon(store: MongoStore) -> None:
    relaxed = MongoAuditLog(store.database, new_id, relaxed=True)
    await relaxed.keep(row())
    assert await store.database[LOG].count_documents({}) == 0
    async with asyncio.timeout(30):
        while not await store.database[LOG].count_documents({}):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_whoever_reads_does_not_wait_for_a_relaxed_log(store: MongoStore) -> None:
    relaxed = MongoAuditLog(store.database, new_id, relaxed=True)
    await relaxed.keep(row())
    await drain(store, relaxed).all({"p1"})
    assert await events(store) == 1


async def test_drains_at_once_make_each_event_once(
    store: MongoStore, log: MongoAuditLog
) -> None:
    await asyncio.gather(*(log.keep(row()) for _ in range(100)))
    await asyncio.gather(*(drain(store, log).all(None) for _ in range(5)))
    assert await events(store) == 100
    assert await store.database[LOG].count_documents({"open": True}) == 0


async def test_a_drain_for_one_patient_leaves_the_others_for_later(
    store: MongoStore, log: MongoAuditLog
) -> None:
    await asyncio.gather(log.keep(row()), log.keep(row("p2")), log.keep(row("p3")))
    await drain(store, log).all({"p2"})
    assert await events(store) == 1
    await drain(store, log).all({"p2"})
    assert await events(store) == 1
    await drain(store, log).all(None)
    assert await events(store) == 3


async def test_rows_that_are_written_up_together_share_the_look_for_names(
    store: MongoStore, log: MongoAuditLog
) -> None:
    people = {f"x{number}": f"House {number}" for number in range(3)}

    async def work(unit: Unit) -> None:
        for id_, name in people.items():
            body = b'{"name":[{"family":"%s"}]}' % name.encode()
            await unit.insert([version(id_, kind="Practitioner", body=body)])
            await unit.log(row(user=f"Practitioner/{id_}"))

    await store.run(["Practitioner"], work)
    looked: list[Collection[str]] = []

    async def names(wanted: Collection[str]) -> dict[str, str]:
        looked.append(wanted)
        return await StoredNames(store, 64)(wanted)

    await drain(store, log, names).all(None)
    assert looked == [{"Device/app", *(f"Practitioner/{id_}" for id_ in people)}]
    page = await store.search(Search("AuditEvent", Everything()), within=UNRESTRICTED)
    told = b" ".join(each.body for each in page.rows)
    assert all(name.encode() in told for name in people.values())


async def test_what_a_unit_logs_commits_with_it(store: MongoStore, log: MongoAuditLog) -> None:
    given = row()

    async def work(unit: Unit) -> None:
        await unit.log(given)

    async def broken(unit: Unit) -> None:
        await unit.log(row())
        raise LookupError

    await store.run([], work)
    with pytest.raises(LookupError):
        await store.run([], broken)
    assert await store.database[LOG].count_documents({}) == 1
    assert await chains(store) == [Unsealed(f"row/{given.id}")]
    log.seal(given)
    await log.flush()
    (chain,) = await chains(store)
    assert isinstance(chain, Chain)
    await drain(store, log).all(None)
    assert await events(store) == 1


PLANTED: dict[str, tuple[dict[str, dict[str, object]] | None, int]] = {
    "a body": ({"$set": {"body": Binary(b'{"entries":[],"seals":[]}')}}, 2),
    "a body that is none": ({"$set": {"body": Binary(b"x")}}, 2),
    "a hash": ({"$set": {"hash": Binary(b"x" * 32)}}, 2),
    "a place": ({"$set": {"n": 7}}, 3),
    "a removal": (None, 3),
}


@pytest.mark.parametrize("planted", PLANTED)
async def test_the_first_broken_link_is_named(
    store: MongoStore, log: MongoAuditLog, planted: str
) -> None:
    for _ in range(5):
        await log.keep(row())
    table = store.database[LOG]
    second = await table.find_one({"n": 2})
    assert second is not None
    change, broken = PLANTED[planted]
    if change is None:
        await table.delete_one({"_id": second["_id"]})
    else:
        await table.update_one({"_id": second["_id"]}, change)
    (chain,) = await chains(store)
    assert isinstance(chain, Chain)
    assert (chain.last, chain.broken[-2:]) == (1, f"0{broken}")


@pytest.mark.parametrize("removed", [True, False])
async def test_a_sealed_row_cannot_be_changed_either(
    store: MongoStore, log: MongoAuditLog, *, removed: bool
) -> None:
    given = row()
    await store.run([], lambda unit: unit.log(given))
    log.seal(given)
    await log.flush()
    where = {"_id": f"row/{given.id}"}
    if removed:
        await store.database[LOG].delete_one(where)
    else:
        await store.database[LOG].update_one(where, {"$set": {"body": Binary(b"{}")}})
    broken = [each for each in await chains(store) if isinstance(each, Chain) and each.broken]
    assert len(broken) == 1


async def test_what_retention_leaves_still_verifies(
    store: MongoStore, log: MongoAuditLog
) -> None:
    old = row()
    await store.run([], lambda unit: unit.log(old))
    log.seal(old)
    for _ in range(3):
        await log.keep(row())
    await log.keep(row(at=LATER))
    await drain(store, log).all(None)
    assert await events(store) == 5
    assert await retain(store.database, NOW + 1) > 0
    assert await events(store) == 1
    found = await chains(store)
    assert [each.broken for each in found if isinstance(each, Chain)] == [""]
    assert not any(isinstance(each, Unsealed) for each in found)
    assert await store.database[CHECKPOINTS].count_documents({}) == 1
    await retain(store.database, NOW + 1)
    await log.keep(row(at=LATER))
    assert [each.broken for each in await chains(store) if isinstance(each, Chain)] == [""]


async def test_retention_leaves_what_is_not_yet_an_event(
    store: MongoStore, log: MongoAuditLog
) -> None:
    await log.keep(row())
    await retain(store.database, LATER)
    assert await store.database[LOG].count_documents({}) == 1
