"""patch and conditional patch, whatever the form of the patch.

https://hl7.org/fhir/R4/http.html#patch
"""

from typing import Final

from fhir_server.aside import aside
from fhir_server.core.errors import BadValue, FhirError, NotFound, Unprocessable
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.commands import Change, ConditionalPatch, Patch
from fhir_server.interactions.conditions import compiled, only_match
from fhir_server.interactions.context import Context
from fhir_server.interactions.permits import check_existence, check_writable
from fhir_server.interactions.read import live
from fhir_server.interactions.results import Result
from fhir_server.interactions.update import in_unit, put
from fhir_server.interactions.versions import check_if_match, check_type
from fhir_server.interactions.withholding import may_read
from fhir_server.store.port import Stored, Unit

NO_MATCH: Final = Text(
    "No {type} matches the criteria.",
    "Критериям не отвечает ни один ресурс {type}.",
    "Критеріям не відповідає жоден ресурс {type}.",
)
UNFIT: Final = Text(
    "The patch does not fit the resource, or what it makes is not valid. You may not read the "
    "resource, so nothing more is told.",
    "Патч не подходит к ресурсу, или его результат недопустим. Читать ресурс вам нельзя, "
    "поэтому подробностей нет.",
    "Патч не підходить до ресурсу, або його результат неприпустимий. Читати ресурс вам не "
    "можна, тому подробиць немає.",
)
ID_PATCHED: Final = Text(
    "A patch may not change the id of a resource.",
    "Патч не может менять id ресурса.",
    "Патч не може змінювати id ресурсу.",
)


async def patch(ctx: Context, command: Patch) -> Result:
    """Apply the patch to the current version.

    "The server SHALL process its own copy of the resource": whatever the patch tests is
    tested on the version that it then replaces.

    Raises:
        NotFound, Gone: there is nothing to patch.
        PreconditionFailed: If-Match names another version.
        Unprocessable: the patch does not fit, or what it makes is not valid.
    """

    async def work(unit: Unit) -> Result:
        found = await unit.read(command.type, command.id, within=ctx.rights.update)
        check_existence(ctx, "u", command.type, command.id, found)
        current = live(found, command.type, command.id)
        return await patched(ctx, unit, current, command.change, command.if_match)

    return await in_unit(ctx, command.type, work, command.id)


async def conditional_patch(ctx: Context, command: ConditionalPatch) -> Result:
    """Apply the patch to the one resource that matches.

    Raises:
        NotFound: none matches.
        MultipleMatches: more than one matches.
    """
    kind = command.type
    where = compiled(ctx, kind, command.criteria)

    async def work(unit: Unit) -> Result:
        found = await only_match(ctx, unit, kind, command.criteria, where)
        if found is None:
            raise NotFound(NO_MATCH, type=kind)
        await check_writable(ctx, unit, "u", kind, (found,))
        return await patched(ctx, unit, found, command.change, command.if_match)

    return await in_unit(ctx, kind, work)


async def patched(
    ctx: Context, unit: Unit, current: Stored, change: Change, if_match: str | None
) -> Result:
    """Apply `change` to `current`, which lives.

    Raises:
        PreconditionFailed: If-Match names another version.
        Unprocessable: the patch does not fit, or what it makes is not valid.
    """
    check_if_match(if_match, current)
    sized = ctx.sized(max(ctx.size, len(current.body)))
    # Its author decides what a patch computes: never on the loop.
    try:
        after = await aside(sized.size, _after, ctx, current, change, least=0)
    except FhirError as error:
        # What does not fit may be told in words of the resource.
        if await may_read(ctx.inside(unit), current):
            raise
        raise Unprocessable(UNFIT) from error
    return await put(sized, unit, current.type, current.id, current, after, "PATCH")


def _after(ctx: Context, current: Stored, change: Change) -> JsonObject:
    """What the patch makes of the current version, valid."""
    before: JsonObject = loads(current.body, max_depth=ctx.services.limits.depth)
    after = change(before)
    check_type(after, current.type)
    if after.get("id") != current.id:
        raise BadValue(ID_PATCHED, expression=f"{current.type}.id")
    ctx.services.validator.check(after, current.type)
    return after
