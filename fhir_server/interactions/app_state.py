"""The rules of app state, on top of create, update, delete and search of a Basic.

`handlers` stand before the interactions (`Services.beside`), the guard on their writes. What
is not offered is refused: a state has no history, no conditions, no transactions.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-state.html
"""

import re
from collections.abc import Mapping
from typing import Final

from fhir_server.access.app_state import GLOBAL, KIND, of_codes, of_subject
from fhir_server.core import references
from fhir_server.core.errors import (
    BadValue,
    BusinessRule,
    Forbidden,
    MissingElement,
    NotSupported,
    PreconditionFailed,
)
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.commands import Command, Pairs
from fhir_server.interactions.context import Beside, Context, Guard, Intent
from fhir_server.interactions.doors import Asked, command
from fhir_server.interactions.perform import perform
from fhir_server.interactions.permits import check_command, may_be
from fhir_server.interactions.results import Result
from fhir_server.search.nodes import intersection
from fhir_server.search.plan import UNRESTRICTED
from fhir_server.spec.interactions import INTERACTIONS

SUBJECTS: Final = frozenset(
    {"Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Person"}
)
MOST: Final = 20
"""States of one code about one subject; "at least one" is demanded."""

NOT_HERE: Final = Text(
    "App state is created, updated, deleted and searched for; nothing else is done with it.",
    "Состояние приложений создают, изменяют, удаляют и ищут; другого с ним не делают.",
    "Стан застосунків можна створювати, змінювати, видаляти й шукати; іншого з ним не роблять.",
)
NEW: Final = Text(
    "New state has no id and no version; the server gives them.",
    "У нового состояния нет ни id, ни версии: их даёт сервер.",
    "Новий стан не має ні id, ні версії: їх надає сервер.",
)
ONE_CODE: Final = Text(
    "State needs exactly one coding, with a system and a code.",
    "Состоянию нужно ровно одно кодирование, с системой и кодом.",
    "Станові потрібне рівно одне кодування, із системою та кодом.",
)
BAD_SUBJECT: Final = Text(
    "The subject of state is an absolute reference to a {types} of {base}.",
    "Субъект состояния — абсолютная ссылка на {types} на {base}.",
    "Суб'єкт стану — абсолютне посилання на {types} на {base}.",
)
ONLY_STRINGS: Final = Text(
    "The extensions of state have a `valueString` and nothing else.",
    "У расширений состояния бывает только `valueString`.",
    "Розширення стану мають лише `valueString`.",
)
NO_MATCH: Final = Text(
    "Changing state needs If-Match with the ETag of the version that is changed.",
    "Для изменения состояния нужен If-Match с ETag изменяемой версии.",
    "Для зміни стану потрібен If-Match з ETag версії, яку змінюють.",
)
CHANGED: Final = Text(
    "The code and the subject of state stay as they are.",
    "Код и субъект состояния не меняются.",
    "Код і суб'єкт стану не змінюються.",
)
GONE: Final = Text(
    "There is no such state that you may change.",
    "Нет такого состояния, которое вы вправе изменять.",
    "Немає такого стану, який ви маєте право змінювати.",
)
ENOUGH: Final = Text(
    "There are {most} states of this code about this subject already.",
    "Состояний с этим кодом об этом субъекте уже {most}.",
    "Станів із цим кодом про цей суб'єкт уже {most}.",
)
BAD_QUERY: Final = Text(
    "A search for state needs one `code=system|code`, and one `subject=` or "
    "`subject:missing=true`.",
    "Поиску состояния нужны один `code=система|код` и один `subject=` или "
    "`subject:missing=true`.",
    "Пошуку стану потрібні один `code=система|код` і один `subject=` або "
    "`subject:missing=true`.",
)
NOT_YOURS: Final = Text(
    "Your app may not see state of this code about this subject.",
    "Вашему приложению не положено видеть состояние с этим кодом об этом субъекте.",
    "Вашому застосунку не дозволено бачити стан із цим кодом про цей суб'єкт.",
)

_CODE: Final = re.compile(r"[^|,\\$]+\|[^|,\\$]+")


def handlers(base: str) -> Mapping[str, Beside]:
    """`Services.beside`; `base` is the FHIR base whose resources are the subjects."""

    async def create(ctx: Context, asked: Asked) -> Result:
        if asked.resource is not None:
            _check_new(asked.resource)
            _check_form(asked.resource, base)
        return await perform(ctx, command(asked))

    async def update(ctx: Context, asked: Asked) -> Result:
        _check_match(asked)
        if asked.resource is not None:
            _check_form(asked.resource, base)
        return await _changed(ctx, command(asked))

    async def delete(ctx: Context, asked: Asked) -> Result:
        _check_match(asked)
        return await _changed(ctx, command(asked))

    async def read(ctx: Context, asked: Asked) -> Result:
        return await perform(ctx, command(asked))

    async def search(ctx: Context, asked: Asked) -> Result:
        found = command(asked)
        check_command(ctx, found)
        _check_query(ctx, asked.pairs)
        return await perform(ctx, found)

    offered: dict[str, Beside] = {
        "create": create,
        "update": update,
        "delete": delete,
        "read": read,
        "search-type": search,
    }
    return {row.code: offered.get(row.code, _refused) for row in INTERACTIONS}


