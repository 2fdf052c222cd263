"""The end of a grant: its tokens are gone before the answer, and the audit is told.

https://www.rfc-editor.org/rfc/rfc7009
"""

from typing import Final

from fhir_server.smart import scopes
from fhir_server.smart.events import Event
from fhir_server.smart.ports import Ports
from fhir_server.smart.records import Grant

SIGNED_OUT: Final = "signed out"
"""Why a grant ended that held for as long as somebody was signed in."""


async def end(ports: Ports, id_: str, reason: str) -> bool:
    """End a grant; whether it was live until now."""
    ended = await ports.grants.revoke(id_, ports.now(), reason)
    if ended:
        await _told(ports, await ports.grants.find(id_), reason)
    return ended


async def end_account(ports: Ports, account: str, reason: str) -> None:
    """End everything that a person granted, and sign them out everywhere."""
    await ports.sessions.end_account(account, ports.now())
    for grant in await ports.grants.of_account(account):
        await end(ports, grant.id, reason)


async def end_session(ports: Ports, session: str) -> None:
    """Sign a browser out, and end what was granted for as long as it is signed in."""
    await ports.sessions.end(session, ports.now())
    for grant in await ports.grants.of_session(session):
        granted = scopes.parse(grant.scopes)
        if scopes.ONLINE in granted and scopes.OFFLINE not in granted:
            await end(ports, grant.id, SIGNED_OUT)


async def _told(ports: Ports, grant: Grant | None, reason: str) -> None:
    if grant is not None:
        await ports.events.tell(
            Event(
                "ended",
                grant.client,
                grant.subject.account,
                grant.id,
                grant.context.patient,
                grant.scopes,
                reason,
            )
        )
