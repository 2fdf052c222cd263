"""AuditEvents as resources: up to date for whoever reads them, and nobody's to write.

https://hl7.org/fhir/R4/auditevent.html
"""

from collections.abc import Awaitable, Callable
from typing import Final

from fhir_server.access.audit_rows import own_patient
from fhir_server.access.principal import Principal
from fhir_server.core.errors import Forbidden
from fhir_server.core.messages import Text
from fhir_server.core.paths import ID
from fhir_server.interactions.commands import Command, History, Search
from fhir_server.interactions.context import Context, Intent

KIND: Final = "AuditEvent"

APPEND_ONLY: Final = Text(
    "The audit is written by the server alone: an AuditEvent cannot be made, changed or "
    "deleted here.",
    "Журнал доступа ведёт только сам сервер: AuditEvent нельзя создать, изменить или удалить.",
    "Журнал доступу веде лише сам сервер: AuditEvent не можна створити, змінити чи видалити.",
)


async def up_to_date(ctx: Context, command: Command) -> None:
    """Before `command` is carried out that may show AuditEvents: make what is owed."""
    if ctx.services.audit is not None and _may_show(command):
        await drained(ctx, _named(command))


async def drained(ctx: Context, patient: str | None = None) -> None:
    """Make every event that the caller may be about to see: of `patient`, where the request
    is limited to the record of one."""
    if ctx.services.audit is not None and ctx.principal is not None:
        whose = _whose(ctx.principal)
        if patient is not None:
            whose = {patient} if whose is None else whose & {patient}
        await ctx.services.audit.drain.all(whose)


def _named(command: Command) -> str | None:
    """The patient in whose record the events must stand that a search finds."""
    if isinstance(command, Search) and command.type == KIND:
        for name, value in command.pairs:
            id_ = value.removeprefix("Patient/")
            if name == "patient" and ID.fullmatch(id_):
                return id_
    return None


def _may_show(command: Command) -> bool:
    if command.type in (KIND, None):
        return True
    if isinstance(command, (Search, History)):
        return any(
            KIND in name or KIND in value or value == "*" for name, value in command.pairs
        )
    return False


def _whose(principal: Principal) -> set[str] | None:
    """The patients whose record the caller may open; None: anybody's."""
    if principal.staff or any(each.level == "system" for each in principal.scopes):
        return None
    own = {principal.patient or "", own_patient(principal), *principal.represented}
    return own - {""}


def guard_audit_event(*, foreign: bool) -> Callable[[Context, Intent], Awaitable[None]]:
    """The guard of AuditEvent: append-only, by the server alone. With `foreign` a system may
    create events of its own. Without access control there is no audit to protect."""

    async def guard(ctx: Context, intent: Intent) -> None:
        if ctx.principal is None:
            return
        is_system = any(each.level == "system" for each in ctx.principal.scopes)
        is_new = intent.before is None and intent.after is not None
        if not (foreign and is_system and is_new):
            raise Forbidden(APPEND_ONLY, expression=KIND)

    return guard
