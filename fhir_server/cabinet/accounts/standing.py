"""What an operator does to accounts: make one for staff, lock, unlock, permit.

A locked account answers as if the password were wrong; its sessions and all that apps were
granted end at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fhir_server.cabinet.accounts import emails, registering
from fhir_server.cabinet.accounts.events import AccountEvent, Kind
from fhir_server.cabinet.accounts.ports import AccountPorts
from fhir_server.core.messages import Language
from fhir_server.smart.ending import end_account
from fhir_server.store.accounts import Account, AccountPermission, Standing

STAFF_LEVEL: Final = 3
"""The operator knows who works here."""


@dataclass(frozen=True, slots=True)
class Staff:
    """Somebody who works here."""

    email: str
    name: str
    user: str
    """`Practitioner/…`."""
    organizations: Sequence[str] = ()
    """`Organization/…`."""
    language: Language = "en"


async def add_staff(ports: AccountPorts, staff: Staff) -> bool:
    """Make the account and send its owner a code for a password; False where the address is
    taken."""
    account = Account(
        id=ports.new_id(),
        email=emails.normal(staff.email),
        name=staff.name,
        level=STAFF_LEVEL,
        created=ports.now(),
        user=staff.user,
        staff=True,
        organizations=tuple(staff.organizations),
        purpose="TREAT",
        language=staff.language,
    )
    if not await ports.state.accounts.add(account):
        return False
    await ports.events.tell(AccountEvent("registered", account.id, user=account.user))
    await registering.recover(ports, account.email, account.language)
    return True


async def lock(ports: AccountPorts, email: str) -> bool:
    """Shut the account of an address; False where there is none."""
    account = await _set(ports, email, "locked")
    if account is None:
        return False
    await end_account(ports.smart, account.id, "account locked")
    await ports.events.tell(_event("locked", account))
    return True


async def unlock(ports: AccountPorts, email: str) -> bool:
    """Open it again; False where there is none."""
    account = await _set(ports, email, "active")
    if account is not None:
        await ports.events.tell(_event("unlocked", account))
    return account is not None


async def permit(ports: AccountPorts, email: str, permission: AccountPermission) -> bool:
    """Give somebody of the staff a permission; False where no such person has the address."""
    return await _permissions(ports, email, frozenset({permission}), frozenset())


async def forbid(ports: AccountPorts, email: str, permission: AccountPermission) -> bool:
    """Take it back; the same. What it was used for is the caller's to end."""
    return await _permissions(ports, email, frozenset(), frozenset({permission}))


async def _permissions(
    ports: AccountPorts,
    email: str,
    more: frozenset[AccountPermission],
    less: frozenset[AccountPermission],
) -> bool:
    account = await ports.state.accounts.by_email(emails.normal(email))
    if account is None or not account.staff:
        return False
    await ports.state.accounts.change(account, permissions=account.permissions - less | more)
    await ports.events.tell(_event("permitted" if more else "forbidden", account))
    return True


async def _set(ports: AccountPorts, email: str, standing: Standing) -> Account | None:
    account = await ports.state.accounts.by_email(emails.normal(email))
    if account is not None:
        await ports.state.accounts.change(account, standing=standing)
    return account


def _event(kind: Kind, account: Account) -> AccountEvent:
    return AccountEvent(kind, account.id, account.patient, account.user)
