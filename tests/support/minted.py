"""Access tokens as the authorization server gives them, without the way to it."""

import secrets
from dataclasses import replace

from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.assembly.machine import now
from fhir_server.smart.digests import digest
from fhir_server.smart.records import AccessToken
from fhir_server.store.mongo.smart import MongoSmart

_LASTS = 600_000  # milliseconds


async def mint(state: MongoSmart, who: Principal, scopes: str) -> str:
    """A token of `who` with these scopes; it is good for ten minutes."""
    secret = secrets.token_urlsafe(32)
    principal = replace(who, scopes=parse_scopes(scopes), token=secret[:8])
    token = AccessToken(
        digest(secret), who.client, None, scopes, now(), now() + _LASTS, principal
    )
    await state.access_tokens.put(token)
    return secret
