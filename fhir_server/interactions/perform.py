"""Performs a command: one row for each kind of command.

https://hl7.org/fhir/R4/http.html
"""

from typing import Final, assert_never

from fhir_server.interactions.audit_events import up_to_date
from fhir_server.interactions.commands import (
    Command,
    ConditionalDelete,
    ConditionalPatch,
    ConditionalUpdate,
    Create,
    Delete,
    History,
    Patch,
    Read,
    Search,
    Update,
    VRead,
)
from fhir_server.interactions.context import Context
from fhir_server.interactions.create import create
from fhir_server.interactions.delete import conditional_delete, delete
from fhir_server.interactions.history import history
from fhir_server.interactions.patch import conditional_patch, patch
from fhir_server.interactions.permits import check_command
from fhir_server.interactions.read import read, vread
from fhir_server.interactions.results import Result
from fhir_server.interactions.search import search
from fhir_server.interactions.trail import doing_of, noted
from fhir_server.interactions.update import conditional_update, update

_READING: Final = (Read, VRead, Search, History)


async def perform(ctx: Context, command: Command) -> Result:
    """Do what `command` says, within what `ctx` may see and change.

    Raises:
        FhirError: what the interaction refuses.
    """
    if ctx.trail is None:
        result = await _performed(ctx, command)
    else:
        doing = doing_of(command)
        result = await noted(ctx.trail, doing, lambda: _performed(ctx, command))
    if ctx.services.last_reads is not None and isinstance(command, _READING):
        ctx.services.last_reads.mark(ctx.principal, command.type)
    return result


async def _performed(ctx: Context, command: Command) -> Result:
    check_command(ctx, command)
    await up_to_date(ctx, command)
    match command:
        case Read():
            return await read(ctx, command)
        case VRead():
            return await vread(ctx, command)
        case Create():
            return await create(ctx, command)
        case Update():
            return await update(ctx, command)
        case ConditionalUpdate():
            return await conditional_update(ctx, command)
        case Patch():
            return await patch(ctx, command)
        case ConditionalPatch():
            return await conditional_patch(ctx, command)
        case Delete():
            return await delete(ctx, command)
        case ConditionalDelete():
            return await conditional_delete(ctx, command)
        case Search():
            return await search(ctx, command)
        case History():
            return await history(ctx, command)
        case _:
            assert_never(command)
