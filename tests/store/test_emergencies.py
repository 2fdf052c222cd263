"""Declared emergencies: kept with a unit or not at all, and known to everybody at once."""

from dataclasses import replace
from uuid import uuid4

import pytest

from fhir_server.access.emergencies import Declaration
from fhir_server.store.mongo.emergencies import MongoEmergencies
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.port import Unit

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000_000
KINDS = ["Communication"]


class Broken(Exception):
    """What ends a unit before its commit."""


@pytest.fixture
async def register(mongo_store: MongoStore) -> MongoEmergencies:
    found = MongoEmergencies(mongo_store.database)
    await found.prepare()
    return found


@pytest.fixture
def declaration() -> Declaration:
    """Of a doctor of its own."""
    doctor = uuid4().hex
    return Declaration(
        uuid4().hex, "p", doctor, "app", "Practitioner/d", "Communication/c", NOW, NOW + 1000
    )


async def declare(store: MongoStore, declaration: Declaration, most: int = 9) -> bool:
    return await store.run(KINDS, lambda unit: unit.declare(declaration, most))


async def test_it_holds_until_it_ends(
    mongo_store: MongoStore, register: MongoEmergencies, declaration: Declaration
) -> None:
    account, client = declaration.account, declaration.client
    assert await declare(mongo_store, declaration)
    assert list(await register.held(account, client, NOW + 999)) == [declaration]
    assert list(await register.held(account, client, NOW + 1000)) == []
    assert list(await register.held(account, "other", NOW)) == []
    assert list(await register.held("other", client, NOW)) == []


async def test_every_change_is_a_new_epoch(
    mongo_store: MongoStore, register: MongoEmergencies, declaration: Declaration
) -> None:
    account, seen = declaration.account, [await mongo_store.epoch()]

    async def changed() -> bool:
        seen.append(await mongo_store.epoch())
        return seen[-1] != seen[-2]

    async def ended(unit: Unit) -> int:
        return await unit.end_declared(account, "p", NOW)

    assert await declare(mongo_store, declaration)
    assert await changed()
    assert await mongo_store.run(KINDS, ended) == 1
    assert await changed()
    assert await mongo_store.run(KINDS, ended) == 0
    second = replace(declaration, id=uuid4().hex)
    assert await declare(mongo_store, second)
    assert await changed()
    assert (await register.end(second.id, NOW)) == replace(second, ended=NOW)
    assert await changed()
    assert await register.end(second.id, NOW) is None
    third = replace(declaration, id=uuid4().hex)
    assert await declare(mongo_store, third)
    assert await changed()
    await register.end_account(account, NOW)
    assert await changed()
    assert list(await register.held(account, "app", NOW)) == []


async def test_a_unit_that_fails_declares_nothing(
    mongo_store: MongoStore, register: MongoEmergencies, declaration: Declaration
) -> None:
    before = await mongo_store.epoch()

    async def work(unit: Unit) -> None:
        assert await unit.declare(declaration, 9)
        raise Broken

    with pytest.raises(Broken):
        await mongo_store.run(KINDS, work)
    assert list(await register.held(declaration.account, "app", NOW)) == []
    assert await mongo_store.epoch() == before


async def test_there_is_a_most(
    mongo_store: MongoStore, register: MongoEmergencies, declaration: Declaration
) -> None:
    assert await declare(mongo_store, declaration, 1)
    second = replace(declaration, id=uuid4().hex, client="other")
    assert not await declare(mongo_store, second, 1)
    later = replace(second, at=declaration.ends, ends=declaration.ends + 1)
    assert await declare(mongo_store, later, 1)
    assert list(await register.all_held(declaration.ends)) == [later]
