"""Search expressions taken apart: `Patient.name | Person.name` is two arms.

Parameters of one type share arms (`Observation.code` is in `code` and in `combo-code`), and
most arms of a shared parameter speak of other types. Each arm is compiled once a type, and
only where it can select anything.

https://hl7.org/fhirpath/N1/#union-collections
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from fhir_server.spec.structures import RESOURCE_TYPES, TYPES, Element, is_a

_PIECE: Final = re.compile(r"'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|[()\[\]{}|]|[^'`()\[\]{}|]+")
#: What binds weaker than `|`, at the top level: such an expression stays whole.
_WEAKER: Final = re.compile(r"[=<>~]|(?<!\.)\b(?:and|or|xor|implies|in|contains)\b")
_ROOT: Final = re.compile(r"\(*\s*([A-Z]\w*)\b")
_TYPES: Final = frozenset(RESOURCE_TYPES)

#: Errata of R4's own expressions: FHIR's type is `dateTime`.
_ERRATA: Final = {"as(DateTime)": "as(dateTime)"}


@lru_cache(maxsize=4096)  # clients add parameters, so bounded; R4 has 3,000 of all types
def arms(kind: str, expression: str) -> Sequence[str]:
    """The operands of `expression`'s unions that can select something of a `kind`."""
    for wrong, right in _ERRATA.items():
        expression = expression.replace(wrong, right)
    found = _operands(expression)
    if found is None:
        return (expression.strip(),)
    return tuple(arm for arm in found if _concerns(kind, arm))


def _operands(expression: str) -> list[str] | None:
    """The parts between the bars of the top level; None where they are no whole."""
    parts, depth = [""], 0
    for piece in _pieces(expression):
        if depth == 0 and _WEAKER.search(piece) and piece[0] not in "'`":
            return None
        if piece == "|" and depth == 0:
            parts.append("")
            continue
        depth += (piece in "([{") - (piece in ")]}")
        parts[-1] += piece
    return [part.strip() for part in parts]


def _pieces(expression: str) -> Iterator[str]:
    return (found[0] for found in _PIECE.finditer(expression))


def _concerns(kind: str, arm: str) -> bool:
    """False only for an arm that starts at another resource type."""
    found = _ROOT.match(arm)
    return found is None or found[1] not in _TYPES or is_a(kind, found[1])


_PATH: Final = re.compile(r"[A-Za-z]\w*(?:\.\w+)*", re.ASCII)


def element_of(kind: str, arm: str) -> Element | None:
    """The element of a `kind` that the plain path `arm` ends at; None for anything else."""
    if not _PATH.fullmatch(arm):
        return None
    names = arm.split(".")
    element: Element | None = None
    for name in names[1:] if names[0] == kind else names:
        found = TYPES[kind].properties.get(name) if kind in TYPES else None
        if found is None:
            return None
        element, kind = found.element, found.type.code
    return element
