"""Requests on their way, by the definitions that they may have met.

A write computes its index values when it comes and commits them some time later. Whoever has
to know that no write follows older definitions any more asks for the oldest on its way.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Flights:
    """The requests of this process."""

    def __init__(self) -> None:
        self.fresh = 0
        """When the definitions in force were read: the database's clock, in milliseconds."""
        self._running: Counter[int] = Counter()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Around everything that may write."""
        met = self.fresh
        self._running[met] += 1
        try:
            yield
        finally:
            self._running[met] -= 1
            if not self._running[met]:
                del self._running[met]

    @property
    def oldest(self) -> int:
        """The `fresh` that the oldest of them began with."""
        return min(self._running, default=self.fresh)
