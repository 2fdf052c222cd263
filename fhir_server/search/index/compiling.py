"""What is compiled for a resource type: the arms of its parameters' expressions.

Each distinct arm runs once for all parameters that read it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from fhir_server.core.types import JsonObject
from fhir_server.fhirpath import Selector, selector
from fhir_server.fhirpath.environment import CLIENTS_STEPS
from fhir_server.search.index.added import added
from fhir_server.search.index.arms import arms
from fhir_server.search.index.roots import roots
from fhir_server.search.index.rows import Row, Writer
from fhir_server.search.index.systems import implicit_system
from fhir_server.search.index.writers import WRITERS
from fhir_server.spec.search_parameters import BY_URL, SearchParameter

Arm = tuple[Selector, tuple[tuple[Writer, Row], ...]]
"""What selects values, and who writes them for which parameter."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The arms of a type by the JSON property that they need."""

    by_property: Mapping[str, tuple[Arm, ...]]
    always: tuple[Arm, ...]
    """Those of which that cannot be told."""

    def of(self, resource: JsonObject) -> Iterator[Arm]:
        """The arms that may select something of `resource`."""
        yield from self.always
        find = self.by_property.get
        for name in resource:
            found = find(name)
            if found is not None:
                yield from found


def rows(kind: str, parameters: Iterable[SearchParameter], bases: tuple[str, ...]) -> Rows:
    """The arms of all simple parameters of `kind`, and who writes what each selects."""
    by_arm: dict[str, list[tuple[Writer, Row]]] = {}
    standard = set()
    for parameter in parameters:
        if parameter.type == "composite":
            continue
        for arm in arms(kind, parameter.expression or ""):
            row = Row(parameter.code, implicit_system(kind, arm), bases)
            by_arm.setdefault(arm, []).append((WRITERS[parameter.type], row))
            if parameter.url in BY_URL:
                standard.add(arm)
    by_property: dict[str, list[Arm]] = {}
    always: list[Arm] = []
    for arm, writers in by_arm.items():
        if arm in standard:
            select, needed = _standard(kind, arm)
        else:
            select = added(selector(arm, kind, steps=CLIENTS_STEPS))
            needed = roots(kind, arm)
        for name in needed or ():
            by_property.setdefault(name, []).append((select, tuple(writers)))
        if needed is None:
            always.append((select, tuple(writers)))
    return Rows({name: tuple(each) for name, each in by_property.items()}, tuple(always))


@lru_cache(maxsize=4096)  # R4 has 2,400 arms; each is compiled once, however many indexers
def _standard(kind: str, arm: str) -> tuple[Selector, frozenset[str] | None]:
    return selector(arm, kind), roots(kind, arm)
