"""The account's own page: granted apps, password, second step, sign-out."""

import secrets
from collections.abc import Sequence

import segno
from starlette.responses import Response

from fhir_server.cabinet.accounts import authenticator, registering, signing_in, throttling
from fhir_server.cabinet.accounts.hashing import BusyError
from fhir_server.cabinet.accounts.refusals import WRONG, WRONG_CODE, RefusedError, WrongError
from fhir_server.core.messages import Text
from fhir_server.smart.ending import end_session
from fhir_server.smart.records import Session
from fhir_server.store.accounts import Account
from fhir_server.web import granted, headers, sign_in, texts
from fhir_server.web.cookies import BROWSER, SESSION
from fhir_server.web.sign_in import HOME, signed_in
from fhir_server.web.visits import Visit

_SIGN_IN = "/auth/sign-in"
_DAY = 86_400_000


async def show(visit: Visit) -> Response:
    """`GET /auth/account`."""
    who = await signed_in(visit)
    if who is None:
        return visit.go(_SIGN_IN)
    return await home(visit, *who)


async def home(
    visit: Visit, session: Session, account: Account, problems: Sequence[str] = ()
) -> Response:
    """The account page, with what went wrong on it."""
    done = texts.DONE.get(visit.parameter("done"))
    values = {
        "account": account,
        "session": session,
        "apps": await granted.rows(visit, account),
        "done": visit.say(done) if done is not None else "",
        "problems": problems,
        "stale": _is_stale(visit, account),
    }
    return visit.page("account.html", values, status=400 if problems else 200)


def _is_stale(visit: Visit, account: Account) -> bool:
    """Whether the operator advises to change the password."""
    days = visit.site.accounts.policy.passwords.advised_days
    age = visit.site.smart.now() - account.password_changed
    return bool(days and account.password_hash) and age > days * _DAY


async def sign_out(visit: Visit) -> Response:
    """`POST /auth/sign-out`: the session and what was granted for as long as it lasts."""
    session = await visit.session()
    if session is not None:
        await end_session(visit.site.smart, session.id)
        account = await visit.site.accounts.state.accounts.find(session.account)
        await sign_in.told(visit, "signed-out", account, "", session.id)
    visit.cookies.drop(SESSION)
    visit.cookies.drop(BROWSER)
    return visit.go("/auth/signed-out")


async def signed_out(visit: Visit) -> Response:
    """`GET /auth/signed-out`."""
    return visit.page("signed_out.html", {"signed_in": False})


async def language(visit: Visit) -> Response:
    """`POST /auth/language`: and back to the page."""
    chosen = visit.field("language")
    if chosen in ("en", "ru", "uk"):
        visit.cookies.set("language", chosen, 365 * 86_400)
        who = await signed_in(visit)
        if who is not None:
            await visit.site.accounts.state.accounts.change(who[1], language=chosen)
    back = visit.field("back")
    own = back.startswith("/auth/") and not back.startswith("//") and "\\" not in back
    return visit.go(back if own and back.isprintable() and " " not in back else HOME)


async def password(visit: Visit) -> Response:
    """`POST /auth/password`: the old one, and the new one twice."""
    who = await signed_in(visit)
    if who is None:
        return visit.go(_SIGN_IN)
    session, account = who
    accounts = visit.site.accounts
    try:
        await prove(visit, account)
        about = (account.email, account.name)
        fresh = visit.field("password")
        await registering.check_password(accounts, fresh, visit.field("again"), about)
        hashed = await accounts.hasher.hash(fresh)
    except RefusedError as refused:
        said = [visit.say(each, **refused.places) for each in refused.texts]
        response = await home(visit, session, account, said)
        sign_in.wait(response, refused)
        return response
    except BusyError:
        return sign_in.busy(visit)
    await registering.renew(accounts, account, hashed)
    entered = await signing_in.begin(accounts, account, session.amr, session.level)
    visit.cookies.set(SESSION, entered.secret)
    visit.cookies.set(BROWSER, visit.site.smart.new_secret())
    return visit.go(f"{HOME}?done=password")


