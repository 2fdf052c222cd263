"""Working the outbox off: composed once, tried again, dead in the end, shared by processes.

https://microservices.io/patterns/data/transactional-outbox.html
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import structlog

from fhir_server.core.errors import BadValue, Unavailable
from fhir_server.core.messages import Text
from fhir_server.delivery.carriers import TryLater, Undeliverable
from fhir_server.delivery.composing import Composed, nobody
from fhir_server.delivery.fan_out import FanOut
from fhir_server.delivery.pace import Pace
from fhir_server.delivery.tally import Tally
from fhir_server.delivery.worker import Process, Worker
from fhir_server.jobs.endings import end
from fhir_server.search.plan import UNRESTRICTED
from fhir_server.store.mongo.outbox import MongoOutbox
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.outgoing import Channel, Delivery, Entry, Occasion
from fhir_server.store.port import Unit
from tests.support.telling import MINUTE, NOW, delivery, occasion
from tests.support.versions import version

pytestmark = pytest.mark.anyio

QUICK = Pace(lease=20, poll=0.01, at_once=2, tries=3, pause=10, longest=15, tidy=0.02, stop=5)
STOP = Text("stop", "стоп", "стоп")


@dataclass
class Recording:
    """A carrier that does as it is told, else takes everything."""

    does: Callable[[Delivery], Awaitable[None]] | None = None
    sent: list[Delivery] = field(default_factory=list)

    async def send(self, delivery: Delivery) -> None:
        self.sent.append(delivery)
        if self.does is not None:
            await self.does(delivery)

    @property
    def keys(self) -> list[str]:
        return sorted(each.key for each in self.sent)


@dataclass
class Office:
    """One outbox, a clock, and workers on it."""

    store: MongoStore
    outbox: MongoOutbox
    carriers: dict[Channel, Recording]
    now: int = NOW
    compose: Callable[[Occasion], Awaitable[Composed]] = nobody
    tally: Tally = field(default_factory=Tally)

    @property
    def email(self) -> Recording:
        return self.carriers["email"]

    async def post(self, *occasions: Occasion) -> None:
        await self.store.run([], lambda unit: unit.post(occasions))

    async def put(self, *keys: str, until: int | None = None) -> None:
        for key in keys:
            await self.outbox.put(delivery(key), "visit-booked", until)

    @asynccontextmanager
    async def working(self, pace: Pace = QUICK, name: str = "one") -> AsyncIterator[None]:
        process = Process(name, lambda: self.now, lambda: 0.5, self.tally)
        fan_out = FanOut(self.store, self.compose, lambda: self.now)
        worker = Worker(self.outbox, fan_out, self.carriers, pace, process)
        work = asyncio.create_task(worker.run())
        try:
            yield
        finally:
            await worker.stop()
            await end(work)

    async def ended(self, key: str) -> Entry:
        return await self._seen(key, lambda found: found.outcome is not None)

    async def tried(self, key: str, times: int) -> Entry:
        """Once it was tried so often, and put off."""

        def put_off(found: Entry) -> bool:
            return found.tries == times and found.due is not None and found.due > self.now

        return await self._seen(key, put_off)

    async def _seen(self, key: str, wanted: Callable[[Entry], bool]) -> Entry:
        for _ in range(500):
            found = await self.outbox.find(key)
            if found is not None and wanted(found):
                return found
            await asyncio.sleep(0.01)
        raise TimeoutError(key)


@pytest.fixture
def office(mongo_store: MongoStore, outbox: MongoOutbox) -> Office:
    return Office(mongo_store, outbox, {"email": Recording(), "sms": Recording()})


def raising(error: Exception) -> Callable[[Any], Awaitable[Any]]:
    async def does(_: Any) -> Any:
        raise error

    return does


async def twice(of: Occasion) -> Composed:
    return Composed((delivery(of.key), delivery(of.key, "sms")))


async def recorded(of: Occasion) -> Composed:
    async def write(unit: Unit) -> None:
        await unit.insert([version(f"told-{of.key}", kind="Communication")])

    return Composed((await twice(of)).deliveries, ("Communication",), write)


async def test_an_occasion_is_composed_and_sent_by_every_channel(office: Office) -> None:
    office.compose = recorded
    async with office.working():
        await office.post(occasion("a"), occasion("b", due=NOW + MINUTE))
        assert (await office.ended("a")).outcome == "told"
        assert (await office.ended("a/email/0")).outcome == "sent"
        assert (await office.ended("a/sms/0")).outcome == "sent"
    assert office.email.sent == [delivery("a")]
    told = await office.store.read("Communication", "told-a", within=UNRESTRICTED)
    assert told is not None
    waiting = await office.outbox.entries(None, limit=9)
    assert [each.key for each in waiting] == ["b"]


async def test_what_is_being_written_holds_up_no_change_of_its_visit(office: Office) -> None:
    """Also where the process dies meanwhile: its transaction lives on for a minute."""
    writing, go = asyncio.Event(), asyncio.Event()

    async def compose(of: Occasion) -> Composed:
        async def write(unit: Unit) -> None:
            await unit.insert([version(f"told-{of.key}", kind="Communication")])
            writing.set()
            await go.wait()

        return Composed((delivery(of.key),), ("Communication",), write)

    office.compose = compose
    await office.post(occasion("changed"))
    async with office.working():
        await writing.wait()
        async with asyncio.timeout(5):
            await office.store.run([], lambda unit: unit.withdraw("Appointment/1"))
        go.set()
    assert await office.outbox.find("changed") is None
    assert office.email.sent == []
    told = await office.store.read("Communication", "told-changed", within=UNRESTRICTED)
    assert told is None


async def test_what_comes_again_is_composed_anew(office: Office) -> None:
    """At first to the old address, in vain; by then there is another one."""
    asked: list[Occasion] = []

    async def compose(of: Occasion) -> Composed:
        asked.append(of)
        to = f"{len(asked)}@mail.example"
        return Composed((replace(delivery(of.key, to=to), whose="anna"),))

    office.compose = compose
    office.email.does = raising(TryLater("smtp 451"))
    await office.post(occasion("a", facts={"start": 1}))
    async with office.working():
        await office.tried("a/email/0", 1)
        office.email.does = None
        office.now += MINUTE
        assert (await office.ended("a/email/0")).outcome == "told"
        await office.ended("a/email/0/email/0")
    assert [each.to for each in office.email.sent] == ["1@mail.example", "2@mail.example"]
    assert [each.facts for each in asked] == [{"start": 1}, {"start": 1, "whose": "anna"}]
    assert asked[1] == replace(
        asked[0], key="a/email/0", due=asked[1].due, facts=asked[1].facts
    )


async def test_what_lay_long_is_composed_anew_before_its_first_try(office: Office) -> None:
    async def compose(of: Occasion) -> Composed:
        found = replace(delivery(of.key), whose="anna")
        return Composed(() if "whose" in of.facts else (found,))

    office.compose = compose
    email = office.carriers.pop("email")
    await office.post(occasion("a"))
    async with office.working():
        await office.ended("a")
    office.carriers["email"] = email
    office.now += MINUTE + 1
    async with office.working():
        assert (await office.ended("a/email/0")).outcome == "silent"
    assert email.sent == []


async def test_nothing_to_tell_ends_silent(office: Office) -> None:
    async with office.working():
        await office.post(occasion("a"))
        assert (await office.ended("a")).outcome == "silent"


async def test_what_cannot_be_written_is_told_to_nobody(office: Office) -> None:
    async def compose(of: Occasion) -> Composed:
        async def write(unit: Unit) -> None:
            del unit
            raise BadValue(STOP)

        return Composed((delivery(of.key),), (), write)

    office.compose = compose
    async with office.working():
        await office.post(occasion("a"))
        found = await office.ended("a")
    assert (found.outcome, found.reason) == ("dead", "value")
    assert office.email.sent == []


@pytest.mark.parametrize(
    ("error", "reason"), [(Unavailable(STOP), "unavailable"), (KeyError("anna"), "failed")]
)
async def test_what_cannot_be_composed_now_is_composed_later(
    office: Office, error: Exception, reason: str
) -> None:
    office.compose = raising(error)
    async with office.working():
        await office.post(occasion("a"))
        assert (await office.tried("a", 1)).reason == reason
    office.now += 10_000
    office.compose = twice
    async with office.working():
        await office.ended("a/email/0")
    assert office.email.keys == ["a/email/0"]


async def test_pauses_double_up_to_the_longest_and_then_it_is_dead(office: Office) -> None:
    office.email.does = raising(TryLater("busy"))
    await office.put("a")
    async with office.working():
        assert (await office.tried("a/email/0", 1)).due == NOW + 10_000
        office.now = NOW + 9_999
        await asyncio.sleep(0.05)
        assert len(office.email.sent) == 1
        office.now = NOW + 10_000
        assert (await office.tried("a/email/0", 2)).due == office.now + 15_000
        office.now += 15_000
        dead = await office.ended("a/email/0")
    assert (dead.outcome, dead.reason, dead.tries) == ("dead", "busy", 3)
    assert office.email.keys == ["a/email/0"] * 3
    assert office.tally.tries == {("email", "later"): 2, ("email", "dead"): 1}


async def test_a_recipient_says_how_long_to_wait(office: Office) -> None:
    office.email.does = raising(TryLater("busy", after=120))
    await office.put("a")
    async with office.working():
        assert (await office.tried("a/email/0", 1)).due == NOW + 120_000


async def test_what_never_arrives_is_dead_at_once_and_can_be_sent_again(
    office: Office,
) -> None:
    office.email.does = raising(Undeliverable("smtp 550"))
    await office.put("a")
    async with office.working():
        dead = await office.ended("a/email/0")
        assert (dead.outcome, dead.reason, dead.tries) == ("dead", "smtp 550", 1)
        office.email.does = None
        assert await office.outbox.resend("a/email/0", office.now)
        assert (await office.ended("a/email/0")).outcome == "sent"
    assert office.email.sent == [delivery("a"), delivery("a")]


async def test_what_came_too_late_is_not_sent(office: Office) -> None:
    await office.put("a", until=NOW)
    await office.put("b", until=NOW + 1)
    async with office.working():
        assert (await office.ended("a/email/0")).outcome == "expired"
        assert (await office.ended("b/email/0")).outcome == "sent"
    assert office.email.keys == ["b/email/0"]


async def test_a_try_takes_no_longer_than_its_lease(office: Office) -> None:
    async def hang(_: Delivery) -> None:
        await asyncio.sleep(60)

    office.email.does = hang
    await office.put("a")
    async with office.working(Pace(lease=0.2, poll=0.01, tries=3)):
        assert (await office.tried("a/email/0", 1)).reason == "timeout"


async def test_a_slow_channel_holds_up_no_other(office: Office) -> None:
    held = asyncio.Event()

    async def wait(_: Delivery) -> None:
        await held.wait()

    office.email.does = wait
    await office.put("a", "b", "c")
    office.compose = twice
    async with office.working():
        await office.post(occasion("d", due=NOW + 1))
        office.now += 1
        assert (await office.ended("d/sms/0")).outcome == "sent"
        assert len(office.email.sent) == QUICK.at_once
        held.set()
        assert (await office.ended("d/email/0")).outcome == "sent"


async def test_what_ends_its_worker_every_time_is_given_up(office: Office) -> None:
    await office.put("a")
    for _ in range(QUICK.tries):
        assert await office.outbox.lease("killed", ["email"], NOW, 0) is not None
    async with office.working():
        dead = await office.ended("a/email/0")
    assert (dead.outcome, dead.reason) == ("dead", "given-up")
    assert office.email.sent == []


async def test_workers_share_the_work(office: Office) -> None:
    keys = [f"k{n}" for n in range(30)]
    await office.put(*keys)
    async with office.working(name="one"), office.working(name="two"):
        for key in keys:
            assert (await office.ended(f"{key}/email/0")).outcome == "sent"
    assert office.email.keys == sorted(f"{key}/email/0" for key in keys)


async def test_a_stopping_worker_waits_for_what_is_on_its_way(office: Office) -> None:
    begun = asyncio.Event()

    async def slow(_: Delivery) -> None:
        begun.set()
        await asyncio.sleep(0.1)

    office.email.does = slow
    await office.put("a")
    async with office.working():
        await begun.wait()
    assert (await office.ended("a/email/0")).outcome == "sent"


async def test_figures_are_of_the_whole_outbox(office: Office) -> None:
    office.carriers.pop("sms")
    office.compose = twice
    async with office.working():
        await office.post(occasion("a"))
        await office.ended("a/email/0")
        for _ in range(500):
            if office.tally.rows == {("sms", "due"): 1}:
                break
            await asyncio.sleep(0.01)
    assert office.tally.rows == {("sms", "due"): 1}
    assert office.tally.tries == {("occasion", "told"): 1, ("email", "sent"): 1}


async def test_the_log_names_nobody(office: Office) -> None:
    office.email.does = raising(ValueError("anna@mail.example"))
    await office.put("a")
    with structlog.testing.capture_logs() as lines:
        async with office.working():
            await office.tried("a/email/0", 1)
    events: list[Mapping[str, Any]] = [each for each in lines if "event" in each]
    found = {each["event"] for each in events}
    # Another server of these tests may have set the log to warnings.
    assert "job_step_failed" in found
    assert found <= {"job_step_failed", "delivery_postponed"}
    assert "anna" not in str(lines)
    assert "10:30" not in str(lines)


@pytest.mark.parametrize(
    ("tries", "chance", "seconds"),
    [(1, 0.5, 10), (2, 0.5, 20), (4, 0.0, 40), (4, 1.0, 120), (9, 0.5, 2560), (99, 0.5, 3600)],
)
async def test_pauses(tries: int, chance: float, seconds: float) -> None:
    assert Pace().pause_after(tries, chance) == seconds
