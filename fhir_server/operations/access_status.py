"""Patient/$access-status: why the cabinet of a patient is open or closed, and to whom.

An operation of this server. It tells no more than the caller may read: of relations,
represented persons and Consents those within the caller's rights.

https://hl7.org/fhir/R4/operations.html
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from fhir_server.access.proxies import Represented
from fhir_server.access.required import Demanded
from fhir_server.core.datetimes import format_instant
from fhir_server.core.errors import NotSupported
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import dumps, loads
from fhir_server.interactions.context import Context
from fhir_server.interactions.desk import Desk, KnownAccount
from fhir_server.interactions.read import live
from fhir_server.interactions.results import Result
from fhir_server.operations.call import Call
from fhir_server.search import keys
from fhir_server.search.plan import Ids, Keys
from fhir_server.store.port import Stored

NO_CABINET: Final = Text(
    "Without access control there are no accounts here, and every record is open.",
    "Без управления доступом здесь нет учётных записей, и все карты открыты.",
    "Без керування доступом тут немає облікових записів, і всі картки відкриті.",
)
BLOCKS: Final = {
    "consent-missing": Text(
        "Consents are missing; until they are given, the cabinet is closed.",
        "Не хватает согласий; пока их нет, кабинет закрыт.",
        "Бракує згод; поки їх немає, кабінет закрито.",
    ),
    "account-locked": Text(
        "The account is locked. The clinic can open it again.",
        "Учётная запись заблокирована. Открыть её может клиника.",
        "Обліковий запис заблоковано. Відкрити його може клініка.",
    ),
    "no-account": Text(
        "The patient has no account yet.",
        "У пациента ещё нет учётной записи.",
        "У пацієнта ще немає облікового запису.",
    ),
}

_MOST: Final = 100
"""Relations of one patient that are looked at."""


def desk_of(ctx: Context) -> Desk:
    """The cabinet behind FHIR.

    Raises:
        NotSupported: without access control there is none.
    """
    if ctx.services.desk is None or ctx.principal is None:
        raise NotSupported(NO_CABINET)
    return ctx.services.desk


def is_personal(ctx: Context) -> bool:
    """Whether a patient or who acts for one asks: neither staff nor a system."""
    who = ctx.principal
    return who is not None and not who.staff and bool(who.user or who.account)


async def access_status(ctx: Context, call: Call) -> Result:
    """Consents, account, blocks and relations that decide about the patient's cabinet.

    Raises:
        NotFound: there is no such patient that the caller may see.
        NotSupported: the server has no access control.
    """
    call.check_names(frozenset())
    desk, id_ = desk_of(ctx), call.target.id or ""
    patient = live(await ctx.reads.read("Patient", id_, within=ctx.rights.read), "Patient", id_)
    demanded = await desk.demanded(id_)
    accounts = await _accounts(ctx, desk, id_)
    blocks = list(_blocks(ctx, demanded, accounts))
    rows = [
        _row("cabinet", valueCode="closed" if blocks else "open"),
        *[await _consent(ctx, each) for each in demanded],
        *[_account(ctx, each) for each in accounts],
        *[_block(ctx, each) for each in blocks],
        *await _represents(ctx, desk),
        *await _represented_by(ctx, desk, id_),
    ]
    body = {"resourceType": "Parameters", "parameter": rows}
    return Result(200, body=dumps(body), shown=(patient,), wanted=True)


async def _accounts(ctx: Context, desk: Desk, patient: str) -> Sequence[KnownAccount]:
    """A person is told of the own account; staff and systems of the patient's."""
    if not is_personal(ctx):
        return await desk.accounts(patient)
    own = ctx.principal.account if ctx.principal is not None else None
    found = None if own is None else await desk.account(own)
    return () if found is None else (found,)


def _blocks(
    ctx: Context, demanded: Iterable[Demanded], accounts: Sequence[KnownAccount]
) -> Iterable[str]:
    if any(each.given is None for each in demanded):
        yield "consent-missing"
    if accounts and all(each.locked for each in accounts):
        yield "account-locked"
    if not accounts and not is_personal(ctx):
        yield "no-account"