async def _refused(ctx: Context, asked: Asked) -> Result:
    del ctx, asked
    raise NotSupported(NOT_HERE)


async def _changed(ctx: Context, asked: Command) -> Result:
    """Carry out a change; what is not there, gone, or out of reach is one: 412.

    "Servers SHALL process any subsequent requests about this Basic.id as a failed
    precondition."
    """
    check_command(ctx, asked)
    try:
        return await perform(ctx, asked)
    except Forbidden as error:
        raise PreconditionFailed(GONE) from error


def guard(base: str) -> Guard:
    """What holds of every write of state, in its unit."""

    async def guard_state(ctx: Context, intent: Intent) -> None:
        after = intent.after
        if after is None or ctx.unit is None:
            return
        if intent.before is not None:
            before = loads(intent.before.body, max_depth=ctx.services.limits.depth)
            if any(before.get(each) != after.get(each) for each in ("code", "subject")):
                raise PreconditionFailed(CHANGED)
            return
        code, subject = _code_of(after), _target_of(after, base)
        about = GLOBAL if subject is None else of_subject(subject)
        await ctx.unit.claim(f"app-state {code} {subject}")
        # Of everybody's: how many there are may not depend on who asks.
        count = await ctx.unit.count(
            KIND, intersection((of_codes((code,)), about)), within=UNRESTRICTED
        )
        if count >= MOST:
            raise BusinessRule(ENOUGH, most=MOST)

    return guard_state


def _check_match(asked: Asked) -> None:
    if asked.if_match is None or asked.if_match.strip() in ("", "*"):
        raise MissingElement(NO_MATCH, expression="If-Match")


def _check_new(resource: JsonObject) -> None:
    meta = resource.get("meta")
    if "id" in resource or (isinstance(meta, dict) and "versionId" in meta):
        raise BadValue(NEW, expression="Basic.id")


def _check_form(resource: JsonObject, base: str) -> None:
    """Raise Invalid for what is no state: the rules of the profile, and nothing of R4's own.

    https://hl7.org/fhir/smart-app-launch/STU2.2/app-state.html#create
    """
    if _code_of(resource) == "":
        raise BadValue(ONE_CODE, expression="Basic.code.coding")
    if "subject" in resource and _target_of(resource, base) is None:
        types = ", ".join(sorted(SUBJECTS))
        raise BadValue(BAD_SUBJECT, types=types, base=base, expression="Basic.subject")
    given = resource.get("extension", [])
    if not isinstance(given, list) or not all(map(_is_string, given)):
        raise BadValue(ONLY_STRINGS, expression="Basic.extension")


def _is_string(extension: object) -> bool:
    if not isinstance(extension, dict):
        return False
    return {"url", "valueString"} <= extension.keys() <= {"url", "valueString", "id"}


def _code_of(resource: JsonObject) -> str:
    """`system|code` of its one coding; empty where it is not so."""
    concept = resource.get("code")
    codings = concept.get("coding") if isinstance(concept, dict) else None
    if not isinstance(codings, list) or len(codings) != 1 or not isinstance(codings[0], dict):
        return ""
    system, code = codings[0].get("system"), codings[0].get("code")
    text = f"{system}|{code}"
    return text if system and code and _CODE.fullmatch(text) else ""


def _target_of(resource: JsonObject, base: str) -> str | None:
    """`Patient/1` of an absolute reference to one of this server's; None for any other."""
    subject = resource.get("subject")
    text = subject.get("reference") if isinstance(subject, dict) else None
    if not isinstance(text, str) or not text.startswith(f"{base}/"):
        return None
    found = references.parse(text, base)
    is_one = found.kind == "local" and found.type in SUBJECTS and found.version is None
    return found.target if is_one else None


def _check_query(ctx: Context, pairs: Pairs) -> None:
    """Raise where a search asks for less than one code and one subject, or for what its
    token can never see: that depends on the question alone, and tells of no state."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name.partition(":")[0], []).append(f"{name}={value}")
    code, subject = values.get("code", []), values.get("subject", [])
    one_of_each = len(code) == len(subject) == 1 and "," not in subject[0]
    text = code[0].partition("=")[2] if code and code[0].startswith("code=") else ""
    if not one_of_each or not _CODE.fullmatch(text):
        raise BadValue(BAD_QUERY, expression="code")
    system, _, name = text.partition("|")
    wanted: JsonObject = {
        "resourceType": KIND,
        "id": "asked",
        "code": {"coding": [{"system": system, "code": name}]},
    }
    if subject[0].startswith("subject="):
        wanted["subject"] = {"reference": subject[0].removeprefix("subject=")}
    elif subject[0] != "subject:missing=true":
        raise BadValue(BAD_QUERY, expression="subject")
    if not may_be(ctx, "s", KIND, ctx.services.index(wanted)):
        raise Forbidden(NOT_YOURS)
