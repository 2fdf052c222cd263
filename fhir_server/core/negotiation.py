"""What a client asks of the answer's form, and says of its own body's: the header grammar.

Every function here is pure and remembers its last headers: clients send few different ones.

https://hl7.org/fhir/R4/http.html#mime-type
https://www.rfc-editor.org/rfc/rfc9110#name-content-negotiation
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Literal, get_args

from fhir_server.core.errors import BadValue, NotAcceptable, UnsupportedMediaType
from fhir_server.core.header_values import items, parameters, weight
from fhir_server.core.messages import Text

CANNOT_ANSWER: Final = Text(
    "This server answers in application/fhir+json or application/fhir+xml of FHIR 4.0, "
    "not in `{asked}`.",
    "Сервер отвечает в application/fhir+json или application/fhir+xml версии FHIR 4.0, а не "
    "в `{asked}`.",
    "Сервер відповідає в application/fhir+json або application/fhir+xml версії FHIR 4.0, а "
    "не в `{asked}`.",
)
CANNOT_READ: Final = Text(
    "This server does not read a body of type `{type}` here.",
    "Сервер не читает здесь тело типа `{type}`.",
    "Сервер не читає тут тіло типу `{type}`.",
)
NOT_A_TYPE: Final = Text(
    "`{type}` is not a media type.",
    "`{type}` — не тип содержимого.",
    "`{type}` — не тип вмісту.",
)
OTHER_CHARSET: Final = Text(
    "FHIR is UTF-8; the body says it is in `{charset}`.",
    "В FHIR кодировка UTF-8; у тела запроса указана `{charset}`.",
    "У FHIR кодування UTF-8; у тілі запиту вказано `{charset}`.",
)
OTHER_VERSION: Final = Text(
    "This server speaks FHIR 4.0, not `{version}`.",
    "Сервер работает с FHIR 4.0, а не `{version}`.",
    "Сервер працює з FHIR 4.0, а не `{version}`.",
)
BAD_PRETTY: Final = Text(
    "`_pretty` is true or false, not `{value}`.",
    "`_pretty` — это true или false, а не `{value}`.",
    "`_pretty` — це true або false, а не `{value}`.",
)

Kind = Literal["json", "xml"]
Return = Literal["minimal", "representation", "OperationOutcome"]
Handling = Literal["strict", "lenient"]

#: What a range of Accept or a `_format` may be, and what is answered to it. "Servers SHOULD
#: support the short forms".
FORMATS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "application/fhir+json": "json",
        "application/json": "json",
        "application/json+fhir": "json",
        "text/json": "json",
        "json": "json",
        "*/*": "json",
        "application/*": "json",
        "text/*": "json",
        "application/fhir+xml": "xml",
        "application/xml": "xml",
        "application/xml+fhir": "xml",
        "text/xml": "xml",
        "xml": "xml",
    }
)
#: A browser would like a page and takes anything: it gets the JSON that people read, not the
#: XML that it ranks before `*/*`.
_PAGES: Final[Mapping[str, str]] = {"text/html": "application/json"}
_SHORT: Final[Mapping[str, str]] = {"ics": "text/calendar", "pdf": "application/pdf"}
"""As the short forms of FORMATS, of what some operations answer in."""
_VERSIONS: Final = frozenset(("4.0", "4.0.0", "4.0.1"))
_UTF_8: Final = frozenset(("utf-8", "utf8"))
_RETURNS: Final[Mapping[str, Return]] = {each: each for each in get_args(Return)}
_EXACT: Final = 2
_REMEMBERED: Final = 512  # headers; they come from clients, so bounded


@dataclass(frozen=True, slots=True)
class Format:
    """The form of an answer."""

    xml: bool = False
    pretty: bool = False


@dataclass(frozen=True, slots=True)
class MediaType:
    """A Content-Type that this server can consider."""

    name: str
    """Lower case, without parameters: `application/fhir+json`."""
    kind: Kind | None
    """None for what carries no resource: a patch, a form, an attachment."""


@dataclass(frozen=True, slots=True)
class Prefer:
    """https://hl7.org/fhir/R4/http.html#return and search.html#errors."""

    returns: Return | None = None
    """None: the client left it to the server."""
    handling: Handling = "strict"
    respond_async: bool = False


def format_of(accept: str, pairs: Sequence[tuple[str, str]]) -> Format:
    """The form of the answer to a request with header `accept` and the query `pairs`.

    "The _format parameter overrides the Accept header."

    Raises:
        NotAcceptable: this server writes none of what is asked for.
        BadValue: `_pretty` is neither true nor false.
    """
    asked = [value for name, value in pairs if name == "_format"]
    if len(asked) > 1:
        raise NotAcceptable(CANNOT_ANSWER, asked=", ".join(asked)[:200], expression="_format")
    found = _by_parameter(asked[0]) if asked else _by_header(accept)
    for name, value in pairs:
        if name == "_pretty":
            found = replace(found, pretty=_pretty(value))
    return found


