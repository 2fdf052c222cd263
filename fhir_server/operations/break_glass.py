"""$break-glass and $break-glass-end: an emergency declared, and over.

Operations of this server; R4 has none for it. Whoever may not declare one hears so whatever
the patient: nothing is looked up before.

https://hl7.org/fhir/R4/security.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fhir_server.access.emergencies import Declaration, is_staff, reaches
from fhir_server.access.principal import Principal
from fhir_server.access.rights import UNLIMITED
from fhir_server.core.datetimes import format_instant
from fhir_server.core.errors import BadValue, BusinessRule, Forbidden, MissingElement, NotFound
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import dumps, loads
from fhir_server.interactions.commands import Create
from fhir_server.interactions.context import Context
from fhir_server.interactions.create import create
from fhir_server.interactions.emergencies import Emergencies
from fhir_server.interactions.notices import KIND, Told, notice
from fhir_server.interactions.results import Result
from fhir_server.interactions.told import run_told
from fhir_server.interactions.trail import Doing
from fhir_server.operations.call import Call
from fhir_server.search.plan import UNRESTRICTED
from fhir_server.store.port import Stored, Unit

NOT_PERMITTED: Final = Text(
    "Emergencies are declared by staff who have the permission, in an app that has it, with "
    "scopes for the patient.",
    "Экстренный доступ объявляет сотрудник, у которого есть на это право, в приложении, у "
    "которого оно тоже есть, при доступе к данным пациента.",
    "Екстрений доступ оголошує працівник, який має на це право, у застосунку, що теж його має, "
    "за наявності доступу до даних пацієнта.",
)
NO_PATIENT: Final = Text(
    "There is no Patient `{id}`.",
    "Ресурса Patient `{id}` нет.",
    "Ресурсу Patient `{id}` немає.",
)
NO_REASON: Final = Text(
    "The parameter `reason` is needed in the body: a text of up to {longest} characters, or a "
    "CodeableConcept with a text or a code.",
    "В теле запроса нужен параметр `reason`: текст до {longest} знаков или CodeableConcept с "
    "текстом или кодом.",
    "У тілі запиту потрібен параметр `reason`: текст до {longest} знаків або CodeableConcept з "
    "текстом чи кодом.",
)
TOO_MANY: Final = Text(
    "{most} emergencies that you declared still hold. End one first ($break-glass-end).",
    "Ещё действуют объявленные вами экстренные доступы: {most}. Сначала завершите один из них "
    "($break-glass-end).",
    "Ще діють оголошені вами екстрені доступи: {most}. Спершу завершіть один із них "
    "($break-glass-end).",
)

LONGEST: Final = 1000
"""Characters of a reason, and of each code and display in it."""
MOST_CODES: Final = 5

_PART: Final = "Parameters.parameter.where(name='reason')"


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who asks, and about whom; nothing is known of the patient."""

    house: Emergencies
    principal: Principal
    account: str
    patient: str


async def may_declare(ctx: Context, call: Call) -> None:
    """Raise Forbidden unless the caller may declare emergencies."""
    _begin(ctx, call, "break-glass")
    asked = _asked(ctx, call)
    register = asked.house.register
    if not await register.may_declare(asked.account, asked.principal.client):
        raise Forbidden(NOT_PERMITTED)


async def may_end(ctx: Context, call: Call) -> None:
    """Raise Forbidden unless the caller is one of those who could have declared any; one who
    may not any more still may end."""
    _begin(ctx, call, "break-glass-end")
    _asked(ctx, call)


async def break_glass(ctx: Context, call: Call) -> Result:
    """Declare an emergency of the patient, tell them, and say until when it holds.

    Raises:
        MissingElement, BadValue: there is no reason that could be told.
        NotFound: there is no such patient, or not any more.
        BusinessRule: too many that the caller declared still hold.
    """
    asked = _asked(ctx, call)
    call.check_names(frozenset({"reason"}))
    reason = _reason(call)
    rules, at = asked.house.rules, ctx.services.now()
    id_, message = ctx.services.new_id(), ctx.services.new_id()
    declaration = Declaration(
        id_, asked.patient, asked.account, asked.principal.client,
        asked.principal.user or "", f"{KIND}/{message}", at, at + rules.seconds * 1000,
    )  # fmt: skip
    app = f"Device/{declaration.client}"
    names = await asked.house.names((declaration.user, app))

    async def work(unit: Unit) -> Result:
        await unit.claim(f"break-glass/{asked.account}")
        patient = await _patient(unit, asked.patient)
        told = Told(
            loads(patient.body, max_depth=ctx.services.limits.depth),
            declaration.user,
            names.get(declaration.user, ""),
            names.get(app, declaration.client),
            reason,
            at,
            declaration.ends,
            rules.zone,
        )
        await create(_server(ctx, unit), Create(KIND, notice(told), id=message))
        if not await unit.declare(declaration, rules.most):
            raise BusinessRule(TOO_MANY, most=rules.most)
        return Result(200, body=_answer(declaration), shown=(patient,), wanted=True)

    result = await run_told(ctx, KIND, work)
    await asked.house.tell(declaration)
    return result


