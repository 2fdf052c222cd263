"""What storage promises about definitions that every process of the server must know: the
adapters are `store.mongo.parameters` and `store.mongo.workers`.

https://hl7.org/fhir/R4/searchparameter.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ParameterState:
    """How far the resources are indexed for a stored search parameter."""

    digest: str
    """Of all that decides about its index values."""
    at: int
    """When it was defined so: `meta.lastUpdated` of the SearchParameter."""
    kinds: frozenset[str]
    """The types it is defined on."""
    covered: frozenset[str]
    """Those of them that have been indexed for it."""

    @property
    def active(self) -> bool:
        """Whether searches may use it."""
        return self.kinds <= self.covered


class ParameterStates(Protocol):
    """The states of the stored search parameters, by canonical URL."""

    async def load(self) -> Mapping[str, ParameterState]:
        """All of them."""

    async def note(self, url: str, state: ParameterState) -> None:
        """Keep the state of another definition of `url`; a newer one stays."""

    async def cover(self, url: str, at: int, kinds: Sequence[str]) -> None:
        """`kinds` have been indexed for the definition of `at`, if it still is the one."""

    async def forget(self, url: str) -> None:
        """The parameter is gone."""


class Workers(Protocol):
    """The server processes, as far as they must know the same definitions."""

    async def time(self) -> int:
        """The database's clock in milliseconds since 1970."""

    async def report(self, worker: str, fresh: int) -> None:
        """`worker` lives, and whatever it still does follows the definitions of `fresh`."""

    async def lagging(self, since: int, seconds: float) -> bool:
        """Whether a worker heard of in the last `seconds` has not reported `since`."""

    async def leave(self, worker: str) -> None:
        """`worker` has ended."""
