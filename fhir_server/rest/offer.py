"""The operator's CapabilityStatement, read and held against what the server can do.

An entry that the server does not have is refused at start, and so is one left out that it
cannot leave out: a statement must not promise, or deny, what is not so.

https://hl7.org/fhir/R4/capabilitystatement.html
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from fhir_server.core.types import JsonObject
from fhir_server.interactions.offer import Offer
from fhir_server.operations.call import Operation
from fhir_server.rest import ipa
from fhir_server.rest.capability import full
from fhir_server.search.registry import Offered

_FIXED: Final = ("versioning", "read_history", "update_create", "conditional_read")
"""Elements of a type that are as they are, where they are stated."""
_NEVER: Final = "not-supported"


class CapabilityError(Exception):
    """The operator's statement asks for what this server cannot do; says each entry."""


class _Coded(Struct):
    code: str


class _Defined(Struct):
    name: str
    definition: str | None = None
    type: str | None = None


class _Resource(Struct, rename="camel"):
    type: str
    profile: str | None = None
    supported_profile: tuple[str, ...] = ()
    interaction: tuple[_Coded, ...] = ()
    versioning: str | None = None
    read_history: bool | None = None
    update_create: bool | None = None
    conditional_create: bool = False
    conditional_read: str | None = None
    conditional_update: bool = False
    conditional_delete: str = _NEVER
    search_include: tuple[str, ...] = ()
    search_rev_include: tuple[str, ...] = ()
    search_param: tuple[_Defined, ...] = ()
    operation: tuple[_Defined, ...] = ()


class _Rest(Struct, rename="camel"):
    mode: str
    resource: tuple[_Resource, ...] = ()
    interaction: tuple[_Coded, ...] = ()
    search_param: tuple[_Defined, ...] = ()
    operation: tuple[_Defined, ...] = ()
    compartment: tuple[str, ...] = ()


class _Statement(Struct, rename="camel"):
    rest: tuple[_Rest]
    format: tuple[str, ...]
    fhir_version: str
    patch_format: tuple[str, ...] = ()
    instantiates: tuple[str, ...] = ()


def offer(statement: JsonObject, operations: Iterable[Operation]) -> Offer:
    """What `statement` lets the server do.

    Raises:
        CapabilityError: it cannot be honoured; the text names every entry.
    """
    possible = _convert(full(operations))
    try:
        asked = _convert(statement)
    except msgspec.ValidationError as error:
        raise CapabilityError(f"capability_statement.json: {error}") from error
    problems = list(_problems(asked, possible))
    if problems:
        raise CapabilityError("capability_statement.json: cannot honour " + ", ".join(problems))
    return _offer(asked.rest[0])


def _convert(statement: JsonObject) -> _Statement:
    return msgspec.convert(statement, _Statement)


def _problems(asked: _Statement, possible: _Statement) -> Iterator[str]:
    for name in ("fhir_version", "format", "patch_format"):
        yield from _fixed(name, "", getattr(asked, name), getattr(possible, name))
    mine, whole = asked.rest[0], possible.rest[0]
    yield from _surplus("instantiates", "", asked.instantiates, possible.instantiates)
    if ipa.SERVER in asked.instantiates:
        for each in ipa.lacking(_by_name(mine)):
            yield f"instantiates {ipa.SERVER} without {each}"
    yield from _fixed("mode", "", mine.mode, whole.mode)
    yield from _surplus("interaction", "", _codes(mine), _codes(whole))
    yield from _surplus("compartment", "", mine.compartment, whole.compartment)
    yield from _defined("searchParam", "", mine.search_param, whole.search_param)
    yield from _defined("operation", "", mine.operation, whole.operation)
    types = {row.type: row for row in whole.resource}
    seen: set[str] = set()
    for row in mine.resource:
        if row.type not in types or row.type in seen:
            yield f"resource {row.type}"
        else:
            yield from _of_type(row, types[row.type])
        seen.add(row.type)


