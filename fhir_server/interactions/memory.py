"""What a process remembers for a moment, so that it need not ask for it with every request.

Only what may be a second old belongs here: rules of the house, names of doctors. Who may see
what is never remembered here.
"""

from time import monotonic
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_MOST: Final = 10_000


class Memory(Generic[T]):
    """Values by key, each for `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._kept: dict[str, tuple[float, T]] = {}

    def get(self, key: str) -> T | None:
        """The value of `key`, unless it is too old or was never there."""
        found = self._kept.get(key)
        return None if found is None or monotonic() >= found[0] else found[1]

    def put(self, key: str, value: T) -> None:
        """Remember `value`."""
        if len(self._kept) >= _MOST:
            self._kept.clear()
        self._kept[key] = monotonic() + self._seconds, value
