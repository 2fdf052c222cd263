"""Values that are worked out when they are first asked for, and kept.

Rights are a predicate for each of 146 types and five permissions; a request asks for two or
three of them.
"""

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import TypeVar

from typing_extensions import override

K = TypeVar("K")
V = TypeVar("V")


class Late(Mapping[K, V]):
    """`make` of each of `keys`. What `make` raises is raised to whoever asks, each time."""

    def __init__(self, keys: AbstractSet[K], make: Callable[[K], V]) -> None:
        self._keys = keys
        self._make = make
        self._made: dict[K, V] = {}

    @override
    def __getitem__(self, key: K) -> V:
        if key not in self._made:
            if key not in self._keys:
                raise KeyError(key)
            self._made[key] = self._make(key)
        return self._made[key]

    @override
    def __iter__(self) -> Iterator[K]:
        return iter(self._keys)

    @override
    def __len__(self) -> int:
        return len(self._keys)
