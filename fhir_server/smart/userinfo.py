"""Who signed in, for the bearer of a token with the scope `openid`.

https://openid.net/specs/openid-connect-core-1_0.html#UserInfo
"""

from fhir_server.smart import scopes
from fhir_server.smart.errors import InsufficientScope
from fhir_server.smart.policy import Policy
from fhir_server.smart.records import AccessToken
from fhir_server.smart.tokens import Response, fhir_user


def userinfo(policy: Policy, token: AccessToken) -> Response:
    """The claims.

    Raises:
        InsufficientScope: the token has no `openid`.
    """
    granted = scopes.parse(token.scopes)
    if scopes.OPENID not in granted:
        headers = {"WWW-Authenticate": 'Bearer error="insufficient_scope", scope="openid"'}
        raise InsufficientScope("The token has no scope openid.", headers)
    claims: Response = {"sub": token.principal.account}
    if scopes.FHIR_USER in granted:
        claims["fhirUser"] = fhir_user(policy, token.principal.user)
    return claims
