"""Works the outbox off: takes what is due, sends it, says how that ended.

Processes share the work by leases. One that dies leaves its leases to run out, then another
takes up what was not settled: a message may be sent twice over a crash, under one key.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog

from fhir_server.delivery.carriers import Carrier, TryLater, Undeliverable
from fhir_server.delivery.fan_out import FanOut
from fhir_server.delivery.pace import Pace
from fhir_server.delivery.tally import Tally
from fhir_server.jobs.endings import end
from fhir_server.jobs.trying import tried
from fhir_server.store.outgoing import (
    OCCASIONS,
    Channel,
    Held,
    Lane,
    LostError,
    Occasion,
    Outbox,
    Outcome,
)

_FRESH: Final = 60_000
"""Milliseconds for which a message waits as it was composed."""


@dataclass(frozen=True, slots=True)
class Process:
    """Where a worker works."""

    name: str
    """Among the others that share the outbox."""
    now: Callable[[], int]
    """Milliseconds since 1970."""
    chance: Callable[[], float]
    """Draws from 0 to 1."""
    tally: Tally


class Worker:
    """The deliveries of one process."""

    def __init__(
        self,
        outbox: Outbox,
        fan_out: FanOut,
        carriers: Mapping[Channel, Carrier],
        pace: Pace,
        process: Process,
    ) -> None:
        """What has no carrier here is left to others."""
        self._outbox = outbox
        self._fan_out = fan_out
        self._carriers = carriers
        self._lanes: tuple[Lane, ...] = (OCCASIONS, *carriers)
        self._pace = pace
        self._name = process.name
        self._now = process.now
        self._chance = process.chance
        self._tally = process.tally
        self._busy: Counter[Lane] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._stopping = False
        self._log = structlog.get_logger()

    async def run(self) -> None:
        """Until `stop`, or cancelled."""
        tidying = asyncio.create_task(self._tidy())
        try:
            while not self._stopping:
                held = await self._next()
                if held is None:
                    await self._pause()
                else:
                    self._take(held)
            await self._settled()
        finally:
            # Nobody knows whether what is cut off arrived: its lease runs out.
            await end(tidying, *self._tasks)

    async def stop(self) -> None:
        """Take nothing up any more, and wait for what is on its way, not for ever."""
        self._stopping = True
        self._woken.set()
        await self._settled()

    async def _settled(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._pace.stop)

    async def _next(self) -> Held | None:
        lanes = [each for each in self._lanes if self._busy[each] < self._most(each)]
        if not lanes:
            return None
        leased = self._outbox.lease(self._name, lanes, self._now(), self._pace.lease)
        return await tried(self._log, "lease", leased)

    def _most(self, lane: Lane) -> int:
        """How many at once. Composing waits for nobody outside: more of it at once would take
        the process from those who wait for an answer."""
        return 1 if lane == OCCASIONS else self._pace.at_once

    async def _pause(self) -> None:
        """Until something ends, or there may be news of others."""
        if self._stopping:
            return
        self._woken.clear()
        waiting = asyncio.create_task(self._woken.wait())
        try:
            await asyncio.wait({waiting}, timeout=self._pace.poll)
        finally:
            waiting.cancel()

    def _take(self, held: Held) -> None:
        lane = lane_of(held)
        self._busy[lane] += 1
        self._start(self._attempt(held, lane), lane)

    def _start(self, doing: Coroutine[Any, Any, None], lane: Lane) -> None:
        def done(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            self._busy[lane] -= 1
            self._woken.set()

        task = asyncio.create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(done)

    async def _attempt(self, held: Held, lane: Lane) -> None:
        if held.until is not None and held.until <= self._now():
            await self._end(held, lane, "expired", "")
        elif held.tries > self._pace.tries:  # it ends the worker, or the lease, every time
            await self._end(held, lane, "dead", "given-up")
        elif await tried(self._log, lane, self._do(held, lane)) is None:
            await self._later(held, lane, TryLater("failed"))

    async def _do(self, held: Held, lane: Lane) -> bool:
        try:
            async with asyncio.timeout(self._pace.attempt):
                if isinstance(held.of, Occasion):
                    await self._fan_out(held, held.of)
                elif self._is_old(held) and not await self._fan_out.holds(held):
                    self._tally.count(lane, "told")
                    return True
                else:
                    await self._carriers[held.of.channel].send(held.of)
        except LostError:
            return True
        except Undeliverable as error:
            await self._end(held, lane, "dead", error.reason)
        except TryLater as error:
            await self._later(held, lane, error)
        except TimeoutError:
            await self._later(held, lane, TryLater("timeout"))
        else:
            await self._succeed(held, lane)
        return True

    def _is_old(self, held: Held) -> bool:
        """Whether time has passed since it was composed."""
        return held.lease > 1 or self._now() - held.of.due > _FRESH

    async def _succeed(self, held: Held, lane: Lane) -> None:
        if isinstance(held.of, Occasion):  # it ended with what was composed of it
            self._tally.count(lane, "told")
        else:
            await self._end(held, lane, "sent", "")

    async def _later(self, held: Held, lane: Lane, why: TryLater) -> None:
        if held.tries >= self._pace.tries:
            await self._end(held, lane, "dead", why.reason)
            return
        pause = self._pace.pause_after(held.tries, self._chance())
        due = self._now() + round(1000 * max(pause, why.after or 0.0))
        postponed = self._outbox.postpone(held, due, why.reason)
        if await tried(self._log, "postpone", postponed):
            self._tell(held, lane, "delivery_postponed", why.reason)
            self._tally.count(lane, "later")

    async def _end(self, held: Held, lane: Lane, outcome: Outcome, reason: str) -> None:
        settled = self._outbox.settle(held, outcome, reason, self._now())
        if await tried(self._log, "settle", settled):
            self._tell(held, lane, f"delivery_{outcome}", reason)
            self._tally.count(lane, outcome)

    def _tell(self, held: Held, lane: Lane, event: str, reason: str) -> None:
        tell = self._log.error if event == "delivery_dead" else self._log.info
        tell(event, channel=lane, kind=held.kind, tries=held.tries, reason=reason)

    async def _tidy(self) -> None:
        while True:
            await tried(self._log, "expire", self._outbox.expire(self._now()))
            rows = await tried(self._log, "count", self._outbox.backlog(self._now()))
            self._tally.rows = self._tally.rows if rows is None else rows
            await asyncio.sleep(self._pace.tidy)


def lane_of(held: Held) -> Lane:
    """The lane that a row came from."""
    return OCCASIONS if isinstance(held.of, Occasion) else held.of.channel
