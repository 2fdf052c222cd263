"""From the metadata of an app to a client, and back.

Whoever registers reads here what is possible: an operator (a file, `Terms.operator`), the
bearer of the initial access token, or, where registration is open, anybody with an app for
patients. Metadata that is not known is ignored, as RFC 7591 demands.

https://www.rfc-editor.org/rfc/rfc7591#section-2
https://www.rfc-editor.org/rfc/rfc7592
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast, get_args
from urllib.parse import urlsplit

from fhir_server.access.scopes import Level
from fhir_server.smart import jwks, redirects, scopes
from fhir_server.smart.discovery import AUTH_METHODS
from fhir_server.smart.errors import InvalidClientMetadata, InvalidRedirectUri
from fhir_server.smart.policy import Policy
from fhir_server.smart.records import (
    AuthMethod,
    Client,
    GrantType,
    Permission,
    Standing,
)

DEFAULT_SCOPES: Final = (
    "openid fhirUser launch launch/patient offline_access online_access patient/*.rs"
)
BACKEND_SCOPES: Final = "system/*.rs"

MAX_URIS: Final = 20
_MAX_TEXT: Final = 2000
_MAX_LIST: Final = 100
_MAX_SCOPES: Final = 20_000
_STATE_CODE: Final = re.compile(r"[a-z][a-z0-9+.-]*:[^\s|,\\$]+\|[^\s|,\\$]+", re.ASCII)
_UNSEEN: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)
"""Controls, and marks that set the direction of text."""
_LOCAL_HOSTS: Final = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Terms:
    """What one who registers may have."""

    levels: tuple[Level, ...]
    awaits_approval: tuple[Level, ...] = ()
    """Scopes of these levels leave the client pending until an operator approves it."""
    reviewed: bool = False
    operator: bool = False
    """May name permissions, organizations and codes of app state."""


OPEN: Final = Terms(("patient",))
WITH_TOKEN: Final = Terms(("patient", "user", "system"), ("user", "system"))
OPERATOR: Final = Terms(("patient", "user", "system"), reviewed=True, operator=True)


def read(metadata: Mapping[str, Any], terms: Terms, policy: Policy, id_: str) -> Client:
    """The client that is described, without its secrets.

    Raises:
        InvalidClientMetadata: something in it cannot be.
        InvalidRedirectUri: a redirect URI cannot be.
    """
    method = _method(metadata)
    grant_types = _grant_types(metadata, method)
    asked = _scopes(metadata, grant_types, terms)
    held = any(asked.has_level(each) for each in terms.awaits_approval)
    standing: Standing = "pending" if held else "active"
    return Client(
        id=id_,
        name=_name(metadata, "client_name"),
        method=method,
        redirect_uris=_redirect_uris(metadata, grant_types),
        launch_uris=_uris(metadata, "launch_uris") or _uris(metadata, "launch_uri"),
        logout_uris=_uris(metadata, "post_logout_redirect_uris"),
        grant_types=grant_types,
        scopes=asked.text,
        jwks=_jwks(metadata, method),
        jwks_uri=_jwks_uri(metadata, method, policy),
        standing=standing,
        reviewed=terms.reviewed,
        permissions=_permissions(metadata) if terms.operator else frozenset(),
        organizations=_texts(metadata, "organizations") if terms.operator else (),
        state_codes=_state_codes(metadata) if terms.operator else (),
        publisher=_name(metadata, "publisher"),
        contacts=_texts(metadata, "contacts"),
        client_uri=_url(metadata, "client_uri"),
        logo_uri=_url(metadata, "logo_uri"),
        policy_uri=_url(metadata, "policy_uri"),
        tos_uri=_url(metadata, "tos_uri"),
        software_id=_text(metadata, "software_id") or "",
        software_version=_text(metadata, "software_version") or "",
    )


def metadata(client: Client) -> dict[str, Any]:
    """A client as RFC 7591 writes it, without its secrets."""
    shown = {
        "client_id": client.id,
        "client_id_issued_at": client.created // 1000,
        "client_name": client.name,
        "token_endpoint_auth_method": client.method,
        "redirect_uris": list(client.redirect_uris),
        "launch_uris": list(client.launch_uris),
        "post_logout_redirect_uris": list(client.logout_uris),
        "grant_types": sorted(client.grant_types),
        "response_types": ["code"] if "authorization_code" in client.grant_types else [],
        "scope": client.scopes,
        "jwks": client.jwks,
        "jwks_uri": client.jwks_uri,
        "state_codes": list(client.state_codes),
        "contacts": list(client.contacts),
        "publisher": client.publisher,
        "client_uri": client.client_uri,
        "logo_uri": client.logo_uri,
        "policy_uri": client.policy_uri,
        "tos_uri": client.tos_uri,
        "software_id": client.software_id,
        "software_version": client.software_version,
    }
    kept = {name: each for name, each in shown.items() if each not in (None, "", [])}
    return kept | {"standing": client.standing, "reviewed": client.reviewed}


def _method(metadata: Mapping[str, Any]) -> AuthMethod:
    found = metadata.get("token_endpoint_auth_method", "client_secret_basic")
    if found not in AUTH_METHODS:
        raise InvalidClientMetadata("token_endpoint_auth_method is not supported.")
    return cast("AuthMethod", found)


def _grant_types(metadata: Mapping[str, Any], method: AuthMethod) -> frozenset[GrantType]:
    found = _texts(metadata, "grant_types") or ("authorization_code",)
    if not set(found) <= set(get_args(GrantType)):
        raise InvalidClientMetadata("A grant type is not supported.")
    if "client_credentials" in found and method != "private_key_jwt":
        raise InvalidClientMetadata("client_credentials needs private_key_jwt.")
    if "authorization_code" in found and metadata.get("response_types", ["code"]) != ["code"]:
        raise InvalidClientMetadata("response_types has to be code.")
    return frozenset(cast("Sequence[GrantType]", found))


def _scopes(
    metadata: Mapping[str, Any], grant_types: frozenset[GrantType], terms: Terms
) -> scopes.Scopes:
    backend = "authorization_code" not in grant_types
    default = BACKEND_SCOPES if backend else DEFAULT_SCOPES
    text = _text(metadata, "scope", _MAX_SCOPES)
    found = scopes.parse(default if text is None else text).of_level(*terms.levels)
    if not found:
        raise InvalidClientMetadata("None of these scopes can be registered.")
    return found


def _redirect_uris(
    metadata: Mapping[str, Any], grant_types: frozenset[GrantType]
) -> tuple[str, ...]:
    found = _uris(metadata, "redirect_uris")
    if "authorization_code" in grant_types and not found:
        raise InvalidRedirectUri("redirect_uris is missing.")
    return found


def _uris(metadata: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = _texts(metadata, name)
    if len(found) > MAX_URIS:
        raise InvalidRedirectUri(f"{name} has more than {MAX_URIS} URIs.")
    for each in found:
        redirects.check(each)
    return found


def _jwks(metadata: Mapping[str, Any], method: AuthMethod) -> Mapping[str, Any] | None:
    found = metadata.get("jwks")
    if found is None:
        return None
    if metadata.get("jwks_uri") is not None:
        raise InvalidClientMetadata("There are both jwks and jwks_uri.")
    keys = jwks.parse(found)
    if method == "private_key_jwt" and not keys:
        raise InvalidClientMetadata("jwks has no key.")
    return {"keys": list(keys)}


def _jwks_uri(metadata: Mapping[str, Any], method: AuthMethod, policy: Policy) -> str | None:
    found = _text(metadata, "jwks_uri")
    if found is None:
        if method == "private_key_jwt" and metadata.get("jwks") is None:
            raise InvalidClientMetadata("private_key_jwt needs jwks or jwks_uri.")
        return None
    if not is_key_set_url(found, loopback=policy.loopback):
        raise InvalidClientMetadata("jwks_uri has to be an https URL.")
    return found


def is_key_set_url(url: str, *, loopback: bool) -> bool:
    """Whether keys may be fetched there: https, or in development http on loopback."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc or "\\" in url:
        return False
    return parts.scheme == "https" or (
        loopback and parts.scheme == "http" and host in _LOCAL_HOSTS
    )


