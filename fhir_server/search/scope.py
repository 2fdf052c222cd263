"""What the meaning of a search value depends on besides its text; handed to the compiler.

https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from fhir_server.search.limits import SearchLimits
from fhir_server.search.plan import Node
from fhir_server.search.registry import Registry
from fhir_server.spec.search_parameters import SearchParameter

Parse = Callable[[str], Node]
"""One value, or one comma-separated list of values, still escaped, as a predicate."""


class ListedCodes(Protocol):
    """A value set's content."""

    @property
    def codes(self) -> Mapping[tuple[str, str], str | None]:
        """(system, code) -> display."""

    @property
    def complete(self) -> bool:
        """Whether `codes` is all there is."""


class Concepts(Protocol):
    """The questions that `:in`, `:not-in`, `:above` and `:below` ask of terminology."""

    def expand(self, value_set: str) -> ListedCodes:
        """The content of a value set."""

    def ancestors(self, system: str, code: str) -> frozenset[str]:
        """The codes above `code`, itself left out."""

    def descendants(self, system: str, code: str) -> frozenset[str]:
        """The codes below `code`, itself left out."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The server as a search value sees it."""

    registry: Registry
    terminology: Concepts
    bases: tuple[str, ...]
    """Own base URLs, without a slash at the end: references below them are local."""
    now: Callable[[], int]
    """Milliseconds since 1970."""
    limits: SearchLimits


@dataclass(frozen=True, slots=True)
class Asked:
    """A search parameter as one resource type has it, with the modifier asked for."""

    kind: str
    parameter: SearchParameter
    modifier: str = ""

    @property
    def code(self) -> str:
        """As the query names it, without modifier."""
        return self.parameter.code
