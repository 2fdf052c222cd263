"""update, update as create, conditional update.

https://hl7.org/fhir/R4/http.html#update
https://hl7.org/fhir/R4/http.html#cond-update
"""

from collections.abc import Awaitable, Callable
from typing import Final

from fhir_server.aside import HEAVY, aside
from fhir_server.core.errors import BadValue, Duplicate, MissingElement, PreconditionFailed
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.interactions.commands import ConditionalUpdate, Update
from fhir_server.interactions.conditions import compiled, only_match
from fhir_server.interactions.context import Context
from fhir_server.interactions.exchange import exchange
from fhir_server.interactions.guards import ask
from fhir_server.interactions.permits import check_existence, check_writable
from fhir_server.interactions.results import Result
from fhir_server.interactions.told import run_told
from fhir_server.interactions.versions import (
    Method,
    check_id,
    check_if_match,
    check_type,
    is_unchanged,
    saying,
    version_behind,
    written,
)
from fhir_server.interactions.withholding import withheld
from fhir_server.store.port import Stored, Unit, Version

NO_ID: Final = Text(
    "An update needs the id of the resource in its body too: `{id}`.",
    "При обновлении id ресурса нужен и в его теле: `{id}`.",
    "Під час оновлення id ресурсу потрібен і в його тілі: `{id}`.",
)
OTHER_ID: Final = Text(
    "The body has the id `{got}`, the URL says `{id}`.",
    "В теле id `{got}`, а в адресе `{id}`.",
    "У тілі id `{got}`, а в адресі `{id}`.",
)
EXISTS: Final = Text(
    "The resource exists already, and If-None-Match: * asks that it does not.",
    "Ресурс уже есть, а If-None-Match: * требует, чтобы его не было.",
    "Ресурс уже є, а If-None-Match: * вимагає, щоб його не було.",
)
TAKEN: Final = Text(
    "The id `{id}` belongs to another {type} that the criteria do not find.",
    "Id `{id}` принадлежит другому ресурсу {type}, который критерии не находят.",
    "Id `{id}` належить іншому ресурсу {type}, якого критерії не знаходять.",
)
MATCH_HAS_OTHER_ID: Final = Text(
    "The criteria find `{found}`, the body has the id `{got}`.",
    "Критерии находят `{found}`, а в теле id `{got}`.",
    "Критерії знаходять `{found}`, а в тілі id `{got}`.",
)


async def update(ctx: Context, command: Update) -> Result:
    """Replace the current version, or make the resource exist under the client's id.

    An equal body changes nothing: the current version is the answer.

    Raises:
        Invalid: the resource is malformed, breaks a rule of R4, or has another id.
        PreconditionFailed: If-Match names another version.
    """
    check_type(command.resource, command.type)
    check_body_id(command.resource, command.id)
    await check(ctx, command.resource, command.type)
    exchanged = await exchange(ctx, command)
    if exchanged is not None:
        return exchanged

    async def work(unit: Unit) -> Result:
        current = await unit.read(command.type, command.id, within=ctx.rights.update)
        check_existence(ctx, "u", command.type, command.id, current)
        check_if_match(command.if_match, current)
        check_if_none_match(command.if_none_match, current)
        return await put(ctx, unit, command.type, command.id, current, command.resource)

    return await in_unit(ctx, command.type, work, command.id)


def check_body_id(resource: JsonObject, id_: str) -> None:
    """Raise Invalid unless `id_` is an id and stands in the body too."""
    check_id(id_)
    got, path = resource.get("id"), f"{resource['resourceType']}.id"
    if got is None:
        raise MissingElement(NO_ID, id=id_, expression=path)
    if got != id_:
        raise BadValue(OTHER_ID, got=got, id=id_, expression=path)


def check_if_none_match(if_none_match: str | None, current: Stored | None) -> None:
    """Raise PreconditionFailed when `*` meets a resource that exists."""
    if if_none_match == "*" and current is not None and not current.deleted:
        raise PreconditionFailed(EXISTS)


