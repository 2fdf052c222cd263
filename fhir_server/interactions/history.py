"""history of an instance, of a type, of the system.

Newest first. Each version is judged by what it said itself, so one that a caller may not see
is left out though its successor is there.

https://hl7.org/fhir/R4/http.html#history
"""

from collections.abc import Mapping, Sequence
from typing import Final

from fhir_server.aside import aside
from fhir_server.core import bundles
from fhir_server.core.datetimes import Interval, parse_interval
from fhir_server.core.errors import BadValue, NotFound, NotSupported, UnknownParameter
from fhir_server.core.messages import Text
from fhir_server.interactions.commands import History, Pairs
from fhir_server.interactions.context import Context
from fhir_server.interactions.read import NOT_FOUND
from fhir_server.interactions.results import Result
from fhir_server.interactions.views import part
from fhir_server.search.links import link
from fhir_server.search.plan import Node
from fhir_server.search.request import CURSOR
from fhir_server.search.special import listed
from fhir_server.store.port import HistoryPlan, Stored

UNKNOWN: Final = Text(
    "A history has no parameter `{name}`.",
    "У истории нет параметра `{name}`.",
    "Історія не має параметра `{name}`.",
)
TWICE: Final = Text(
    "`{name}` may stand once.",
    "`{name}` может стоять один раз.",
    "`{name}` може бути один раз.",
)
BAD_COUNT: Final = Text(
    "`_count` is a whole number from 0 on, not `{value}`.",
    "`_count` — целое число от 0, а не `{value}`.",
    "`_count` — ціле число від 0, а не `{value}`.",
)

_PARAMETERS: Final = frozenset({"_since", "_at", "_list", "_count", CURSOR})
_OF_EVERY_INTERACTION: Final = frozenset({"_format", "_pretty", "_summary", "_elements"})
_LONGEST_COUNT: Final = 9  # digits


async def history(ctx: Context, command: History) -> Result:
    """A page of versions as a history Bundle.

    Raises:
        NotFound: the instance never existed, for this caller.
        BadValue: a parameter is wrong.
    """
    given = _read(ctx, command.pairs)
    plan = _plan(ctx, command, given)
    # Of one resource it is a read, of many a search: the scopes of SMART say so.
    within = ctx.rights.search if command.id is None else ctx.rights.read
    rows, more, total = await ctx.services.store.history(plan, within=within)
    if not rows and command.id is not None:
        await _check_existence(ctx, command)
    shown = rows if plan.count else []
    links = _links(ctx, command, rows[-1] if shown and more else None)
    size = sum([len(each.body) for each in shown])
    body = await aside(size, _written, ctx, command, shown, links, total)
    return Result(200, body=body, shown=shown, wanted=True)


def _written(
    ctx: Context,
    command: History,
    shown: Sequence[Stored],
    links: Mapping[str, str],
    total: int | None,
) -> bytes:
    return bundles.history(
        [_entry(ctx, each, command.pairs) for each in shown],
        links,
        id_=ctx.services.new_id(),
        at=ctx.services.now(),
        total=total,
    )


def _read(ctx: Context, pairs: Pairs) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise BadValue(TWICE, name=name, expression=name)
        if name in _PARAMETERS:
            found[name] = value
        elif name not in _OF_EVERY_INTERACTION and not ctx.lenient:
            raise UnknownParameter(UNKNOWN, name=name, expression=name)
    return found


def _plan(ctx: Context, command: History, given: Mapping[str, str]) -> HistoryPlan:
    limits = ctx.services.limits
    count = _count(given.get("_count"), limits.default_page)
    since, at = _interval(given, "_since"), _interval(given, "_at")
    return HistoryPlan(
        command.type,
        command.id,
        since=None if since is None else since.lo,
        at=at,
        where=_listed(given.get("_list")),
        count=min(count, limits.page),
        after=_after(ctx, command, given.get(CURSOR)),
        total=command.id is not None,  # of a type it would count the whole collection
    )


def _count(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_COUNT):
        raise BadValue(BAD_COUNT, value=text[:40], expression="_count")
    return int(text)


def _interval(given: Mapping[str, str], name: str) -> Interval | None:
    try:
        return parse_interval(given[name]) if name in given else None
    except BadValue as error:
        raise error.at(name) from error


def _listed(text: str | None) -> Node | None:
    """The versions of its items: "only include resource versions that are referenced in the
    specified list (current list references allowed)"."""
    try:
        return None if text is None else listed(text)
    except NotSupported as error:
        raise error.at("_list") from error


def _after(
    ctx: Context, command: History, text: str | None
) -> tuple[int, str, str, int] | None:
    if text is None:
        return None
    at, kind, id_, number = ctx.services.cursors.unseal(text, _query(command))
    return int(at or 0), str(kind), str(id_), int(number or 0)


def _query(command: History) -> tuple[object, ...]:
    kept = [pair for pair in command.pairs if pair[0] in ("_since", "_at", "_list")]
    return ("_history", command.type, command.id, kept)


async def _check_existence(ctx: Context, command: History) -> None:
    kind, id_ = command.type or "", command.id or ""
    if await ctx.reads.read(kind, id_, within=ctx.rights.read) is None:
        raise NotFound(NOT_FOUND, type=kind, id=id_)


def _links(ctx: Context, command: History, last: Stored | None) -> dict[str, str]:
    parts = (ctx.services.base_url, command.type, command.id, "_history")
    url = "/".join(part for part in parts if part is not None)
    links = {"self": link(url, command.pairs)}
    if last is not None:
        place = (last.at, last.type, last.id, last.number)
        cursor = ctx.services.cursors.seal(place, _query(command))
        kept = [pair for pair in command.pairs if pair[0] != CURSOR]
        links["next"] = link(url, kept, cursor)
    return links


def _entry(ctx: Context, version: Stored, pairs: Pairs) -> bundles.HistoryEntry:
    local = f"{version.type}/{version.id}"
    return bundles.HistoryEntry(
        full_url=f"{ctx.services.base_url}/{local}",
        url=version.type if version.method == "POST" else local,
        method=version.method,
        status=_status(version),
        number=version.number,
        at=version.at,
        body=part(version.body, pairs, ctx.services.limits.depth) if version.body else b"",
    )


def _status(version: Stored) -> str:
    """What the request that made the version was answered; that it brought a deleted resource
    back is not kept."""
    if version.method == "DELETE":
        return "204 No Content"
    return "201 Created" if version.number == 1 else "200 OK"
