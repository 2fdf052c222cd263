"""The short way of an update that names the version it replaces.

Nothing has to be read to make that version's successor: the write itself says whether it was
the current one. What it finds otherwise - another version, none, an equal body - the long way
answers, which reads first.

https://hl7.org/fhir/R4/http.html#concurrency
"""

from typing import Final

from fhir_server.aside import HEAVY, aside
from fhir_server.core.errors import Forbidden
from fhir_server.core.header_values import etags
from fhir_server.interactions.commands import Update
from fhir_server.interactions.context import Context
from fhir_server.interactions.guards import is_guarded
from fhir_server.interactions.labels_of import has_labels
from fhir_server.interactions.results import Result
from fhir_server.interactions.told import run_told
from fhir_server.interactions.versions import is_unchanged, named_version, written
from fhir_server.interactions.withholding import withheld
from fhir_server.store.port import Unit

_DIGITS: Final = 18
"""Of a version number that the store can hold."""


async def exchange(ctx: Context, command: Update) -> Result | None:
    """The update, if it can be done so: None where it cannot, and nothing is written.

    Within a unit of others, or where guards or stamps want to see the current version, it
    cannot.
    """
    number = _named(command)
    is_judged = is_guarded(ctx, command.type) or command.type in ctx.services.stamps
    if number is None or ctx.unit is not None or is_judged:
        return None
    try:
        version = await aside(
            ctx.size,
            named_version,
            ctx,
            command.type,
            command.id,
            number + 1,
            command.resource,
            least=HEAVY,
        )
    except Forbidden:  # perhaps not the first thing to be said
        return None

    async def work(unit: Unit) -> Result:
        old = await unit.exchange(number, version, within=ctx.rights.update)
        if old is None or old.at > version.at:
            raise _UnfitError
        if ctx.services.label is not None and has_labels(old):
            raise _UnfitError  # labels of the version before stay, and were not known
        if await aside(ctx.size, is_unchanged, ctx, command.resource, old, least=HEAVY):
            raise _UnfitError
        return await withheld(ctx.inside(unit), written(version, 200))

    try:
        return await run_told(ctx, command.type, work, f"{command.type}/{command.id}")
    except _UnfitError:
        return None


def _named(command: Update) -> int | None:
    """The one version that If-Match names."""
    if command.if_match is None or command.if_none_match is not None:
        return None
    named = etags(command.if_match)
    if named is None or len(named) != 1:
        return None
    (tag,) = named
    is_number = tag.isascii() and tag.isdigit() and len(tag) <= _DIGITS
    return int(tag) if is_number and tag == str(int(tag)) else None


class _UnfitError(Exception):
    """The write is to be taken back, and the long way to be gone."""
