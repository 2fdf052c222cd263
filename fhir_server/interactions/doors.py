"""From what a door was asked to the command that says it (design law 2).

HTTP and Bundle entries fill the same `Asked`; nothing else decides which verb on which path
means which interaction.

https://hl7.org/fhir/R4/http.html#summary
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote_plus

from fhir_server.core.errors import BadValue, MethodNotAllowed, MissingElement, UnknownParameter
from fhir_server.core.messages import Text
from fhir_server.core.paths import Target
from fhir_server.core.types import JsonObject
from fhir_server.interactions.commands import (
    Change,
    Command,
    ConditionalDelete,
    ConditionalPatch,
    ConditionalUpdate,
    Create,
    Delete,
    History,
    Pairs,
    Patch,
    Read,
    Search,
    Update,
    VRead,
)
from fhir_server.spec.interactions import BY_ROUTE, methods

NOT_ALLOWED: Final = Text(
    "{method} means nothing here; this path answers {allow}.",
    "{method} здесь не имеет смысла; по этому пути возможны {allow}.",
    "{method} тут не має змісту; за цим шляхом можливі {allow}.",
)
NO_QUERY: Final = Text(
    "A create has no parameter `{name}`; criteria belong into If-None-Exist.",
    "У создания нет параметра `{name}`; критерии указывают в If-None-Exist.",
    "Створення не має параметра `{name}`; критерії вказують в If-None-Exist.",
)
NO_RESOURCE: Final = Text(
    "A resource is needed in the body.",
    "В теле запроса нужен ресурс.",
    "У тілі запиту потрібен ресурс.",
)
NO_PATCH: Final = Text(
    "A patch is needed in the body.",
    "В теле запроса нужен патч.",
    "У тілі запиту потрібен патч.",
)
BAD_QUERY: Final = Text(
    "The query is not UTF-8 in percent-encoding, or has more than {limit} parameters.",
    "Запрос записан не в UTF-8 с процентным кодированием или в нём больше {limit} параметров.",
    "Запит записано не в UTF-8 з відсотковим кодуванням або в ньому понад {limit} параметрів.",
)

#: Say how the answer is written: http.html#parameters.
_OF_ANSWERS: Final = frozenset({"_format", "_pretty", "_summary", "_elements"})

MAX_PARAMETERS: Final = 1000
"""Of one query: the longest real ones join some hundreds of values by commas instead."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, whatever it came through; header values as they were written."""

    method: str
    target: Target
    pairs: Pairs = ()
    resource: JsonObject | None = None
    change: Change | None = None
    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: str | None = None
    if_none_exist: str | None = None
    media: str | None = None
    """What the answer of an operation is to be, if no resource."""


def parse_query(text: str) -> Pairs:
    """A query string as pairs: decoded, in order, repeats and empty values kept.

    Raises:
        BadValue: it is not UTF-8, or too many.
    """
    parts = text.split("&")
    if len(parts) > MAX_PARAMETERS:
        raise BadValue(BAD_QUERY, limit=MAX_PARAMETERS)
    pairs: list[tuple[str, str]] = []
    for part in parts:
        if part:
            name, _, value = part.partition("=")
            pairs.append((_decoded(name), _decoded(value)))
    return tuple(pairs)


def _decoded(text: str) -> str:
    if "%" not in text and "+" not in text:
        return text
    return _remembered(text) if len(text) <= _SHORT else _unquoted(text)


def _unquoted(text: str) -> str:
    try:
        return unquote_plus(text, errors="strict")
    except UnicodeDecodeError as error:
        raise BadValue(BAD_QUERY, limit=MAX_PARAMETERS) from error


_SHORT: Final = 128  # characters; what is kept for longer is not worth its room
_remembered: Final = lru_cache(maxsize=4096)(_unquoted)  # names and codes come again


def interaction_of(method: str, target: Target) -> str:
    """The code of the interaction that `method` on `target` is.

    Raises:
        MethodNotAllowed: it is none.
    """
    row = BY_ROUTE.get(("GET" if method == "HEAD" else method, target.shape))
    if row is None:
        allow = methods(target.shape)
        raise MethodNotAllowed(NOT_ALLOWED, method=method, allow=allow)
    return row.code


def command(asked: Asked) -> Command:
    """The command of every interaction but operation, transaction and capabilities.

    Raises:
        MethodNotAllowed: no interaction has this verb and path.
        MissingElement: the body that it needs is absent.
        BadValue: If-None-Exist is no query.
        UnknownParameter: a create has criteria in its URL.
    """
    code = interaction_of(asked.method, asked.target)
    kind, id_ = asked.target.type or "", asked.target.id or ""
    match code:
        case "read":
            return Read(kind, id_, *_unless(asked), view=asked.pairs)
        case "vread":
            version = asked.target.version or ""
            return VRead(kind, id_, version, *_unless(asked), view=asked.pairs)
        case "create":
            check_create(asked.pairs)
            return Create(kind, _resource(asked), _condition(asked))
        case "update":
            return Update(kind, id_, _resource(asked), asked.if_match, asked.if_none_match)
        case "conditional-update":
            return ConditionalUpdate(kind, asked.pairs, _resource(asked), asked.if_match)
        case "patch":
            return Patch(kind, id_, _change(asked), asked.if_match)
        case "conditional-patch":
            return ConditionalPatch(kind, asked.pairs, _change(asked), asked.if_match)
        case "delete":
            return Delete(kind, id_, asked.if_match)
        case "conditional-delete":
            return ConditionalDelete(kind, asked.pairs, asked.if_match)
        case "history-instance" | "history-type" | "history-system":
            return History(asked.target.type, asked.target.id, asked.pairs)
        case _:
            return _search(asked)


def check_create(pairs: Pairs) -> None:
    """Raise UnknownParameter for criteria in the URL of a create, where they have no effect."""
    for name, _ in pairs:
        if name not in _OF_ANSWERS:
            raise UnknownParameter(NO_QUERY, name=name[:100], expression=name[:100])


def _unless(asked: Asked) -> tuple[str | None, str | None]:
    return asked.if_none_match, asked.if_modified_since


def _search(asked: Asked) -> Search:
    target = asked.target
    if target.member is None:
        return Search(target.type, asked.pairs)
    member = None if target.member == "*" else target.member
    return Search(member, asked.pairs, compartment=f"{target.type}/{target.id}")


def _resource(asked: Asked) -> JsonObject:
    if asked.resource is None:
        raise MissingElement(NO_RESOURCE)
    return asked.resource


def _change(asked: Asked) -> Change:
    if asked.change is None:
        raise MissingElement(NO_PATCH)
    return asked.change


def _condition(asked: Asked) -> Pairs | None:
    if asked.if_none_exist is None:
        return None
    return parse_query(asked.if_none_exist.removeprefix("?"))
