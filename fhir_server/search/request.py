"""A search request: raw name-value pairs, sorted into criteria and result parameters.

Nothing here knows a search parameter; that is the compiler's part. Every problem found is
kept as an Issue, so that a client hears of all at once.

https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from fhir_server.core.errors import (
    BadValue,
    FhirError,
    NotSupported,
    TooCostly,
    UnknownParameter,
)
from fhir_server.core.messages import Text
from fhir_server.search.limits import SearchLimits
from fhir_server.search.plan import Total
from fhir_server.spec.structures import RESOURCE_TYPES

BAD_COUNT: Final = Text(
    "`{value}` is not a number of results: expected 0, 1, 2 …",
    "`{value}` — не число результатов: ожидается 0, 1, 2 …",
    "`{value}` — не кількість результатів: очікується 0, 1, 2 …",
)
NOT_ONE_OF: Final = Text(
    "`{value}` is not a value of `{name}`: expected one of {expected}.",
    "`{value}` — не значение `{name}`: ожидается одно из {expected}.",
    "`{value}` — не значення `{name}`: очікується одне з {expected}.",
)
NO_SUCH_TYPE: Final = Text(
    "There is no resource type `{value}` in FHIR R4.",
    "В FHIR R4 нет типа ресурса `{value}`.",
    "У FHIR R4 немає типу ресурсу `{value}`.",
)
UNKNOWN_RESULT: Final = Text(
    "`{name}` is not a parameter of a search.",
    "`{name}` — не параметр поиска.",
    "`{name}` — не параметр пошуку.",
)
NOT_OFFERED: Final = Text(
    "`{name}={value}` is not supported by this server.",
    "Этот сервер не поддерживает `{name}={value}`.",
    "Цей сервер не підтримує `{name}={value}`.",
)
UNUSABLE_CHARACTER: Final = Text(
    "`{name}` holds a character that no resource can hold.",
    "`{name}` содержит символ, которого не может быть ни в одном ресурсе.",
    "`{name}` містить символ, якого не може бути в жодному ресурсі.",
)
TOO_MANY: Final = Text(
    "A search may have {limit} parameters, {count} were given.",
    "У поиска может быть параметров: {limit}, дано {count}.",
    "Пошук може мати параметрів: {limit}, надано {count}.",
)
TOO_LONG: Final = Text(
    "A search may have {limit} characters, {count} were given.",
    "В поиске может быть знаков: {limit}, дано {count}.",
    "Пошук може мати знаків: {limit}, надано {count}.",
)

Pairs = Sequence[tuple[str, str]]
Summary = Literal["true", "text", "data", "count", "false"]

Contained = Literal["true", "both", "false"]
ContainedType = Literal["container", "contained"]

CURSOR: Final = "_cursor"
"""Where paging keeps its place; ours, so clients only repeat it."""

_SHOWN: Final = 64  # characters of a refused value that its message repeats
_INCLUDES: Final = frozenset({"_include", "_revinclude"})
_ONCE: Final = frozenset({"_count", "_total", "_summary", "_contained", "_containedType"})
"""Of these the last one counts."""
_TYPES: Final = frozenset(RESOURCE_TYPES)
_DIGITS: Final = 9  # of a `_count`; more are as good as this many


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What a client asked, read but not yet understood as criteria."""

    criteria: tuple[tuple[str, str], ...] = ()
    kept: tuple[tuple[str, str], ...] = ()
    """Every pair that takes effect, in order and without the cursor, for the links."""
    types: tuple[str, ...] = ()
    """`_type`."""
    sort: tuple[str, ...] = ()
    count: int | None = None
    total: Total | None = None
    summary: Summary = "false"
    elements: tuple[str, ...] = ()
    includes: tuple[tuple[str, str], ...] = ()
    """Name with modifier, and value."""
    contained: Contained = "false"
    contained_type: ContainedType = "container"
    cursor: str | None = None
    explain: bool = False


@dataclass(slots=True)
class Problems:
    """What was found wrong, each with the name of its parameter."""

    lenient: bool = False
    refused: list[FhirError] = field(default_factory=list)
    ignored: list[FhirError] = field(default_factory=list)
    dropped: set[tuple[str, str]] = field(default_factory=set)
    """The pairs that `ignored` speaks of."""

    def note(self, error: FhirError, name: str, *values: str) -> None:
        """Lenient handling forgives what is unknown or not offered, never a bad value."""
        if self.lenient and isinstance(error, UnknownParameter | NotSupported):
            self.ignored.append(error.at(name))
            self.dropped.update((name, value) for value in values)
        else:
            self.refused.append(error.at(name))


