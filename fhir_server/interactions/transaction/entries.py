"""The entries of a batch or transaction, read as the requests they stand for.

https://hl7.org/fhir/R4/bundle.html#Bundle.entry.request
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any, Final

from fhir_server.aside import HEAVY, aside
from fhir_server.core import paths
from fhir_server.core.datetimes import is_instant, parse_interval
from fhir_server.core.errors import (
    BadValue,
    FhirError,
    Invalid,
    Issue,
    MissingElement,
    TooLarge,
)
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import dumps
from fhir_server.interactions.commands import Change
from fhir_server.interactions.doors import Asked, check_create, interaction_of, parse_query
from fhir_server.interactions.offer import Offer
from fhir_server.interactions.patching.documents import of_entry
from fhir_server.interactions.transaction.bounds import breath
from fhir_server.interactions.transaction.envelope import check_bundle, check_entry
from fhir_server.interactions.transaction.links import Linked
from fhir_server.spec.structures import TYPES

NO_REQUEST: Final = Text(
    "Every entry needs a request with method and url.",
    "У каждой записи должен быть request с method и url.",
    "У кожному записі має бути request з method та url.",
)
NO_INSTANT: Final = Text(
    "`{value}` is not an instant, such as 2026-11-22T08:00:00Z.",
    "`{value}` — не instant, например 2026-11-22T08:00:00Z.",
    "`{value}` — не instant, наприклад 2026-11-22T08:00:00Z.",
)
FOREIGN: Final = Text(
    "The url leads to another server: `{url}`.",
    "Адрес ведёт на другой сервер: `{url}`.",
    "Адреса веде на інший сервер: `{url}`.",
)
BAD_METHOD: Final = Text(
    "`{method}` is none of GET, HEAD, POST, PUT, PATCH, DELETE.",
    "`{method}` — не GET, HEAD, POST, PUT, PATCH или DELETE.",
    "`{method}` — не GET, HEAD, POST, PUT, PATCH або DELETE.",
)
WRONG_SHAPE: Final = Text(
    "`{name}` is not the JSON {wanted} that a Bundle has here.",
    "`{name}` здесь должно иметь тип JSON {wanted}.",
    "`{name}` тут повинно мати тип JSON {wanted}.",
)
TOO_MANY: Final = Text(
    "The Bundle has {count} entries; {limit} are allowed.",
    "В Bundle {count} записей, а допустимо {limit}.",
    "У Bundle {count} записів, а дозволено {limit}.",
)

_SHAPES: Final[Mapping[type, str]] = {list: "array", dict: "object", str: "string"}
_SECOND: Final = 1000  # milliseconds
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: where it stands, what it asks, what the others call its resource."""

    index: int
    code: str
    """Of the interaction."""
    asked: Asked
    full_url: str | None
    linked: Linked | None
    """The resource of a create or update, or the Parameters of a patch, with the places of
    its links."""
    size: int = 0
    """Bytes, where the Bundle is large enough for one entry to be."""

    @property
    def path(self) -> str:
        """`Bundle.entry[2]`."""
        return f"Bundle.entry[{self.index}]"


def rows(bundle: JsonObject, limit: int) -> list[JsonObject]:
    """The raw entries.

    Raises:
        Invalid: they are no list, or the Bundle says what no batch or transaction does.
        TooLarge: there are more than `limit`.
    """
    try:
        check_bundle(bundle)
        found: list[JsonObject] = _member(bundle, "entry", list) or []
    except Invalid as error:
        raise error.at("Bundle") from error
    if len(found) > limit:
        raise TooLarge(TOO_MANY, count=len(found), limit=limit, expression="Bundle.entry")
    return found


async def read(
    raw: Iterable[JsonObject], base_url: str, offer: Offer, size: int = 0
) -> list[Entry]:
    """All entries of a transaction; `size` is that of the Bundle in bytes.

    Raises:
        BadValue: with the issues of every entry that cannot be read.
    """
    entries: list[Entry] = []
    issues: list[Issue] = []
    for index, row in enumerate(raw):
        weight = weight_of(row, size)
        try:
            found = await aside(weight, entry, index, row, base_url, offer, weight, least=HEAVY)
            entries.append(found)
        except FhirError as error:
            issues.extend(error.issues)
        await breath(index)
    if issues:
        raise BadValue.of(issues)
    return entries


