"""What an OAuth endpoint refuses, by the codes of the RFCs.

* OAuthError
  x InvalidRequest           400  malformed, incomplete or contradictory
  x InvalidClient            401  who asks is unknown, or did not prove it
  x InvalidGrant             400  code or refresh token unknown, expired, used, another's
  x UnauthorizedClient       400  this client may not ask in this way
  x UnsupportedGrantType     400
  x UnsupportedResponseType  400
  x InvalidScope             400
  x AccessDenied             403  the person, or this server's policy, says no
  x LoginRequired            400  `prompt=none` without a session
  x ConsentRequired          400  `prompt=none` without a consent on file
  x UnmetAuthenticationRequirements 400  the sign-in was weaker than `acr_values` asks
  x InvalidToken             401  a Bearer token that is none, or is over
  x InsufficientScope        403
  x NotFound                 404  a resource of this server's own interfaces
  x InvalidClientMetadata    400  registration
    - InvalidRedirectUri
  x TooManyRequests          429  carries Retry-After

A description is for developers: English, printable ASCII, never a word of the caller's.

https://www.rfc-editor.org/rfc/rfc6749#section-5.2
https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1
"""

from collections.abc import Mapping
from typing import ClassVar


class OAuthError(Exception):
    """Base of every refusal; `code` is what the client reads."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "invalid_request"

    def __init__(self, description: str, headers: Mapping[str, str] | None = None) -> None:
        self.description = description
        self.headers = dict(headers or {})
        super().__init__(f"{self.code}: {description}")


class InvalidRequest(OAuthError):
    """A parameter is missing, repeated or unusable."""


class InvalidClient(OAuthError):
    """The client is unknown or did not authenticate."""

    status = 401
    code = "invalid_client"


class InvalidGrant(OAuthError):
    """The code or refresh token cannot be used, by this client or at all."""

    code = "invalid_grant"


class UnauthorizedClient(OAuthError):
    """The client is not registered for this grant, or not approved yet."""

    code = "unauthorized_client"


class UnsupportedGrantType(OAuthError):
    code = "unsupported_grant_type"


class UnsupportedResponseType(OAuthError):
    code = "unsupported_response_type"


class InvalidScope(OAuthError):
    """Nothing of what was asked can be granted."""

    code = "invalid_scope"


class AccessDenied(OAuthError):
    status = 403
    code = "access_denied"


class LoginRequired(OAuthError):
    # https://openid.net/specs/openid-connect-core-1_0.html#AuthError
    code = "login_required"


class ConsentRequired(OAuthError):
    code = "consent_required"


class UnmetAuthenticationRequirements(OAuthError):
    # https://www.rfc-editor.org/rfc/rfc9470#section-5
    code = "unmet_authentication_requirements"


class InvalidToken(OAuthError):
    # https://www.rfc-editor.org/rfc/rfc6750#section-3.1
    status = 401
    code = "invalid_token"

    def __init__(
        self, description: str, challenge: str = 'Bearer error="invalid_token"'
    ) -> None:
        super().__init__(description, {"WWW-Authenticate": challenge})


class InsufficientScope(OAuthError):
    status = 403
    code = "insufficient_scope"


class NotFound(OAuthError):
    status = 404
    code = "not_found"


class InvalidClientMetadata(OAuthError):
    # https://www.rfc-editor.org/rfc/rfc7591#section-3.2.2
    code = "invalid_client_metadata"


class InvalidRedirectUri(InvalidClientMetadata):
    code = "invalid_redirect_uri"


class TooManyRequests(OAuthError):
    status = 429
    code = "temporarily_unavailable"

    def __init__(self, seconds: int) -> None:
        super().__init__("Too many requests.", {"Retry-After": str(seconds)})
