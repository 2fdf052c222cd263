"""The endpoints that clients and resource servers call, one function each.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-access-token
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from fhir_server.core.header_values import etags
from fhir_server.rest.oauth import answers
from fhir_server.rest.oauth.bodies import read_form, read_json, read_query
from fhir_server.rest.oauth.service import Service
from fhir_server.smart import (
    callers,
    granted,
    grants,
    introspection,
    launching,
    logout,
    parameters,
    registering,
    registration,
    revocation,
)
from fhir_server.smart import userinfo as people
from fhir_server.smart.discovery import document
from fhir_server.smart.errors import (
    InvalidRequest,
    InvalidToken,
    OAuthError,
    TooManyRequests,
)
from fhir_server.smart.records import AccessToken

_KEYS_SECONDS: Final = 600
_DISCOVERY_SECONDS: Final = 300
_STYLE_SECONDS: Final = 86_400


async def token(service: Service, request: Request) -> Response:
    """`POST /auth/token`."""
    pairs = await read_form(request)
    said = request.headers.get("authorization")
    return answers.uncached(await grants.token(service.ports, service.policy, pairs, said))


async def introspect(service: Service, request: Request) -> Response:
    """`POST /auth/introspect`."""
    form = parameters.single(await read_form(request))
    said = request.headers.get("authorization")
    caller = await callers.caller(service.ports, service.policy, form, said)
    found = await introspection.introspect(service.ports, service.policy, caller, form)
    return answers.uncached(found)


async def revoke(service: Service, request: Request) -> Response:
    """`POST /auth/revoke`."""
    form = parameters.single(await read_form(request))
    said = request.headers.get("authorization")
    await revocation.revoke(service.ports, service.policy, form, said)
    return Response(headers=dict(answers.UNCACHED))


async def userinfo(service: Service, request: Request) -> Response:
    """`GET` or `POST /auth/userinfo`."""
    held = await _bearer(service, request)
    return answers.uncached(people.userinfo(service.policy, held))


async def register(service: Service, request: Request) -> Response:
    """`POST /auth/register`."""
    held = callers.bearer_token(request.headers.get("authorization"))
    allowed = registering.terms(service.policy, held)
    if held is None:
        await _registers_again(service, request)
    metadata = await read_json(request)
    made = await registering.register(service.ports, service.policy, metadata, allowed)
    return answers.uncached(made, 201)


async def _registers_again(service: Service, request: Request) -> None:
    """Count one registration of somebody unknown, before it is made: parallel ones count."""
    seconds = await service.registrations.wait(request.url.path, request)
    if seconds is not None:
        raise TooManyRequests(seconds)
    await service.registrations.failed(request.url.path, request)


async def registered(service: Service, request: Request) -> Response:
    """`GET`, `PUT` and `DELETE /auth/register/{client}`."""
    ports, policy = service.ports, service.policy
    held = callers.bearer_token(request.headers.get("authorization"))
    client = await registering.managed(ports, request.path_params["client"], held)
    if request.method == "DELETE":
        await registering.remove(ports, client)
        return Response(status_code=204, headers=dict(answers.UNCACHED))
    if request.method == "PUT":
        changes = await read_json(request)
        return answers.uncached(await registering.update(ports, policy, client, changes))
    return answers.uncached(registration.metadata(client))


async def listed_grants(service: Service, request: Request) -> Response:
    """`GET /auth/grants`."""
    subject = await granted.holder(service.ports, await _bearer(service, request))
    found = await granted.granted(service.ports, service.policy, subject)
    return answers.uncached({"grants": [granted.shown(service.policy, each) for each in found]})


async def ended_grant(service: Service, request: Request) -> Response:
    """`DELETE /auth/grants/{grant}`."""
    subject = await granted.holder(service.ports, await _bearer(service, request))
    id_ = request.path_params["grant"]
    await granted.withdraw(service.ports, service.policy, subject, id_)
    return Response(status_code=204, headers=dict(answers.UNCACHED))


async def _bearer(service: Service, request: Request) -> AccessToken:
    held = callers.bearer_token(request.headers.get("authorization"))
    if held is None:
        raise InvalidToken("A Bearer token is needed.", "Bearer")
    return await callers.active_token(service.ports, held)


async def launch(service: Service, request: Request) -> Response:
    """`POST /auth/launch`: JSON, with the client's assertion in it where it has no header."""
    body = await read_json(request)
    form = {
        name: value
        for name, value in body.items()
        if name in ("client_assertion", "client_assertion_type") and isinstance(value, str)
    }
    said = request.headers.get("authorization")
    caller = await callers.caller(service.ports, service.policy, form, said)
    made = await launching.create(service.ports, service.policy, caller, body)
    return answers.uncached(made, 201)


async def end_session(service: Service, request: Request) -> Response:
    """`GET` or `POST /auth/end-session`."""
    language = request.headers.get("accept-language", "")
    try:
        posted = request.method == "POST"
        pairs = await read_form(request) if posted else read_query(request)
        form = parameters.single(pairs)
        public = await service.key_ring.public()
        where = await logout.sign_out(service.ports, service.policy, form, public)
    except OAuthError as error:
        return answers.error_page(error, language)
    return answers.signed_out_page(language) if where is None else answers.redirect(where)


async def keys(service: Service, _: Request) -> Response:
    """`GET /auth/jwks`."""
    return answers.public({"keys": await service.key_ring.public()}, _KEYS_SECONDS)


async def style(service: Service, request: Request) -> Response:
    """`GET /auth/style/{version}.json`: a change of content is a change of URL."""
    if not service.policy.style_url.endswith(f"/{request.path_params['version']}.json"):
        raise InvalidRequest("There is no such style.")
    return answers.public(service.style, _STYLE_SECONDS)


async def brands(service: Service, request: Request) -> Response:
    """`GET /auth/brands`: the Bundle of user-access brands.

    https://hl7.org/fhir/smart-app-launch/STU2.2/brands.html#caching-brand-bundles
    """
    found = service.policy.brands
    if found is None:
        return Response(status_code=404)
    known = etags(request.headers.get("if-none-match", ""))
    if known is None or known & (etags(found.etag) or frozenset()):
        return answers.unchanged(found.etag, _DISCOVERY_SECONDS)
    response = answers.public(found.bundle, _DISCOVERY_SECONDS, "application/fhir+json")
    response.headers["ETag"] = found.etag
    return response


async def discovery(service: Service, _: Request) -> Response:
    """The documents under `/.well-known/`."""
    return answers.public(document(service.policy), _DISCOVERY_SECONDS)