async def prove(visit: Visit, account: Account) -> None:
    """Raise WrongError unless the form has the account's password."""
    accounts = visit.site.accounts
    policy = accounts.policy
    await throttling.count(
        accounts, "prove", account.id, policy.lockout, policy.lockout_seconds
    )
    if not await accounts.hasher.verify(account.password_hash, visit.field("current")):
        raise WrongError(WRONG)
    await throttling.forget(accounts, "prove", account.id)


async def show_authenticator(visit: Visit) -> Response:
    """`GET /auth/authenticator`: a new secret as a QR code, kept by the form alone."""
    who = await signed_in(visit)
    if who is None:
        return visit.go(_SIGN_IN)
    return _authenticator(visit, who[1], authenticator_secret())


def authenticator_secret() -> str:
    """160 random bits in base32."""
    return "".join(secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(32))


def _authenticator(
    visit: Visit, account: Account, secret: str, problems: Sequence[Text] = ()
) -> Response:
    issuer = visit.say(visit.site.title)
    code = segno.make(authenticator.address(secret, account.email, issuer), error="m")
    values = {
        "secret": secret,
        "grouped": authenticator.grouped(secret),
        "picture": code.svg_data_uri(scale=5, border=2, dark="#102a43", light="#ffffff"),
        "problems": [visit.say(each) for each in problems],
        "has_one": bool(account.totp_secret),
    }
    return visit.page("authenticator.html", values, status=400 if problems else 200)


async def submit_authenticator(visit: Visit) -> Response:
    """`POST /auth/authenticator`: password, and the first code of the app; or remove it."""
    who = await signed_in(visit)
    if who is None:
        return visit.go(_SIGN_IN)
    account, accounts = who[1], visit.site.accounts
    secret = visit.field("secret")
    if not _is_secret(secret):
        secret = authenticator_secret()
    try:
        await prove(visit, account)
    except RefusedError as refused:
        return _authenticator(visit, account, secret, refused.texts)
    except BusyError:
        return sign_in.busy(visit)
    if visit.field("remove"):
        await accounts.state.accounts.change(account, totp_secret="")
        await sign_in.told(visit, "second-step", account, "authenticator removed")
        return visit.go(f"{HOME}?done=second")
    step = authenticator.step_of(secret, visit.field("code"), accounts.now())
    if step is None:
        return _authenticator(visit, account, secret, (WRONG_CODE,))
    await accounts.state.accounts.change(account, totp_secret=secret, totp_step=step)
    await sign_in.told(visit, "second-step", account, "authenticator added")
    return visit.go(f"{HOME}?done=second")


def _is_secret(text: str) -> bool:
    return len(text) == 32 and set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")  # noqa: PLR2004


async def alive(visit: Visit) -> Response:
    """`GET /auth/session`: whether somebody is signed in here; a session that is used goes
    on. For pages of this origin that are open for long."""
    status = 401 if await visit.session() is None else 204
    response = Response(status_code=status, headers=headers.PAGE)
    visit.cookies.write(response)
    return response


async def mailed_codes(visit: Visit) -> Response:
    """`POST /auth/mailed-codes`: codes by e-mail as the second step, on or off."""
    who = await signed_in(visit)
    if who is None:
        return visit.go(_SIGN_IN)
    session, account = who
    try:
        await prove(visit, account)
    except RefusedError as refused:
        said = [visit.say(each, **refused.places) for each in refused.texts]
        return await home(visit, session, account, said)
    except BusyError:
        return sign_in.busy(visit)
    on = visit.field("on") == "yes"
    await visit.site.accounts.state.accounts.change(account, mailed_codes=on)
    await sign_in.told(visit, "second-step", account, f"mailed codes {'on' if on else 'off'}")
    return visit.go(f"{HOME}?done=second")
