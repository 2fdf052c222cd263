"""Index values of composite parameters: what occurs together in one place.

The expression selects the places (an Observation, each of its components); the parts are
expressions relative to a place. A place without a value for one of the parts has none.

https://hl7.org/fhir/R4/search.html#composite
"""

from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from fhir_server.core.types import JsonObject
from fhir_server.fhirpath import Environment, Selector
from fhir_server.search import keys
from fhir_server.search.index.bounds import bounded_keys
from fhir_server.search.index.rows import Row, Values, Writer
from fhir_server.search.values import Combined, IndexValues, Ranged


class Source(NamedTuple):
    """An expression that parts read, relative to the place or to the resource."""

    select: Selector
    of_resource: bool
    """It starts at the resource (`%resource`), not at the place."""


class Part(NamedTuple):
    """One part, shared by the composites that have it at the same number."""

    source: int
    """In `Place.sources`."""
    number: int
    write: Writer
    row: Row
    """Its code is led by the number, and so are its keys."""


class Composite(NamedTuple):
    """A composite parameter at one place."""

    code: str
    parts: tuple[int, ...]
    """In `Place.parts`."""
    sources: tuple[int, ...]
    """Of all its parts: one that selects nothing, and there is no value."""


@dataclass(frozen=True, slots=True)
class Place:
    """What is looked for in one place, each thing once."""

    sources: tuple[Source, ...]
    parts: tuple[Part, ...]
    composites: tuple[Composite, ...]


class _Found(NamedTuple):
    """Keys and ranges of a part, its number leading each."""

    keys: tuple[str, ...]
    ranges: tuple[Ranged, ...]


def write_composites(
    values: IndexValues,
    resource: JsonObject,
    focus: JsonObject,
    place: Place,
    env: Environment,
) -> None:
    """Add what occurs together at `focus`, a `place` of `resource`, which `env` is around."""
    selected = [
        select(resource if of_resource else focus, env) for select, of_resource in place.sources
    ]
    known: dict[int, _Found] = {}
    scratch = IndexValues()
    for code, parts, sources in place.composites:
        if not all(map(selected.__getitem__, sources)):
            continue
        for index in parts:
            if index not in known:
                part = place.parts[index]
                known[index] = _of_part(part, selected[part.source], scratch)
        found = [known[index] for index in parts]
        if all(each.keys or each.ranges for each in found):
            texts = tuple([key for each in found for key in each.keys])
            ranges = tuple([one for each in found for one in each.ranges])
            values.combined.append(Combined(code, texts, ranges))


def _of_part(part: Part, selected: Values, scratch: IndexValues) -> _Found:
    """What the part's writer writes; `scratch` is empty before and after."""
    part.write(scratch, part.row, selected)
    texts = (scratch.tokens, scratch.strings, scratch.references, scratch.uris)
    ranges = (scratch.dates, scratch.quantities)
    found = _Found(_bounded(part.number, list(chain(*texts))), tuple(chain(*ranges)))
    for each in (*texts, *ranges):
        each.clear()
    return found


def _bounded(number: int, found: list[str]) -> tuple[str, ...]:
    """`found` without duplicates, each bounded as it would be without its part's number."""
    joined = "".join(found)
    if joined.isascii() and len(joined) <= keys.MAX_KEY:
        return tuple(dict.fromkeys(found))
    lead = keys.part(number, "")
    return tuple([lead + key for key in bounded_keys(key[len(lead) :] for key in found)])
