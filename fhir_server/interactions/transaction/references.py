"""References of a transaction that are searches: looked up together, before it writes.

"Conditional references … SHALL resolve to one resource": none or several fail the whole.

https://hl7.org/fhir/R4/http.html#trules
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from fhir_server.core.errors import Invalid, Issue, PreconditionFailed
from fhir_server.core.messages import Text
from fhir_server.interactions.conditions import compiled
from fhir_server.interactions.context import Context
from fhir_server.interactions.doors import parse_query
from fhir_server.interactions.permits import check_letter
from fhir_server.interactions.transaction.bounds import breath
from fhir_server.interactions.transaction.criteria import Answer, matches
from fhir_server.interactions.transaction.entries import Entry
from fhir_server.interactions.transaction.links import Linked
from fhir_server.search.plan import Node
from fhir_server.spec.structures import RESOURCE_TYPES
from fhir_server.store.port import Unit

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

_CONDITIONAL: Final = re.compile(r"(?P<type>[A-Za-z]+)\?(?P<query>.+)")
_TYPES: Final = frozenset(RESOURCE_TYPES)


async def resolve(
    ctx: Context, unit: Unit, entries: Sequence[Entry], links: dict[str, str]
) -> None:
    """Add to `links` what the conditional references of `entries` find.

    Raises:
        Invalid: with every reference that leads nowhere, or to several, at its places.
    """
    urls = dict.fromkeys(url for _, _, url in _places(entries) if _needs_resolution(url))
    failed = await _look_up(ctx, unit, [url for url in urls if url not in links], links)
    if failed:
        raise Invalid.of(
            [
                failed[url].at(linked.path(url)).at(f"{entry.path}.resource")
                for entry, linked, url in _places(entries)
                if url in failed
            ]
        )


def _places(entries: Iterable[Entry]) -> Iterator[tuple[Entry, Linked, str]]:
    """Every reference, in the order of the Bundle."""
    for entry in entries:
        if entry.linked is not None:
            for url in entry.linked.references():
                yield entry, entry.linked, url


def _needs_resolution(url: str) -> bool:
    return url.startswith(("urn:uuid:", "urn:oid:")) or "?" in url


async def _look_up(
    ctx: Context, unit: Unit, urls: Iterable[str], links: dict[str, str]
) -> Mapping[str, Issue]:
    """Fill `links`; what stands against the others.

    Raises:
        Forbidden: a type is named that the caller has no scope for.
    """
    failed: dict[str, Issue] = {}
    wheres: dict[str, dict[str, Node]] = defaultdict(dict)
    for place, url in enumerate(urls):
        conditional = _CONDITIONAL.fullmatch(url)
        if conditional is not None and conditional["type"] in _TYPES:
            kind = conditional["type"]
            check_letter(ctx, "s", kind)
            try:
                where = compiled(ctx, kind, parse_query(conditional["query"]))
            except (PreconditionFailed, Invalid) as error:
                failed[url] = error.issues[0]
            else:
                wheres[kind][url] = where
        elif url.startswith("urn:"):
            failed[url] = Issue("not-found", DANGLING, {"url": url})
        await breath(place)
    for kind, asked in wheres.items():
        found = await matches(ctx, unit, kind, [*asked.values()], limit=2)
        for url, answer in zip(asked, found, strict=True):
            target = _target(url, answer)
            if isinstance(target, Issue):
                failed[url] = target
            else:
                links[url] = target
    return failed


def _target(url: str, answer: Answer) -> str | Issue:
    if isinstance(answer, Invalid):
        return answer.issues[0]
    if len(answer) == 1:
        return f"{answer[0].type}/{answer[0].id}"
    text, code = (MANY_TARGETS, "multiple-matches") if answer else (NO_TARGET, "not-found")
    return Issue(code, text, {"url": url})
