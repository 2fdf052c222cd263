"""A process that works an outbox off, and may be killed at a point of the way.

python -m tests.support.delivering MONGODB_URI DATABASE RECEIVER [POINT]
"""

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

import httpx
from typing_extensions import override

from fhir_server.delivery.answers import Recipient
from fhir_server.delivery.composing import Composed
from fhir_server.delivery.fan_out import FanOut
from fhir_server.delivery.pace import Pace
from fhir_server.delivery.tally import Tally
from fhir_server.delivery.webhooks import GONE, Endpoint, WebhookCarrier
from fhir_server.delivery.worker import Process, Worker
from fhir_server.store.mongo.client import connect
from fhir_server.store.mongo.outbox import MongoOutbox
from fhir_server.store.mongo.sealing import Seal
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.outgoing import Delivery, Held, Lane, Occasion, Outcome
from fhir_server.store.port import Unit
from tests.support.telling import delivery
from tests.support.versions import version

POINTS = (
    "occasion leased", "composed", "in the unit", "committed",
    "delivery leased", "sent", "settled",
)  # fmt: skip
"""Between every two steps."""
SECRET = b"s" * 32
PACE = Pace(lease=1, poll=0.02, at_once=3, pause=0.1)


class Killed:
    """Kills this process at a point, without a word to anybody."""

    def __init__(self, point: str = "") -> None:
        self._point = point

    def at(self, point: str) -> None:
        if point == self._point:
            os.kill(os.getpid(), signal.SIGKILL)


class _Outbox(MongoOutbox):
    def __init__(self, store: MongoStore, killed: Killed) -> None:
        super().__init__(store.database, Seal(None), kept_seconds=86_400)
        self._killed = killed

    @override
    async def lease(
        self, worker: str, lanes: Sequence[Lane], now: int, seconds: float
    ) -> Held | None:
        held = await super().lease(worker, lanes, now, seconds)
        if held is not None:
            of = "occasion" if isinstance(held.of, Occasion) else "delivery"
            self._killed.at(f"{of} leased")
        return held

    @override
    async def settle(self, held: Held, outcome: Outcome, reason: str, now: int) -> bool:
        done = await super().settle(held, outcome, reason, now)
        self._killed.at("settled")
        return done


class _FanOut(FanOut):
    def __init__(self, store: MongoStore, killed: Killed) -> None:
        async def compose(of: Occasion) -> Composed:
            async def write(unit: Unit) -> None:
                await unit.insert([version(of.key, kind="Communication")])
                killed.at("in the unit")

            told = [replace(_told(of.key), key=f"{of.key}/webhook/{n}") for n in range(2)]
            killed.at("composed")
            return Composed(told, ("Communication",), write)

        super().__init__(store, compose, now)
        self._killed = killed

    @override
    async def __call__(self, held: Held, occasion: Occasion) -> None:
        await super().__call__(held, occasion)
        self._killed.at("committed")


class _Carrier(WebhookCarrier):
    def __init__(self, http: httpx.AsyncClient, url: str, killed: Killed) -> None:
        endpoint = Endpoint(Recipient(url, GONE, private=True), (SECRET,))
        super().__init__(http, {"mis": endpoint}, now)
        self._killed = killed

    @override
    async def send(self, delivery: Delivery) -> None:
        await super().send(delivery)
        self._killed.at("sent")


def _told(key: str) -> Delivery:
    return delivery(key, "webhook", "mis")


def now() -> int:
    return time.time_ns() // 1_000_000


async def deliver(store: MongoStore, url: str, killed: Killed) -> None:
    """Until cancelled, or killed."""
    async with httpx.AsyncClient(headers={"x-process": str(os.getpid())}) as http:
        worker = Worker(
            _Outbox(store, killed),
            _FanOut(store, killed),
            {"webhook": _Carrier(http, url, killed)},
            PACE,
            Process(str(os.getpid()), now, random.random, Tally()),
        )
        await worker.run()


async def _main(uri: str, database: str, url: str, point: str = "") -> None:
    store = await MongoStore.open(await connect(uri), database)
    await deliver(store, url, Killed(point))


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
