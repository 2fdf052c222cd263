"""Sign-in: the password, a second step if there is one, and on to what it was for."""

from collections.abc import Sequence
from typing import Final

from starlette.responses import Response

from fhir_server.cabinet.accounts import assurance, devices, signing_in
from fhir_server.cabinet.accounts.events import AccountEvent, Kind
from fhir_server.cabinet.accounts.hashing import BusyError
from fhir_server.cabinet.accounts.refusals import RefusedError, TooManyError
from fhir_server.cabinet.accounts.signing_in import NeedsMore, SignedIn
from fhir_server.cabinet.accounts.subjects import subject
from fhir_server.smart.authorization import Decision
from fhir_server.smart.records import Session
from fhir_server.store.accounts import Account
from fhir_server.web import waiting
from fhir_server.web.cookies import BROWSER, DEVICE, SESSION, STEP
from fhir_server.web.patient_page import CLIENT
from fhir_server.web.visits import Visit
from fhir_server.web.waiting import Waiting

HOME: Final = "/auth/account"
_BUSY: Final = 5  # seconds


async def show(visit: Visit) -> Response:
    """`GET /auth/sign-in`: the form, or what comes after it for who is signed in."""
    asked = await waiting.find(visit)
    session = await visit.session()
    if visit.parameter(waiting.PARAMETER) and asked is None:
        return visit.page("gone.html", {}, status=400)
    if session is None or not (asked is None or asked.parked.is_fresh(session.auth_time)):
        hint = asked.parked.request.login_hint if asked is not None else None
        return await form(visit, asked, hint or "")
    return await forward(visit, session, asked)


async def forward(visit: Visit, session: Session, asked: Waiting | None) -> Response:
    """Where somebody who is signed in goes: to a stronger sign-in, consent, or home. Where
    there is no stronger one the app hears so."""
    account = await visit.site.accounts.state.accounts.find(session.account)
    if asked is None or account is None:
        return visit.go(HOME)
    if asked.parked.is_strong(session):
        return visit.go(f"/auth/consent{waiting.suffix(asked.name)}")
    needed = assurance.asked(asked.parked.request.acr_values)
    if not session.level < needed <= account.level:
        decision = Decision(subject(account, ()), session)
        return await waiting.answered(visit, asked, decision)
    amr = tuple(each for each in session.amr if each != "mfa")
    found = await signing_in.proceed(visit.site.accounts, account, amr, asked.name, needed)
    return await entered(visit, found, asked.name)


async def form(
    visit: Visit,
    asked: Waiting | None,
    email: str = "",
    problems: Sequence[str] = (),
    status: int = 200,
) -> Response:
    """The sign-in page."""
    app = None
    if asked is not None:
        client = await visit.site.smart.clients.find(asked.parked.request.client)
        # The page of the house has the house's name, which stands above.
        app = None if client is None or client.id == CLIENT else client.name
    values = {
        "email": email,
        "app": app,
        "problems": problems,
        "suffix": waiting.suffix(asked.name if asked else None),
        "registration": visit.site.accounts.policy.registration != "closed",
        "providers": visit.site.providers,
    }
    return visit.page("sign_in.html", values, status=status)


async def submit(visit: Visit) -> Response:
    """`POST /auth/sign-in`."""
    asked = await waiting.find(visit)
    email = visit.field("email")
    try:
        account = await signing_in.by_password(
            visit.site.accounts,
            email,
            visit.field("password"),
            visit.network,
            visit.cookies.get(DEVICE),
        )
    except RefusedError as refused:
        await told_refusal(visit, refused)
        problems = [visit.say(each, **refused.places) for each in refused.texts]
        response = await form(visit, asked, email, problems, status_of(refused))
        wait(response, refused)
        return response
    except BusyError:
        return busy(visit)
    name = asked.name if asked is not None else None
    needed = assurance.asked(asked.parked.request.acr_values) if asked is not None else 0
    found = await signing_in.proceed(visit.site.accounts, account, ("pwd",), name, needed)
    return await entered(visit, found, name)


async def entered(visit: Visit, found: SignedIn | NeedsMore, name: str | None) -> Response:
    """After a step: to the next one, or into the session that it gave."""
    if isinstance(found, NeedsMore):
        seconds = visit.site.accounts.policy.pending_seconds
        visit.cookies.set(STEP, found.secret, seconds)
        return visit.go(f"/auth/second-step{waiting.suffix(name)}")
    account = await visit.site.accounts.state.accounts.find(found.session.account)
    await told(visit, "signed-in", account, " ".join(found.session.amr), found.session.id)
    before = await visit.session()
    if before is not None:  # one browser, one session
        await visit.site.smart.sessions.end(before.id, visit.site.smart.now())
    if account is not None:
        await _remember(visit, account)
    visit.cookies.drop(STEP)
    visit.cookies.set(SESSION, found.secret)
    visit.cookies.set(BROWSER, visit.site.smart.new_secret())
    return visit.go(f"/auth/sign-in{waiting.suffix(name)}" if name else HOME)


async def _remember(visit: Visit, account: Account) -> None:
    """Know this browser: what others try with the person's address does not lock it out."""
    given = visit.cookies.get(DEVICE)
    fresh = await devices.remember(visit.site.accounts, account, given)
    if fresh is not None:
        visit.cookies.set(DEVICE, fresh, devices.SECONDS)


async def told(
    visit: Visit, kind: Kind, account: Account | None, reason: str = "", session: str = ""
) -> None:
    """Tell the audit what happened, and from which network address."""
    await visit.site.accounts.events.tell(
        AccountEvent(
            kind,
            None if account is None else account.id,
            None if account is None else account.patient,
            None if account is None else account.user,
            session or None,
            visit.network,
            reason,
        )
    )


async def told_refusal(
    visit: Visit, refused: RefusedError, account: Account | None = None, reason: str = ""
) -> None:
    """Tell the audit of a refusal. That somebody waits is told once: nobody who has not signed
    in makes the log grow as fast as they can ask."""
    if not isinstance(refused, TooManyError):
        await told(visit, "refused", account, reason or type(refused).__name__)
    elif refused.first:
        await told(visit, "refused", account, type(refused).__name__)


def status_of(refused: RefusedError) -> int:
    """The HTTP status of a page that says it."""
    return 429 if isinstance(refused, TooManyError) else 400


def wait(response: Response, refused: RefusedError) -> None:
    """Say when it may be tried again."""
    if isinstance(refused, TooManyError):
        response.headers["Retry-After"] = str(refused.seconds)


def busy(visit: Visit) -> Response:
    """Too many passwords are being checked."""
    response = visit.page("busy.html", {}, status=503)
    response.headers["Retry-After"] = str(_BUSY)
    return response


async def signed_in(visit: Visit) -> tuple[Session, Account] | None:
    """The session and account of this browser, if there are both."""
    session = await visit.session()
    if session is None:
        return None
    account = await visit.site.accounts.state.accounts.find(session.account)
    if account is None or account.standing != "active":
        return None
    return session, account