async def break_glass_end(ctx: Context, call: Call) -> Result:
    """End what the caller has declared of the patient, in whatever app; say how many that
    were. Nothing is said of the patient."""
    asked = _asked(ctx, call)
    call.check_names(frozenset())
    now = ctx.services.now()

    async def work(unit: Unit) -> Result:
        await unit.claim(f"break-glass/{asked.account}")
        ended = await unit.end_declared(asked.account, asked.patient, now)
        rows = [{"name": "ended", "valueUnsignedInt": ended}]
        body: JsonObject = {"resourceType": "Parameters", "parameter": rows}
        return Result(200, body=dumps(body), wanted=True)

    return await run_told(ctx, KIND, work)


def _begin(ctx: Context, call: Call, code: str) -> None:
    """What the audit is told from here on, refusals too."""
    if ctx.trail is not None:
        ctx.trail.begin(Doing(code, f"Patient/{call.target.id}", writes=True))


def _asked(ctx: Context, call: Call) -> _Asked:
    house, principal, patient = ctx.services.emergencies, ctx.principal, call.target.id or ""
    if house is None or principal is None or principal.account is None:
        raise Forbidden(NOT_PERMITTED)
    if not is_staff(principal) or not reaches(principal, patient):
        raise Forbidden(NOT_PERMITTED)
    return _Asked(house, principal, principal.account, patient)


async def _patient(unit: Unit, id_: str) -> Stored:
    # Hidden or not: whoever may declare an emergency may know that there is the patient.
    found = await unit.read("Patient", id_, within=UNRESTRICTED)
    if found is None or found.deleted:
        raise NotFound(NO_PATIENT, id=id_)
    return found


def _server(ctx: Context, unit: Unit) -> Context:
    """The server itself, which writes the notice."""
    return Context(ctx.services, UNLIMITED, unit=unit)


def _answer(declaration: Declaration) -> bytes:
    rows = [
        {"name": "id", "valueString": declaration.id},
        {"name": "until", "valueInstant": format_instant(declaration.ends)},
    ]
    return dumps({"resourceType": "Parameters", "parameter": rows})


def _reason(call: Call) -> Mapping[str, Any]:
    """The reason as a CodeableConcept. It is taken from the body alone: URLs are logged."""
    found = call.value("reason")
    if found is None or any(name == "reason" for name, _ in call.pairs):
        raise MissingElement(NO_REASON, longest=LONGEST, expression=_PART)
    reason = {"text": found.strip()} if isinstance(found, str) else found
    if isinstance(found, dict) and "code" in found:
        reason = {"coding": [found]}
    if not _is_told(reason):
        raise BadValue(NO_REASON, longest=LONGEST, expression=_PART)
    return reason


def _is_told(reason: Any) -> bool:
    """Whether it is a CodeableConcept, within bounds, with something that a person can read."""
    if not isinstance(reason, dict) or not reason.keys() <= {"text", "coding"}:
        return False
    text, codings = reason.get("text", ""), reason.get("coding", [])
    if not isinstance(text, str) or not isinstance(codings, list):
        return False
    parts = [text, *(part for each in codings for part in _parts(each))]
    short = len(codings) <= MOST_CODES and all(len(each) <= LONGEST for each in parts)
    return short and any(each.strip() for each in (text, *map(_shown, codings)))


def _parts(coding: Mapping[str, Any]) -> Sequence[str]:
    return [str(each) for each in coding.values()]


def _shown(coding: Mapping[str, Any]) -> str:
    return str(coding.get("display") or coding.get("code") or "")
