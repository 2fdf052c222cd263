"""What this server says of itself: one table, read by every document.

`/.well-known/smart-configuration`, `openid-configuration` and `oauth-authorization-server` are
one document, so that they cannot differ; `CapabilityStatement.rest.security` names the same
endpoints. What is not done here is not in it.

https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html
https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata
https://www.rfc-editor.org/rfc/rfc8414#section-2
"""

from typing import Any, Final, NamedTuple

from fhir_server.smart import jwks, scopes
from fhir_server.smart.authorization import LEVELS
from fhir_server.smart.grants import GRANTS
from fhir_server.smart.pkce import METHOD
from fhir_server.smart.policy import Policy

CAPABILITIES: Final = (
    "launch-ehr",
    "launch-standalone",
    "authorize-post",
    "client-public",
    "client-confidential-symmetric",
    "client-confidential-asymmetric",
    "sso-openid-connect",
    "context-banner",
    "context-style",
    "context-ehr-patient",
    "context-ehr-encounter",
    "context-standalone-patient",
    "context-standalone-encounter",
    "permission-offline",
    "permission-online",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
)

RESOURCE_SCOPES: Final = (
    "patient/*.rs",
    "patient/*.cruds",
    "patient/*.read",
    "patient/Patient.rs",
    "patient/Observation.rs",
    "user/*.cruds",
    "user/*.read",
    "system/*.cruds",
    "system/*.rs",
    "system/*.read",
)
"""Examples of what can be granted; every type, and `?parameter=value`, can be."""

AUTH_METHODS: Final = ("none", "client_secret_basic", "private_key_jwt")
CONFIDENTIAL: Final = AUTH_METHODS[1:]
SIGNED_WITH: Final = "RS256"

OAUTH_URIS: Final = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
SECURITY_SERVICE: Final = "http://terminology.hl7.org/CodeSystem/restful-security-service"


class Endpoint(NamedTuple):
    """One row: its names in the documents and in the extension, and its path."""

    member: str
    uri: str | None
    """In the extension `oauth-uris`; None: it has no name there."""
    path: str


ENDPOINTS: Final = (
    Endpoint("authorization_endpoint", "authorize", "authorize"),
    Endpoint("token_endpoint", "token", "token"),
    Endpoint("introspection_endpoint", "introspect", "introspect"),
    Endpoint("revocation_endpoint", "revoke", "revoke"),
    Endpoint("registration_endpoint", "register", "register"),
    Endpoint("userinfo_endpoint", None, "userinfo"),
    Endpoint("jwks_uri", None, "jwks"),
    Endpoint("end_session_endpoint", None, "end-session"),
)
BRANDS: Final = "brands"
"""The path of the Bundle of brands, below the others."""
STATE: Final = "state"
"""The path of the FHIR endpoint of app state."""
MANAGEMENT: Final = Endpoint("management_endpoint", "manage", "")


def endpoints(policy: Policy) -> dict[Endpoint, str]:
    """The rows that hold under `policy`, with their absolute URLs."""
    closed = policy.registration == "closed"
    found = {
        row: policy.endpoint(row.path)
        for row in ENDPOINTS
        if not (closed and row.path == "register")
    }
    return found if policy.management is None else found | {MANAGEMENT: policy.management}


def document(policy: Policy) -> dict[str, Any]:
    """The metadata of the server, for any of its discovery documents."""
    return {
        "issuer": policy.issuer,
        **{row.member: url for row, url in endpoints(policy).items()},
        "capabilities": list(CAPABILITIES),
        "scopes_supported": [*scopes.OTHERS, *RESOURCE_SCOPES],
        "grant_types_supported": list(GRANTS),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "code_challenge_methods_supported": [METHOD],
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(jwks.ALGORITHMS),
        "introspection_endpoint_auth_methods_supported": list(CONFIDENTIAL),
        "introspection_endpoint_auth_signing_alg_values_supported": list(jwks.ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "revocation_endpoint_auth_signing_alg_values_supported": list(jwks.ALGORITHMS),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [SIGNED_WITH],
        "acr_values_supported": list(LEVELS),
        "claims_supported": list(_CLAIMS),
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "ui_locales_supported": ["en", "ru", "uk"],
        "authorization_response_iss_parameter_supported": True,
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        **_brands(policy),
        "associated_endpoints": [
            {"url": policy.endpoint(STATE), "capabilities": ["smart-app-state"]}
        ],
    }


def _brands(policy: Policy) -> dict[str, Any]:
    if policy.brands is None:
        return {}
    return {
        "user_access_brand_bundle": policy.endpoint(BRANDS),
        "user_access_brand_identifier": dict(policy.brands.identifier),
    }


_CLAIMS: Final = (
    *("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr"),
    *("at_hash", "sid", "fhirUser"),
)


def security(policy: Policy) -> dict[str, Any]:
    """`CapabilityStatement.rest.security`: some clients discover by it alone."""
    uris = [
        {"url": row.uri, "valueUri": url}
        for row, url in endpoints(policy).items()
        if row.uri is not None
    ]
    service = {"system": SECURITY_SERVICE, "code": "SMART-on-FHIR", "display": "SMART-on-FHIR"}
    return {
        "extension": [{"url": OAUTH_URIS, "extension": uris}],
        "cors": True,
        "service": [{"coding": [service], "text": "SMART App Launch, OAuth 2, OpenID Connect"}],
    }
