"""Whether the caller may do what a command asks: scopes, before and behind every write.

A missing scope for a whole type is 403 and says which. An instance out of reach is never told
apart from one that does not exist: reads answer 404 for both, writes 403 for both.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
https://www.rfc-editor.org/rfc/rfc6750#section-3
"""

from collections.abc import Sequence
from typing import Final, assert_never

from fhir_server.access.principal import Principal
from fhir_server.core.errors import Forbidden
from fhir_server.core.messages import Text
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
from fhir_server.interactions.step_up import check_sign_in
from fhir_server.search.evaluate import Record, Resources, satisfies
from fhir_server.search.nodes import parts
from fhir_server.search.plan import UNRESTRICTED, Chain, Everything, Has, Ids, Listed, Node
from fhir_server.search.values import IndexValues
from fhir_server.spec.interactions import ScopeLetter
from fhir_server.spec.structures import RESOURCE_TYPES
from fhir_server.store.port import Stored, Unit

NO_SCOPE: Final = Text(
    "This needs the scope {scope}; the token does not have it.",
    "Для этого нужен доступ {scope}; токен его не даёт.",
    "Для цього потрібен доступ {scope}; токен його не надає.",
)
NOT_YOURS: Final = Text(
    "There is no {type} `{id}` that you may change.",
    "Нет ресурса {type} `{id}`, который вы вправе изменять.",
    "Немає ресурсу {type} `{id}`, який ви маєте право змінювати.",
)
OUT_OF_REACH: Final = Text(
    "A {type} like this is outside of what you may write.",
    "Такой ресурс {type} выходит за пределы того, что вам можно записывать.",
    "Такий ресурс {type} виходить за межі того, що вам можна записувати.",
)

_ALONE: Final = Resources({}, UNRESTRICTED)
"""What a new version may be depends on its own values: no other resource is looked at."""


def letters(command: Command) -> Sequence[ScopeLetter]:
    """The permissions that `command` needs, all of them."""
    match command:
        case Read() | VRead():
            return ("r",)
        case Search():
            return ("s",)
        case History():
            return ("s",) if command.id is None else ("r",)
        case Create():
            return ("c",) if command.if_none_exist is None else ("s", "c")
        case Update() | Patch():
            return ("u",)
        case ConditionalUpdate() | ConditionalPatch():
            return ("s", "u")
        case Delete():
            return ("d",)
        case ConditionalDelete():
            return ("s", "d")
        case _:
            assert_never(command)


def check_command(ctx: Context, command: Command) -> None:
    """Raise Forbidden when a permission is missing for the whole type, InsufficientSignIn when
    the sign-in is too weak or too old for it."""
    for letter in letters(command):
        check_letter(ctx, letter, command.type)
    check_sign_in(ctx, command)


def check_letter(ctx: Context, letter: ScopeLetter, kind: str | None) -> None:
    """Raise Forbidden unless `letter` holds for something of `kind`, or of any type."""
    kinds = RESOURCE_TYPES if kind is None else (kind,)
    if not any(ctx.rights.allows(letter, each) for each in kinds):
        if ctx.withheld is not None:  # it is kept: what is raised is edited on its way out
            raise ctx.withheld.copied()
        raise insufficient_scope(ctx.principal, letter, kind)


def insufficient_scope(
    principal: Principal | None, letter: ScopeLetter, kind: str | None
) -> Forbidden:
    """403 that names the scope that is missing."""
    level = principal.scopes[0].level if principal and principal.scopes else "patient"
    return without_scope(f"{level}/{kind or '*'}.{letter}")


def without_scope(scope: str) -> Forbidden:
    """403 `insufficient_scope` for want of `scope`."""
    error = Forbidden(NO_SCOPE, scope=scope)
    challenge = f'Bearer error="insufficient_scope", scope="{scope}"'
    error.headers = {"WWW-Authenticate": challenge}
    return error


def check_existence(
    ctx: Context, letter: ScopeLetter, kind: str, id_: str, found: Stored | None
) -> None:
    """Raise Forbidden where a limited caller meets nothing to write: what is not there and
    what is out of reach are one."""
    if found is None and is_limited(ctx, letter, kind):
        raise Forbidden(NOT_YOURS, type=kind, id=id_)


def is_limited(ctx: Context, letter: ScopeLetter, kind: str) -> bool:
    """Whether some resources of `kind` are out of the caller's reach."""
    return not isinstance(ctx.rights.of(letter).of(kind), Everything)


async def check_writable(
    ctx: Context, unit: Unit, letter: ScopeLetter, kind: str, found: Sequence[Stored]
) -> None:
    """Raise Forbidden unless every one of `found`, which a search gave, may be written."""
    if not found or not is_limited(ctx, letter, kind):
        return
    ids = tuple(each.id for each in found)
    within = ctx.rights.of(letter)
    may = {each.id for each in await unit.find(kind, Ids(ids), limit=len(ids), within=within)}
    for id_ in ids:
        if id_ not in may:
            raise Forbidden(NOT_YOURS, type=kind, id=id_)


def check_values(
    ctx: Context, letter: ScopeLetter, kind: str, id_: str, at: int, values: IndexValues
) -> None:
    """Raise Forbidden unless the caller may make a version with these values: nothing is
    written out of, or moved into, what it has no right to."""
    node = ctx.rights.of(letter).of(kind)
    if isinstance(node, Everything):
        return
    if not satisfies(_ALONE, Record(kind, id_, at, values), node):
        raise Forbidden(OUT_OF_REACH, type=kind)


def is_met(node: Node, version: Stored, values: IndexValues) -> bool:
    """Whether `node` certainly holds of `version`, by its own `values`: where others decide
    too, that is not known here."""
    if any(isinstance(each, (Chain, Has, Listed)) for each in parts(node)):
        return False
    return satisfies(_ALONE, Record(version.type, version.id, version.at, values), node)


def may_be(ctx: Context, letter: ScopeLetter, kind: str, values: IndexValues) -> bool:
    """Whether a resource with these values, were there one, would be in the caller's reach."""
    return satisfies(_ALONE, Record(kind, "", 0, values), ctx.rights.of(letter).of(kind))
