"""The cabinet as operations know it, over accounts and live rights."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fhir_server.access.proxies import Represented
from fhir_server.access.required import Demanded
from fhir_server.cabinet.accounts import inviting
from fhir_server.cabinet.accounts.inviting import UninvitedError
from fhir_server.core.errors import NotSupported
from fhir_server.core.messages import Language, Text
from fhir_server.core.types import JsonObject
from fhir_server.interactions.desk import Invited, KnownAccount, NotInvitedError, Refusal
from fhir_server.interactions.live_rights import LiveRights
from fhir_server.store.accounts import Account
from fhir_server.web.site import Site

NO_ACCOUNTS: Final = Text(
    "This server has no accounts.",
    "На этом сервере нет учётных записей.",
    "На цьому сервері немає облікових записів.",
)

_REASONS: Final[dict[inviting.Refusal, Refusal]] = {
    "no-email": "no-email",
    "email-mismatch": "email-mismatch",
    "account-exists": "account-exists",
    "registration-closed": "registration-closed",
}


@dataclass
class CabinetDesk:
    """`interactions.desk.Desk`. FHIR requests are served with it, and it with them; so both
    parts are set when they are built, before the first request."""

    live: LiveRights | None = None
    site: Site | None = None

    @property
    def _live(self) -> LiveRights:
        if self.live is None:
            raise NotSupported(NO_ACCOUNTS)
        return self.live

    @property
    def _site(self) -> Site:
        if self.site is None:
            raise NotSupported(NO_ACCOUNTS)
        return self.site

    async def demanded(self, patient: str) -> Sequence[Demanded]:
        """As the port says."""
        return await self._live.demanded(patient)

    async def account(self, id_: str) -> KnownAccount | None:
        """As the port says."""
        found = await self._site.accounts.state.accounts.find(id_)
        return None if found is None else _known(found)

    async def accounts(self, patient: str) -> Sequence[KnownAccount]:
        """As the port says."""
        found = await self._site.accounts.state.accounts.by_patient(patient)
        return [_known(each) for each in found]

    async def represents(self, user: str) -> Sequence[Represented]:
        """As the port says."""
        return await self._live.represented(user)

    async def acting(self, relations: Sequence[JsonObject]) -> Sequence[Represented]:
        """As the port says."""
        return await self._live.acting(relations)

    async def address(self, patient: JsonObject, email: str | None) -> str:
        """As the port says."""
        try:
            return await inviting.address(self._site.accounts, patient, email)
        except UninvitedError as error:
            raise NotInvitedError(_REASONS[error.reason]) from error

    async def invite(self, patient: str, email: str, language: Language) -> Invited:
        """As the port says. The answer does not wait for the mail server."""
        site = self._site
        issued = await inviting.issue(site.accounts, patient, email, language)
        site.later.begin(site.accounts.mail.send(issued.mail))
        return Invited(email, issued.expires)


def _known(account: Account) -> KnownAccount:
    return KnownAccount(account.standing != "active", account.level)
