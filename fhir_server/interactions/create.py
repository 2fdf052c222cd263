"""create and conditional create.

https://hl7.org/fhir/R4/http.html#create
https://hl7.org/fhir/R4/http.html#ccreate
"""

from fhir_server.aside import HEAVY, aside
from fhir_server.core.types import JsonObject
from fhir_server.interactions.commands import Create, Pairs
from fhir_server.interactions.conditions import compiled, only_match
from fhir_server.interactions.context import Context
from fhir_server.interactions.guards import ask, is_guarded
from fhir_server.interactions.provenance import is_attested
from fhir_server.interactions.results import Result
from fhir_server.interactions.update import in_unit
from fhir_server.interactions.versions import check_type, first_version, saying, written
from fhir_server.interactions.withholding import withheld
from fhir_server.store.port import Unit, Version


async def create(ctx: Context, command: Create) -> Result:
    """Store the resource under a fresh id, unless its condition finds one.

    Raises:
        Invalid: the resource is malformed or breaks a rule of R4.
        MultipleMatches: more than one resource meets the condition.
    """
    check_type(command.resource, command.type)
    # "If an id is provided, the server SHALL ignore it."  (http.html#create)
    id_ = command.id or ctx.services.new_id()
    version = await aside(ctx.size, _prepared, ctx, command, id_, least=HEAVY)
    if command.if_none_exist is not None:
        return await _conditional(ctx, command.if_none_exist, version, command.resource)
    is_alone = not (is_guarded(ctx, command.type) or is_attested(ctx, command.type))
    if ctx.unit is None and is_alone:
        result = written(version, 201)
        if ctx.trail is not None:
            await ctx.trail.ahead(result)
        await ctx.services.store.insert(version)
        return await withheld(ctx, result)
    return await in_unit(
        ctx, command.type, lambda unit: _inserted(ctx, unit, version, command.resource)
    )


async def _inserted(ctx: Context, unit: Unit, version: Version, resource: JsonObject) -> Result:
    said = await ask(ctx, unit, version.type, version.id, before=None, after=resource)
    told = saying(ctx, version, said)
    await unit.insert([told])
    return written(told, 201)


def _prepared(ctx: Context, command: Create, id_: str) -> Version:
    """The version to be stored, checked and indexed, with nothing written yet."""
    ctx.services.validator.check(command.resource, command.type)
    return first_version(ctx, command.type, id_, command.resource, "POST")


async def _conditional(
    ctx: Context, criteria: Pairs, version: Version, resource: JsonObject
) -> Result:
    where = compiled(ctx, version.type, criteria)

    async def work(unit: Unit) -> Result:
        found = await only_match(ctx, unit, version.type, criteria, where)
        if found is not None:
            return Result(200, found, located=True)
        return await _inserted(ctx, unit, version, resource)

    return await in_unit(ctx, version.type, work)
