"""Paths to pages: the one list that the application mounts, and what all pages go through."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from fhir_server.core.errors import FhirError
from fhir_server.rest.oauth.bodies import read_form
from fhir_server.rest.oauth.routes import INTERACTION
from fhir_server.smart.errors import OAuthError
from fhir_server.web import (
    account,
    consent,
    federated,
    granted,
    headers,
    passkeys,
    second_step,
    sign_in,
    sign_up,
    taps,
)
from fhir_server.web.site import Site
from fhir_server.web.visits import CSRF, Visit

Answer = Callable[[Visit], Awaitable[Response]]


class Row(NamedTuple):
    """A path, and who answers each method. Whatever is not GET needs the browser's token."""

    path: str
    answers: dict[str, Answer]
    secret: bool = False
    """Whoever has its address may use it: nobody else is told of it."""


ROWS: Final = (
    Row("/auth/sign-in", {"GET": sign_in.show, "POST": sign_in.submit}),
    Row("/auth/second-step", {"GET": second_step.show, "POST": second_step.submit}),
    Row("/auth/consent", {"GET": consent.show, "POST": consent.submit}),
    Row("/auth/sign-up", {"GET": sign_up.show, "POST": sign_up.submit}),
    Row("/auth/sign-up/confirm", {"GET": sign_up.show_code, "POST": sign_up.submit_code}),
    Row("/auth/recover", {"GET": sign_up.show_recovery, "POST": sign_up.submit_recovery}),
    Row("/auth/recover/confirm", {"GET": sign_up.show_code, "POST": sign_up.submit_code}),
    Row("/auth/account", {"GET": account.show}),
    Row("/auth/session", {"GET": account.alive}),
    Row("/auth/apps", {"POST": granted.revoke}),
    Row("/auth/password", {"POST": account.password}),
    Row(
        "/auth/authenticator",
        {"GET": account.show_authenticator, "POST": account.submit_authenticator},
    ),
    Row("/auth/mailed-codes", {"POST": account.mailed_codes}),
    Row("/auth/passkeys/options", {"POST": passkeys.options}),
    Row("/auth/passkeys", {"POST": passkeys.create}),
    Row("/auth/passkeys/remove", {"POST": passkeys.remove}),
    Row("/auth/passkey", {"POST": passkeys.use}),
    Row("/auth/with/{provider}", {"GET": federated.begin}),
    Row("/auth/with/{provider}/back", {"GET": federated.back}),
    Row("/auth/language", {"POST": account.language}),
    Row("/auth/sign-out", {"POST": account.sign_out}),
    Row("/auth/v/{link}", {"GET": taps.show, "POST": taps.submit}, secret=True),
    Row("/auth/signed-out", {"GET": account.signed_out}),
)


class Pages:
    """ASGI: the pages before `app`, which answers everything else."""

    def __init__(self, app: ASGIApp, site: Site, rows: Sequence[Row] = ROWS) -> None:
        self._app = app
        self._site = site
        self._exact = {each.path: Page(site, each) for each in rows if "{" not in each.path}
        self._patterns = [
            Route(each.path, Page(site, each), methods=None)
            for each in rows
            if "{" in each.path
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is ours."""
        path = scope.get("path", "")
        if scope["type"] != "http" or not path.startswith("/auth/"):
            await self._app(scope, receive, send)
            return
        page: ASGIApp | None = self._exact.get(path) or self._static(path)
        if page is None:
            for route in self._patterns:
                match, child = route.matches(scope)
                if match.value:
                    scope.update(child)
                    page = route.app
                    break
        await (page or self._app)(scope, receive, send)

    def _static(self, path: str) -> Response | None:
        found = self._site.renderer.static.get(path)
        if found is None:
            return None
        return Response(found.content, headers=headers.STATIC, media_type=found.media_type)


class Page:
    """ASGI around one row."""

    def __init__(self, site: Site, row: Row) -> None:
        self._site = site
        self._row = row

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        scope[INTERACTION] = f"page:{self._row.path}"
        request = Request(scope, receive)
        response = await self._response(request)
        await response(scope, receive, send)

    async def _response(self, request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        answer = self._row.answers.get(method)
        if answer is None:
            allowed = sorted({*self._row.answers, "HEAD"})
            return Response(status_code=405, headers={"Allow": ", ".join(allowed)})
        secret = self._row.secret
        visit = Visit(self._site, request, secret=secret)
        try:
            if method != "GET":
                visit = Visit(self._site, request, await _pairs(request), secret=secret)
                if not visit.is_own(visit.field(CSRF) or _header(request)):
                    return _foreign(visit)
            return await answer(visit)
        except OAuthError:
            return visit.page("gone.html", {}, status=400)
        except FhirError as error:
            response = visit.page("busy.html", {}, status=503)
            response.headers.update(error.headers)
            return response


def _header(request: Request) -> str:
    return request.headers.get("x-csrf-token", "")


async def _pairs(request: Request) -> Sequence[tuple[str, str]]:
    return () if request.method == "DELETE" else await read_form(request)


def _foreign(visit: Visit) -> Response:
    """Another site, or a page that was left open over a sign-in."""
    if "html" not in visit.request.headers.get("accept", "html"):
        return JSONResponse({"error": "csrf"}, 403, headers=headers.PAGE)
    return visit.page("foreign.html", {}, status=403)
