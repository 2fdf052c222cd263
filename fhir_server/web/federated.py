"""Sign-in through identity providers: there with fresh secrets, back with the same browser.

State, nonce and PKCE verifier are made of one secret in a cookie; it is used once.

https://www.rfc-editor.org/rfc/rfc9700#section-2.1
"""

from hashlib import sha256
from typing import Final
from uuid import UUID

import structlog
from starlette.responses import Response

from fhir_server.cabinet.accounts import federation, signing_in, throttling
from fhir_server.cabinet.accounts.federation import CERTAIN, UnknownPersonError
from fhir_server.cabinet.accounts.refusals import RefusedError
from fhir_server.smart.digests import digest, same
from fhir_server.store.accounts import PendingSignIn
from fhir_server.web import sign_in, waiting
from fhir_server.web.upstream.provider import Attempt, Provider, UpstreamError
from fhir_server.web.visits import Visit

COOKIE: Final = "upstream"
_SECONDS: Final = 900


def _attempt(visit: Visit, name: str, secret: str) -> Attempt:
    state = UUID(bytes=sha256(f"state {secret}".encode()).digest()[:16])
    back = f"{visit.site.policy.issuer}/auth/with/{name}/back"
    return Attempt(str(state), digest(f"nonce {secret}"), digest(f"verifier {secret}"), back)


def _provider(visit: Visit) -> tuple[str, Provider] | None:
    name = visit.request.path_params["provider"]
    found = visit.site.providers.get(name)
    return None if found is None else (name, found)


async def begin(visit: Visit) -> Response:
    """`GET /auth/with/{provider}`."""
    known = _provider(visit)
    if known is None:
        return visit.page("gone.html", {}, status=404)
    name, provider = known
    asked = await waiting.find(visit)
    site = visit.site
    try:
        await throttling.from_network(site.accounts, visit.network)
        secret = site.smart.new_secret()
        where = await provider.begin(_attempt(visit, name, secret))
    except RefusedError as refused:
        response = visit.page("busy.html", {}, status=429)
        sign_in.wait(response, refused)
        return response
    except UpstreamError as error:
        return _failed(visit, name, error, asked.name if asked is not None else None)
    ends = site.smart.now() + _SECONDS * 1000
    request = asked.name if asked is not None else None
    pending = PendingSignIn(
        digest(secret), "", (), ends, request, challenge=name, kind="upstream"
    )
    await site.accounts.state.pending.put(pending)
    visit.cookies.set(COOKIE, secret, _SECONDS)
    return visit.go(where)


async def back(visit: Visit) -> Response:
    """`GET /auth/with/{provider}/back`."""
    known, secret = _provider(visit), visit.cookies.get(COOKIE)
    visit.cookies.drop(COOKIE)
    pending = await _used(visit, secret)
    if known is None or pending is None or pending.kind != "upstream":
        return visit.page("gone.html", {}, status=400)
    if pending.challenge != known[0]:
        return visit.page("gone.html", {}, status=400)
    name, provider = known
    attempt = _attempt(visit, name, secret)
    if not same(visit.parameter("state"), attempt.state):
        return visit.page("gone.html", {}, status=400)
    accounts = visit.site.accounts
    try:
        identity = await provider.finish(attempt, dict(visit.request.query_params))
        account = await federation.enter(accounts, name, identity, visit.language)
    except (UpstreamError, UnknownPersonError) as error:
        await sign_in.told(visit, "refused", None, name)
        return _failed(visit, name, error, pending.request)
    amr = ("fed", "mfa") if identity.level >= CERTAIN else ("fed",)
    level = min(account.level, identity.level)
    entered = await signing_in.begin(accounts, account, amr, level)
    return await sign_in.entered(visit, entered, pending.request)


async def _used(visit: Visit, secret: str) -> PendingSignIn | None:
    if not secret:
        return None
    pendings = visit.site.accounts.state.pending
    found = await pendings.find(digest(secret))
    now = visit.site.smart.now()
    if found is None or now >= found.expires or not await pendings.use(found.digest, now):
        return None
    return found


def _failed(visit: Visit, name: str, error: Exception, request: str | None) -> Response:
    structlog.get_logger().warning(
        "upstream sign-in failed", provider=name, error=str(error) or type(error).__name__
    )
    values = {"suffix": waiting.suffix(request)}
    return visit.page("stranger.html", values, status=403)