async def conditional_update(ctx: Context, command: ConditionalUpdate) -> Result:
    """Update the one resource that matches, or create when none does.

    Raises:
        MultipleMatches: more than one matches.
        BadValue: the body has an id, and the match another.
    """
    kind, resource = command.type, command.resource
    check_type(resource, kind)
    await check(ctx, resource, kind)
    where = compiled(ctx, kind, command.criteria)

    async def work(unit: Unit) -> Result:
        found = await only_match(ctx, unit, kind, command.criteria, where)
        await check_writable(ctx, unit, "u", kind, (found,) if found else ())
        check_if_match(command.if_match, found)
        id_ = matched_id(resource, found) or command.id or ctx.services.new_id()
        check_id(id_)
        current = found or await unit.read(kind, id_, within=ctx.rights.update)
        if found is None:
            if "id" in resource:
                check_existence(ctx, "u", kind, id_, current)
            check_free(current)
        return await put(ctx, unit, kind, id_, current, resource)

    return await in_unit(ctx, kind, work)


def matched_id(resource: JsonObject, found: Stored | None) -> str | None:
    """The id of what the criteria found, or else the one that the body brings.

    Raises:
        BadValue: the two differ.
    """
    got: str | None = resource.get("id")
    if found is not None and got not in (None, found.id):
        path = f"{resource['resourceType']}.id"
        raise BadValue(MATCH_HAS_OTHER_ID, found=found.id, got=got, expression=path)
    return found.id if found is not None else got


def check_free(current: Stored | None) -> None:
    """Raise Conflict when criteria find nothing and the body's id is taken all the same."""
    if current is not None and not current.deleted:
        raise Duplicate(TAKEN, type=current.type, id=current.id)


async def put(
    ctx: Context,
    unit: Unit,
    kind: str,
    id_: str,
    current: Stored | None,
    resource: JsonObject,
    method: Method = "PUT",
) -> Result:
    """Make `resource`, which is valid, the version behind `current`."""
    if current is None or current.deleted:
        said = await ask(ctx, unit, kind, id_, before=None, after=resource)
        version = saying(ctx, await made(ctx, current, kind, id_, resource, method), said)
        await unit.insert([version])
        return written(version, 201)
    if await aside(ctx.size, is_unchanged, ctx, resource, current, least=HEAVY):
        return Result(200, current)
    said = await ask(ctx, unit, kind, id_, before=current, after=resource)
    version = saying(ctx, await made(ctx, current, kind, id_, resource, method), said)
    await unit.replace(current, version)
    return written(version, 200)


async def check(ctx: Context, resource: JsonObject, kind: str) -> None:
    """Let pass what may be stored as a resource of type `kind`, aside if it is large.

    Raises:
        Invalid, Unprocessable: it may not.
    """
    await aside(ctx.size, ctx.services.validator.check, resource, kind, least=HEAVY)


async def made(
    ctx: Context,
    current: Stored | None,
    kind: str,
    id_: str,
    resource: JsonObject,
    method: Method = "PUT",
) -> Version:
    """The version of `resource`, which is valid, behind `current`; aside if it is large."""
    return await aside(
        ctx.size, version_behind, ctx, current, kind, id_, resource, method, least=HEAVY
    )


async def in_unit(
    ctx: Context,
    kind: str,
    work: Callable[[Unit], Awaitable[Result]],
    id_: str | None = None,
) -> Result:
    """Do `work`, which writes a `kind`, in the open unit, or in one of its own.

    `id_` is the id that it writes, where that is known before.
    """

    async def shown(unit: Unit) -> Result:
        return await withheld(ctx.inside(unit), await work(unit))

    if ctx.unit is not None:
        return await shown(ctx.unit)
    resource = None if id_ is None else f"{kind}/{id_}"
    return await run_told(ctx, kind, shown, resource)
