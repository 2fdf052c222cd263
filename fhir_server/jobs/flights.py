"""Requests on their way, by the definitions that they may have met.

A write computes its index values when it comes and commits them some time later. Whoever has
to know that no write follows older definitions any more asks for the oldest on its way.
"""

from collections.abc import Iterator
from contextlib import contextmanager


class Flights:
    """The requests of this process."""

    def __init__(self) -> None:
        self.fresh = 0
        """When the definitions in force were read: the database's clock, in milliseconds."""
        self._running: dict[int, int] = {}

    def begin(self) -> int:
        """Something that may write begins; `end` takes what this gives."""
        met = self.fresh
        self._running[met] = self._running.get(met, 0) + 1
        return met

    def end(self, met: int) -> None:
        """It has ended, however it did."""
        left = self._running[met] - 1
        if left:
            self._running[met] = left
        else:
            del self._running[met]

    @contextmanager
    def one(self) -> Iterator[None]:
        """Around something that may write; takes 1.2 µs, `begin` and `end` 0.2."""
        met = self.begin()
        try:
            yield
        finally:
            self.end(met)

    @property
    def oldest(self) -> int:
        """The `fresh` that the oldest of them began with."""
        return min(self._running, default=self.fresh)
