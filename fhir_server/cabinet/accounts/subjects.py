"""An account as the authorization server sees its person: today's rights, asked anew each time.

`fhirUser` is the staff member's own resource, the patient's own record, or the Person of who
opens the records of several.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#scopes-for-requesting-identity-data
"""

from collections.abc import Sequence

from fhir_server.cabinet.accounts.ports import Record, Records
from fhir_server.smart.records import Grant, Subject
from fhir_server.store.accounts import Account, Accounts


def subject(account: Account, records: Sequence[Record]) -> Subject:
    """What the account's person may do, by the records they may open."""
    return Subject(
        account=account.id,
        user=_user(account, records),
        represented=tuple(each.patient for each in records),
        staff=account.staff,
        organizations=account.organizations,
        purpose=account.purpose,
    )


def _user(account: Account, records: Sequence[Record]) -> str | None:
    if account.user is not None:
        return account.user
    own = next((each.patient for each in records if each.own), None)
    if own is not None and (len(records) == 1 or account.person is None):
        return f"Patient/{own}"
    return None if account.person is None else f"Person/{account.person}"


class AccountSubjects:
    """`smart.ports.Subjects`."""

    def __init__(self, accounts: Accounts, records: Records) -> None:
        self._accounts = accounts
        self._records = records

    async def current(self, grant: Grant) -> Subject | None:
        """As the port says."""
        account = await self._accounts.find(grant.subject.account)
        if account is None or account.standing != "active":
            return None
        found = subject(account, await self._records.of_account(account))
        patient = grant.context.patient
        if patient is not None and not found.staff and patient not in found.represented:
            return None
        return found
