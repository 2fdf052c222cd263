"""The second step of a sign-in: a code of an authenticator app, or one that was mailed."""

from collections.abc import Sequence

from starlette.responses import Response

from fhir_server.cabinet.accounts import signing_in
from fhir_server.cabinet.accounts.refusals import RefusedError
from fhir_server.store.accounts import Account
from fhir_server.web import sign_in, waiting
from fhir_server.web.cookies import STEP
from fhir_server.web.visits import Visit


async def show(visit: Visit) -> Response:
    """`GET /auth/second-step`."""
    found = await signing_in.waiting(visit.site.accounts, visit.cookies.get(STEP))
    if found is None:
        return visit.go(_back(visit))
    return _form(visit, found[1])


async def submit(visit: Visit) -> Response:
    """`POST /auth/second-step`."""
    accounts = visit.site.accounts
    found = await signing_in.waiting(accounts, visit.cookies.get(STEP))
    if found is None:
        return visit.go(_back(visit))
    pending, account = found
    if visit.field("again") and not account.totp_secret:
        await signing_in.send_code(accounts, account)
        return _form(visit, account)
    try:
        entered = await signing_in.second_step(accounts, pending, account, visit.field("code"))
    except RefusedError as refused:
        await sign_in.told_refusal(visit, refused, account)
        problems = [visit.say(each, **refused.places) for each in refused.texts]
        response = _form(visit, account, problems, sign_in.status_of(refused))
        sign_in.wait(response, refused)
        return response
    return await sign_in.entered(visit, entered, pending.request)


def _back(visit: Visit) -> str:
    return f"/auth/sign-in{waiting.suffix(visit.parameter(waiting.PARAMETER))}"


def _form(
    visit: Visit, account: Account, problems: Sequence[str] = (), status: int = 200
) -> Response:
    values = {
        "mailed": not account.totp_secret,
        "problems": problems,
        "suffix": waiting.suffix(visit.parameter(waiting.PARAMETER)),
    }
    return visit.page("second_step.html", values, status=status)
