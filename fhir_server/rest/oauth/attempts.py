"""How often one network address may fail: guessing secrets, codes and tokens is slow work.
Of IPv6 the 64 bits are counted that one party is given.

Successes are not counted, so that a clinic behind one address is not stopped by its size; but
for registrations where anybody may make them. Each worker counts by itself, in windows.

https://www.rfc-editor.org/rfc/rfc6749#section-10.10
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from starlette.requests import Request

from fhir_server.core.addresses import party

WINDOW: Final = 60.0  # seconds
HOUR: Final = 3600.0  # seconds
KEPT: Final = 20_000
"""Addresses remembered, per worker."""


class Attempts:
    """`service.Throttle` by failures."""

    def __init__(self, most: int, clock: Callable[[], float], window: float = WINDOW) -> None:
        """`most` in a window of so many seconds; `clock` gives seconds that never go back."""
        self._most = most
        self._clock = clock
        self._window = window
        self._failures: OrderedDict[str, tuple[float, int]] = OrderedDict()

    async def wait(self, endpoint: str, request: Request) -> int | None:
        """Seconds until the window of this address is over, where it has failed too often."""
        del endpoint
        begun, count = self._failures.get(_address(request), (0.0, 0))
        left = begun + self._window - self._clock()
        return math.ceil(left) if count >= self._most and left > 0 else None

    async def failed(self, endpoint: str, request: Request) -> None:
        """Count it."""
        del endpoint
        address, now = _address(request), self._clock()
        begun, count = self._failures.pop(address, (now, 0))
        fresh = now < begun + self._window
        self._failures[address] = (begun, count + 1) if fresh else (now, 1)
        while len(self._failures) > KEPT:
            self._failures.popitem(last=False)


def _address(request: Request) -> str:
    return "" if request.client is None else party(request.client.host)
