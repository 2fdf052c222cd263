"""What a token is worth, for a server that was shown one.

A client with the permission `introspect` may ask about every token, another about its own.
Refresh tokens are answered too, without a launch context.

https://www.rfc-editor.org/rfc/rfc7662
https://hl7.org/fhir/smart-app-launch/STU2.2/token-introspection.html
"""

from collections.abc import Mapping
from typing import Final

from fhir_server.smart import parameters, scopes
from fhir_server.smart.callers import Caller
from fhir_server.smart.digests import digest
from fhir_server.smart.policy import Policy
from fhir_server.smart.ports import Ports
from fhir_server.smart.records import AccessToken, RefreshToken
from fhir_server.smart.tokens import Response, context_parameters, fhir_user

INACTIVE: Final[Mapping[str, bool]] = {"active": False}
"""Nothing else is said of a token that is none: not why, not whose it was."""


async def introspect(
    ports: Ports, policy: Policy, caller: Caller, form: Mapping[str, str]
) -> Response:
    """Answer an introspection request. `token_type_hint` changes nothing: both are looked up.

    Raises:
        InvalidRequest: there is no token in it.
    """
    key = digest(parameters.required(form, "token"))
    token = await ports.access_tokens.find(key)
    if token is not None and _may_know(caller, token) and ports.now() < token.expires:
        return await _active(ports, policy, token)
    return await _refresh(ports, policy, caller, key) or dict(INACTIVE)


def _may_know(caller: Caller, token: AccessToken | RefreshToken) -> bool:
    """A token of a public client proves no client: anybody has one who uses the app. It tells
    of its own authorization alone."""
    if caller.token is not None and not caller.client.confidential:
        return caller.token.grant == token.grant
    return caller.client.id == token.client or "introspect" in caller.client.permissions


async def _active(ports: Ports, policy: Policy, token: AccessToken) -> Response:
    response: Response = {
        "active": True,
        "scope": token.scopes,
        "client_id": token.client,
        "token_type": "Bearer",
        "exp": token.expires // 1000,
        "iat": token.issued // 1000,
        "jti": token.principal.token,
        "iss": policy.issuer,
        "aud": policy.fhir_base,
        "sub": token.principal.account or token.client,
    }
    grant = None if token.grant is None else await ports.grants.find(token.grant)
    if grant is not None:
        response |= context_parameters(grant.context)
        response |= {"acr": grant.acr, "auth_time": grant.auth_time // 1000}
    if scopes.FHIR_USER in scopes.parse(token.scopes):
        response["fhirUser"] = fhir_user(policy, token.principal.user)
    return response


async def _refresh(ports: Ports, policy: Policy, caller: Caller, key: str) -> Response | None:
    found = await ports.refresh_tokens.find(key)
    if found is None or found.used is not None or ports.now() >= found.expires:
        return None
    grant = await ports.grants.find(found.grant)
    if grant is None or not grant.live(ports.now()) or not _may_know(caller, found):
        return None
    return {
        "active": True,
        "scope": grant.scopes,
        "client_id": found.client,
        "token_type": "refresh_token",
        "exp": found.expires // 1000,
        "iss": policy.issuer,
        "sub": grant.subject.account,
    }
