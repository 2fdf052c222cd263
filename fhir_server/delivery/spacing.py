"""Messages apart in time: a gateway that takes so many a second is not sent more.

Each process counts by itself. There is no burst: what a gateway counts in windows of its own
would let two of them meet.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from fhir_server.delivery.carriers import TryLater

LONGEST: Final = 10.0
"""Seconds for which one message waits here, with its lease; it comes again otherwise."""


class Spacing:
    """`await spacing.turn()` before each message."""

    def __init__(
        self,
        rate: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`rate`: messages a second, at least 1; `clock` gives seconds that never go back."""
        self._apart = 1 / rate
        self._clock = clock
        self._sleep = sleep
        self._next = clock()

    async def turn(self) -> None:
        """Wait for it.

        Raises:
            TryLater: too many wait already.
        """
        now = self._clock()
        begin = max(now, self._next)
        if begin - now > LONGEST:
            raise TryLater("gateway-rate", begin - now)
        self._next = begin + self._apart
        if begin > now:
            await self._sleep(begin - now)
