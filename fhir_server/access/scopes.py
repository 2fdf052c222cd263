"""SMART scopes of versions 1 and 2, as sets of permission letters.

A scope that cannot be read is no scope: it never becomes a wider one. Other scopes (`openid`,
`launch/patient`, `offline_access`) are the business of `smart`.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal
from urllib.parse import parse_qsl, urlencode

from fhir_server.spec.interactions import ScopeLetter
from fhir_server.spec.structures import RESOURCE_TYPES

Level = Literal["patient", "user", "system"]
Form = Literal["v1", "v2"]

LETTERS: Final[tuple[ScopeLetter, ...]] = ("c", "r", "u", "d", "s")
"""In the order in which a scope must have them."""
ALL_TYPES: Final = "*"
URI: Final = "http://smarthealthit.org/fhir/scopes/"
"""What leads a scope where it is written as a URI."""

_V1: Final = {"read": "rs", "write": "cud", "*": "cruds"}
_SCOPE: Final = re.compile(
    r"(?P<level>patient|user|system)/(?P<type>\*|[A-Z][A-Za-z]+)"
    r"\.(?:(?P<v1>read|write|\*)|(?P<v2>(?=[cruds])c?r?u?d?s?))(?:\?(?P<query>[^\s]+))?"
)


@dataclass(frozen=True, slots=True)
class ResourceScope:
    """One `level/type.letters?query`."""

    level: Level
    type: str
    """`*`: every type."""
    letters: frozenset[ScopeLetter]
    query: tuple[tuple[str, str], ...] = ()
    """Search parameters that a resource reached by this scope meets, all of them."""
    form: Form = "v2"
    """How it was written; a client that asked in one is answered in the same."""

    @property
    def text(self) -> str:
        """As a client writes it."""
        return f"{self.level}/{self.type}.{self._permission}{self._filter}"

    @property
    def _permission(self) -> str:
        if self.form == "v1":
            for name, letters in _V1.items():
                if self.letters == letters_of(letters):
                    return name
        return "".join(letter for letter in LETTERS if letter in self.letters)

    @property
    def _filter(self) -> str:
        return f"?{urlencode(self.query, safe='|:/,')}" if self.query else ""

    def covers(self, other: "ResourceScope") -> bool:
        """Whether whatever `other` allows is allowed by this one alone."""
        return (
            self.level == other.level
            and self.type in (ALL_TYPES, other.type)
            and self.letters >= other.letters
            and set(self.query) <= set(other.query)
        )

    def common(self, other: "ResourceScope") -> "ResourceScope | None":
        """What both allow, as this one is written; None where that is nothing.

        `patient/*.rs` and `patient/Observation.cruds` have `patient/Observation.rs` in common.
        """
        letters = self.letters & other.letters
        types = {self.type, other.type} - {ALL_TYPES}
        if self.level != other.level or not letters or len(types) > 1:
            return None
        query = tuple(dict.fromkeys(self.query + other.query))
        kind = next(iter(types), ALL_TYPES)
        return replace(self, type=kind, letters=letters, query=query)


def parse_scope(text: str) -> ResourceScope | None:
    """Read one scope; None unless it is a resource scope of a type of R4."""
    found = _SCOPE.fullmatch(text.removeprefix(URI))
    if not found or found["type"] not in (ALL_TYPES, *RESOURCE_TYPES):
        return None
    query = _query(found["query"])
    # One filter for every type would be refused for most of them.
    if query is None or (query and found["type"] == ALL_TYPES):
        return None
    level: Level = found["level"]  # type: ignore[assignment]  # the expression says so
    letters = letters_of(_V1[found["v1"]] if found["v1"] else found["v2"])
    form: Form = "v1" if found["v1"] else "v2"
    return ResourceScope(level, found["type"], letters, query, form)


def letters_of(text: str) -> frozenset[ScopeLetter]:
    """The permission letters in `text`."""
    return frozenset(letter for letter in LETTERS if letter in text)


def _query(text: str | None) -> tuple[tuple[str, str], ...] | None:
    """The pairs of a filter, all with a value; None where one has none."""
    if text is None:
        return ()
    try:
        return tuple(parse_qsl(text, strict_parsing=True)) or None
    except ValueError:
        return None


def parse_scopes(text: str) -> tuple[ResourceScope, ...]:
    """The resource scopes among `text`, parted by spaces, each once, in their order."""
    found = (parse_scope(each) for each in text.split())
    return tuple(dict.fromkeys(each for each in found if each is not None))


def granted(
    asked: Iterable[ResourceScope], allowed: Iterable[ResourceScope]
) -> tuple[ResourceScope, ...]:
    """What of `asked` lies within `allowed`, never more than either.

    A scope that is allowed whole stays as it was asked for; another becomes its parts.
    """
    known = tuple(allowed)
    found: list[ResourceScope] = []
    for each in asked:
        if any(other.covers(each) for other in known):
            found.append(each)
        else:
            found += _parts(each, known)
    return tuple(dict.fromkeys(found))


def _parts(asked: ResourceScope, allowed: Iterable[ResourceScope]) -> Iterator[ResourceScope]:
    for other in allowed:
        common = asked.common(other)
        if common is not None:
            yield common


def of_level(scopes: Iterable[ResourceScope], *levels: Level) -> tuple[ResourceScope, ...]:
    """Those of `scopes` that have one of `levels`."""
    return tuple(each for each in scopes if each.level in levels)
