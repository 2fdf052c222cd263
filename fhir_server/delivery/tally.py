"""What a process counts of its deliveries; labels come from closed vocabularies."""

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from fhir_server.store.outgoing import Lane, Outcome

Counted: TypeAlias = Outcome | Literal["later"]
"""How a try ended; `later`: it will be tried again."""


class Tally:
    """Of one process since it began."""

    def __init__(self) -> None:
        self.tries: dict[tuple[Lane, Counted], int] = {}
        self.rows: Mapping[tuple[Lane, str], int] = {}
        """Of all processes: how many rows of a lane are `due` or `dead`, a minute ago at
        most."""
        self.changed: Callable[[], None] = _ignored
        """Called behind each count."""

    def count(self, lane: Lane, ended: Counted) -> None:
        """One try more."""
        self.tries[lane, ended] = self.tries.get((lane, ended), 0) + 1
        self.changed()


def _ignored() -> None:
    """Nobody wants to know."""
