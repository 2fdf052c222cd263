"""Registration and recovery: a code by e-mail, then the code together with a new password.

What is found, a record or none, an account or none, shows in the mailbox alone: the pages say
the same. The password is written in the same unit of work that uses the code up, or not at
all.
"""

from collections.abc import Sequence
from typing import Final

from fhir_server.cabinet.accounts import codes, devices, emails, mail, passwords, throttling
from fhir_server.cabinet.accounts.events import AccountEvent
from fhir_server.cabinet.accounts.matching import Claim, display
from fhir_server.cabinet.accounts.ports import AccountPorts
from fhir_server.cabinet.accounts.refusals import (
    WRONG_CODE,
    TooManyError,
    WeakError,
    WrongError,
)
from fhir_server.core.messages import Language
from fhir_server.core.types import JsonObject
from fhir_server.smart.ending import end_account
from fhir_server.store.accounts import Account, CodePurpose, SentCode

REGISTERED_LEVEL: Final = 2
"""A registration was compared with a record whose consents were signed in person."""

_SENT: Final = "code"


async def start(ports: AccountPorts, claim: Claim, language: Language) -> None:
    """Send a code to whoever matches a record; to everybody else nothing. Tells nothing."""
    email = emails.normal(claim.email)
    if ports.policy.registration == "closed" or not await _may_send(ports, email):
        return
    if await ports.state.accounts.by_email(email) is not None:
        link = f"{ports.issuer}/auth/recover"
        await ports.mail.send(mail.REGISTERED_ALREADY.to(email, language, link=link))
        return
    patient = await _matched(ports, claim)
    if patient is not None:
        await _send(ports, "register", email, language, patient=patient)


async def _matched(ports: AccountPorts, claim: Claim) -> str | None:
    """The one record that a claim matches, which has no account and is complete."""
    found = await ports.records.matching(claim)
    if len(found) != 1:
        return None
    patient = str(found[0]["id"])
    email = emails.normal(claim.email)
    invited = ports.policy.registration == "matched" or await ports.state.invitations.live(
        patient, email, ports.now()
    )
    taken = await ports.state.accounts.by_patient(patient)
    if not invited or taken or await ports.records.missing_consents(patient):
        return None
    return patient


async def recover(
    ports: AccountPorts, email: str, language: Language, device: str = ""
) -> None:
    """Send a code for a new password to whoever has an account; `device` is the secret of a
    known browser. Tells nothing."""
    name = emails.normal(email)
    account = await ports.state.accounts.by_email(name)
    known = await devices.known(ports, account, device)
    if not await _may_send(ports, devices.counted(name, known)):
        return
    if account is not None and account.standing == "active":
        await _send(ports, "reset", name, language, account=account.id)


async def _may_send(ports: AccountPorts, email: str) -> bool:
    policy = ports.policy
    try:
        await throttling.count(ports, _SENT, email, policy.resend, policy.resend_seconds)
    except TooManyError:
        return False
    return True


async def _send(
    ports: AccountPorts,
    purpose: CodePurpose,
    email: str,
    language: Language,
    *,
    account: str | None = None,
    patient: str | None = None,
) -> None:
    code, key = codes.long_code(ports.choose), codes.key(purpose, email)
    seconds = ports.policy.code_seconds
    kept = codes.digest(code, key)
    ends = ports.now() + seconds * 1000
    sent = SentCode(key, purpose, email, kept, ends, account, patient, REGISTERED_LEVEL)
    await ports.state.codes.put(sent)
    letter, page = (
        (mail.REGISTER, "sign-up/confirm")
        if purpose == "register"
        else (mail.RESET, "recover/confirm")
    )
    link = f"{ports.issuer}/auth/{page}"
    hours = seconds // 3600
    await ports.mail.send(letter.to(email, language, code=code, link=link, hours=hours))


async def check_password(
    ports: AccountPorts, password: str, again: str, about: Sequence[str]
) -> None:
    """Raise WeakError unless it may become somebody's password."""
    rules = ports.policy.passwords
    found = passwords.problems(password, rules, about)
    if password != again:
        found.append(passwords.DIFFERENT)
    if found:
        raise WeakError(found, least=rules.least, most=passwords.LONGEST)


async def register(
    ports: AccountPorts, email: str, code: str, password: str, language: Language
) -> Account:
    """The account that a code and a password (checked) make, once.

    Raises:
        WrongError: the code is not it; nothing was written.
    """
    name = emails.normal(email)
    hashed = await ports.hasher.hash(password)
    key = codes.key("register", name)
    sent = await ports.state.codes.find(key)
    patient = None
    if sent is not None and sent.patient is not None:
        patient = await ports.records.patient(sent.patient)
    if sent is None or patient is None:
        raise WrongError(WRONG_CODE)
    now = ports.now()
    account = Account(
        id=ports.new_id(),
        email=name,
        name=display(patient),
        level=sent.level,
        created=now,
        password_hash=hashed,
        password_changed=now,
        patient=sent.patient,
        language=language,
    )
    kept = codes.digest(code, key)
    if not await ports.state.codes.register(key, kept, now, ports.policy.code_tries, account):
        await ports.state.codes.failed(key)
        raise WrongError(WRONG_CODE)
    await _settle(ports, account, patient)
    return account


async def _settle(ports: AccountPorts, account: Account, patient: JsonObject) -> None:
    """What follows a registration: the Person, and the end of the invitation."""
    person = await ports.records.person(patient, account.email, account.level)
    await ports.state.accounts.change(account, person=person)
    used = await ports.state.invitations.live(str(patient["id"]), account.email, ports.now())
    if used is not None:
        await ports.state.invitations.use(used.digest, ports.now())
    await ports.events.tell(AccountEvent("registered", account.id, account.patient))


async def reset(ports: AccountPorts, email: str, code: str, password: str) -> Account:
    """Give an account a new password (checked), and end whatever the old one began.

    Raises:
        WrongError: the code is not it; nothing was written.
    """
    name = emails.normal(email)
    hashed = await ports.hasher.hash(password)
    key = codes.key("reset", name)
    taken = await ports.state.codes.take(
        key, codes.digest(code, key), ports.now(), ports.policy.code_tries
    )
    if taken is None:
        await ports.state.codes.failed(key)
        raise WrongError(WRONG_CODE)
    account = await ports.state.accounts.find(taken.account or "")
    if account is None or account.standing != "active":
        raise WrongError(WRONG_CODE)
    await renew(ports, account, hashed)
    return account


async def renew(ports: AccountPorts, account: Account, hashed: str) -> None:
    """Keep a new password; sessions and grants end, and the person is told."""
    now = ports.now()
    await ports.state.accounts.change(account, password_hash=hashed, password_changed=now)
    await end_account(ports.smart, account.id, "password changed")
    await ports.events.tell(
        AccountEvent("password-changed", account.id, account.patient, account.user)
    )
    link = f"{ports.issuer}/auth/recover"
    await ports.mail.send(mail.PASSWORD_CHANGED.to(account.email, account.language, link=link))