def weight_of(row: JsonObject, size: int) -> int:
    """Bytes of an entry; 0 where the Bundle, of `size` bytes, is too small to ask."""
    return len(dumps(row)) if size >= HEAVY else 0


def entry(index: int, row: JsonObject, base_url: str, offer: Offer, weight: int = 0) -> Entry:
    """One entry; its errors carry `Bundle.entry[n]`.

    Raises:
        FhirError: it cannot be read, or asks for what is not offered.
    """
    path = f"Bundle.entry[{index}]"
    try:
        request, resource, full_url = _parts(row)
    except FhirError as error:
        raise error.at(path) from error
    try:
        method, url = _verb(request), _relative(request, base_url)
        where, _, query = url.partition("?")
        target = paths.parse(where)
        code = interaction_of(method, target)
        offer.check(method, code, target, conditional="ifNoneExist" in request)
        pairs = parse_query(query)
        if code == "create":
            check_create(pairs)
        conditions = _conditions(request)
    except FhirError as error:
        raise error.at(f"{path}.request") from error
    change = _change(resource, path) if method == "PATCH" else None
    asked = Asked(method, target, pairs, resource, change, **conditions)
    return Entry(index, code, asked, full_url, _linked(code, asked), weight)


def _parts(row: Any) -> tuple[JsonObject, JsonObject | None, str | None]:
    if not isinstance(row, dict):
        raise BadValue(WRONG_SHAPE, name="entry", wanted="object")
    check_entry(row)
    request: JsonObject = _member(row, "request", dict) or {}
    return request, _member(row, "resource", dict), _member(row, "fullUrl", str)


def _member(of: JsonObject, name: str, kind: type) -> Any:
    """What stands in `of` under `name`, a `kind`; None where nothing does."""
    if name not in of:
        return None
    if not isinstance(of[name], kind):
        raise BadValue(WRONG_SHAPE, name=name, wanted=_SHAPES[kind], expression=name)
    return of[name]


def _linked(code: str, asked: Asked) -> Linked | None:
    kind = (asked.resource or {}).get("resourceType")
    writes = code in {"create", "update", "conditional-update"}
    patches = code in {"patch", "conditional-patch"} and kind == "Parameters"
    if not (writes or patches) or asked.resource is None or kind not in TYPES:
        return None
    return Linked.of(asked.resource)


def _verb(request: JsonObject) -> str:
    method = _member(request, "method", str)
    if method is None:
        raise MissingElement(NO_REQUEST, expression="method")
    if method not in _METHODS:
        raise BadValue(BAD_METHOD, method=method[:40], expression="method")
    return str(method)


def _relative(request: JsonObject, base_url: str) -> str:
    url: str | None = _member(request, "url", str)
    if url is None:
        raise MissingElement(NO_REQUEST, expression="url")
    local = url.removeprefix(base_url + "/")
    if "://" in local.partition("?")[0]:
        raise BadValue(FOREIGN, url=url[:200], expression="url")
    return local


def _conditions(request: JsonObject) -> dict[str, str | None]:
    return {
        "if_match": _member(request, "ifMatch", str),
        "if_none_match": _member(request, "ifNoneMatch", str),
        "if_modified_since": _since(request),
        "if_none_exist": _member(request, "ifNoneExist", str),
    }


def _since(request: JsonObject) -> str | None:
    """`ifModifiedSince`, an instant, as the header has it."""
    since: str | None = _member(request, "ifModifiedSince", str)
    if since is None:
        return None
    if not is_instant(since):
        raise BadValue(NO_INSTANT, value=since[:40], expression="ifModifiedSince")
    return formatdate(parse_interval(since).lo // _SECOND, usegmt=True)


def _change(resource: JsonObject | None, path: str) -> Change:
    try:
        return of_entry(resource)
    except FhirError as error:
        raise error.at(f"{path}.resource") from error
