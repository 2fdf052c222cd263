"""Notices in the record, and that of break-glass: who opened it, when, until when, and why.

They are Communications of the patient's. The server writes them; no client does, and none
changes or removes one. That one was read the patient says, by `received`.

https://hl7.org/fhir/R4/communication.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from fhir_server.access.codings import NOTICE, VISIT_NOTICE, Coding, has_category
from fhir_server.core.datetimes import format_instant
from fhir_server.core.errors import Forbidden
from fhir_server.core.messages import LANGUAGES, Language, Text, preferred
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Context, Intent
from fhir_server.interactions.messages import is_receipt

KIND: Final = "Communication"
CATEGORY: Final = Coding(NOTICE, "break-glass")
_OWN: Final = (CATEGORY, VISIT_NOTICE)

SERVERS_OWN: Final = Text(
    "A Communication of the category {category} is the server's own: nobody writes, changes "
    "or removes one.",
    "Communication категории {category} создаёт сам сервер: её никто не записывает, не меняет "
    "и не удаляет.",
    "Communication категорії {category} створює сам сервер: її ніхто не записує, не змінює й "
    "не вилучає.",
)
SAID: Final = Text(
    "{who} opened your record as an emergency on {at}, with the app {app}. It can be open "
    "until {ends} ({zone}). The reason given: {reason}",
    "{who}: доступ к вашей карте в экстренном порядке, {at}, приложение {app}. Карта может "
    "быть открыта до {ends} ({zone}). Указанная причина: {reason}",
    "{who}: доступ до вашої картки в екстреному порядку, {at}, застосунок {app}. Картка може "
    "бути відкрита до {ends} ({zone}). Зазначена причина: {reason}",
)

_TIME: Final = "%Y-%m-%d %H:%M"
_DEPTH: Final = 64


@dataclass(frozen=True, slots=True)
class Told:
    """What a notice says."""

    patient: JsonObject
    """The Patient."""
    user: str
    """`Practitioner/…`."""
    name: str
    app: str
    reason: Mapping[str, Any]
    """A CodeableConcept with something in it."""
    at: int
    """Milliseconds since 1970."""
    ends: int
    zone: tzinfo


def notice(told: Told) -> JsonObject:
    """The Communication, without an id."""
    patient = {"reference": f"Patient/{told.patient['id']}"}
    language = language_of(told.patient)
    who = {"reference": told.user, **({"display": told.name} if told.name else {})}
    return {
        "resourceType": KIND,
        "language": language,
        "status": "completed",
        "category": [{"coding": [{"system": CATEGORY.system, "code": CATEGORY.code}]}],
        "priority": "urgent",
        "subject": patient,
        "sent": format_instant(told.at),
        "recipient": [patient],
        "sender": who,
        "reasonCode": [dict(told.reason)],
        "payload": [{"contentString": _said(told, language)}],
    }


def _said(told: Told, language: Language) -> str:
    places = {
        "who": told.name or told.user,
        "app": told.app,
        "at": _time(told.at, told.zone),
        "ends": _time(told.ends, told.zone),
        "zone": told.zone,
        "reason": words(told.reason),
    }
    return SAID.in_language(language, places)


def words(reason: Mapping[str, Any]) -> str:
    """A CodeableConcept as a person reads it."""
    if reason.get("text"):
        return str(reason["text"])
    codings = reason.get("coding", ())
    return ", ".join(str(each.get("display") or each.get("code", "")) for each in codings)


def language_of(patient: JsonObject) -> Language:
    """The language that the patient understands best, of ours; English where none is known."""
    return find_language(patient) or "en"


def find_language(patient: JsonObject) -> Language | None:
    """The same; None where none is known."""
    spoken = sorted(patient.get("communication", ()), key=lambda x: not x.get("preferred"))
    tags = [
        str(coding.get("code", ""))
        for each in spoken
        for coding in each.get("language", {}).get("coding", ())
    ]
    for tag in (*tags, str(patient.get("language", ""))):
        if tag.lower().partition("-")[0] in LANGUAGES:
            return preferred(tag)
    return None


def _time(at: int, zone: tzinfo) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).strftime(_TIME)


async def guard_notice(ctx: Context, intent: Intent) -> None:
    """The guard of Communication.

    Raises:
        Forbidden: somebody would write what only the server does.
    """
    if ctx.principal is None:
        return
    before = None if intent.before is None else loads(intent.before.body, max_depth=_DEPTH)
    is_person = ctx.principal.user is not None and not ctx.principal.staff
    if is_person and before and intent.after and is_receipt(before, intent.after):
        return
    for own in _OWN:
        if any(each and has_category(each, own) for each in (before, intent.after)):
            raise Forbidden(SERVERS_OWN, category=own.code, expression=KIND)