def parse(pairs: Pairs, problems: Problems, limits: SearchLimits) -> SearchRequest:
    """Sort `pairs` into a request; `problems` gets what is wrong with them.

    "Empty parameters are not an error - they are just ignored by the server."

    Raises:
        TooCostly: they are too many or too long.
    """
    _bound(pairs, limits)
    criteria: list[tuple[str, str]] = []
    kept: list[tuple[str, str]] = []
    result: dict[str, Any] = {}
    for pair in pairs:
        name, value = pair
        if not value:
            continue
        read = _RESULT.get(name.partition(":")[0]) if name[:1] == "_" else None
        try:
            _check_characters(name, value)
            if read is None:
                criteria.append(pair)
            else:
                _check_modifier(name)
                result.update(read(result, name, value))
        except FhirError as error:
            problems.note(error, name)
        else:
            if name in _ONCE:
                kept = [each for each in kept if each[0] != name]
            kept.append(pair)
    if "cursor" in result:
        kept = [pair for pair in kept if pair[0] != CURSOR]
    if result.get("count") == 0:
        result["summary"] = "count"
    return SearchRequest(tuple(criteria), tuple(kept), **result)


def _bound(pairs: Pairs, limits: SearchLimits) -> None:
    if len(pairs) > limits.parameters:
        raise TooCostly(TOO_MANY, limit=limits.parameters, count=len(pairs))
    length = sum(len(name) + len(value) for name, value in pairs)
    if length > limits.length:
        raise TooCostly(TOO_LONG, limit=limits.length, count=length)


def _check_characters(name: str, value: str) -> None:
    """Refuse NUL and halves of surrogate pairs, which no JSON string of a resource holds."""
    if value.isascii() and name.isascii() and "\0" not in value and "\0" not in name:
        return
    try:
        encoded = f"{name}{value}".encode()
    except UnicodeEncodeError:
        encoded = b"\0"
    if b"\0" in encoded:
        shown = name.encode("ascii", "replace").decode().replace("\0", "?")
        raise BadValue(UNUSABLE_CHARACTER, name=shown[:_SHOWN])


def _check_modifier(name: str) -> None:
    base, colon, modifier = name.partition(":")
    if colon and (base not in _INCLUDES or modifier not in ("iterate", "recurse")):
        raise UnknownParameter(UNKNOWN_RESULT, name=name[:_SHOWN])


Found = Mapping[str, Any]
Read = Callable[[Found, str, str], Found]


def _sort(found: Found, _: str, value: str) -> Found:
    items = tuple(item for item in value.split(",") if item)
    return {"sort": (*found.get("sort", ()), *items)}


def _count(_: Found, __: str, value: str) -> Found:
    if not (value.isascii() and value.isdigit()):
        raise BadValue(BAD_COUNT, value=value[:_SHOWN])
    count = int(value[-_DIGITS:]) if len(value) <= _DIGITS else 10**_DIGITS
    return {"count": count}


def _one_of(key: str, values: Iterable[str]) -> Read:
    allowed = frozenset(values)

    def read(_: Found, name: str, value: str) -> Found:
        if value not in allowed:
            expected = ", ".join(sorted(allowed))
            raise BadValue(NOT_ONE_OF, value=value[:_SHOWN], name=name, expected=expected)
        return {key: value}

    return read


_total: Final = _one_of("total", ("none", "estimate", "accurate"))
_summary: Final = _one_of("summary", ("true", "text", "data", "count", "false"))
_contained: Final = _one_of("contained", ("true", "both", "false"))
_contained_type: Final = _one_of("contained_type", ("container", "contained"))
_boolean: Final = _one_of("explain", ("true", "false"))


def _elements(found: Found, _: str, value: str) -> Found:
    items = tuple(item for item in value.split(",") if item)
    return {"elements": (*found.get("elements", ()), *items)}


def _include(found: Found, name: str, value: str) -> Found:
    return {"includes": (*found.get("includes", ()), (name, value))}


def _type(found: Found, _: str, value: str) -> Found:
    items = [item for item in value.split(",") if item]
    for item in items:
        if item not in _TYPES:
            raise BadValue(NO_SUCH_TYPE, value=item[:_SHOWN])
    return {"types": tuple(dict.fromkeys((*found.get("types", ()), *items)))}


def _explain(_: Found, name: str, value: str) -> Found:
    return {"explain": _boolean(_, name, value)["explain"] == "true"}


def _not_offered(_: Found, name: str, value: str) -> Found:
    raise NotSupported(NOT_OFFERED, name=name, value=value[:_SHOWN])


def _of_the_wire(*_: object) -> Found:
    """Read by whoever writes the answer."""
    return {}


_RESULT: Final[Mapping[str, Read]] = {
    "_sort": _sort,
    "_count": _count,
    "_total": _total,
    "_summary": _summary,
    "_elements": _elements,
    "_include": _include,
    "_revinclude": _include,
    "_type": _type,
    "_contained": _contained,
    "_containedType": _contained_type,
    "_query": _not_offered,
    "_score": _not_offered,
    "_format": _of_the_wire,
    "_pretty": _of_the_wire,
    "_explain": _explain,
    CURSOR: lambda _, __, value: {"cursor": value},
}