def media_of(
    accept: str, pairs: Sequence[tuple[str, str]], offered: Sequence[str]
) -> str | None:
    """Which of the media types `offered`, beside JSON and XML, the answer is to have; None:
    none of them, as where a range alone covers them."""
    asked = [value for name, value in pairs if name == "_format"]
    if asked:
        name = parameters(asked[0].replace(" ", "+"))[0]
        named = _SHORT.get(name, name)
        return named if named in offered else None
    found = [parameters(each) for each in items(accept)] if offered else []
    known = [
        (weight(given.get("q", "1")), -place, name)
        for place, (name, given) in enumerate(found)
        if name in offered or (name in FORMATS and _specificity(name) == _EXACT)
    ]
    best, _, name = max(known, default=(0.0, 0, ""))
    return name if best > 0 and name in offered else None


@lru_cache(_REMEMBERED)
def _by_parameter(asked: str) -> Format:
    # `+` of application/fhir+json arrives as a blank where the client did not escape it.
    name, given = parameters(asked.strip().replace(" ", "+") if ";" not in asked else asked)
    kind = FORMATS.get(name.replace(" ", "+"))
    if kind is None or given.get("fhirversion", "4.0") not in _VERSIONS:
        raise NotAcceptable(CANNOT_ANSWER, asked=asked[:200], expression="_format")
    return Format(xml=kind == "xml")


@lru_cache(_REMEMBERED)
def _by_header(accept: str) -> Format:
    if not accept.strip():
        return Format()
    best: Kind | None = None
    greatest = 0.0
    for kind, quality in _weighed(accept):
        if quality > greatest:
            best, greatest = kind, quality
    if best is None:
        raise NotAcceptable(CANNOT_ANSWER, asked=accept[:200])
    return Format(xml=best == "xml")


def _weighed(accept: str) -> Iterator[tuple[Kind, float]]:
    """Each kind with the quality of the most specific ranges over it, named kinds first."""
    found = [parameters(each) for each in items(accept)]
    pages = _PAGES if any(name == "*/*" for name, _ in found) else {}
    ranges = [
        (name, weight(given.get("q", "1")))
        for name, given in ((pages.get(name, name), given) for name, given in found)
        if name in FORMATS and given.get("fhirversion", "4.0") in _VERSIONS
    ]
    named = [FORMATS[name] for name, _ in ranges if _specificity(name) == _EXACT]
    for kind in dict.fromkeys([*named, *get_args(Kind)]):
        covering = [
            (_specificity(name), quality)
            for name, quality in ranges
            if _specificity(name) < _EXACT or FORMATS[name] == kind
        ]
        most = max((specificity for specificity, _ in covering), default=0)
        yield kind, max((q for specificity, q in covering if specificity == most), default=0)


def _specificity(name: str) -> int:
    if name.startswith("*"):
        return 0
    return 1 if name.endswith("*") else _EXACT


def _pretty(value: str) -> bool:
    if value not in ("true", "false"):
        raise BadValue(BAD_PRETTY, value=value[:50], expression="_pretty")
    return value == "true"


@lru_cache(_REMEMBERED)
def media_type(content_type: str) -> MediaType:
    """Read a Content-Type.

    Raises:
        UnsupportedMediaType: not a media type, not UTF-8, or another version of FHIR.
    """
    name, given = parameters(content_type)
    if name.count("/") != 1 or not all(name.split("/")):
        raise UnsupportedMediaType(NOT_A_TYPE, type=content_type[:200])
    kind = None if name not in FORMATS or "*" in name else FORMATS[name]
    charset = given.get("charset", "utf-8").lower()
    if kind is not None and charset not in _UTF_8:
        raise UnsupportedMediaType(OTHER_CHARSET, charset=charset[:50])
    version = given.get("fhirversion", "4.0")
    if version not in _VERSIONS:
        raise UnsupportedMediaType(OTHER_VERSION, version=version[:50])
    return MediaType(name, kind)


@lru_cache(_REMEMBERED)
def names_resource(accept: str) -> bool:
    """Whether a header names JSON or XML itself, not only a range that covers them."""
    found = (parameters(each) for each in items(accept))
    return any(
        name in FORMATS and _specificity(name) == _EXACT and weight(given.get("q", "1")) > 0
        for name, given in found
    )


def resource_kind(content_type: str) -> Kind:
    """How the resource in a body of this type is written.

    Raises:
        UnsupportedMediaType: no resource is written so.
    """
    found = media_type(content_type)
    if found.kind is None:
        raise UnsupportedMediaType(CANNOT_READ, type=found.name)
    return found.kind


@lru_cache(_REMEMBERED)
def prefer(header: str) -> Prefer:
    """Read Prefer, several headers joined by commas as HTTP joins them.

    What it does not know, name or value, a server "MUST ignore" (RFC 7240); of two equal
    names the first counts.
    """
    given: dict[str, str] = {}
    for each in items(header):
        name, _, value = each.partition(";")[0].partition("=")
        given.setdefault(name.strip().lower(), value.strip().strip('"'))
    return Prefer(
        returns=_RETURNS.get(given.get("return", "")),
        handling="lenient" if given.get("handling") == "lenient" else "strict",
        respond_async="respond-async" in given,
    )