async def _consent(ctx: Context, each: Demanded) -> JsonObject:
    required, language = each.required, ctx.language
    parts = [
        _row("status", valueCode="missing" if each.given is None else "given"),
        _row("title", valueString=required.title.in_language(language, {})),
        *[_row("category", valueCoding=dict(c._asdict())) for c in required.categories],
        _row("where", valueString=required.where.in_language(language, {})),
    ]
    if required.questionnaire:
        parts.append(_row("questionnaire", valueCanonical=required.questionnaire))
    if required.policy:
        parts.append(_row("policy", valueUri=required.policy))
    if each.given is not None and await _is_readable(ctx, each.given):
        parts.append(_reference("consent", f"Consent/{each.given}"))
    return {"name": "consent", "part": parts}


async def _is_readable(ctx: Context, consent: str) -> bool:
    return await ctx.reads.read("Consent", consent, within=ctx.rights.read) is not None


def _account(ctx: Context, account: KnownAccount) -> JsonObject:
    parts = [
        _row("status", valueCode="locked" if account.locked else "active"),
        _row("level", valuePositiveInt=account.level),
    ]
    if is_personal(ctx) and ctx.principal is not None and ctx.principal.level:
        parts.append(_row("sign-in-level", valuePositiveInt=ctx.principal.level))
    return {"name": "account", "part": parts}


def _block(ctx: Context, code: str) -> JsonObject:
    said = BLOCKS[code].in_language(ctx.language, {})
    return {
        "name": "block",
        "part": [_row("code", valueCode=code), _row("text", valueString=said)],
    }


async def _represents(ctx: Context, desk: Desk) -> list[JsonObject]:
    """Whom the caller represents: those of them that this token reaches."""
    user = ctx.principal.user if ctx.principal is not None else None
    if user is None or not is_personal(ctx):
        return []
    found = await desk.represents(user)
    seen = await _found(ctx, "Patient", [each.patient for each in found])
    return [
        await _relation(ctx, "represents", each, _named("patient", seen[each.patient]))
        for each in found
        if each.patient in seen
    ]


async def _represented_by(ctx: Context, desk: Desk, patient: str) -> list[JsonObject]:
    """Who may act for the patient, of the relations that the caller may read."""
    where = Keys("references", (keys.reference("patient", f"Patient/{patient}"),))
    rows = await ctx.reads.find("RelatedPerson", where, limit=_MOST, within=ctx.rights.read)
    parsed = [_parsed(ctx, each) for each in rows]
    by_reference = {f"RelatedPerson/{each['id']}": each for each in parsed}
    return [
        await _relation(
            ctx, "represented-by", each, _named("relation", by_reference[each.relation])
        )
        for each in await desk.acting(parsed)
    ]


async def _found(ctx: Context, kind: str, ids: Sequence[str]) -> dict[str, JsonObject]:
    """Those of `ids` that the caller may read."""
    if not ids:
        return {}
    rows = await ctx.reads.find(kind, Ids(tuple(ids)), limit=len(ids), within=ctx.rights.read)
    return {each.id: _parsed(ctx, each) for each in rows}


def _parsed(ctx: Context, row: Stored) -> JsonObject:
    return loads(row.body, max_depth=ctx.services.limits.depth)


async def _relation(ctx: Context, name: str, each: Represented, who: JsonObject) -> JsonObject:
    parts = [
        who,
        _row("kind", valueCode=each.basis),
        _row("permitted", valueCode="read-write" if each.may_write else "read"),
    ]
    if each.until is not None:
        parts.append(_row("until", valueInstant=format_instant(each.until)))
    if each.consent is not None and await _is_readable(ctx, each.consent):
        parts.append(_reference("consent", f"Consent/{each.consent}"))
    return {"name": name, "part": parts}


def _named(name: str, resource: JsonObject) -> JsonObject:
    reference = f"{resource['resourceType']}/{resource['id']}"
    return _reference(name, reference, _display(resource))


def _display(resource: JsonObject) -> str:
    found: JsonObject = next(iter(resource.get("name", ())), {})
    spelled = " ".join((*found.get("given", ()), found.get("family", ""))).strip()
    return str(found.get("text", spelled))


def _reference(name: str, reference: str, display: str = "") -> JsonObject:
    shown = {"display": display} if display else {}
    return _row(name, valueReference={"reference": reference, **shown})


def _row(name: str, **value: Any) -> JsonObject:
    return {"name": name, **value}
