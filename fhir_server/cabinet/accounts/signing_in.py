"""From a password to a session: counted, checked in constant time, and perhaps a second step.

Whatever is wrong, address or password, account or its standing, the answer and the work are
the same.
"""

from dataclasses import dataclass
from typing import Final

from fhir_server.cabinet.accounts import (
    assurance,
    authenticator,
    codes,
    devices,
    emails,
    mail,
    throttling,
)
from fhir_server.cabinet.accounts.ports import AccountPorts
from fhir_server.cabinet.accounts.refusals import WRONG_CODE, TooManyError, WrongError
from fhir_server.smart.digests import digest
from fhir_server.smart.records import Session
from fhir_server.store.accounts import Account, PendingSignIn, SentCode

SIGN_IN: Final = "sign-in"
SECOND: Final = "second-step"
_MAILED: Final = "mail"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session, and the secret that only its browser gets."""

    session: Session
    secret: str


@dataclass(frozen=True, slots=True)
class NeedsMore:
    """Another step is needed; `secret` is the browser's."""

    secret: str
    account: Account


async def by_password(
    ports: AccountPorts, email: str, password: str, network: str, device: str = ""
) -> Account:
    """Whose password this is; `device` is the secret of a known browser.

    Raises:
        WrongError: nobody's.
        TooManyError: it was tried too often.
        BusyError: too many passwords wait to be checked.
    """
    name = emails.normal(email)
    await throttling.from_network(ports, network)
    policy = ports.policy
    account = await ports.state.accounts.by_email(name)
    tries = devices.counted(name, await devices.known(ports, account, device))
    await throttling.count(ports, SIGN_IN, tries, policy.lockout, policy.lockout_seconds)
    kept = "" if account is None or account.standing != "active" else account.password_hash
    right = await ports.hasher.verify(kept, password)
    if account is None or not right:
        raise WrongError
    await throttling.forget(ports, SIGN_IN, tries)
    if ports.hasher.is_outdated(kept):
        renewed = await ports.hasher.hash(password)
        await ports.state.accounts.change(account, password_hash=renewed)
    return account


async def proceed(
    ports: AccountPorts,
    account: Account,
    amr: tuple[str, ...],
    request: str | None,
    needed: int = 0,
) -> SignedIn | NeedsMore:
    """What follows a first step: a session, or a second step if the account, the operator or
    the request (`needed`, a level) asks for one."""
    more = account.has_second_step or ports.policy.second_step == "required"
    helps = assurance.level(account.level, amr) < needed <= account.level
    if assurance.is_strong(amr) or not (more or helps):
        return await begin(ports, account, amr)
    secret, now = ports.new_secret(), ports.now()
    ends = now + ports.policy.pending_seconds * 1000
    pending = PendingSignIn(digest(secret), account.id, amr, ends, request)
    await ports.state.pending.put(pending)
    if not account.totp_secret:
        await send_code(ports, account)
    return NeedsMore(secret, account)


async def begin(
    ports: AccountPorts, account: Account, amr: tuple[str, ...], level: int | None = None
) -> SignedIn:
    """A new session, with an id and a secret that were never seen before."""
    now, secret, policy = ports.now(), ports.new_secret(), ports.policy
    reached = assurance.level(account.level, amr) if level is None else level
    ends = now + policy.session_seconds * 1000
    session = Session(
        id=ports.new_id(),
        digest=digest(secret),
        account=account.id,
        auth_time=now,
        level=reached,
        acr=str(reached),
        amr=amr,
        last_seen=now,
        idle_ends=min(now + policy.idle_seconds * 1000, ends),
        ends=ends,
    )
    await ports.smart.sessions.put(session)
    await ports.state.accounts.change(account, last_sign_in=now)
    return SignedIn(session, secret)


async def waiting(ports: AccountPorts, secret: str) -> tuple[PendingSignIn, Account] | None:
    """The sign-in between its steps whose browser this is."""
    found = await ports.state.pending.find(digest(secret))
    if found is None or found.kind != "step":
        return None
    if found.used is not None or ports.now() >= found.expires:
        return None
    account = await ports.state.accounts.find(found.account)
    if account is None or account.standing != "active":
        return None
    return found, account


async def send_code(ports: AccountPorts, account: Account) -> None:
    """Send the code of a second step, unless too many were sent; a new one ends the old."""
    policy = ports.policy
    try:
        await throttling.count(
            ports, _MAILED, account.email, policy.resend, policy.resend_seconds
        )
    except TooManyError:
        return
    code, key = codes.short_code(ports.choose), codes.key(SECOND, account.id)
    ends = ports.now() + policy.second_code_seconds * 1000
    sent = SentCode(key, "second-step", account.email, codes.digest(code, key), ends)
    await ports.state.codes.put(sent)
    minutes = policy.second_code_seconds // 60
    letter = mail.SECOND_STEP.to(account.email, account.language, code=code, minutes=minutes)
    await ports.mail.send(letter)


async def second_step(
    ports: AccountPorts, pending: PendingSignIn, account: Account, code: str
) -> SignedIn:
    """The session that the right code gives, once.

    Raises:
        WrongError: the code is not it.
        TooManyError: it was tried too often.
    """
    policy = ports.policy
    await throttling.count(ports, SECOND, account.id, policy.lockout, policy.lockout_seconds)
    if not await _is_right(ports, account, code):
        raise WrongError(WRONG_CODE)
    if not await ports.state.pending.use(pending.digest, ports.now()):
        raise WrongError(WRONG_CODE)
    await throttling.forget(ports, SECOND, account.id)
    return await begin(ports, account, (*pending.amr, "otp", "mfa"))


async def _is_right(ports: AccountPorts, account: Account, code: str) -> bool:
    if account.totp_secret:
        step = authenticator.step_of(account.totp_secret, code, ports.now())
        return step is not None and await ports.state.accounts.take_step(account.id, step)
    key = codes.key(SECOND, account.id)
    taken = await ports.state.codes.take(
        key, codes.digest(code, key), ports.now(), ports.policy.code_tries
    )
    if taken is None:
        await ports.state.codes.failed(key)
    return taken is not None