def _of_type(asked: _Resource, possible: _Resource) -> Iterator[str]:
    kind = asked.type
    for name in ("profile", *_FIXED):
        stated = getattr(asked, name)
        if stated is not None:
            yield from _fixed(name, kind, stated, getattr(possible, name))
    if asked.conditional_delete not in (_NEVER, possible.conditional_delete):
        yield f"conditionalDelete {kind}/{asked.conditional_delete}"
    yield from _surplus("interaction", kind, _codes(asked), _codes(possible))
    for name in ("search_include", "search_rev_include", "supported_profile"):
        yield from _surplus(_camel(name), kind, getattr(asked, name), getattr(possible, name))
    yield from _defined("searchParam", kind, asked.search_param, possible.search_param)
    yield from _defined("operation", kind, asked.operation, possible.operation)


def _by_name(rest: _Rest) -> Mapping[str, tuple[frozenset[str], frozenset[str]]]:
    common = _names(rest.search_param)
    return {
        row.type: (frozenset(_codes(row)), common | _names(row.search_param))
        for row in rest.resource
    }


def _fixed(name: str, kind: str, stated: object, real: object) -> Iterator[str]:
    same = (
        set(stated) == set(real)
        if isinstance(stated, tuple) and isinstance(real, tuple)
        else stated == real
    )
    if not same:
        shown = ", ".join(map(str, stated)) if isinstance(stated, tuple) else str(stated)
        yield f"{_camel(name)} {kind}/{shown}"


def _surplus(
    what: str, kind: str, asked: Iterable[str], possible: Iterable[str]
) -> Iterator[str]:
    for name in sorted(set(asked) - set(possible)):
        yield f"{what} {kind}/{name}"


def _defined(
    what: str, kind: str, asked: Iterable[_Defined], possible: Iterable[_Defined]
) -> Iterator[str]:
    """An entry must mean what it means here: the same definition and type."""
    known = {each.name: each for each in possible}
    for each in asked:
        real = known.get(each.name)
        if real is None:
            yield f"{what} {kind}/{each.name}"
        elif each.definition not in (None, real.definition):
            yield f"{what} {kind}/{each.name} as {each.definition}"
        elif each.type not in (None, real.type):
            yield f"{what} {kind}/{each.name} of type {each.type}"


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(each.title() for each in others)


def _codes(row: _Rest | _Resource) -> set[str]:
    return {each.code for each in row.interaction}


def _offer(rest: _Rest) -> Offer:
    common = frozenset(each.name for each in rest.search_param)
    rows = rest.resource
    return Offer(
        interactions={"": frozenset(_codes(rest)), **_by_type(rows, _all_codes)},
        operations={
            "": _names(rest.operation),
            **_by_type(rows, lambda r: _names(r.operation)),
        },
        compartments=frozenset(map(_type_of_compartment, rest.compartment)),
        search=Offered(
            parameters=_by_type(rows, lambda r: _names(r.search_param) | common),
            includes=_by_type(rows, lambda r: frozenset(r.search_include)),
            reverse_includes=_by_type(rows, lambda r: frozenset(r.search_rev_include)),
        ),
    )


def _by_type(rows: Iterable[_Resource], of: Any) -> Mapping[str, frozenset[str]]:
    return {row.type: of(row) for row in rows}


def _all_codes(row: _Resource) -> frozenset[str]:
    """The interactions, and those that elements of their own speak of."""
    conditional = {
        "conditional-create": row.conditional_create,
        "conditional-update": row.conditional_update,
        "conditional-patch": row.conditional_update,
        "conditional-delete": row.conditional_delete != _NEVER,
    }
    return frozenset(_codes(row) | {code for code, stated in conditional.items() if stated})


def _names(rows: Iterable[_Defined]) -> frozenset[str]:
    return frozenset(each.name for each in rows)


def _type_of_compartment(definition: str) -> str:
    name = definition.rpartition("/")[2]
    return name[0].upper() + name[1:]
