"""Making the version that a write stores: checked, stamped, serialised, indexed.

https://hl7.org/fhir/R4/resource.html#Meta
"""

from dataclasses import replace
from typing import Final, Literal

from fhir_server.core.datetimes import format_instant
from fhir_server.core.errors import BadValue, PreconditionFailed
from fhir_server.core.header_values import etags
from fhir_server.core.messages import Text
from fhir_server.core.paths import ID
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import dumps, loads
from fhir_server.interactions.context import Context
from fhir_server.interactions.labels_of import has_labels
from fhir_server.interactions.permits import check_values
from fhir_server.interactions.results import Result
from fhir_server.interactions.said import Said, with_said
from fhir_server.store.port import Stored, Version

Method = Literal["POST", "PUT", "PATCH"]

WRONG_TYPE: Final = Text(
    "Expected a {expected}, got `{got}`.",
    "Ожидался ресурс {expected}, получен `{got}`.",
    "Очікувався ресурс {expected}, отримано `{got}`.",
)
BAD_ID: Final = Text(
    "`{id}` is not an id: 1 to 64 letters, digits, `-` and `.`.",
    "`{id}` не годится как id: нужны 1–64 латинские буквы, цифры, `-` и `.`.",
    "`{id}` не підходить як id: потрібні 1–64 латинські літери, цифри, `-` і `.`.",
)
OTHER_VERSION: Final = Text(
    "The resource is at version {current}, not at the version that If-Match names. "
    "Read it again and repeat your change.",
    "Сейчас у ресурса версия {current}, а не та, что названа в If-Match. "
    "Прочитайте ресурс заново и повторите изменение.",
    "Зараз у ресурсу версія {current}, а не та, що названа в If-Match. "
    "Прочитайте ресурс знову й повторіть зміну.",
)
NOT_THERE: Final = Text(
    "If-Match asks for a version of a resource that does not exist.",
    "If-Match называет версию ресурса, которого нет.",
    "If-Match називає версію ресурсу, якого немає.",
)


def check_type(resource: JsonObject, kind: str) -> None:
    """Raise BadValue unless `resource` is a `kind`."""
    got = resource.get("resourceType")
    if got != kind:
        raise BadValue(WRONG_TYPE, expected=kind, got=got, expression="resourceType")


def check_id(id_: str) -> None:
    """Raise BadValue unless `id_` is a FHIR id."""
    if not ID.fullmatch(id_):
        raise BadValue(BAD_ID, id=id_[:80], expression="id")


def check_if_match(if_match: str | None, current: Stored | None) -> None:
    """Raise PreconditionFailed unless `current` is the version that If-Match names.

    https://hl7.org/fhir/R4/http.html#concurrency
    """
    if if_match is None:
        return
    if current is None or current.deleted:
        raise PreconditionFailed(NOT_THERE)
    named = etags(if_match)
    if named is not None and str(current.number) not in named:
        raise PreconditionFailed(OTHER_VERSION, current=current.number)


def is_unchanged(ctx: Context, new: JsonObject, old: Stored) -> bool:
    """Whether `new`, given the id, stamps and labels of `old`, is `old` to the byte."""
    made = with_stamps(ctx, old.type, new, old)
    return dumps(_stamped(made, old.id, old.number, old.at)) == old.body


def with_stamps(
    ctx: Context, kind: str, resource: JsonObject, before: Stored | None
) -> JsonObject:
    """`resource` with labels and with what the server says itself, behind `before`."""
    labelled = with_labels(ctx, resource, before)
    stamp = ctx.services.stamps.get(kind)
    if stamp is None:
        return labelled
    old = None
    if before is not None and not before.deleted:
        old = loads(before.body, max_depth=ctx.services.limits.depth)
    return stamp(ctx, labelled, old)


