"""A process that is stopped lets the database go when nothing works with it any more."""

import asyncio

import pytest

from fhir_server.jobs import endings
from fhir_server.jobs.endings import end
from fhir_server.jobs.runner import Chore, Pace, Runner
from fhir_server.store.mongo.jobs import MongoJobs
from fhir_server.store.mongo.store import MongoStore

pytestmark = pytest.mark.anyio

LOST = 4
"""Cancellations that the driver swallows."""
LONG = 20
"""Seconds that nobody waits for."""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endings, "_AGAIN", 0.02)


async def deaf(begun: asyncio.Event, ended: list[bool]) -> None:
    """Work that overhears some cancellations before it ends."""
    for _ in range(LOST):
        begun.set()
        try:
            await asyncio.sleep(LONG)
        except asyncio.CancelledError:
            continue
    try:
        await asyncio.sleep(LONG)
    finally:
        ended.append(True)


async def test_a_task_that_was_told_again_has_still_ended_its_own() -> None:
    begun, ended = asyncio.Event(), list[bool]()

    async def outer() -> None:
        inner = asyncio.create_task(deaf(begun, ended))
        try:
            await asyncio.sleep(LONG)
        finally:
            await end(inner)

    task = asyncio.create_task(outer())
    await begun.wait()
    await end(task)
    assert task.cancelled()
    assert ended == [True]


async def test_a_runner_that_has_ended_does_nothing_any_more(mongo_store: MongoStore) -> None:
    """Else a chore goes on with a database that is closed, and every stop is an error."""
    jobs = MongoJobs(mongo_store.database, kept_seconds=60)
    await jobs.prepare()
    begun, ended = asyncio.Event(), list[bool]()
    chores = [Chore("audit", lambda: deaf(begun, ended), 0.0)]
    runner = Runner(jobs, {}, Pace(poll=0.01), worker="w", chores=chores)
    task = asyncio.create_task(runner.run())
    await begun.wait()
    await end(task)
    assert ended == [True]
