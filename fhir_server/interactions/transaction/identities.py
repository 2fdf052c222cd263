"""Which resource each entry of a transaction means, settled before anything is written.

Creates are promised an id, conditional entries are looked up in the unit of work, and two
entries that mean the same resource are refused.

https://hl7.org/fhir/R4/http.html#trules
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from fhir_server.core.errors import BadValue, Invalid, Issue
from fhir_server.core.messages import Text
from fhir_server.interactions.conditions import the_one
from fhir_server.interactions.context import Context
from fhir_server.interactions.delete import check_removable
from fhir_server.interactions.transaction.criteria import Answer, Criteria, answers, criteria
from fhir_server.interactions.transaction.entries import Entry
from fhir_server.interactions.transaction.places import at
from fhir_server.interactions.transaction.references import resolve
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

_RESTFUL: Final = re.compile(r".*/(?P<local>(?P<type>[A-Za-z]+)/[A-Za-z0-9\-.]{1,64})")
_TYPES: Final = frozenset(RESOURCE_TYPES)


@dataclass(slots=True)
class Identities:
    """What the entries mean."""

    ids: dict[int, str] = field(default_factory=dict)
    """Entry index -> the id it writes."""
    matches: dict[int, Stored | None] = field(default_factory=dict)
    """Entry index -> what its criteria found; an entry without criteria is absent."""
    unmet: dict[int, str] = field(default_factory=dict)
    """Entry index -> its criteria, which found nothing."""
    promised: dict[str, Entry] = field(default_factory=dict)
    """Criteria that found nothing -> the entry that will satisfy them."""
    twins: dict[int, int] = field(default_factory=dict)
    """Entry index of a create -> that of the create with the same criteria that makes it."""
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
    asked = await criteria(ctx, entries)
    for each, answer in await answers(ctx, unit, asked) if asked else ():
        with at(f"{each.entry.path}.request"):
            await _take(ctx, unit, each, answer, found)
    for entry in entries:
        _name(ctx, entry, found)
    _check_overlap(entries, found)
    _link(entries, found)
    await resolve(ctx, unit, entries, found.links)
    return found


async def _take(
    ctx: Context, unit: Unit, asked: Criteria, answer: Answer, found: Identities
) -> None:
    entry = asked.entry
    if isinstance(answer, Invalid):
        raise answer
    if asked.is_many:
        await check_removable(ctx, unit, asked.kind, answer, entry.asked.if_match)
        found.removals[entry.index] = answer
    else:
        match_ = found.matches[entry.index] = the_one(answer, asked.kind)
        if match_ is None:
            found.unmet[entry.index] = asked.key


def _name(ctx: Context, entry: Entry, found: Identities) -> None:
    match_ = found.matches.get(entry.index)
    match entry.code:
        case "create":
            found.ids[entry.index] = match_.id if match_ else _new_id(ctx, entry, found)
        case "conditional-update" | "conditional-patch":
            found.ids[entry.index] = match_.id if match_ else _new_id(ctx, entry, found)
        case "update" | "patch" | "delete":
            found.ids[entry.index] = entry.asked.target.id or ""


def _new_id(ctx: Context, entry: Entry, found: Identities) -> str:
    """The id of what `entry` makes. Of two with equal criteria that find nothing the second
    would find what the first makes: it means the same resource."""
    criteria_ = found.unmet.get(entry.index)
    first = entry if criteria_ is None else found.promised.setdefault(criteria_, entry)
    if first is not entry:
        if entry.code == first.code == "create":
            found.twins[entry.index] = first.index
        return found.ids[first.index]
    given = None if entry.code == "create" else (entry.asked.resource or {}).get("id")
    return given or ctx.services.new_id()


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
    matched = found.matches.get(entry.index) is not None or entry.index in found.twins
    if entry.code == "create" and matched:
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
