"""read and vread.

https://hl7.org/fhir/R4/http.html#read
https://hl7.org/fhir/R4/http.html#vread
"""

from typing import Final

from fhir_server.aside import aside
from fhir_server.core.errors import Gone, NotFound
from fhir_server.core.header_values import etags, http_date
from fhir_server.core.messages import Text
from fhir_server.interactions.commands import Pairs, Read, VRead
from fhir_server.interactions.context import Context
from fhir_server.interactions.results import Result
from fhir_server.interactions.views import viewed
from fhir_server.store.port import Stored

NOT_FOUND: Final = Text(
    "There is no {type} with the id `{id}`.",
    "Ресурса {type} с id `{id}` нет.",
    "Ресурсу {type} з id `{id}` немає.",
)
NO_VERSION: Final = Text(
    "{type} `{id}` has no version `{version}`.",
    "У {type} `{id}` нет версии `{version}`.",
    "У {type} `{id}` немає версії `{version}`.",
)
DELETED: Final = Text(
    "{type} `{id}` has been deleted.",
    "Ресурс {type} `{id}` удалён.",
    "Ресурс {type} `{id}` видалено.",
)
_SECOND: Final = 1000  # milliseconds; HTTP dates have no fractions
_LONGEST_VERSION: Final = 10  # digits: more writes of one resource than a server lives


async def read(ctx: Context, command: Read) -> Result:
    """The current version; 304 when the client already has it.

    Raises:
        NotFound: there is none that this caller may see.
        Gone: it has been deleted.
        BadValue: the view is none.
    """
    found = await ctx.reads.read(command.type, command.id, within=ctx.rights.read)
    return await _unless_known(ctx, live(found, command.type, command.id), command)


async def vread(ctx: Context, command: VRead) -> Result:
    """One version of a resource, judged by what it said then; 304 as `read`.

    Raises:
        NotFound: there is no such version that this caller may see.
        Gone: it is the deletion.
    """
    number = command.version
    if not (number.isascii() and number.isdigit() and len(number) <= _LONGEST_VERSION):
        raise NotFound(NO_VERSION, type=command.type, id=command.id, version=number)
    found = await ctx.reads.vread(command.type, command.id, int(number), within=ctx.rights.read)
    if found is None:
        raise NotFound(NO_VERSION, type=command.type, id=command.id, version=number)
    return await _unless_known(ctx, live(found, command.type, command.id), command)


def live(found: Stored | None, kind: str, id_: str) -> Stored:
    """`found` if it is there and not deleted.

    Raises:
        NotFound: it is None.
        Gone: it is a tombstone.
    """
    if found is None:
        raise NotFound(NOT_FOUND, type=kind, id=id_)
    if found.deleted:
        raise Gone(DELETED, type=kind, id=id_)
    return found


async def _unless_known(ctx: Context, version: Stored, command: Read | VRead) -> Result:
    if _is_known(version, command):
        return Result(304, version, wanted=True)
    return Result(200, await _viewed(ctx, version, command.view), wanted=True)


async def _viewed(ctx: Context, version: Stored, view: Pairs) -> Stored:
    if not view:
        return version
    return await aside(len(version.body), viewed, version, view, ctx.services.limits.depth)


def _is_known(version: Stored, command: Read | VRead) -> bool:
    # If-None-Match takes precedence: RFC 9110, 13.1.3.
    if command.if_none_match is not None:
        known = etags(command.if_none_match)
        return known is None or str(version.number) in known
    # "MUST ignore … if it is not a valid HTTP-date": the same section.
    since = http_date(command.if_modified_since or "")
    return since is not None and version.at // _SECOND * _SECOND <= since
