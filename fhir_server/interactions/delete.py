"""delete and conditional delete.

https://hl7.org/fhir/R4/http.html#delete
"""

from collections.abc import Sequence
from typing import Final

from fhir_server.core.errors import Issue, MultipleMatches
from fhir_server.core.messages import Text
from fhir_server.interactions.commands import ConditionalDelete, Delete
from fhir_server.interactions.conditions import compiled
from fhir_server.interactions.context import Context
from fhir_server.interactions.guards import ask
from fhir_server.interactions.permits import check_existence, check_writable
from fhir_server.interactions.results import Result
from fhir_server.interactions.update import in_unit
from fhir_server.interactions.versions import check_if_match
from fhir_server.store.port import Stored, Unit

REMOVED: Final = Text(
    "Deleted {count} of type {type}.",
    "Удалено ресурсов {type}: {count}.",
    "Видалено ресурсів {type}: {count}.",
)
TOO_MANY: Final = Text(
    "More than {limit} resources match; a conditional delete removes that many at most.",
    "Подходит больше {limit} ресурсов; условное удаление убирает не больше стольких.",
    "Підходить понад {limit} ресурсів; умовне видалення прибирає не більше стількох.",
)


async def delete(ctx: Context, command: Delete) -> Result:
    """Leave a tombstone; deleting what is not there changes nothing and succeeds.

    Raises:
        PreconditionFailed: If-Match names another version.
    """

    async def work(unit: Unit) -> Result:
        current = await unit.read(command.type, command.id, within=ctx.rights.delete)
        check_existence(ctx, "d", command.type, command.id, current)
        return await deleted(ctx, unit, current, command.if_match)

    return await in_unit(ctx, command.type, work, command.id)


async def deleted(
    ctx: Context, unit: Unit, current: Stored | None, if_match: str | None
) -> Result:
    """Leave a tombstone where `current` lives.

    Raises:
        PreconditionFailed: If-Match names another version.
    """
    check_if_match(if_match, current)
    if current is None or current.deleted:
        return Result(204, current)
    return Result(204, await _removed(ctx, unit, current), before=current)


async def conditional_delete(ctx: Context, command: ConditionalDelete) -> Result:
    """Delete all that match, in one unit.

    Raises:
        MultipleMatches: more match than one request may delete.
        PreconditionFailed: If-Match names another version than one of them has.
    """
    kind = command.type

    async def work(unit: Unit) -> Result:
        where = compiled(ctx, kind, command.criteria)
        limit = ctx.services.limits.conditional_delete + 1
        found = await unit.find(kind, where, limit=limit, within=ctx.rights.search)
        await check_removable(ctx, unit, kind, found, command.if_match)
        return await removed(ctx, unit, kind, found)

    return await in_unit(ctx, kind, work)


async def check_removable(
    ctx: Context, unit: Unit, kind: str, found: Sequence[Stored], if_match: str | None
) -> None:
    """Raise for what a conditional delete may not remove.

    Raises:
        MultipleMatches: it is more than one request may delete.
        Forbidden: one of them is out of the caller's reach.
        PreconditionFailed: If-Match names another version than one of them has.
    """
    limit = ctx.services.limits.conditional_delete
    if len(found) > limit:
        raise MultipleMatches(TOO_MANY, limit=limit)
    await check_writable(ctx, unit, "d", kind, found)
    for each in found or (None,):
        check_if_match(if_match, each)


async def removed(ctx: Context, unit: Unit, kind: str, found: Sequence[Stored]) -> Result:
    """Leave a tombstone for each of `found`."""
    gone = [await _removed(ctx, unit, each) for each in found]
    said = Issue("informational", REMOVED, {"count": len(gone), "type": kind}, "information")
    if len(gone) == 1:
        return Result(204, gone[0], before=found[0], issues=(said,), shown=gone)
    return Result(204, issues=(said,), shown=gone)


async def _removed(ctx: Context, unit: Unit, current: Stored) -> Stored:
    await ask(ctx, unit, current.type, current.id, before=current, after=None)
    return await unit.remove(current, at=max(ctx.services.now(), current.at))
