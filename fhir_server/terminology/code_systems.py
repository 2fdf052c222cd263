"""A code system as concepts with a hierarchy.

https://hl7.org/fhir/R4/codesystem.html
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

JsonObject = dict[str, Any]

_COMPLETE: Final = frozenset({"complete", None})


@dataclass(frozen=True, slots=True)
class Concept:
    """One code with what the system says of it."""

    system: str
    code: str
    display: str | None
    properties: Mapping[str, tuple[Any, ...]]
    """Property code -> values, in their order."""


@dataclass(frozen=True, slots=True)
class CodeSystem:
    """A code system whose codes are listed; the hierarchy may have several parents a code."""

    url: str
    version: str | None
    complete: bool
    """Whether a code that is not listed is known to be wrong."""
    concepts: Mapping[str, Concept]
    """By code, in the definition's order."""
    parents: Mapping[str, tuple[str, ...]]
    children: Mapping[str, tuple[str, ...]]

    def descendants(self, code: str) -> frozenset[str]:
        """Every code below `code`, itself left out."""
        return _reachable(self.children, code)

    def ancestors(self, code: str) -> frozenset[str]:
        """Every code above `code`, itself left out."""
        return _reachable(self.parents, code)


def read(row: JsonObject) -> CodeSystem:
    """A CodeSystem resource as a record; concepts without a code are passed over."""
    concepts: dict[str, Concept] = {}
    links: dict[tuple[str, str], None] = {}
    for parent, each in _flat(row.get("concept", ()), None):
        concept = _concept(row["url"], each)
        concepts.setdefault(concept.code, concept)
        links.update(dict.fromkeys(_links(parent, concept)))
    return CodeSystem(
        url=row["url"],
        version=row.get("version"),
        complete=row.get("content") in _COMPLETE,
        concepts=concepts,
        parents=_grouped((child, parent) for parent, child in links),
        children=_grouped(links),
    )


def _flat(
    rows: Iterable[JsonObject], parent: str | None
) -> Iterator[tuple[str | None, JsonObject]]:
    for row in rows:
        if "code" in row:
            yield parent, row
            yield from _flat(row.get("concept", ()), row["code"])


def _concept(system: str, row: JsonObject) -> Concept:
    properties: dict[str, tuple[Any, ...]] = {}
    for each in row.get("property", ()):
        values = tuple(value for name, value in each.items() if name.startswith("value"))
        properties[each["code"]] = properties.get(each["code"], ()) + values
    return Concept(system, row["code"], row.get("display"), properties)


def _links(parent: str | None, concept: Concept) -> Iterator[tuple[str, str]]:
    """Pairs of parent and child; HL7's v3 systems say second parents by `child`."""
    if parent is not None:
        yield parent, concept.code
    for child in concept.properties.get("child", ()):
        yield concept.code, child
    for name in ("parent", "subsumedBy", "partOf"):
        for above in concept.properties.get(name, ()):
            if isinstance(above, str):
                yield above, concept.code


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in found.items()}


def _reachable(links: Mapping[str, tuple[str, ...]], start: str) -> frozenset[str]:
    seen: set[str] = set()
    waiting = list(links.get(start, ()))
    while waiting:
        code = waiting.pop()
        if code not in seen:
            seen.add(code)
            waiting.extend(links.get(code, ()))
    return frozenset(seen - {start})
