"""Invitations to register: a link for one patient, to an address that is in the record.

A new one ends those before it. The link is in the message and nowhere else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fhir_server.cabinet.accounts import emails, mail
from fhir_server.cabinet.accounts.events import AccountEvent
from fhir_server.cabinet.accounts.mail import Mail
from fhir_server.cabinet.accounts.matching import is_email
from fhir_server.cabinet.accounts.ports import AccountPorts
from fhir_server.core.messages import Language, Text
from fhir_server.core.types import JsonObject
from fhir_server.smart.digests import digest
from fhir_server.store.accounts import Invitation

Refusal = Literal[
    "no-patient",
    "consent-missing",
    "no-email",
    "email-mismatch",
    "account-exists",
    "registration-closed",
]


class UninvitedError(Exception):
    """The patient cannot be invited; `missing` are the titles of missing consents."""

    def __init__(self, reason: Refusal, missing: Sequence[Text] = ()) -> None:
        self.reason: Refusal = reason
        self.missing = missing
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Issued:
    """An invitation that is kept, and the message that has to be sent."""

    mail: Mail
    expires: int
    """Milliseconds since 1970."""


async def invite(ports: AccountPorts, patient: str, language: Language) -> None:
    """Invite a patient to register, by the first address in the record, and send it.

    Raises:
        UninvitedError: nothing was made or sent.
    """
    found = await ports.records.patient(patient)
    if found is None:
        raise UninvitedError("no-patient")
    missing = await ports.records.missing_consents(patient)
    if missing:
        raise UninvitedError("consent-missing", [each.title for each in missing])
    email = await address(ports, found)
    await ports.mail.send((await issue(ports, patient, email, language)).mail)


async def address(ports: AccountPorts, patient: JsonObject, email: str | None = None) -> str:
    """The address of the record to write to: `email`, or the first by `rank`.

    Raises:
        UninvitedError: there is none, it is another, or an invitation would lead nowhere.
    """
    if ports.policy.registration == "closed":
        raise UninvitedError("registration-closed")
    if await ports.state.accounts.by_patient(str(patient["id"])):
        raise UninvitedError("account-exists")
    written = (each for each in patient.get("telecom", ()) if is_email(each))
    ranked = sorted(written, key=lambda each: each.get("rank", 99))
    known = [emails.normal(each["value"]) for each in ranked]
    known = [each for each in known if emails.is_address(each)]
    if not known:
        raise UninvitedError("no-email")
    if email is not None and emails.normal(email) not in known:
        raise UninvitedError("email-mismatch")
    return known[0] if email is None else emails.normal(email)


async def issue(ports: AccountPorts, patient: str, email: str, language: Language) -> Issued:
    """Keep an invitation in place of former ones."""
    secret, policy = ports.new_secret(), ports.policy
    ends = ports.now() + policy.invitation_seconds * 1000
    await ports.state.invitations.put(Invitation(digest(secret), patient, email, ends))
    link = f"{ports.issuer}/auth/sign-up?invitation={secret}"
    days = policy.invitation_seconds // 86_400
    await ports.events.tell(AccountEvent("invited", patient=patient))
    return Issued(mail.INVITED.to(email, language, link=link, days=days), ends)