def _permissions(metadata: Mapping[str, Any]) -> frozenset[Permission]:
    found = _texts(metadata, "permissions")
    if not set(found) <= set(get_args(Permission)):
        raise InvalidClientMetadata("A permission is unknown.")
    return frozenset(cast("Sequence[Permission]", found))


def _state_codes(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    found = _texts(metadata, "state_codes")
    if not all(_STATE_CODE.fullmatch(each) for each in found):
        raise InvalidClientMetadata("A state code is not `system|code`.")
    return found


def _text(metadata: Mapping[str, Any], name: str, longest: int = _MAX_TEXT) -> str | None:
    found = metadata.get(name)
    if found is None:
        return None
    if not isinstance(found, str) or len(found) > longest:
        raise InvalidClientMetadata(f"{name} is not a short string.")
    return found


def _name(metadata: Mapping[str, Any], name: str) -> str:
    """What people read to know who asks: nothing in it may turn or hide the words around it."""
    found = _text(metadata, name) or ""
    if _UNSEEN.search(found):
        raise InvalidClientMetadata(f"{name} has characters that cannot be seen.")
    return found


def _texts(metadata: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A list of strings; one alone counts as a list."""
    found = metadata.get(name)
    if found is None:
        return ()
    listed = [found] if isinstance(found, str) else found
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise InvalidClientMetadata(f"{name} is not a list of strings.")
    if len(listed) > _MAX_LIST or any(len(each) > _MAX_TEXT for each in listed):
        raise InvalidClientMetadata(f"{name} is too long.")
    return tuple(dict.fromkeys(listed))


def _url(metadata: Mapping[str, Any], name: str) -> str | None:
    found = _text(metadata, name)
    if found is not None and not found.startswith(("https://", "http://")):
        raise InvalidClientMetadata(f"{name} is not a URL.")
    return found
