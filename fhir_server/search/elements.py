"""Which data types a search parameter's expression selects, read from the tables alone.

Enough of FHIRPath to read the paths of R4's own parameters: steps, `as`, `where(…)`.

https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.expression
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from fhir_server.spec.search_parameters import SearchParameter
from fhir_server.spec.structures import TYPES, ElementType

_CONDITION: Final = re.compile(r"\.where\((?:[^()]|\([^()]*\))*\)")
_CAST: Final = re.compile(r"\s+as\s+(\w+)|\.(?:as|ofType)\((\w+)\)")


@lru_cache(maxsize=4096)  # parameters times types in use; R4 has 3,000 and few are asked for
def types_of(kind: str, parameter: SearchParameter) -> frozenset[str]:
    """The types of what `parameter` selects in a `kind`, e.g. `Reference`, `canonical`;
    empty where the expression is beyond this reader."""
    expression = _CONDITION.sub("", parameter.expression or "")
    return frozenset(
        found
        for path in expression.split("|")
        for found in _of_path(kind, path.strip().strip("()").strip())
    )


def _of_path(kind: str, path: str) -> Iterator[str]:
    cast = _CAST.search(path)
    steps = _CAST.sub("", path).strip("() ").split(".")
    if steps[0] not in (kind, "Resource", "DomainResource"):
        return
    found = _walk([kind], steps[1:])
    only = (cast[1] or cast[2]) if cast else None
    yield from (only,) if only and found else found


def _walk(kinds: list[str], steps: list[str]) -> list[str]:
    for step in steps:
        kinds = [each.code for kind in kinds for each in _types(kind, step)]
    return kinds


def _types(kind: str, step: str) -> Iterator[ElementType]:
    if kind in TYPES:
        for element in TYPES[kind].elements:
            if element.name == step:
                yield from element.types
