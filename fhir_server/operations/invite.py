"""Patient/$invite: the registry invites a patient to register an account.

An operation of this server, for systems and staff. The link goes to the address in the
record, and is in no answer and no resource.

https://hl7.org/fhir/R4/operations.html
"""

from typing import Any, Final

from fhir_server.access.required import CODE, MISSING, words
from fhir_server.core.datetimes import format_instant
from fhir_server.core.errors import (
    BadValue,
    BusinessRule,
    Conflict,
    FhirError,
    Forbidden,
    Issue,
)
from fhir_server.core.messages import LANGUAGES, Language, Text
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import dumps, loads
from fhir_server.interactions.commands import Create
from fhir_server.interactions.context import Context
from fhir_server.interactions.create import create
from fhir_server.interactions.desk import Desk, NotInvitedError, Refusal
from fhir_server.interactions.read import live
from fhir_server.interactions.results import Result
from fhir_server.operations.access_status import desk_of, is_personal
from fhir_server.operations.call import Call

STAFF_ONLY: Final = Text(
    "Invitations are made by the clinic.",
    "Приглашения создаёт клиника.",
    "Запрошення створює клініка.",
)
NOT_TEXT: Final = Text(
    "`email` is an address, as text.",
    "`email` — это адрес в виде текста.",
    "`email` — це адреса у вигляді тексту.",
)
NO_LANGUAGE: Final = Text(
    "`language` is en, ru or uk.",
    "`language` — en, ru или uk.",
    "`language` — en, ru або uk.",
)
REFUSALS: Final[dict[Refusal, Text]] = {
    "no-email": Text(
        "The record has no e-mail address in use. Add one to Patient.telecom first.",
        "В карте нет действующего адреса электронной почты. Сначала внесите его в "
        "Patient.telecom.",
        "У картці немає чинної адреси електронної пошти. Спершу внесіть її до Patient.telecom.",
    ),
    "email-mismatch": Text(
        "The address is none of those in the record (Patient.telecom).",
        "Этого адреса нет в карте (Patient.telecom).",
        "Цієї адреси немає в картці (Patient.telecom).",
    ),
    "account-exists": Text(
        "The patient has an account. Whoever forgot the password gets a new one by e-mail.",
        "У пациента уже есть учётная запись. Забытый пароль восстанавливают по электронной "
        "почте.",
        "У пацієнта вже є обліковий запис. Забутий пароль відновлюють електронною поштою.",
    ),
    "registration-closed": Text(
        "Nobody can register on this server (FHIR_REGISTRATION).",
        "Регистрация на этом сервере закрыта (FHIR_REGISTRATION).",
        "Реєстрацію на цьому сервері закрито (FHIR_REGISTRATION).",
    ),
}
SENT: Final = Text(
    "An invitation to register a patient account was sent by e-mail to {email}.",
    "Приглашение зарегистрировать кабинет пациента отправлено на {email}.",
    "Запрошення зареєструвати кабінет пацієнта надіслано на {email}.",
)

_NAMES: Final = frozenset({"email", "language"})
_TOPIC: Final = "https://fhir-server.example/CodeSystem/communication-topic"
_TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"


async def invite(ctx: Context, call: Call) -> Result:
    """Make, send and write down an invitation; it ends the former ones.

    Raises:
        Forbidden: a patient, or who acts for one, asks.
        NotFound: there is no such patient that the caller may see.
        BusinessRule: consents are missing, or there is nowhere to send it.
        Conflict: the patient has an account.
        NotSupported: the server has no access control.
    """
    call.check_names(_NAMES)
    desk, id_ = desk_of(ctx), call.target.id or ""
    if is_personal(ctx):
        raise Forbidden(STAFF_ONLY).coded("staff-only")
    found = await ctx.reads.read("Patient", id_, within=ctx.rights.read)
    row = live(found, "Patient", id_)
    patient = loads(row.body, max_depth=ctx.services.limits.depth)
    language = _language(ctx, call, patient)
    email = await _address(desk, patient, call.value("email"))
    letter = _communication(ctx, id_, email, language)
    made = await create(ctx, Create("Communication", letter))
    invited = await desk.invite(id_, email, language)
    told = "" if made.version is None else f"Communication/{made.version.id}"
    rows = [
        {"name": "email", "valueString": invited.email},
        {"name": "expires", "valueInstant": format_instant(invited.expires)},
        {"name": "communication", "valueReference": {"reference": told}},
    ]
    body = {"resourceType": "Parameters", "parameter": rows}
    return Result(200, body=dumps(body), shown=(row,), wanted=True)


async def _address(desk: Desk, patient: JsonObject, email: Any) -> str:
    if not (email is None or isinstance(email, str)):
        raise BadValue(NOT_TEXT, expression="email")
    missing = [e.required for e in await desk.demanded(patient["id"]) if e.given is None]
    if missing:
        raise BusinessRule.of(
            Issue(BusinessRule.code, MISSING, words(each), detail=CODE) for each in missing
        )
    try:
        return await desk.address(patient, email)
    except NotInvitedError as error:
        raise _refused(error.reason) from error


def _refused(reason: Refusal) -> FhirError:
    kind = Conflict if reason == "account-exists" else BusinessRule
    where = "Patient.telecom" if reason in ("no-email", "email-mismatch") else ""
    return kind(REFUSALS[reason], expression=where).coded(reason)


def _language(ctx: Context, call: Call, patient: JsonObject) -> Language:
    """Asked for, or the one that the patient prefers, or the caller's."""
    asked = call.value("language")
    if asked is not None:
        found = next((each for each in LANGUAGES if each == asked), None)
        if found is None:
            raise BadValue(NO_LANGUAGE, expression="language")
        return found
    spoken = sorted(patient.get("communication", ()), key=lambda e: not e.get("preferred"))
    codes = (c.get("code", "") for e in spoken for c in e["language"].get("coding", ()))
    known = {each: each for each in LANGUAGES}
    mine = (known.get(code.partition("-")[0].lower()) for code in codes)
    return next((each for each in mine if each is not None), ctx.language)


def _communication(ctx: Context, id_: str, email: str, language: Language) -> JsonObject:
    """What stays in the record: that it was sent, and where."""
    who = {"reference": f"Patient/{id_}"}
    user = ctx.principal.user if ctx.principal is not None else None
    sender = {"sender": {"reference": user}} if (user or "").startswith("Practitioner") else {}
    return {
        "resourceType": "Communication",
        "status": "completed",
        "category": [_coded(f"{_TERMINOLOGY}/communication-category", "notification")],
        "medium": [_coded(f"{_TERMINOLOGY}/v3-ParticipationMode", "EMAILWRIT")],
        "subject": who,
        "topic": _coded(_TOPIC, "account-invitation"),
        "sent": format_instant(ctx.services.now()),
        "recipient": [who],
        **sender,
        "payload": [{"contentString": SENT.in_language(language, {"email": email})}],
    }


def _coded(system: str, code: str) -> JsonObject:
    return {"coding": [{"system": system, "code": code}]}
