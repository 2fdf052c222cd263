"""Index values of composite parameters: what occurs together in one place.

The expression selects the places (an Observation, each of its components); the parts are
expressions relative to a place. A place without a value for one of the parts has none.

https://hl7.org/fhir/R4/search.html#composite
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from fhir_server.core.types import JsonObject
from fhir_server.fhirpath import Selector
from fhir_server.search import keys
from fhir_server.search.index.bounds import bounded_keys
from fhir_server.search.index.rows import Row, Writer
from fhir_server.search.values import Combined, IndexValues, Ranged


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a composite, seen from one place."""

    number: int
    name: str
    """Parts with the same number, name and row are the same part, of several composites."""
    select: Selector
    of_resource: bool
    """The expression starts at the resource (`%resource`), not at the place."""
    write: Writer
    row: Row


Found = tuple[tuple[str, ...], tuple[Ranged, ...]]
"""Keys and ranges of a part, its number leading each."""

_NOTHING: Final[Found] = ((), ())


Composite = tuple[str, tuple[Part, ...]]
"""Code and parts, seen from one place."""


def write_composites(
    values: IndexValues,
    resource: JsonObject,
    place: JsonObject,
    composites: Iterable[Composite],
) -> None:
    """Add what occurs together at `place`, for each composite."""
    known: dict[tuple[int, str, str], Found] = {}
    for code, parts in composites:
        found = _together(known, resource, place, parts)
        if found:
            texts = tuple(key for part, _ in found for key in part)
            ranges = tuple(each for _, part in found for each in part)
            values.combined.append(Combined(code, texts, ranges))


def _together(
    known: dict[tuple[int, str, str], Found],
    resource: JsonObject,
    place: JsonObject,
    parts: tuple[Part, ...],
) -> list[Found]:
    """What each of `parts` found, in their order; empty if one found nothing."""
    found: list[Found] = []
    for part in reversed(parts):  # the last one is a value[x]: the likeliest to be missing
        name = (part.number, part.name, part.row.code)
        if name not in known:
            known[name] = _of_part(part, resource if part.of_resource else place)
        if known[name] == _NOTHING:
            return []
        found.insert(0, known[name])
    return found


def _of_part(part: Part, focus: JsonObject) -> Found:
    selected = part.select(focus)
    if not selected:
        return _NOTHING
    values = IndexValues()
    part.write(values, part.row, selected)
    texts = (*values.tokens, *values.strings, *values.references, *values.uris)
    ranges = (*values.dates, *values.quantities)
    lead = keys.part(part.number, "")
    return (
        tuple([lead + key for key in bounded_keys(texts)]),
        tuple([Ranged(lead + key, lo, hi) for key, lo, hi in ranges]),
    )
