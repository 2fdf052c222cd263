"""Guards of messages: people write in their own name, and what was said stays said.

They bind persons, patients and who acts for them. Staff and systems keep messages by the rules
of their house. What a person may say of a message of others is that it was `received`.

https://hl7.org/fhir/R4/communication.html
"""

from typing import Final

from fhir_server.access.principal import Principal
from fhir_server.core import references
from fhir_server.core.errors import Forbidden
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Context, Intent
from fhir_server.interactions.facts import Facts

KIND: Final = "Communication"

NOT_THE_SENDER: Final = Text(
    "A message is written in one's own name: `sender` is the patient or you, and nobody has "
    "`received` it yet.",
    "Сообщение пишут от своего имени: `sender` — пациент или вы, и его ещё никто не получил "
    "(`received`).",
    "Повідомлення пишуть від свого імені: `sender` — пацієнт або ви, і його ще ніхто не "
    "отримав (`received`).",
)
SAID: Final = Text(
    "What was said stays said: of a message of others you can only note that you `received` "
    "it. Write a new one.",
    "Сказанное не меняется: о чужом сообщении можно лишь отметить, что вы его получили "
    "(`received`). Напишите новое.",
    "Сказане не змінюється: про чуже повідомлення можна лише позначити, що ви його отримали "
    "(`received`). Напишіть нове.",
)

_BY_THE_SERVER: Final = frozenset({"versionId", "lastUpdated"})


async def guard_message(ctx: Context, intent: Intent) -> None:
    """The guard of Communication.

    Raises:
        Forbidden: `not-the-sender`, `message-said`.
    """
    principal = ctx.principal
    if principal is None or principal.user is None or principal.staff:
        return
    if intent.before is not None:
        before = loads(intent.before.body, max_depth=ctx.services.limits.depth)
        if intent.after is not None and is_receipt(before, intent.after):
            names = await _own_names(ctx, principal)
            if _sender(before, ctx.services.base_url) not in names:
                return
        raise Forbidden(SAID, expression=KIND).coded("message-said")
    after = intent.after or {}
    sender = _sender(after, ctx.services.base_url)
    if "received" in after or sender not in await _own_names(ctx, principal):
        raise Forbidden(NOT_THE_SENDER, expression=f"{KIND}.sender").coded("not-the-sender")


def is_receipt(before: JsonObject, after: JsonObject) -> bool:
    """Whether `after` says that the message was received, and nothing else that is new."""
    return "received" not in before and "received" in after and _said(before) == _said(after)


def _said(message: JsonObject) -> JsonObject:
    """Without what tells of its reception, and what the server stamps."""
    meta = {k: v for k, v in message.get("meta", {}).items() if k not in _BY_THE_SERVER}
    rest = {k: v for k, v in message.items() if k not in ("received", "meta")}
    return {**rest, **({"meta": meta} if meta else {})}


def _sender(message: JsonObject, base: str) -> str:
    named = message.get("sender", {}).get("reference", "")
    return references.parse(named, base).target


async def _own_names(ctx: Context, principal: Principal) -> set[str]:
    """In whose name the person writes: the own, and that of who is acted for."""
    user = principal.user or ""
    patients = {*principal.represented, *principal.own, *filter(None, (principal.patient,))}
    names = {user, *(f"Patient/{each}" for each in patients)}
    relations = await Facts(ctx.services).relations(user)
    return names | {f"RelatedPerson/{each['id']}" for each in relations}
