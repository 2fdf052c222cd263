"""Passkeys over HTTP: options for the browser's script, and what it sends back."""

from typing import Final
from urllib.parse import urlsplit

from starlette.responses import Response

from fhir_server.cabinet.accounts import passkeys, signing_in, throttling
from fhir_server.cabinet.accounts.hashing import BusyError
from fhir_server.cabinet.accounts.passkeys import Party
from fhir_server.cabinet.accounts.refusals import RefusedError
from fhir_server.rest.oauth import answers
from fhir_server.web import sign_in, waiting
from fhir_server.web.account import home, prove
from fhir_server.web.sign_in import HOME, signed_in
from fhir_server.web.visits import Visit
from fhir_server.web.waiting import Waiting

COOKIE: Final = "passkey"
_SECONDS: Final = 300
_LONGEST: Final = 20_000  # characters of a credential


def _party(visit: Visit) -> Party:
    host = urlsplit(visit.site.origin).hostname or ""
    return Party(host, visit.site.origin, visit.say(visit.site.title))


async def options(visit: Visit) -> Response:
    """`POST /auth/passkeys/options`: `kind` is create or get, as the browser's API has it."""
    accounts = visit.site.accounts
    try:
        await throttling.from_network(accounts, visit.network)
    except RefusedError as refused:
        response = answers.uncached({"error": "too_many_requests"}, 429)
        sign_in.wait(response, refused)
        return response
    if visit.field("kind") == "create":
        who = await signed_in(visit)
        if who is None:
            return answers.uncached({"error": "login_required"}, 401)
        given, secret = await passkeys.to_create(accounts, _party(visit), who[1])
    else:
        given, secret = await passkeys.to_get(accounts, _party(visit))
    visit.cookies.set(COOKIE, secret, _SECONDS)
    response = answers.uncached(given)
    visit.cookies.write(response)
    return response


async def create(visit: Visit) -> Response:
    """`POST /auth/passkeys`: the new passkey, with the account's password."""
    who = await signed_in(visit)
    if who is None:
        return visit.go("/auth/sign-in")
    session, account = who
    secret = _secret(visit)
    try:
        await prove(visit, account)
        await passkeys.add(
            visit.site.accounts, _party(visit), account, secret, _credential(visit)
        )
    except RefusedError as refused:
        said = [visit.say(each, **refused.places) for each in refused.texts]
        return await home(visit, session, account, said)
    except BusyError:
        return sign_in.busy(visit)
    await sign_in.told(visit, "second-step", account, "passkey added")
    return visit.go(f"{HOME}?done=passkey")


async def use(visit: Visit) -> Response:
    """`POST /auth/passkey`: sign in with one."""
    asked = await waiting.find(visit)
    secret = _secret(visit)
    try:
        account = await passkeys.verify(
            visit.site.accounts, _party(visit), secret, _credential(visit)
        )
    except RefusedError as refused:
        return await _refused(visit, asked, await _counted(visit, refused))
    entered = await signing_in.begin(visit.site.accounts, account, passkeys.AMR)
    return await sign_in.entered(visit, entered, asked.name if asked is not None else None)


async def _counted(visit: Visit, refused: RefusedError) -> RefusedError:
    """A wrong passkey is one more try of this network; what is to be said of it."""
    try:
        await throttling.from_network(visit.site.accounts, visit.network)
    except RefusedError as more:
        return more
    return refused


async def _refused(visit: Visit, asked: Waiting | None, refused: RefusedError) -> Response:
    await sign_in.told_refusal(visit, refused, reason="passkey")
    said = [visit.say(each, **refused.places) for each in refused.texts]
    response = await sign_in.form(visit, asked, "", said, sign_in.status_of(refused))
    sign_in.wait(response, refused)
    return response


async def remove(visit: Visit) -> Response:
    """`POST /auth/passkeys/remove`."""
    who = await signed_in(visit)
    if who is None:
        return visit.go("/auth/sign-in")
    await passkeys.remove(visit.site.accounts, who[1], visit.field("credential"))
    await sign_in.told(visit, "second-step", who[1], "passkey removed")
    return visit.go(f"{HOME}?done=passkey")


def _secret(visit: Visit) -> str:
    secret = visit.cookies.get(COOKIE)
    visit.cookies.drop(COOKIE)
    return secret


def _credential(visit: Visit) -> str:
    return visit.field("credential")[:_LONGEST]
