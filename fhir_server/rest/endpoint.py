"""The FHIR base as an ASGI application.

https://hl7.org/fhir/R4/http.html
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from fhir_server.aside import aside
from fhir_server.core import paths
from fhir_server.core.errors import FhirError, NotAcceptable
from fhir_server.core.messages import preferred
from fhir_server.core.negotiation import Format, format_of, media_of, prefer
from fhir_server.core.paths import Target
from fhir_server.interactions.commands import Pairs
from fhir_server.interactions.doors import interaction_of, parse_query
from fhir_server.interactions.grants import Caller
from fhir_server.rest import binary, bodies
from fhir_server.rest.bodies import read_body
from fhir_server.rest.budgets import ENTRY, WEIGHTS, Budgets
from fhir_server.rest.dispatch import Question, Surface, answer
from fhir_server.rest.gate import NOBODY, PUBLIC, Gate
from fhir_server.rest.noting import Noted, Noting
from fhir_server.rest.public import PublicDirectory
from fhir_server.rest.requests import (
    HttpRequest,
    Receive,
    Scope,
    Send,
    read_bytes,
    read_request,
)
from fhir_server.rest.responses import Form, Response, of_error, of_result

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})

_KEPT_NOWHERE: Final = (b"cache-control", b"no-store")
"""With Last-Modified and without this, a browser answers an app from its cache, for a tenth of
the resource's age, and after the app's access was ended."""
_REVALIDATED: Final = (b"cache-control", b"no-cache")


class Endpoint:
    """ASGI: everything below the FHIR base."""

    def __init__(
        self,
        surface: Surface,
        *,
        gate: Gate,
        budgets: Budgets,
        public: PublicDirectory,
        base_path: str,
        max_body: int,
    ) -> None:
        self._surface = surface
        self._gate = gate
        self._budgets = budgets
        self._public = public
        self._base_path = base_path
        self._max_body = max_body
        self._noting = Noting(surface.services.audit, surface.services.now)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; every FhirError becomes an OperationOutcome."""
        request = read_request(scope, self._base_path)
        form = Form(language=preferred(request.headers.get("accept-language", "")))
        noted = self._noting.request(scope)
        try:
            try:
                response = await self._respond(request, receive, scope, form, noted)
            except FhirError as error:
                noted.fail(error)
                response = of_error(error, _form_of_errors(request, form))
            await noted.keep()
        except FhirError as error:  # the audit cannot be written: nothing is shown
            response = of_error(error, _form_of_errors(request, form))
        public = scope.get("fhir.interaction") in PUBLIC
        await _send(send, response, head=request.method == "HEAD", public=public)

    async def _respond(
        self, request: HttpRequest, receive: Receive, scope: Scope, form: Form, noted: Noted
    ) -> Response:
        target = paths.parse(request.path)
        if request.method == "OPTIONS":
            allow = ", ".join(self._surface.services.offer.methods(target)).encode()
            return Response(204, headers=[(b"allow", allow)])
        code = interaction_of(request.method, target)
        scope["fhir.interaction"] = code  # for metrics and the log, which see no ids
        headers = request.headers
        # Before the body is read: who may not ask costs nothing.
        noted.asks(code, target, headers)
        caller = await self._caller(code, target, headers, scope)
        trail = noted.by(caller.principal)
        if trail is not None:
            trail.under(caller.applied)
        self._budgets.charge(caller.principal, WEIGHTS[code])
        pairs = parse_query(request.query) if request.query else ()
        body = await self._body(request, target, receive)
        if code == "transaction":
            self._budgets.spend(caller.principal, ENTRY * _entries(body))
        accept = headers.get("accept", "")
        content = binary.is_asked(target, code, accept, pairs + body.pairs)
        media = self._media(target, accept, pairs + body.pairs)
        is_other = content or media is not None
        acceptable = _wanted(accept, pairs + body.pairs, content=is_other)
        wanted = acceptable or Format()
        asked = prefer(headers.get("prefer", ""))
        form = Form(wanted.xml, wanted.pretty, form.language, asked.returns or "representation")
        question = Question(
            request.method, target, code, pairs, headers, body, asked,
            form.language, caller, trail, media,
        )  # fmt: skip
        result = await answer(self._surface, question)
        base_url = self._surface.services.base_url
        size = len((result.body if result.version is None else result.version.body) or b"")
        if content:
            try:
                return await aside(size, binary.response, result, accept, base_url)
            except NotAcceptable:
                if acceptable is None:
                    raise
        written = size if form.xml or form.pretty else 0
        return await aside(written, of_result, result, form, base_url)

    def _media(self, target: Target, accept: str, pairs: Pairs) -> str | None:
        """What is asked of an operation that answers in other types too."""
        offered = self._surface.media.get(target.operation or "", ())
        return media_of(accept, pairs, offered) if offered else None

    async def _caller(
        self, code: str, target: Target, headers: Mapping[str, str], scope: Scope
    ) -> Caller:
        if code in PUBLIC:
            return NOBODY
        address = (scope.get("client") or ("", 0))[0]
        anybody = self._public.admit(code, target, headers, address)
        return anybody or await self._gate.admit(headers)

    async def _body(
        self, request: HttpRequest, target: Target, receive: Receive
    ) -> bodies.Body:
        method, headers = request.method, request.headers
        if method not in _WITH_BODY:
            return bodies.NO_BODY
        data = await read_bytes(receive, self._max_body, headers.get("content-length", ""))
        if binary.is_given(method, target, headers):
            resource = await aside(len(data), binary.resource, data, target, headers)
            return bodies.Body(resource, size=len(data))
        depth = self._surface.services.limits.depth
        return await aside(len(data), read_body, data, method, target.shape, headers, depth)


def _entries(body: bodies.Body) -> int:
    """How many entries a Bundle claims to have; it is judged later."""
    entries = (body.resource or {}).get("entry")
    return len(entries) if isinstance(entries, list) else 0


def _wanted(accept: str, pairs: Pairs, *, content: bool) -> Format | None:
    """The format of the answer; None where only `content`, the Binary's own, may do."""
    try:
        return format_of(accept, pairs)
    except NotAcceptable:
        if content:
            return None
        raise


def _form_of_errors(request: HttpRequest, form: Form) -> Form:
    """As much of the client's wish as can be read: the error may be about the wish."""
    try:
        wanted = format_of(request.headers.get("accept", ""), parse_query(request.query))
    except FhirError:
        return form
    return replace(form, xml=wanted.xml, pretty=wanted.pretty)


async def _send(send: Send, response: Response, *, head: bool, public: bool) -> None:
    headers = [*response.headers, _REVALIDATED if public else _KEPT_NOWHERE]
    if response.status not in (204, 304):
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else response.body})
