"""Search criteria as conditions of a write: none, one, or more than one match.

A conditional write claims its criteria in its unit of work, so that of two equal ones the
second sees what the first has written.

https://hl7.org/fhir/R4/http.html#ccreate
"""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from fhir_server.core.errors import MultipleMatches, PreconditionFailed
from fhir_server.core.messages import Text
from fhir_server.interactions.commands import Pairs
from fhir_server.interactions.context import Context
from fhir_server.interactions.named_types import check_links
from fhir_server.search.plan import Node
from fhir_server.search.tokens import alike
from fhir_server.store.port import Stored, Unit

NO_CRITERIA: Final = Text(
    "A conditional request needs search criteria: without any, everything would match.",
    "Условному запросу нужны критерии поиска: без них подошло бы всё.",
    "Умовному запиту потрібні критерії пошуку: без них підійшло б усе.",
)
MANY_MATCHES: Final = Text(
    "More than one {type} matches the criteria; make them more specific.",
    "Критериям отвечает больше одного ресурса {type}; уточните их.",
    "Критеріям відповідає більше одного ресурсу {type}; уточніть їх.",
)


def compiled(ctx: Context, kind: str, criteria: Pairs) -> Node:
    """The predicate of `criteria`, read strictly: an unknown parameter never widens.

    Raises:
        PreconditionFailed: there are none.
        UnknownParameter: one is unknown.
        Forbidden: one asks about a type that the caller has no scope for.
    """
    if not criteria:
        raise PreconditionFailed(NO_CRITERIA)
    node = ctx.services.compiler.condition(kind, criteria)
    check_links(ctx, node)
    return node


async def only_match(
    ctx: Context, unit: Unit, kind: str, criteria: Pairs, where: Node
) -> Stored | None:
    """The one resource that matches within `unit`, or None.

    Raises:
        MultipleMatches: there are more.
    """
    await unit.claim(claim_key(kind, criteria))
    return the_one(await unit.find(kind, where, limit=2, within=ctx.rights.search), kind)


def claim_key(kind: str, criteria: Pairs) -> str:
    """What a unit claims that depends on what `criteria` find; one key for all spellings of a
    national number."""
    return f"{kind}?{urlencode(sorted((name, alike(value)) for name, value in criteria))}"


def the_one(found: Sequence[Stored], kind: str) -> Stored | None:
    """The one resource of `found`, or None.

    Raises:
        MultipleMatches: there are more.
    """
    if len(found) > 1:
        raise MultipleMatches(MANY_MATCHES, type=kind)
    return found[0] if found else None