def with_labels(ctx: Context, resource: JsonObject, before: Stored | None) -> JsonObject:
    """`resource` with the security labels that it must have behind `before`.

    https://hl7.org/fhir/R4/security-labels.html
    """
    label = ctx.services.label
    if label is None:
        return resource
    old = None
    if before is not None and not before.deleted and has_labels(before):
        old = loads(before.body, max_depth=ctx.services.limits.depth)
    return label(resource, old, may_lower=ctx.principal is None)


def first_version(
    ctx: Context,
    kind: str,
    id_: str,
    resource: JsonObject,
    method: Method,
    *,
    after: Stored | None = None,
) -> Version:
    """The version that makes `resource` exist: number 1, or behind the tombstone `after`.

    `resource` has been validated.
    """
    number = 1 if after is None else after.number + 1
    made = with_stamps(ctx, kind, resource, None)
    version = _version(ctx, kind, id_, made, method, number, _time(ctx, after))
    check_values(ctx, "c", kind, id_, version.at, version.values)
    return version


def next_version(ctx: Context, old: Stored, resource: JsonObject, method: Method) -> Version:
    """The version that replaces `old`."""
    number = old.number + 1
    made = with_stamps(ctx, old.type, resource, old)
    version = _version(ctx, old.type, old.id, made, method, number, _time(ctx, old))
    check_values(ctx, "u", old.type, old.id, version.at, version.values)
    return version


def version_behind(
    ctx: Context,
    current: Stored | None,
    kind: str,
    id_: str,
    resource: JsonObject,
    method: Method,
) -> Version:
    """The version behind `current`, whatever that is: live, a tombstone or nothing."""
    if current is None or current.deleted:
        return first_version(ctx, kind, id_, resource, method, after=current)
    return next_version(ctx, current, resource, method)


def saying(ctx: Context, version: Version, said: Said) -> Version:
    """`version` with what the guards of its write have the server say in it."""
    if not said:
        return version
    resource = with_said(loads(version.body, max_depth=ctx.services.limits.depth), said)
    return replace(version, body=dumps(resource), values=ctx.services.index(resource))


def named_version(
    ctx: Context, kind: str, id_: str, number: int, resource: JsonObject
) -> Version:
    """The version `number`, made by PUT; the one before it may not have a later time."""
    labelled = with_labels(ctx, resource, None)
    version = _version(ctx, kind, id_, labelled, "PUT", number, _time(ctx, None))
    check_values(ctx, "u", kind, id_, version.at, version.values)
    return version


def _time(ctx: Context, after: Stored | None) -> int:
    # A clock that steps back must not make a history run backwards.
    now = ctx.services.now()
    return now if after is None else max(now, after.at)


def _version(
    ctx: Context,
    kind: str,
    id_: str,
    resource: JsonObject,
    method: Method,
    number: int,
    at: int,
) -> Version:
    stamped = _stamped(resource, id_, number, at)
    values = ctx.services.index(stamped)
    return Version(kind, id_, number, at, dumps(stamped), values, method)


def _stamped(resource: JsonObject, id_: str, number: int, at: int) -> JsonObject:
    """`resource` with its id and server meta; other elements keep their places."""
    meta = {"versionId": str(number), "lastUpdated": format_instant(at)}
    given = resource.get("meta")
    if given:
        meta |= {k: v for k, v in given.items() if k not in meta}
    stamped: JsonObject = {"resourceType": resource["resourceType"], "id": id_, "meta": meta}
    stamped.update((k, v) for k, v in resource.items() if k not in stamped)
    return stamped


def written(version: Version, status: Literal[200, 201]) -> Result:
    """The answer to a write that made `version`: a new resource with 201."""
    located = status == 201  # noqa: PLR2004 - http.html#Status-Codes
    return Result(status, stored(version), located=located, values=version.values)


def stored(version: Version) -> Stored:
    """What a read of `version` would give."""
    return Stored(
        version.type,
        version.id,
        version.number,
        version.at,
        version.body,
        version.method,
        patient=version.values.patient,
        compartments=() if version.values.patient else version.values.compartments,
    )
