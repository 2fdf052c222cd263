"""Issuing: the tokens of a grant, and the response that carries them.

The order of the writes makes revocation sure: tokens are kept first, then the grant is touched.
Either the touch meets a revoked grant and the tokens go again, or the revocation comes later
and removes them.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#response-5
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from fhir_server.access.principal import Principal
from fhir_server.smart import scopes
from fhir_server.smart.digests import base64url, digest
from fhir_server.smart.errors import InvalidGrant
from fhir_server.smart.events import Event
from fhir_server.smart.policy import Policy
from fhir_server.smart.ports import Ports
from fhir_server.smart.records import (
    AccessToken,
    Client,
    Grant,
    LaunchContext,
    RefreshToken,
    Subject,
)
from fhir_server.smart.scopes import Scopes

Response = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Issue:
    """What is to be issued of a grant."""

    grant: Grant
    subject: Subject
    """As it is today."""
    scopes: Scopes
    """Of the access token; the grant's, or fewer."""
    generation: int = 1
    """Of the refresh token; 1: with the code."""


async def issue(ports: Ports, policy: Policy, wanted: Issue) -> Response:
    """Keep new tokens and say so.

    Raises:
        InvalidGrant: the grant was revoked meanwhile.
    """
    grant, now = wanted.grant, ports.now()
    access, response = ports.new_secret(), Response()
    expires = now + policy.access_seconds * 1000
    if grant.expires is not None:
        expires = min(expires, grant.expires)
    await ports.access_tokens.put(
        AccessToken(
            digest(access),
            grant.client,
            grant.id,
            wanted.scopes.text,
            now,
            expires,
            _principal(wanted, ports.new_id()),
        )
    )
    refresh = await _refresh_token(ports, policy, wanted)
    if not await ports.grants.touch(grant.id, now):
        await ports.grants.revoke(grant.id, now, "revoked")
        raise InvalidGrant("The authorization was revoked.")
    await ports.events.tell(
        Event(
            "issued" if wanted.generation == 1 else "refreshed",
            grant.client,
            grant.subject.account,
            grant.id,
            grant.context.patient,
            wanted.scopes.text,
        )
    )
    response |= bearer(access, wanted.scopes, (expires - now) // 1000)
    response |= context_parameters(grant.context)
    if refresh is not None:
        response["refresh_token"] = refresh
    if scopes.OPENID in wanted.scopes:
        claims = id_claims(policy, wanted, access, now // 1000)
        response["id_token"] = await ports.signer.sign(claims)
    return response


async def _refresh_token(ports: Ports, policy: Policy, wanted: Issue) -> str | None:
    """Whether one is due is the grant's to say, not this access token's scopes."""
    grant, now = wanted.grant, ports.now()
    granted = scopes.parse(grant.scopes)
    if scopes.OFFLINE not in granted and scopes.ONLINE not in granted:
        return None
    secret = ports.new_secret()
    expires = now + policy.refresh_seconds * 1000
    if grant.expires is not None:
        expires = min(expires, grant.expires)
    await ports.refresh_tokens.put(
        RefreshToken(digest(secret), grant.id, grant.client, wanted.generation, expires)
    )
    return secret


def _principal(wanted: Issue, token: str) -> Principal:
    grant, subject = wanted.grant, wanted.subject
    return Principal(
        client=grant.client,
        scopes=wanted.scopes.resources,
        patient=grant.context.patient,
        user=subject.user,
        account=subject.account,
        represented=subject.represented,
        purpose=subject.purpose,
        organizations=subject.organizations,
        grant=grant.id,
        token=token,
        level=grant.level,
        auth_time=grant.auth_time,
        staff=subject.staff,
        identity=scopes.FHIR_USER in wanted.scopes,
    )


async def issue_backend(
    ports: Ports, policy: Policy, client: Client, granted: Scopes
) -> Response:
    """The access token of a backend service: no refresh token, no id token, no context."""
    access, now = ports.new_secret(), ports.now()
    principal = Principal(
        client=client.id,
        scopes=granted.resources,
        purpose="HOPERAT",
        organizations=client.organizations,
        token=ports.new_id(),
    )
    expires = now + policy.backend_seconds * 1000
    await ports.access_tokens.put(
        AccessToken(digest(access), client.id, None, granted.text, now, expires, principal)
    )
    await ports.events.tell(Event("issued", client.id, scopes=granted.text))
    return bearer(access, granted, policy.backend_seconds)


def bearer(access: str, granted: Scopes, seconds: int) -> Response:
    """The members that every token response has."""
    return {
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": seconds,
        "scope": granted.text,
    }


def context_parameters(context: LaunchContext) -> Response:
    """The launch context as a token response and introspection show it."""
    shown: Mapping[str, Any] = {
        "patient": context.patient,
        "encounter": context.encounter,
        "fhirContext": list(context.fhir_context) or None,
        "intent": context.intent,
        "need_patient_banner": context.need_patient_banner,
        "smart_style_url": context.smart_style_url,
        "tenant": context.tenant,
    }
    return {name: value for name, value in shown.items() if value is not None}


def id_claims(policy: Policy, wanted: Issue, access: str, now: int) -> Response:
    """The claims of an id token; `now` in seconds.

    https://openid.net/specs/openid-connect-core-1_0.html#IDToken
    """
    grant = wanted.grant
    claims: Response = {
        "iss": policy.issuer,
        "sub": grant.subject.account,
        "aud": grant.client,
        "iat": now,
        "exp": now + policy.id_token_seconds,
        "auth_time": grant.auth_time // 1000,
        "acr": grant.acr,
        "amr": list(grant.amr),
        "sid": grant.session,
        "at_hash": base64url(sha256(access.encode()).digest()[:16]),
    }
    if grant.nonce is not None and wanted.generation == 1:
        claims["nonce"] = grant.nonce
    if scopes.FHIR_USER in wanted.scopes:
        claims["fhirUser"] = fhir_user(policy, grant.subject.user)
    return claims


def fhir_user(policy: Policy, user: str | None) -> str | None:
    """The absolute URL of the person's resource."""
    return None if user is None else f"{policy.fhir_base}/{user}"
