"""The outbox: commits with the change, is leased to one worker at a time, ends once.

https://microservices.io/patterns/data/transactional-outbox.html
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from fhir_server.core.errors import Gone
from fhir_server.core.messages import Text
from fhir_server.store.mongo.documents import Document
from fhir_server.store.mongo.outbox import MongoOutbox
from fhir_server.store.mongo.outbox_rows import OUTBOX
from fhir_server.store.mongo.sealing import Seal, SealedError
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.outgoing import (
    CHANNELS,
    Delivery,
    Held,
    Lane,
    LostError,
    Occasion,
    Outcome,
)
from fhir_server.store.port import Unit
from tests.support.commands import Commands
from tests.support.telling import MINUTE, NOW, delivery, occasion
from tests.support.versions import version

pytestmark = pytest.mark.anyio

ALL: Sequence[Lane] = ("occasion", *CHANNELS)
STOP = Text("stop", "стоп", "стоп")
KEPT = 60


@pytest.fixture
async def outbox(mongo_store: MongoStore) -> AsyncIterator[MongoOutbox]:
    yield MongoOutbox(mongo_store.database, Seal(None), kept_seconds=KEPT)
    await mongo_store.database["outbox"].delete_many({})


async def posted(store: MongoStore, *occasions: Occasion) -> None:
    await store.run([], lambda unit: unit.post(occasions))


async def withdrawn(store: MongoStore, about: str, *kinds: str) -> None:
    await store.run([], lambda unit: unit.withdraw(about, *kinds))


async def told(store: MongoStore, held: Held, *deliveries: Delivery) -> None:
    await store.run([], lambda unit: unit.told(held, deliveries, NOW))


async def leased(outbox: MongoOutbox, now: int = NOW, seconds: float = 30) -> Held:
    held = await outbox.lease("one", ALL, now, seconds)
    assert held is not None
    return held


async def waiting(outbox: MongoOutbox, outcome: Outcome | None = None) -> list[str]:
    return [each.key for each in await outbox.entries(outcome, limit=100)]


async def composed(store: MongoStore, outbox: MongoOutbox, key: str = "a") -> None:
    """An occasion that has become one delivery."""
    await posted(store, occasion(key))
    await told(store, await leased(outbox), delivery(key))


async def on_its_way(store: MongoStore, outbox: MongoOutbox) -> Held:
    """That delivery, in the hands of a worker."""
    await composed(store, outbox)
    return await leased(outbox)


async def test_an_occasion_commits_with_the_unit(
    mongo_store: MongoStore, outbox: MongoOutbox
) -> None:
    async def work(unit: Unit) -> None:
        await unit.insert([version("with-news", kind="Basic")])
        await unit.post([occasion("a")])
        assert await waiting(outbox) == []

    await mongo_store.run(["Basic"], work)
    held = await leased(outbox)
    assert held == Held(occasion("a"), "visit-booked", None, 1, 1)


async def test_a_unit_that_fails_posts_and_withdraws_nothing(
    mongo_store: MongoStore, outbox: MongoOutbox
) -> None:
    await posted(mongo_store, occasion("before"))

    async def work(unit: Unit) -> None:
        await unit.post([occasion("a")])
        await unit.withdraw("Appointment/1")
        await unit.insert([version("never", kind="Basic")])
        raise Gone(STOP)

    with pytest.raises(Gone):
        await mongo_store.run(["Basic"], work)
    assert await waiting(outbox) == ["before"]


async def test_a_key_is_posted_once(mongo_store: MongoStore, outbox: MongoOutbox) -> None:
    await posted(mongo_store, occasion("a", kind="first"), occasion("a", kind="second"))
    await posted(mongo_store, occasion("a", kind="third"))
    held = await leased(outbox)
    assert held.kind == "first"
    await told(mongo_store, held)
    await posted(mongo_store, occasion("a", kind="fourth"))
    assert await waiting(outbox) == []


async def test_units_that_post_one_key_at_once_both_commit(
    mongo_store: MongoStore, outbox: MongoOutbox
) -> None:
    await asyncio.gather(*[posted(mongo_store, occasion("a")) for _ in range(8)])
    assert await waiting(outbox) == ["a"]


async def test_what_waits_about_a_resource_is_withdrawn(
    mongo_store: MongoStore, outbox: MongoOutbox
) -> None:
    await composed(mongo_store, outbox)
    await posted(
        mongo_store,
        occasion("b", kind="visit-reminder", due=NOW + MINUTE),
        occasion("c", about="Appointment/10"),
    )
    await withdrawn(mongo_store, "Appointment/1", "visit-reminder")
    assert await waiting(outbox) == ["a/email/0", "c"]
    await withdrawn(mongo_store, "Appointment/1")
    assert await waiting(outbox) == ["c"]
    assert await waiting(outbox, "told") == ["a"]


async def test_what_waits_for_others_is_left(
    mongo_store: MongoStore, outbox: MongoOutbox
) -> None:
    await composed(mongo_store, outbox)
    await posted(mongo_store, occasion("b"))

    def withdraw(*patients: str) -> Any:
        return mongo_store.run([], lambda u: u.withdraw("Appointment/1", patients=patients))

    await withdraw("other")
    assert await waiting(outbox) == ["a/email/0", "b"]
    await withdraw("other", "p1")
    assert await waiting(outbox) == []


async def test_nobody_sends_again_what_became_another_visit(
    mongo_store: MongoStore, outbox: MongoOutbox
) -> None:
    await composed(mongo_store, outbox)
    await outbox.settle(await leased(outbox), "dead", "smtp 550", NOW)
    await withdrawn(mongo_store, "Appointment/10")
    assert await waiting(outbox, "dead") == ["a/email/0"]
    await withdrawn(mongo_store, "Appointment/1")
    assert await waiting(outbox, "dead") == []
    entry = await outbox.find("a/email/0")
    assert entry is not None
    assert (entry.outcome, entry.reason, entry.at) == ("dropped", "smtp 550", NOW)
    assert not await outbox.resend("a/email/0", NOW)


async def test_what_was_withdrawn_can_be_posted_again(
    mongo_store: MongoStore, outbox: MongoOutbox
) -> None:
    async def work(unit: Unit) -> None:
        await unit.withdraw("Appointment/1")
        await unit.post([occasion("a", kind="second")])

    await posted(mongo_store, occasion("a"))
    await mongo_store.run([], work)
    assert (await leased(outbox)).kind == "second"


async def test_nothing_is_composed_of_what_was_withdrawn_meanwhile(
    mongo_store: MongoStore, outbox: MongoOutbox
) -> None:
    await posted(mongo_store, occasion("a"))
    held = await leased(outbox)
    await withdrawn(mongo_store, "Appointment/1")
    with pytest.raises(LostError):
        await told(mongo_store, held, delivery("a"))
    assert await waiting(outbox) == []


async def test_an_occasion_becomes_deliveries_once(
    mongo_store: MongoStore, outbox: MongoOutbox
) -> None:
    await posted(mongo_store, occasion("a", until=NOW + MINUTE))
    held = await leased(outbox)
    await told(mongo_store, held, delivery("a"), delivery("a", "sms"))
    with pytest.raises(LostError):
        await told(mongo_store, held, delivery("a", "webhook"))
    assert await waiting(outbox) == ["a/email/0", "a/sms/0"]
    assert (await outbox.lease("one", ["sms"], NOW, 30)) == Held(
        delivery("a", "sms"), "visit-booked", NOW + MINUTE, 1, 1
    )
    found = await outbox.find("a")
    assert found is not None
    assert (found.outcome, found.at, found.due) == ("told", NOW, None)


async def test_an_occasion_may_end_silent(mongo_store: MongoStore, outbox: MongoOutbox) -> None:
    await posted(mongo_store, occasion("a"))
    await told(mongo_store, await leased(outbox))
    assert await waiting(outbox, "silent") == ["a"]


async def test_nothing_is_taken_up_before_it_is_due(
    mongo_store: MongoStore, outbox: MongoOutbox
) -> None:
    await posted(mongo_store, occasion("late", due=NOW + 1), occasion("soon", due=NOW - 1))
    assert (await leased(outbox)).of.key == "soon"
    assert await outbox.lease("two", ALL, NOW, 30) is None
    assert (await leased(outbox, NOW + 1)).of.key == "late"


async def test_the_backlog_is_what_is_due(mongo_store: MongoStore, outbox: MongoOutbox) -> None:
    await posted(mongo_store, occasion("late", due=NOW + 1), occasion("b"), occasion("c"))
    await told(mongo_store, await leased(outbox), delivery("b"))
    assert await outbox.backlog(NOW) == {("occasion", "due"): 1, ("email", "due"): 1}


async def test_a_leased_row_is_nobody_elses_until_the_lease_ends(
    mongo_store: MongoStore, outbox: MongoOutbox
) -> None:
    await composed(mongo_store, outbox)
    lost = await leased(outbox)
    assert await outbox.lease("two", ALL, NOW, 30) is None
    over = {"$set": {"held": datetime.now(UTC) - timedelta(seconds=1)}}
    await mongo_store.database[OUTBOX].update_many({}, over)
    held = await leased(outbox)
    assert (held.lease, held.tries) == (2, 2)
    assert not await outbox.settle(lost, "sent", "", NOW)
    assert not await outbox.postpone(lost, NOW, "later")
    assert not await outbox.release(lost)
    assert await outbox.settle(held, "sent", "", NOW)
    assert not await outbox.settle(held, "sent", "", NOW)


async def test_workers_at_once_take_different_rows(
    mongo_store: MongoStore, outbox: MongoOutbox
) -> None:
    await posted(mongo_store, *[occasion(str(n)) for n in range(20)])
    found = await asyncio.gather(*[leased(outbox) for _ in range(20)])
    assert {each.of.key for each in found} == {str(n) for n in range(20)}


async def test_a_lane_is_asked_for(mongo_store: MongoStore, outbox: MongoOutbox) -> None:
    await composed(mongo_store, outbox)
    assert await outbox.lease("one", ["occasion", "sms"], NOW, 30) is None
    assert await outbox.lease("one", ["email"], NOW, 30) is not None


async def test_what_is_postponed_counts_and_what_is_given_back_does_not(
    mongo_store: MongoStore, outbox: MongoOutbox
) -> None:
    await composed(mongo_store, outbox)
    assert await outbox.postpone(await leased(outbox), NOW + MINUTE, "busy")
    assert await outbox.lease("one", ALL, NOW + MINUTE - 1, 30) is None
    held = await leased(outbox, NOW + MINUTE)
    assert held.tries == 2
    assert await outbox.release(held)
    again = await leased(outbox, NOW + MINUTE)
    assert (again.tries, again.lease) == (2, 3)
    found = await outbox.find("a/email/0")
    assert found is not None
    assert found.reason == "busy"


@pytest.mark.parametrize("outcome", ["sent", "expired", "dropped"])
async def test_address_and_content_are_forgotten_at_the_end(
    mongo_store: MongoStore, outbox: MongoOutbox, outcome: Outcome
) -> None:
    await outbox.settle(await on_its_way(mongo_store, outbox), outcome, "", NOW)
    for row in await mongo_store.database["outbox"].find().to_list():
        assert not {"sealed", "facts", "due", "held", "worker"} & set(row)


async def test_the_dead_are_sent_again_by_an_operator(
    mongo_store: MongoStore, outbox: MongoOutbox
) -> None:
    await composed(mongo_store, outbox)
    assert await outbox.settle(await leased(outbox), "dead", "refused", NOW)
    assert await outbox.lease("one", ALL, NOW, 30) is None
    assert await waiting(outbox, "dead") == ["a/email/0"]
    assert await outbox.backlog(NOW) == {("email", "dead"): 1}
    assert await outbox.resend("a/email/0", NOW)
    held = await leased(outbox)
    assert (held.of, held.tries) == (delivery("a"), 1)
    assert await outbox.backlog(NOW) == {("email", "due"): 1}


@pytest.mark.parametrize(("outcome", "again"), [("sent", False), ("dead", True)])
async def test_only_what_waits_or_is_dead_is_sent_again_or_dropped(
    mongo_store: MongoStore, outbox: MongoOutbox, outcome: Outcome, *, again: bool
) -> None:
    await outbox.settle(await on_its_way(mongo_store, outbox), outcome, "", NOW)
    assert await outbox.resend("a/email/0", NOW) is again
    assert await outbox.drop("a/email/0", NOW) is again
    assert not await outbox.drop("none", NOW)
    assert not await outbox.resend("a/email/0", NOW)


async def test_what_is_on_its_way_when_it_is_resent_is_not_sent_twice(
    mongo_store: MongoStore, outbox: MongoOutbox
) -> None:
    held = await on_its_way(mongo_store, outbox)
    assert await outbox.resend("a/email/0", NOW)
    assert await outbox.lease("two", ALL, NOW, 30) is None
    assert await outbox.settle(held, "sent", "", NOW)


async def test_a_worker_loses_what_an_operator_drops(
    mongo_store: MongoStore, outbox: MongoOutbox
) -> None:
    held = await on_its_way(mongo_store, outbox)
    assert await outbox.drop("a/email/0", NOW)
    assert not await outbox.postpone(held, NOW, "busy")
    assert await waiting(outbox, "dropped") == ["a/email/0"]


async def test_what_was_not_told_in_time_expires(
    mongo_store: MongoStore, outbox: MongoOutbox
) -> None:
    await posted(
        mongo_store, occasion("a", until=NOW), occasion("b", until=NOW + 1), occasion("c")
    )
    assert await outbox.expire(NOW) == 1
    assert await waiting(outbox, "expired") == ["a"]
    assert sorted(await waiting(outbox)) == ["b", "c"]


async def test_what_is_over_is_remembered_for_a_while(
    mongo_store: MongoStore, outbox: MongoOutbox
) -> None:
    await composed(mongo_store, outbox)
    await outbox.expire(NOW + KEPT * 1000 - 1)
    assert await waiting(outbox, "told") == ["a"]
    await outbox.expire(NOW + KEPT * 1000)
    assert await waiting(outbox, "told") == []
    assert await waiting(outbox) == ["a/email/0"]


async def test_a_delivery_alone_is_put_once(outbox: MongoOutbox) -> None:
    await outbox.put(delivery("code"), "sign-in-code", NOW + MINUTE)
    await outbox.put(delivery("code", to="other@mail.example"), "other", None)
    assert await leased(outbox) == Held(delivery("code"), "sign-in-code", NOW + MINUTE, 1, 1)


async def test_address_and_content_are_sealed(
    mongo_store: MongoStore, outbox: MongoOutbox
) -> None:
    del outbox
    sealing = MongoOutbox(mongo_store.database, Seal("one"), kept_seconds=KEPT)
    await sealing.put(delivery("a"), "code", None)
    (row,) = await mongo_store.database["outbox"].find().to_list()
    assert b"anna" not in row["sealed"]
    with pytest.raises(SealedError):
        await leased(MongoOutbox(mongo_store.database, Seal("other"), kept_seconds=KEPT))
    (found,) = await sealing.entries("dead", limit=9)
    assert found.reason == "sealed"
    assert await sealing.resend("a/email/0", NOW)
    assert (await leased(sealing)).of == delivery("a")


async def test_a_unit_that_posts_asks_one_question_more(
    mongodb_uri: str, database_name: str, outbox: MongoOutbox
) -> None:
    commands = Commands()
    client = AsyncMongoClient[Document](mongodb_uri, event_listeners=[commands], w="majority")
    store = await MongoStore.open(client, database_name)
    await store.prepare(["Basic"])

    async def asked(id_: str, *occasions: Occasion) -> list[str]:
        async def work(unit: Unit) -> None:
            await unit.post(occasions)
            await unit.insert([version(id_, kind="Basic")])

        commands.clear()
        await store.run(["Basic"], work)
        assert commands.within == commands.names
        return commands.names

    assert await asked("silent") == ["insert", "commitTransaction"]
    two = await asked("telling", occasion("a"), occasion("b", due=NOW + MINUTE))
    assert two == ["insert", "update", "commitTransaction"]
    assert len(await waiting(outbox)) == 2
    await client.close()


@pytest.mark.parametrize(
    ("where", "sort", "index"),
    [
        ({"lane": {"$in": list(ALL)}, "due": {"$lte": NOW}}, {"due": 1}, "due"),
        ({"about": "Appointment/1", "due": {"$exists": True}}, {}, "about"),
        ({"until": {"$lte": NOW}, "due": {"$exists": True}}, {}, "until"),
        ({"outcome": {"$exists": True}, "at": {"$lte": NOW}}, {}, "ended"),
        ({"outcome": "dead"}, {"at": 1}, "ended"),
        ({"due": {"$exists": True}, "lane": "sms"}, {"due": 1}, "due"),
    ],
)
async def test_every_question_has_its_index(
    mongo_store: MongoStore,
    outbox: MongoOutbox,
    where: dict[str, Any],
    sort: dict[str, int],
    index: str,
) -> None:
    await composed(mongo_store, outbox)
    table = mongo_store.database["outbox"]
    plan = await table.find(where, sort=sort or None).explain()
    assert f"'indexName': '{index}'" in str(plan["queryPlanner"]["winningPlan"])
    assert "'SORT'" not in str(plan["queryPlanner"]["winningPlan"])
