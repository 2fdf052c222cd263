"""$meta, $meta-add, $meta-delete: the labels of a resource, without its content.

https://hl7.org/fhir/R4/resource-operation-meta.html
https://hl7.org/fhir/R4/resource-operation-meta-add.html
https://hl7.org/fhir/R4/resource-operation-meta-delete.html
"""

from collections.abc import Callable
from typing import Any, Final

from fhir_server.aside import aside
from fhir_server.core.errors import BadValue, MissingElement
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import dumps, loads
from fhir_server.interactions.context import Context
from fhir_server.interactions.guards import ask
from fhir_server.interactions.read import live
from fhir_server.interactions.results import Result
from fhir_server.interactions.update import check, in_unit, made
from fhir_server.interactions.versions import saying, stored
from fhir_server.operations.call import Call
from fhir_server.operations.labels import labels_in_use
from fhir_server.spec.interactions import ScopeLetter
from fhir_server.store.port import Stored, Unit

NO_META: Final = Text(
    "The parameter `meta` with a Meta is needed.",
    "Нужен параметр `meta` со значением типа Meta.",
    "Потрібен параметр `meta` зі значенням типу Meta.",
)
OLD_VERSION: Final = Text(
    "Only the current version may be labelled: a version of the past does not change.",
    "Метки можно менять только у текущей версии: прошлые версии неизменны.",
    "Мітки можна змінювати лише в поточній версії: минулі версії незмінні.",
)

_LISTS: Final = ("profile", "security", "tag")


async def meta(ctx: Context, call: Call) -> Result:
    """The Meta of one resource or version; of a type, or of all, the labels in use.

    Raises:
        NotFound, Gone: there is no such resource.
        TooCostly: more labels are in use than are told.
    """
    call.check_names(frozenset())
    if call.level != "instance":
        kinds = [call.target.type] if call.target.type else await ctx.services.store.kinds()
        return _answer(await labels_in_use(ctx, kinds))
    found = await _found(ctx, call)
    return _answer(_parsed(ctx, found)["meta"], found)


async def meta_add(ctx: Context, call: Call) -> Result:
    """Add profiles, security labels and tags; what is there already stays as it is."""
    return await _change(ctx, call, _added)


async def meta_delete(ctx: Context, call: Call) -> Result:
    """Remove profiles, security labels and tags; what is not there changes nothing."""
    return await _change(ctx, call, _removed)


Merge = Callable[[JsonObject, JsonObject], JsonObject]


async def _found(ctx: Context, call: Call, letter: ScopeLetter = "r") -> Stored:
    within = ctx.rights.of(letter)
    kind, id_, version = call.target.type or "", call.target.id or "", call.target.version
    if version is None:
        found = await ctx.reads.read(kind, id_, within=within)
    else:
        number = int(version) if version.isascii() and version.isdigit() else 0
        found = await ctx.reads.vread(kind, id_, number, within=within)
    return live(found, kind, id_)


async def _change(ctx: Context, call: Call, merge: Merge) -> Result:
    call.check_names(frozenset({"meta"}))
    if call.target.version is not None:
        raise BadValue(OLD_VERSION)
    given = call.value("meta")
    if not isinstance(given, dict):
        raise MissingElement(NO_META, expression="Parameters.parameter.where(name='meta')")

    async def work(unit: Unit) -> Result:
        current = await _found(ctx.inside(unit), call, "u")
        resource = await aside(len(current.body), _parsed, ctx, current)
        labels = merge(resource["meta"], given)
        if labels == resource["meta"]:
            return _answer(labels, current)
        changed = resource | {"meta": labels}
        sized = ctx.sized(len(current.body))
        await check(sized, changed, current.type)
        kind, id_ = current.type, current.id
        said = await ask(ctx, unit, kind, id_, before=current, after=changed)
        version = await made(sized, current, kind, id_, changed, "PUT")
        version = saying(ctx, version, said)
        await unit.replace(current, version)
        now = stored(version)
        written = await aside(len(version.body), _parsed, ctx, now)
        return _answer(written["meta"], now)

    return await in_unit(ctx, call.target.type or "", work, call.target.id)


def _parsed(ctx: Context, version: Stored) -> JsonObject:
    return loads(version.body, max_depth=ctx.services.limits.depth)


def _answer(labels: JsonObject, *shown: Stored) -> Result:
    body: JsonObject = {"resourceType": "Parameters"}
    if labels:  # an empty Meta is no value
        body["parameter"] = [{"name": "return", "valueMeta": labels}]
    return Result(200, body=dumps(body), shown=shown, wanted=True)


def _added(current: JsonObject, given: JsonObject) -> JsonObject:
    lists = {name: _union(current.get(name, []), given.get(name, [])) for name in _LISTS}
    return current | {name: values for name, values in lists.items() if values}


def _removed(current: JsonObject, given: JsonObject) -> JsonObject:
    kept = dict(current)
    for name in _LISTS:
        gone = {_identity(value) for value in given.get(name, [])}
        values = [value for value in current.get(name, []) if _identity(value) not in gone]
        if values:
            kept[name] = values
        else:
            kept.pop(name, None)
    return kept


def _union(current: list[Any], given: list[Any]) -> list[Any]:
    known = {_identity(value) for value in current}
    return current + [value for value in given if _identity(value) not in known]


def _identity(value: Any) -> tuple[str | None, str | None]:
    # "based on … system and code": the display does not make another label.
    if isinstance(value, dict):
        return value.get("system"), value.get("code")
    return None, value
