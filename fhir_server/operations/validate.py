"""$validate tells whether a resource would be accepted, and all that is to be said of it.

The answer is an OperationOutcome with status 200 whether or not it would: the request to
validate has been carried out.

https://hl7.org/fhir/R4/resource-operation-validate.html
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from fhir_server.aside import HEAVY, aside
from fhir_server.core.errors import BadValue, FhirError, Issue, MissingElement
from fhir_server.core.messages import Text
from fhir_server.core.outcome import operation_outcome
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import dumps, loads
from fhir_server.interactions.context import Context
from fhir_server.interactions.permits import check_letter
from fhir_server.interactions.read import live
from fhir_server.interactions.results import Result
from fhir_server.interactions.update import NO_ID
from fhir_server.interactions.versions import check_type
from fhir_server.operations.call import Call
from fhir_server.store.port import Stored

ALL_WELL: Final = Text("No issues found.", "Замечаний нет.", "Зауважень немає.")
NO_RESOURCE: Final = Text(
    "A resource to validate is needed.",
    "Нужен ресурс для проверки.",
    "Потрібен ресурс для перевірки.",
)
BAD_MODE: Final = Text(
    "The mode `{mode}` is none of create, update, delete, profile.",
    "Режим `{mode}` — не create, update, delete или profile.",
    "Режим `{mode}` — не create, update, delete або profile.",
)
NEEDS_INSTANCE: Final = Text(
    "The mode `{mode}` is about an existing resource: ask at [type]/[id]/$validate.",
    "Режим `{mode}` относится к существующему ресурсу: [type]/[id]/$validate.",
    "Режим `{mode}` стосується наявного ресурсу: [type]/[id]/$validate.",
)
NEEDS_PROFILE: Final = Text(
    "The mode `profile` needs the parameter `profile`.",
    "Режиму `profile` нужен параметр `profile`.",
    "Режиму `profile` потрібен параметр `profile`.",
)
MAY_DELETE: Final = Text(
    "The resource may be deleted.", "Ресурс можно удалить.", "Ресурс можна видалити."
)
ID_GIVEN: Final = Text(
    "A create ignores the id `{id}`: the server gives one.",
    "При создании id `{id}` не учитывается: его назначает сервер.",
    "Під час створення id `{id}` не враховується: його призначає сервер.",
)
OTHER_ID: Final = Text(
    "The resource has the id `{got}`, the URL says `{id}`.",
    "У ресурса id `{got}`, а в адресе `{id}`.",
    "У ресурсу id `{got}`, а в адресі `{id}`.",
)

_MODES: Final = frozenset({"create", "update", "delete", "profile"})
_PARAMETERS: Final = frozenset({"resource", "mode", "profile"})


async def validate(ctx: Context, call: Call) -> Result:
    """Every issue of the resource, as errors, warnings and information.

    Raises:
        Invalid: the call itself is wrong: no resource, an unknown mode.
        NotFound, Gone: the instance is not there.
        Forbidden: there is no scope to read it.
    """
    call.check_names(_PARAMETERS)
    mode = call.value("mode")
    if mode is not None and str(mode) not in _MODES:
        raise BadValue(BAD_MODE, mode=str(mode)[:40], expression="mode")
    current = await _current(ctx, call, mode)
    if mode == "delete":
        return _answer(ctx, [Issue("informational", MAY_DELETE, {}, "information")])
    profiles = [str(value) for value in call.values("profile")]
    if mode == "profile" and not profiles:
        raise MissingElement(NEEDS_PROFILE, expression="profile")
    given = _given(call)
    size = ctx.size if given or current is None else len(current.body)
    resource = given or (current and await aside(size, _parsed, ctx, current))
    if resource is None:
        raise MissingElement(NO_RESOURCE, expression="resource")
    found = await aside(size, _issues, ctx, call, mode, resource, profiles, least=HEAVY)
    return _answer(ctx, found)


async def _current(ctx: Context, call: Call, mode: Any) -> Stored | None:
    kind, id_ = call.target.type, call.target.id
    if kind is None or id_ is None:
        if mode in ("update", "delete"):
            raise BadValue(NEEDS_INSTANCE, mode=mode, expression="mode")
        return None
    check_letter(ctx, "r", kind)
    return live(await ctx.reads.read(kind, id_, within=ctx.rights.read), kind, id_)


def _parsed(ctx: Context, version: Stored) -> JsonObject:
    return loads(version.body, max_depth=ctx.services.limits.depth)


def _given(call: Call) -> JsonObject | None:
    if call.body is not None and call.body.get("resourceType") != "Parameters":
        return call.body
    value: JsonObject | None = call.value("resource")
    if value is None and call.target.type == "Parameters":
        return call.body
    return value


def _issues(
    ctx: Context, call: Call, mode: Any, resource: JsonObject, profiles: Sequence[str]
) -> list[Issue]:
    kind = call.target.type or str(resource.get("resourceType"))
    try:
        check_type(resource, kind)
        found = list(ctx.services.validator.validate(resource, kind, profiles))
    except FhirError as error:
        return list(error.issues)
    id_, path = resource.get("id"), f"{kind}.id"
    if mode == "create" and id_ is not None:
        found.append(Issue("informational", ID_GIVEN, {"id": id_}, "information", (path,)))
    if mode == "update":
        found += _update_id(id_, call.target.id, path)
    return found


def _update_id(got: object, id_: str | None, path: str) -> Iterator[Issue]:
    """What an update would say of the id in its body."""
    if got is None:
        yield Issue("required", NO_ID, {"id": id_}, expression=(path,))
    elif got != id_:
        yield Issue("value", OTHER_ID, {"got": got, "id": id_}, expression=(path,))


def _answer(ctx: Context, issues: Sequence[Issue]) -> Result:
    said = issues or [Issue("informational", ALL_WELL, {}, "information")]
    return Result(200, body=dumps(operation_outcome(said, ctx.language)), wanted=True)
