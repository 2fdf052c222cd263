"""Guards of what rights are made of: nobody gives rights by writing that they have them.

They bind people, whatever their app was granted. A backend service writes for the house, with
scopes that an operator approved.

https://hl7.org/fhir/R4/consent.html
https://hl7.org/fhir/R4/relatedperson.html
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from fhir_server.access.memberships import JOINED, is_widened
from fhir_server.access.principal import Principal
from fhir_server.core import references
from fhir_server.core.errors import Forbidden
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Context, Guard, Intent
from fhir_server.interactions.facts import DIRECTIVES, Facts
from fhir_server.interactions.guards import GuardOfSome
from fhir_server.search import keys
from fhir_server.search.nodes import intersection
from fhir_server.search.plan import UNRESTRICTED, Keys
from fhir_server.store.port import Stored

NOT_ONESELF: Final = Text(
    "Nobody joins a {type} by their own hand: a Consent may have been given to it. Ask "
    "somebody else who looks after it.",
    "Никто не включает в {type} сам себя: этому составу могли дать согласие. Попросите "
    "другого, кто его ведёт.",
    "Ніхто не додає до {type} сам себе: цьому складу могли дати згоду. Попросіть іншого, "
    "хто його веде.",
)
VERIFIED: Final = Text(
    "This relation was verified as it is: patient, relationship and period stay. Record a new "
    "RelatedPerson and have it verified.",
    "Эта связь подтверждена такой, какая она есть: пациент, родство и срок не меняются. "
    "Создайте новый RelatedPerson и подтвердите его.",
    "Цей зв’язок підтверджено таким, яким він є: пацієнт, спорідненість і строк не змінюються. "
    "Створіть новий RelatedPerson і підтвердьте його.",
)
NOT_GIVEN_BY_THEM: Final = Text(
    "Whoever acts for a patient gives a Consent in their own name: the patient cannot be its "
    "performer.",
    "Кто действует за пациента, даёт согласие от своего имени: пациент не может быть его "
    "performer.",
    "Хто діє за пацієнта, дає згоду від свого імені: пацієнт не може бути її performer.",
)
NOT_BY_STAFF: Final = Text(
    "A Consent limits staff, so staff do not write it. The patient does, or a system of the "
    "house.",
    "Согласие ограничивает сотрудников, поэтому они его не пишут. Это делает пациент или "
    "система учреждения.",
    "Згода обмежує працівників, тому вони її не пишуть. Це робить пацієнт або система закладу.",
)

NOT_THEIRS: Final = Text(
    "Who a patient is, the clinic keeps: `{element}` is changed there.",
    "Сведения о том, кто пациент, ведёт клиника: `{element}` меняют там.",
    "Відомості про те, хто пацієнт, веде клініка: `{element}` змінюють там.",
)

TOO_MANY_GIVEN: Final = Text(
    "This patient has {most} Consents in force. Withdraw one first.",
    "У этого пациента уже действует согласий: {most}. Сначала отзовите одно из них.",
    "У цього пацієнта вже діє згод: {most}. Спочатку відкличте одну з них.",
)

MOST_GIVEN: Final = 100
"""Consents in force that a patient's own hand keeps: those of all are read for each who works
with records, and there is a bound to them together (`facts.MOST_CONSENTS`)."""

_DECISIVE: Final = ("patient", "relationship", "period")
_WHO: Final = (
    "birthDate",
    "identifier",
    "deceasedBoolean",
    "deceasedDateTime",
    "active",
    "link",
)
"""Of a Patient: by these others find who it is, and judge by age who may act for whom."""


def guards(*, staff_consents: bool) -> Mapping[str, Sequence[Guard]]:
    """The guards by type; `staff_consents`: staff may write Consents of patients."""
    return {
        "Consent": (guard_consent(staff_consents=staff_consents),),
        "Patient": (GuardOfSome(guard_identity, _is_person),),
        "RelatedPerson": (guard_relation,),
        **dict.fromkeys(JOINED, (guard_membership,)),
    }


def _user(ctx: Context) -> str | None:
    return None if ctx.principal is None else ctx.principal.user


def _is_person(ctx: Context) -> bool:
    """Neither a system of the house nor one of its staff."""
    principal = ctx.principal
    return principal is not None and principal.user is not None and not principal.staff


async def guard_membership(ctx: Context, intent: Intent) -> None:
    """Refuse that somebody enters a team or group that is there, or was: a new one under a
    new id is named by no Consent yet.

    Raises:
        Forbidden: that would be so.
    """
    user, base = _user(ctx), ctx.services.base_url
    if user is None or intent.after is None:
        return
    before = None if intent.before is None else _parsed(ctx, intent.before)
    if not is_widened(before, intent.after, user, base):
        return
    known = await ctx.reads.read(intent.type, intent.id, within=UNRESTRICTED)
    if known is not None:
        raise Forbidden(NOT_ONESELF, type=intent.type)


async def guard_identity(ctx: Context, intent: Intent) -> None:
    """Keep a Patient who it is; persons change the rest of it, such as how to reach them.

    Raises:
        Forbidden: it would be changed or deleted.
    """
    if intent.after is None:  # and made anew it would be somebody else
        raise Forbidden(NOT_THEIRS, element="Patient", expression="Patient")
    if intent.before is None:
        return
    before = _parsed(ctx, intent.before)
    for each in _WHO:
        if any(before.get(of) != intent.after.get(of) for of in (each, f"_{each}")):
            raise Forbidden(NOT_THEIRS, element=each, expression=f"Patient.{each}")


async def guard_relation(ctx: Context, intent: Intent) -> None:
    """Keep a RelatedPerson that was verified what it was; it may only end.

    Raises:
        Forbidden: it would say something else than what was verified.
    """
    if _user(ctx) is None or intent.after is None:
        return
    before = {} if intent.before is None else _parsed(ctx, intent.before)
    stays = all(before.get(each) == intent.after.get(each) for each in _DECISIVE)
    revived = intent.after.get("active", True) is True and not before.get("active", True)
    if before and stays and not revived:
        return
    target = keys.reference("target", f"RelatedPerson/{intent.id}")
    where = Keys("references", (target,))
    # Which verifications there are is not for the caller to know; that there is one, is.
    if await ctx.reads.count("VerificationResult", where, within=UNRESTRICTED):
        raise Forbidden(VERIFIED, expression="RelatedPerson")


def guard_consent(*, staff_consents: bool) -> Callable[[Context, Intent], Awaitable[None]]:
    """The guard of Consents: given by whom they say, and not by whom they bind."""

    async def guard(ctx: Context, intent: Intent) -> None:
        principal = ctx.principal
        if principal is None or principal.user is None:
            return
        if principal.staff:
            if not staff_consents:
                raise Forbidden(NOT_BY_STAFF, expression="Consent")
            return
        if intent.after is not None and intent.after.get("status") == "active":
            await _check_performer(ctx, principal, intent.after)
            await _check_count(ctx, intent, intent.after)

    return guard


async def _check_performer(ctx: Context, principal: Principal, consent: JsonObject) -> None:
    """A represented patient has given it only if that person wrote it."""
    base = ctx.services.base_url
    named = {
        references.parse(each.get("reference", ""), base).target
        for each in consent.get("performer", ())
    }
    patients = {each for each in named if each.startswith("Patient/")}
    own = await Facts(ctx.services).own(principal)
    if not patients <= {f"Patient/{each}" for each in own}:
        raise Forbidden(NOT_GIVEN_BY_THEM, expression="Consent.performer")


async def _check_count(ctx: Context, intent: Intent, consent: JsonObject) -> None:
    """One that was in force before makes no more of them."""
    if intent.before is not None and _parsed(ctx, intent.before).get("status") == "active":
        return
    named = consent.get("patient", {}).get("reference", "")
    whose = keys.reference("patient", references.parse(named, ctx.services.base_url).target)
    where = intersection((Keys("references", (whose,)), DIRECTIVES))
    if await ctx.reads.count("Consent", where, within=UNRESTRICTED) >= MOST_GIVEN:
        raise Forbidden(TOO_MANY_GIVEN, most=MOST_GIVEN, expression="Consent")


def _parsed(ctx: Context, version: Stored) -> JsonObject:
    return loads(version.body, max_depth=ctx.services.limits.depth)
