"""How much one client and one user may ask in a time: token buckets, weighted by cost.

Each worker counts by itself. The defaults let one user fill a worker with reads and no more;
what costs more weighs more. Who reads a public directory without a token is counted by network
address; a caller that nobody had to name is not counted.

https://www.rfc-editor.org/rfc/rfc6585#section-4
"""

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from fhir_server.access.principal import Principal
from fhir_server.core.addresses import party
from fhir_server.core.errors import Throttled
from fhir_server.core.messages import Text

TOO_MANY: Final = Text(
    "Too many requests in a short time; go on in {seconds} s.",
    "Слишком много запросов за короткое время; продолжите через {seconds} с.",
    "Забагато запитів за короткий час; продовжіть через {seconds} с.",
)

WEIGHTS: Final[Mapping[str, int]] = {
    "read": 1,
    "vread": 1,
    "capabilities": 1,
    "job-status": 1,
    "job-cancel": 1,
    "history-instance": 2,
    "search-type": 2,
    "search-compartment": 2,
    "create": 3,
    "update": 6,
    "patch": 6,
    "delete": 6,
    "conditional-update": 8,
    "conditional-patch": 8,
    "conditional-delete": 8,
    "history-type": 5,
    "history-system": 20,
    "search-system": 20,
    "operation": 10,
    "transaction": 10,
}
"""By interaction: processor time in units of a read (docs/performance.md), rounded up."""

ENTRY: Final = 3
"""Of each entry of a Bundle, on top."""

_KEPT: Final = 20_000
"""Buckets kept a worker; the longest unused one, which is full again by then, goes first."""


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


@dataclass(frozen=True, slots=True)
class Budget:
    """What one party may spend."""

    rate: float
    """Units a second; 0: as much as it likes."""
    burst: float
    """Units that may be spent at once after a rest."""


class Budgets:
    """The buckets of one worker."""

    def __init__(
        self, client: Budget, user: Budget, network: Budget, clock: Callable[[], float]
    ) -> None:
        """`clock` gives seconds that never go back."""
        self._budgets = {"client": client, "user": user, "network": network}
        self._clock = clock
        self._buckets: OrderedDict[tuple[str, str], _Bucket] = OrderedDict()

    def charge(self, principal: Principal | None, units: float) -> None:
        """Take `units` from the client's bucket and the user's.

        A bucket may be overdrawn once by a single costly request: it is refused only while
        there is nothing left.

        Raises:
            Throttled: one of them is empty; carries Retry-After. Nothing is taken then.
        """
        self._take(self._of(principal), units)

    def charge_network(self, address: str, units: float) -> None:
        """The same for somebody without a token, at a network address.

        Raises:
            Throttled: as `charge`.
        """
        self._take([self._filled("network", party(address))], units)

    def _take(self, buckets: list[tuple[str, _Bucket]], units: float) -> None:
        longest = max((self._wait(kind, bucket) for kind, bucket in buckets), default=0.0)
        if longest > 0:
            seconds = math.ceil(longest)
            error = Throttled(TOO_MANY, seconds=seconds)
            error.headers = {"Retry-After": str(seconds)}
            raise error
        for _, bucket in buckets:
            bucket.left -= units

    def spend(self, principal: Principal | None, units: float) -> None:
        """Take `units` more for a request that was let through."""
        for _, bucket in self._of(principal):
            bucket.left -= units

    def _of(self, principal: Principal | None) -> list[tuple[str, _Bucket]]:
        if principal is None:
            return []
        user = principal.account or principal.user
        parties = [("client", principal.client), *([("user", user)] if user else [])]
        return [self._filled(kind, name) for kind, name in parties if self._budgets[kind].rate]

    def _filled(self, kind: str, name: str) -> tuple[str, _Bucket]:
        budget, now = self._budgets[kind], self._clock()
        bucket = self._buckets.pop((kind, name), None) or _Bucket(budget.burst, now)
        bucket.left = min(budget.burst, bucket.left + (now - bucket.at) * budget.rate)
        bucket.at = now
        self._buckets[kind, name] = bucket
        while len(self._buckets) > _KEPT:
            self._buckets.popitem(last=False)
        return kind, bucket

    def _wait(self, kind: str, bucket: _Bucket) -> float:
        """Seconds until there is something left."""
        return 0.0 if bucket.left > 0 else (1 - bucket.left) / self._budgets[kind].rate
