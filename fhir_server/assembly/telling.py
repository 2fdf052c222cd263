"""What the authorization server and the accounts tell of themselves, on its way to the audit.

https://profiles.ihe.net/ITI/BALP/
"""

from collections.abc import Mapping
from typing import Final

from fhir_server.access.audit_log import AuditSink, EventKind, Occurrence
from fhir_server.access.audit_rows import Who
from fhir_server.cabinet.accounts import events as accounts
from fhir_server.smart.events import Event, Events, Kind

KINDS: Final[Mapping[Kind, EventKind]] = {
    "granted": "grant",
    "refused": "grant",
    "issued": "token",
    "refreshed": "refresh",
    "ended": "revoke",
    "failed": "refused",
    "launched": "launch",
    "opened": "launch",
    "registered": "register",
}
OF_ACCOUNTS: Final[Mapping[accounts.Kind, EventKind]] = {
    "signed-in": "sign-in",
    "refused": "sign-in",
    "signed-out": "sign-out",
    "invited": "account",
    "registered": "account",
    "password-changed": "account",
    "second-step": "account",
    "locked": "account",
    "unlocked": "account",
    "permitted": "account",
    "forbidden": "account",
}
_NOTES: Final[Mapping[Kind, str]] = {"opened": "used"}
"""What is told of an event that does not say it itself."""
_REFUSED: Final = {"refused": 403, "failed": 400}


class Told:
    """`smart.events.Events` for an audit; `then` is told behind it."""

    def __init__(self, sink: AuditSink | None, then: Events | None = None) -> None:
        self._sink = sink
        self._then = then

    async def tell(self, event: Event) -> None:
        """Keep it.

        Raises:
            Unavailable: it could not be kept.
        """
        if self._sink is not None:
            await self._sink.note(_of_grants(event))
        if self._then is not None:
            await self._then.tell(event)


class ToldOfAccounts:
    """`cabinet.accounts.events.AccountEvents` for an audit."""

    def __init__(self, sink: AuditSink | None) -> None:
        self._sink = sink

    async def tell(self, event: accounts.AccountEvent) -> None:
        """Keep it.

        Raises:
            Unavailable: it could not be kept.
        """
        if self._sink is not None:
            await self._sink.note(_of_accounts(event))


def _of_grants(event: Event) -> Occurrence:
    return Occurrence(
        KINDS[event.kind],
        Who(client=event.client or "", account=event.account or "", grant=event.grant or ""),
        patients=() if event.patient is None else (event.patient,),
        status=_REFUSED.get(event.kind, 200),
        note=_NOTES.get(event.kind, event.reason or event.scopes),
    )


def _of_accounts(event: accounts.AccountEvent) -> Occurrence:
    own = event.patient or ""
    # Who was refused has not proved to be that person, and is somewhere else perhaps.
    known = event.user or (f"Patient/{own}" if own else "")
    user = "" if event.kind == "refused" else known
    kind = OF_ACCOUNTS[event.kind]
    told = event.kind if kind == "account" else ""
    return Occurrence(
        kind,
        Who(user=user, account=event.account or "", staff=event.user is not None),
        patients=(own,) if own else (),
        status=_REFUSED.get(event.kind, 200),
        note=", ".join(each for each in (told, event.reason) if each),
        address=event.network,
    )
