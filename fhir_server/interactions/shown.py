"""What an answer that is kept shows of resources, and whether its caller may still see that.

An answer may lie for a day. Whoever fetches it is judged as they are then: what a Consent has
taken out of their reach since does not leave the server with an answer of before.

https://hl7.org/fhir/R4/async.html
"""

from collections.abc import Iterable, Sequence
from typing import Final

from fhir_server.access.kept_answers import Shown
from fhir_server.core.errors import Forbidden
from fhir_server.core.messages import Text
from fhir_server.interactions.context import Context
from fhir_server.interactions.results import Result
from fhir_server.search.plan import Ids
from fhir_server.spec.interactions import ScopeLetter

WITHHELD: Final = Text(
    "The answer shows what you may not see any more. What was carried out stays.",
    "Ответ содержит то, что вам больше нельзя видеть. Выполненное остаётся в силе.",
    "Відповідь містить те, що вам більше не можна бачити. Виконане залишається чинним.",
)

_AT_ONCE: Final = 500
_FOUND: Final[tuple[ScopeLetter, ...]] = ("r", "s")


def shown_by(results: Iterable[object], *, full: bool) -> list[Shown]:
    """What `results` put into an answer; `full`: with `Prefer: return=representation`."""
    found: dict[Shown, None] = {}
    for result in results:
        if isinstance(result, Result) and not result.withheld and (full or result.wanted):
            versions = result.shown or ((result.version,) if result.version else ())
            for each in [row for row in versions if not row.deleted]:
                row = Shown(each.type, each.id, each.number)
                found[row] = None
    return list(found)


async def check_shown(ctx: Context, shown: Sequence[Shown]) -> None:
    """Raise Forbidden unless the caller may still see every one of `shown`."""
    left: set[Shown] = set(shown)
    for letter in _FOUND:
        asked = sorted(left)
        for kind in dict.fromkeys(each.type for each in asked):
            of_kind = [each for each in asked if each.type == kind]
            if ctx.rights.allows(letter, kind):
                left.difference_update(await _reached(ctx, letter, kind, of_kind))
    if left:
        raise Forbidden(WITHHELD)


async def _reached(
    ctx: Context, letter: ScopeLetter, kind: str, asked: Sequence[Shown]
) -> list[Shown]:
    """Those of `asked`, all of `kind`, for which `letter` holds: current versions are looked
    for together, others one by one."""
    within = ctx.rights.of(letter)
    found: list[Shown] = []
    for start in range(0, len(asked), _AT_ONCE):
        some = asked[start : start + _AT_ONCE]
        ids = tuple(dict.fromkeys(each.id for each in some))
        rows = await ctx.reads.find(kind, Ids(ids), limit=len(ids), within=within)
        live = {(row.id, row.number) for row in rows}
        for each in some:
            known = (each.id, each.number) in live
            if known or await ctx.reads.vread(kind, each.id, each.number, within=within):
                found.append(each)
    return found
