"""Sign-out that an app asks for.

The id token that the app was given says whose session ends, and proves that the app had it; an
expired one does too. Without one nothing ends: any page could ask for that.

https://openid.net/specs/openid-connect-rpinitiated-1_0.html
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from fhir_server.smart import redirects
from fhir_server.smart.ending import end_session
from fhir_server.smart.errors import InvalidRequest
from fhir_server.smart.policy import Policy
from fhir_server.smart.ports import Ports
from fhir_server.smart.records import Client


@dataclass(frozen=True, slots=True)
class Hint:
    """What an id token of ours says."""

    client: str
    session: str


def read_hint(token: str, public: Sequence[Mapping[str, Any]], issuer: str) -> Hint:
    """Check the signature of an id token; its expiry is no matter.

    Raises:
        InvalidRequest: this server did not sign it.
    """
    keys: Any = {"keys": [dict(each) for each in public]}
    try:
        signed = jws.deserialize_compact(
            token, KeySet.import_key_set(keys), algorithms=["RS256"]
        )
        claims = json.loads(signed.payload or b"")
    except (JoseError, ValueError) as error:
        raise InvalidRequest("id_token_hint is not an id token of this server.") from error
    if not isinstance(claims, dict) or claims.get("iss") != issuer:
        raise InvalidRequest("id_token_hint is not an id token of this server.")
    return Hint(str(claims.get("aud")), str(claims.get("sid")))


def target(client: Client | None, form: Mapping[str, str]) -> str | None:
    """Where the browser goes afterwards; None: it stays here.

    Raises:
        InvalidRequest: to a place that the client has not registered.
    """
    uri = form.get("post_logout_redirect_uri")
    if uri is None:
        return None
    if client is None or uri not in client.logout_uris:
        raise InvalidRequest("This post_logout_redirect_uri is not registered.")
    state = form.get("state")
    return uri if state is None else redirects.with_parameters(uri, {"state": state})


async def sign_out(
    ports: Ports, policy: Policy, form: Mapping[str, str], public: Sequence[Mapping[str, Any]]
) -> str | None:
    """End the session of the hint; the URL that the browser goes to, if it goes anywhere.

    Raises:
        InvalidRequest: no hint, or one that does not fit.
    """
    hint = read_hint(form.get("id_token_hint", ""), public, policy.issuer)
    if form.get("client_id", hint.client) != hint.client:
        raise InvalidRequest("client_id is not the one of the id token.")
    where = target(await ports.clients.find(hint.client), form)
    await end_session(ports, hint.session)
    return where
