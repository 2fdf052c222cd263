"""Paths to endpoints: the one list that the application mounts.

https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#using-well-known
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from fhir_server.core.errors import FhirError
from fhir_server.rest.oauth import answers, endpoints
from fhir_server.rest.oauth.authorize import authorize
from fhir_server.rest.oauth.cors import Cors, Openness, Origins
from fhir_server.rest.oauth.service import Service
from fhir_server.smart.errors import OAuthError, TooManyRequests

Answer = Callable[[Service, Request], Awaitable[Response]]

INTERACTION: Final = "fhir.interaction"
"""Where the log and the metrics look for what a request was (`rest.observability`)."""


class Row(NamedTuple):
    """A path, who answers it, to which methods, and which web pages may call it."""

    path: str
    answer: Answer
    methods: tuple[str, ...]
    openness: Openness = "registered"


ROWS: Final = (
    Row("/auth/authorize", authorize, ("GET", "POST"), "none"),
    Row("/auth/token", endpoints.token, ("POST",)),
    Row("/auth/introspect", endpoints.introspect, ("POST",)),
    Row("/auth/revoke", endpoints.revoke, ("POST",)),
    Row("/auth/userinfo", endpoints.userinfo, ("GET", "POST")),
    Row("/auth/register", endpoints.register, ("POST",)),
    Row("/auth/register/{client}", endpoints.registered, ("GET", "PUT", "DELETE")),
    Row("/auth/grants", endpoints.listed_grants, ("GET",)),
    Row("/auth/grants/{grant}", endpoints.ended_grant, ("DELETE",)),
    Row("/auth/launch", endpoints.launch, ("POST",)),
    Row("/auth/end-session", endpoints.end_session, ("GET", "POST"), "none"),
    Row("/auth/jwks", endpoints.keys, ("GET",), "any"),
    Row("/auth/style/{version}.json", endpoints.style, ("GET",), "any"),
    Row("/auth/brands", endpoints.brands, ("GET",), "any"),
)

HOST_DOCUMENTS: Final = ("openid-configuration", "oauth-authorization-server")
"""Below the issuer."""
BASE_DOCUMENTS: Final = ("smart-configuration", "openid-configuration")
"""Below the FHIR base. "openid-configuration" is not due there, but clients look for it."""


def routes(service: Service, base_path: str) -> Sequence[Route]:
    """Everything the authorization server answers; `base_path` is that of the FHIR base.

    They come before the FHIR endpoint: the discovery documents lie below its path.
    """
    origins = Origins(service.origins, service.ports.clients.has_origin)
    paths = [f"/.well-known/{each}" for each in HOST_DOCUMENTS]
    paths += [f"{base_path}/.well-known/{each}" for each in BASE_DOCUMENTS]
    paths += [
        f"{base_path}//.well-known/{each}" for each in BASE_DOCUMENTS
    ]  # base with a slash
    documents = (Row(path, endpoints.discovery, ("GET",), "any") for path in paths)
    return [_route(service, row, origins) for row in (*ROWS, *documents)]


def _route(service: Service, row: Row, origins: Origins) -> Route:
    app = Cors(Endpoint(service, row), row.openness, origins)
    # Cors answers OPTIONS; without an Origin it is a method that is not allowed.
    return Route(row.path, app, methods=None)


class Endpoint:
    """ASGI around one row: refusals become responses, and nothing else gets out."""

    def __init__(self, service: Service, row: Row) -> None:
        self._service = service
        self._row = row
        methods = (*row.methods, "HEAD") if "GET" in row.methods else row.methods
        self._methods = frozenset(methods)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        scope[INTERACTION] = f"auth:{self._row.answer.__name__}"
        response = await self._response(Request(scope, receive))
        await response(scope, receive, send)

    async def _response(self, request: Request) -> Response:
        if request.method not in self._methods:
            allowed = {**answers.UNCACHED, "Allow": ", ".join(sorted(self._methods))}
            return Response(status_code=405, headers=allowed)
        try:
            if self._row.openness == "registered":
                await self._throttled(request)
            return await self._row.answer(self._service, request)
        except OAuthError as error:
            await self._service.throttle.failed(self._row.path, request)
            return answers.refusal(error)
        except FhirError as error:  # the database's: nothing else of FHIR comes here
            return answers.unavailable(error)

    async def _throttled(self, request: Request) -> None:
        """Endpoints where a secret can be guessed; pages and public documents go on."""
        seconds = await self._service.throttle.wait(self._row.path, request)
        if seconds is not None:
            raise TooManyRequests(seconds)


class Authorization:
    """ASGI: the authorization server before `app`, which answers everything else."""

    def __init__(self, app: ASGIApp, service: Service, base_path: str) -> None:
        self._app = app
        found = routes(service, base_path)
        self._exact = {each.path: each.app for each in found if "{" not in each.path}
        self._patterns = [each for each in found if "{" in each.path]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is ours; a dictionary decides, so that FHIR requests pay nothing."""
        app = self._exact.get(scope["path"]) if scope["type"] == "http" else None
        if app is not None:
            await app(scope, receive, send)
            return
        if scope["type"] == "http" and scope["path"].startswith("/auth/"):
            for route in self._patterns:
                match, child = route.matches(scope)
                if match.value:
                    scope.update(child)
                    await route.app(scope, receive, send)
                    return
        await self._app(scope, receive, send)
