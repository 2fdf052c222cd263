"""The rights behind a notice or a link: those of a person who proved a mailbox, no more.

https://pages.nist.gov/800-63-3/sp800-63b.html
"""

from dataclasses import dataclass
from typing import Final

from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.cabinet.accounts.ports import Records
from fhir_server.cabinet.accounts.subjects import subject
from fhir_server.store.accounts import Account, Accounts

CLIENT: Final = "one-tap-link"
"""What the audit names in the place of an app."""
LEVEL: Final = 1
"""Of a sign-in by no more than an address of e-mail."""

_SCOPES: Final = parse_scopes(
    "user/Appointment.cru user/AppointmentResponse.c user/DiagnosticReport.r"
)


@dataclass(frozen=True, slots=True)
class Bearers:
    """People by their accounts."""

    accounts: Accounts
    records: Records

    async def of_account(self, account: Account) -> Principal:
        """The person of an account, with the records that are open to it now."""
        found = subject(account, await self.records.of_account(account))
        return Principal(
            CLIENT,
            _SCOPES,
            user=found.user,
            account=account.id,
            represented=found.represented,
            level=LEVEL,
        )


def of_patient(patient: str) -> Principal:
    """A patient (logical id) by the own record alone."""
    return Principal(
        CLIENT, _SCOPES, user=f"Patient/{patient}", represented=(patient,), level=LEVEL
    )
