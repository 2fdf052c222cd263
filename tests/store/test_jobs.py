"""Jobs: leased to one worker at a time, taken over from the dead, settled once.

https://hl7.org/fhir/R4/async.html
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from fhir_server.access.kept_answers import SettledError
from fhir_server.core.errors import (
    BadValue,
    Conflict,
    Duplicate,
    FhirError,
    TimedOut,
    Unavailable,
)
from fhir_server.core.messages import Text
from fhir_server.jobs.endings import end
from fhir_server.jobs.runner import Handler, Pace, Runner
from fhir_server.search.plan import UNRESTRICTED
from fhir_server.store.mongo.client import Client
from fhir_server.store.mongo.jobs import JOBS, MongoJobs
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.port import Job, JobState, Order, Outcome, Unit
from tests.support.versions import version

pytestmark = pytest.mark.anyio

DONE = Outcome(200, b'{"done":true}')
OTHER = Outcome(200, b'{"done":false}')
STOP = Text("stop", "стоп", "стоп")
QUICK = Pace(lease=0.6, poll=0.02, at_once=2, tries=3, pause=0.02)


@pytest.fixture
async def jobs(mongo_store: MongoStore) -> AsyncIterator[MongoJobs]:
    found = MongoJobs(mongo_store.database, kept_seconds=60)
    await found.prepare()
    yield found
    for name in ("jobs", "job_outcomes", "job_files.files", "job_files.chunks"):
        await mongo_store.database[name].delete_many({})


async def ordered(jobs: MongoJobs, kind: str = "count", given: bytes = b"{}") -> str:
    form = {"language": "en", "lenient": False}
    return await jobs.enqueue(Order(kind, given, {"unrestricted": True}, form))


async def leased(jobs: MongoJobs, owner: str = "one", seconds: float = 30) -> Job:
    job = await jobs.lease(owner, seconds)
    assert job is not None
    return job


async def state(jobs: MongoJobs, job: str) -> JobState:
    found = await jobs.find(job)
    assert found is not None
    return found


async def settled(jobs: MongoJobs, job: str) -> Outcome:
    for _ in range(500):
        found = await jobs.find(job)
        if found is not None and found.outcome is not None:
            return found.outcome
        await asyncio.sleep(0.02)
    raise TimeoutError(job)


async def test_a_leased_job_is_nobody_elses(jobs: MongoJobs) -> None:
    id_ = await ordered(jobs)
    assert (await leased(jobs)).id == id_
    assert await jobs.lease("two", 30) is None


async def test_the_oldest_comes_first(jobs: MongoJobs) -> None:
    made = []
    for _ in range(3):
        made.append(await ordered(jobs))
        await asyncio.sleep(0.002)
    assert [(await leased(jobs)).id for _ in range(3)] == made


async def test_many_at_once_lease_each_job_once(jobs: MongoJobs) -> None:
    made = {await ordered(jobs) for _ in range(6)}
    asked = await asyncio.gather(*(jobs.lease(f"w{i}", 30) for i in range(12)))
    found = [each.id for each in asked if each is not None]
    assert len(found) == 6
    assert set(found) == made


async def test_a_lease_that_ran_out_is_taken_over(jobs: MongoJobs) -> None:
    await ordered(jobs)
    first = await leased(jobs, "one", 0.05)
    assert await jobs.progress(first, {"done": 7})
    await asyncio.sleep(0.1)
    second = await leased(jobs, "two")
    assert (second.id, second.lease, second.tries) == (first.id, 2, 2)
    assert second.progress == {"done": 7}
    assert not await jobs.renew(first, 30)
    assert not await jobs.progress(first, {"done": 9})
    assert await jobs.renew(second, 30)


async def test_a_renewed_lease_holds(jobs: MongoJobs) -> None:
    await ordered(jobs)
    job = await leased(jobs, "one", 0.1)
    assert await jobs.renew(job, 30)
    await asyncio.sleep(0.15)
    assert await jobs.lease("two", 30) is None


@pytest.mark.parametrize(("counted", "tries"), [(False, 1), (True, 2)])
async def test_what_is_given_back_is_there_at_once(
    jobs: MongoJobs, *, counted: bool, tries: int
) -> None:
    await ordered(jobs)
    await jobs.release(await leased(jobs), counted=counted)
    again = await leased(jobs, "two")
    assert (again.lease, again.tries) == (2, tries)


async def test_what_is_given_back_for_later_waits(jobs: MongoJobs) -> None:
    await ordered(jobs)
    await jobs.release(await leased(jobs), after=30)
    assert await jobs.lease("two", 30) is None


@pytest.mark.parametrize("size", [10, 3 * 1024 * 1024])
async def test_inputs_and_outcomes_of_any_size(jobs: MongoJobs, size: int) -> None:
    given = b"x" * size
    id_ = await ordered(jobs, given=given)
    job = await leased(jobs)
    assert await jobs.input(job) == given
    await jobs.settle(id_, Outcome(201, given))
    await jobs.close(job)
    assert (await state(jobs, id_)).outcome == Outcome(201, given)


async def test_an_outcome_is_settled_once(jobs: MongoJobs) -> None:
    id_ = await ordered(jobs)
    await jobs.settle(id_, DONE)
    with pytest.raises(SettledError):
        await jobs.settle(id_, OTHER)
    assert (await state(jobs, id_)).outcome == DONE


async def test_a_settled_job_is_not_leased_again(jobs: MongoJobs) -> None:
    """Its worker was killed between the commit and `close`."""
    id_ = await ordered(jobs)
    await leased(jobs, "one", 0.01)
    await jobs.settle(id_, DONE)
    await asyncio.sleep(0.05)
    assert await jobs.lease("two", 30) is None
    assert (await state(jobs, id_)).kept_until is not None


async def test_steps_are_outcomes_of_their_own(jobs: MongoJobs) -> None:
    id_, other = await ordered(jobs), await ordered(jobs)
    await jobs.settle(f"{id_}/0", DONE)
    await jobs.settle(f"{id_}/12", OTHER)
    await jobs.settle(f"{other}/3", OTHER)
    assert await jobs.steps(await leased(jobs)) == {0: DONE, 12: OTHER}
    assert (await state(jobs, id_)).outcome is None


async def writing(store: MongoStore, job: str, id_: str) -> None:
    """A unit that writes one resource and settles `job`."""

    async def work(unit: Unit) -> None:
        await unit.insert([version(id_, kind="Basic")])
        await unit.settle(job, DONE)

    await store.run(["Basic"], work)


async def test_a_unit_that_settles_commits_once(
    jobs: MongoJobs, mongo_store: MongoStore
) -> None:
    id_ = await ordered(jobs)
    tries = (writing(mongo_store, id_, f"once-{i}") for i in range(6))
    ends = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(map(type, filter(None, ends)), key=str) == [SettledError] * 5
    found = [
        i
        for i in range(6)
        if await mongo_store.read("Basic", f"once-{i}", within=UNRESTRICTED) is not None
    ]
    assert len(found) == 1


async def test_a_cancelled_job_commits_nothing(
    jobs: MongoJobs, mongo_store: MongoStore
) -> None:
    id_ = await ordered(jobs)
    assert await jobs.cancel(id_)
    with pytest.raises(SettledError):
        await writing(mongo_store, id_, "cancelled")
    assert await mongo_store.read("Basic", "cancelled", within=UNRESTRICTED) is None


async def test_a_cancelled_job_is_gone_for_all(jobs: MongoJobs) -> None:
    id_ = await ordered(jobs)
    job = await leased(jobs)
    assert await jobs.cancel(id_)
    assert await jobs.find(id_) is None
    assert not await jobs.cancel(id_)
    assert not await jobs.renew(job, 30)
    assert await jobs.lease("two", 30) is None


async def test_cancelling_takes_back_an_answer_but_not_that_it_was_given(
    jobs: MongoJobs,
) -> None:
    id_ = await ordered(jobs, given=b"x" * 2_000_000)
    await jobs.settle(id_, DONE)
    assert await jobs.cancel(id_)
    assert await jobs.find(id_) is None
    with pytest.raises(SettledError):
        await jobs.settle(id_, DONE)


async def test_what_was_kept_long_enough_is_removed_with_its_files(
    jobs: MongoJobs, mongo_store: MongoStore
) -> None:
    short = MongoJobs(mongo_store.database, kept_seconds=0.01)
    old, young = await ordered(jobs, given=b"x" * 2_000_000), await ordered(jobs)
    job = await leased(short)
    await short.settle(f"{old}/1", DONE)
    await short.settle(old, DONE)
    await short.close(job)
    await asyncio.sleep(0.05)
    await short.sweep()
    assert await jobs.find(old) is None
    assert await jobs.find(young) is not None
    database = mongo_store.database
    assert await database["job_outcomes"].count_documents({}) == 0
    assert await database["job_files.files"].count_documents({"metadata.job": old}) == 0
    assert await database["job_files.chunks"].count_documents({}) == 0


@asynccontextmanager
async def running(
    jobs: MongoJobs, handler: Handler, *, worker: str = "one", pace: Pace = QUICK
) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(Runner(jobs, {"count": handler}, pace, worker=worker).run())
    try:
        yield task
    finally:
        await end(task)


async def test_a_runner_does_what_is_ordered(jobs: MongoJobs) -> None:
    async def handler(job: Job, given: bytes) -> None:
        await jobs.settle(job.id, Outcome(200, given))

    async with running(jobs, handler):
        ids = [await ordered(jobs, given=b"%d" % i) for i in range(5)]
        found = [(await settled(jobs, each)).body for each in ids]
    assert found == [b"0", b"1", b"2", b"3", b"4"]


async def renewed(store: MongoStore, job: Job) -> None:
    """Once its lease lasts longer than it did."""
    rows = store.database[JOBS]
    begun = await rows.find_one({"_id": job.id})
    assert begun is not None
    put_off = {"_id": job.id, "until": {"$gt": begun["until"]}}
    while await rows.find_one(put_off) is None:  # noqa: ASYNC110  # the runner tells nobody
        await asyncio.sleep(0.05)


async def test_two_runners_never_work_on_one_job(
    jobs: MongoJobs, mongo_store: MongoStore
) -> None:
    unhurried = replace(QUICK, lease=4)  # a machine may stand still for a while
    at_work: dict[str, int] = {}
    most = 0

    async def handler(job: Job, _: bytes) -> None:
        nonlocal most
        at_work[job.id] = at_work.get(job.id, 0) + 1
        most = max(most, at_work[job.id])
        await renewed(mongo_store, job)
        at_work[job.id] -= 1
        await jobs.settle(job.id, DONE)

    async with (
        running(jobs, handler, pace=unhurried),
        running(jobs, handler, worker="two", pace=unhurried),
    ):
        for each in [await ordered(jobs) for _ in range(4)]:
            await settled(jobs, each)
    assert most == 1


async def test_a_stopped_runner_gives_its_jobs_back(jobs: MongoJobs) -> None:
    started = asyncio.Event()

    async def handler(_: Job, __: bytes) -> None:
        started.set()
        await asyncio.sleep(60)

    await ordered(jobs)
    async with running(jobs, handler, pace=Pace(lease=60, poll=0.02)):
        await started.wait()
    job = await leased(jobs, "two")
    assert (job.lease, job.tries) == (2, 1)


async def test_a_cancelled_job_is_stopped_where_it_is(jobs: MongoJobs) -> None:
    started, stopped = asyncio.Event(), asyncio.Event()

    async def handler(_: Job, __: bytes) -> None:
        started.set()
        try:
            await asyncio.sleep(60)
        finally:
            stopped.set()

    id_ = await ordered(jobs)
    async with running(jobs, handler):
        await started.wait()
        assert await jobs.cancel(id_)
        await asyncio.wait_for(stopped.wait(), 5)


async def test_a_refusal_is_the_outcome(jobs: MongoJobs) -> None:
    async def handler(_: Job, __: bytes) -> None:
        raise BadValue(STOP)

    id_ = await ordered(jobs)
    async with running(jobs, handler):
        found = await settled(jobs, id_)
    assert found.status == 400
    assert b'"diagnostics":"stop"' in found.body


@pytest.mark.parametrize("failure", [Unavailable(STOP), ValueError("a defect")])
async def test_what_fails_for_other_reasons_is_tried_again(
    jobs: MongoJobs, failure: Exception
) -> None:
    seen: list[int] = []

    async def handler(job: Job, _: bytes) -> None:
        seen.append(job.tries)
        if job.tries < 3:
            raise failure
        await jobs.settle(job.id, DONE)

    id_ = await ordered(jobs)
    async with running(jobs, handler):
        assert await settled(jobs, id_) == DONE
    assert seen == [1, 2, 3]


@pytest.mark.parametrize(
    ("failure", "status"),
    [(Unavailable, 503), (TimedOut, 504), (Conflict, 409), (Duplicate, 409)],
)
async def test_the_last_refusal_is_the_outcome(
    jobs: MongoJobs, failure: type[FhirError], status: int
) -> None:
    async def handler(_: Job, __: bytes) -> None:
        raise failure(STOP)

    id_ = await ordered(jobs)
    async with running(jobs, handler):
        assert (await settled(jobs, id_)).status == status
    row = await jobs._table.find_one({"_id": id_})
    assert row is not None
    assert row["tries"] == (1 if failure is Duplicate else 3)


async def test_what_never_ends_is_given_up(jobs: MongoJobs) -> None:
    async def handler(_: Job, __: bytes) -> None:
        raise ValueError

    id_ = await ordered(jobs)
    async with running(jobs, handler):
        found = await settled(jobs, id_)
    assert found.status == 500
    assert b"begun 3 times" in found.body


async def test_nothing_of_a_job_is_readable_in_the_log(
    jobs: MongoJobs, capfd: pytest.CaptureFixture[str]
) -> None:
    async def handler(_: Job, given: bytes) -> None:
        raise ValueError(given.decode())

    id_ = await ordered(jobs, given=b"Smirnova")
    async with running(jobs, handler):
        await settled(jobs, id_)
    out, err = capfd.readouterr()
    assert "Smirnova" not in out + err
    assert id_ not in out + err


def fields(row: Mapping[str, Any], *names: str) -> list[Any]:
    return [row[each] for each in names]


async def test_the_row_says_what_an_operator_must_know(
    jobs: MongoJobs, mongodb_client: Client, database_name: str
) -> None:
    id_ = await ordered(jobs)
    await leased(jobs, "worker-1")
    row = await mongodb_client[database_name]["jobs"].find_one({"_id": id_})
    assert row is not None
    assert fields(row, "kind", "owner", "open", "tries") == ["count", "worker-1", True, 1]
