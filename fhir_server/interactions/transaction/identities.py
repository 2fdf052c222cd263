"""Which resource each entry of a transaction means, settled before anything is written.

Creates are promised an id, conditional entries and conditional references are looked up in
the unit of work, and two entries that mean the same resource are refused.

https://hl7.org/fhir/R4/http.html#trules
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from fhir_server.core.errors import (
    BadValue,
    FhirError,
    Invalid,
    Issue,
    PreconditionFailed,
)
from fhir_server.core.messages import Text
from fhir_server.interactions.commands import ConditionalDelete
from fhir_server.interactions.conditions import compiled, only_match
from fhir_server.interactions.context import Context
from fhir_server.interactions.delete import matching
from fhir_server.interactions.doors import parse_query
from fhir_server.interactions.transaction.entries import Entry
from fhir_server.spec.structures import RESOURCE_TYPES
from fhir_server.store.port import Stored, Unit

TWICE: Final = Text(
    "Two entries mean the same resource: {identity} is also in {other}.",
    "Две записи относятся к одному ресурсу: {identity} есть и в {other}.",
    "Два записи стосуються одного ресурсу: {identity} є і в {other}.",
)
SAME_URL: Final = Text(
    "The fullUrl `{url}` also stands in {other}.",
    "fullUrl `{url}` стоит и в {other}.",
    "fullUrl `{url}` стоїть і в {other}.",
)
DANGLING: Final = Text(
    "No entry of the Bundle has the fullUrl `{url}`.",
    "Ни у одной записи Bundle нет fullUrl `{url}`.",
    "Жоден запис Bundle не має fullUrl `{url}`.",
)
NO_TARGET: Final = Text(
    "The conditional reference `{url}` finds nothing.",
    "Условная ссылка `{url}` ничего не находит.",
    "Умовне посилання `{url}` нічого не знаходить.",
)
MANY_TARGETS: Final = Text(
    "The conditional reference `{url}` finds more than one resource.",
    "Условная ссылка `{url}` находит больше одного ресурса.",
    "Умовне посилання `{url}` знаходить більше одного ресурсу.",
)

_RESTFUL: Final = re.compile(r".*/(?P<local>(?P<type>[A-Za-z]+)/[A-Za-z0-9\-.]{1,64})")
_CONDITIONAL: Final = re.compile(r"(?P<type>[A-Za-z]+)\?(?P<query>.+)")
_TYPES: Final = frozenset(RESOURCE_TYPES)


@dataclass(slots=True)
class Identities:
    """What the entries mean."""

    ids: dict[int, str] = field(default_factory=dict)
    """Entry index -> the id it writes."""
    matches: dict[int, Stored | None] = field(default_factory=dict)
    """Entry index -> what its criteria found; an entry without criteria is absent."""
    removals: dict[int, Sequence[Stored]] = field(default_factory=dict)
    """Entry index of a conditional delete -> all that it removes."""
    links: dict[str, str] = field(default_factory=dict)
    """For `links.Linked.fill`."""


def check_urls(entries: Iterable[Entry]) -> None:
    """Raise BadValue when two entries carry the same fullUrl (bdl-7)."""
    seen: dict[str, Entry] = {}
    for each in entries:
        if each.full_url is None:
            continue
        if each.full_url in seen:
            other = seen[each.full_url].path
            raise BadValue(
                SAME_URL, url=each.full_url, other=other, expression=f"{each.path}.fullUrl"
            )
        seen[each.full_url] = each


async def settle(ctx: Context, unit: Unit, entries: Sequence[Entry]) -> Identities:
    """Find out what every entry means, within `unit`.

    Raises:
        BadValue: two entries mean the same resource, or a link leads nowhere.
        PreconditionFailed: criteria match more than one resource.
    """
    found = Identities()
    # Claims in one order: bundles that name the same criteria in opposite orders would
    # otherwise each wait for what the other holds.
    for each in sorted(entries, key=_criteria):
        try:
            await _settle(ctx, unit, each, found)
        except FhirError as error:
            raise error.at(f"{each.path}.request") from error
    _check_overlap(entries, found)
    _link(entries, found)
    await _resolve_references(ctx, unit, entries, found)
    return found


def _criteria(entry: Entry) -> str:
    asked = entry.asked
    match entry.code:
        case "create":
            return f"{asked.target.type}?{asked.if_none_exist or ''}"
        case "conditional-update" | "conditional-patch" | "conditional-delete":
            return f"{asked.target.type}?{urlencode(asked.pairs)}"
    return ""


async def _settle(ctx: Context, unit: Unit, entry: Entry, found: Identities) -> None:
    asked, kind = entry.asked, entry.asked.target.type or ""
    match entry.code:
        case "create":
            criteria = asked.if_none_exist
            match_ = None
            if criteria is not None:
                pairs = parse_query(criteria.removeprefix("?"))
                where = compiled(ctx, kind, pairs)
                match_ = await only_match(ctx, unit, kind, pairs, where)
                found.matches[entry.index] = match_
            found.ids[entry.index] = match_.id if match_ else ctx.services.new_id()
        case "conditional-update" | "conditional-patch":
            where = compiled(ctx, kind, asked.pairs)
            match_ = await only_match(ctx, unit, kind, asked.pairs, where)
            found.matches[entry.index] = match_
            given = (asked.resource or {}).get("id")
            found.ids[entry.index] = match_.id if match_ else given or ctx.services.new_id()
        case "conditional-delete":
            found.removals[entry.index] = await matching(
                ctx, unit, ConditionalDelete(kind, asked.pairs, asked.if_match)
            )
        case "update" | "patch" | "delete":
            found.ids[entry.index] = asked.target.id or ""


def _check_overlap(entries: Iterable[Entry], found: Identities) -> None:
    # "If any resource identities (including resolved identities from conditional
    # update/delete) overlap in steps 1-3, then the transaction SHALL fail."
    seen: dict[str, Entry] = {}
    issues: list[Issue] = []
    for each in entries:
        for id_ in _written_ids(each, found):
            identity = f"{each.asked.target.type}/{id_}"
            if identity in seen:
                args = {"identity": identity, "other": seen[identity].path}
                issues.append(Issue("duplicate", TWICE, args, expression=(each.path,)))
            seen[identity] = each
    if issues:
        raise BadValue.of(issues)


def _written_ids(entry: Entry, found: Identities) -> list[str]:
    if entry.code == "create" and found.matches.get(entry.index) is not None:
        return []  # it writes nothing, so several may mean the same resource
    removed = [each.id for each in found.removals.get(entry.index, ())]
    return [found.ids[entry.index]] if entry.index in found.ids else removed


def _link(entries: Iterable[Entry], found: Identities) -> None:
    for each in entries:
        if each.full_url is None or each.index not in found.ids:
            continue
        target = f"{each.asked.target.type}/{found.ids[each.index]}"
        found.links[each.full_url] = target
        restful = _RESTFUL.fullmatch(each.full_url)
        if restful and restful["type"] in _TYPES:
            found.links[restful["local"]] = target


async def _resolve_references(
    ctx: Context, unit: Unit, entries: Iterable[Entry], found: Identities
) -> None:
    issues: list[Issue] = []
    failed: dict[str, Issue] = {}
    for each in entries:
        for url in each.linked.references() if each.linked is not None else ():
            if url in found.links or not _needs_resolution(url):
                continue
            if url not in failed:
                await _resolve(ctx, unit, url, found.links, failed)
            if url in failed and each.linked is not None:
                path = each.linked.path(url)
                issues.append(failed[url].at(path).at(f"{each.path}.resource"))
    if issues:
        raise Invalid.of(issues)


def _needs_resolution(url: str) -> bool:
    return url.startswith(("urn:uuid:", "urn:oid:")) or "?" in url


async def _resolve(
    ctx: Context, unit: Unit, url: str, links: dict[str, str], failed: dict[str, Issue]
) -> None:
    conditional = _CONDITIONAL.fullmatch(url)
    if conditional is None or conditional["type"] not in _TYPES:
        if url.startswith("urn:"):
            failed[url] = Issue("not-found", DANGLING, {"url": url})
        return
    kind, pairs = conditional["type"], parse_query(conditional["query"])
    try:
        where = compiled(ctx, kind, pairs)
        rows = await unit.find(kind, where, limit=2, within=ctx.rights.search)
    except (PreconditionFailed, Invalid) as error:
        failed[url] = error.issues[0]
        return
    if len(rows) == 1:
        links[url] = f"{kind}/{rows[0].id}"
    else:
        text, code = (MANY_TARGETS, "multiple-matches") if rows else (NO_TARGET, "not-found")
        failed[url] = Issue(code, text, {"url": url})
