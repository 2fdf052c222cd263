"""Bearer tokens: from the Authorization header to a caller with rights.

A token is taken from the header alone: never from the query, where logs and histories keep it.

https://www.rfc-editor.org/rfc/rfc6750
https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

from fhir_server.access.principal import Principal
from fhir_server.core.errors import FhirError, Forbidden, Malformed, Unauthenticated
from fhir_server.core.messages import Text
from fhir_server.interactions.grants import NOT_GRANTED, Caller
from fhir_server.interactions.live_rights import Allowed

NO_TOKEN: Final = Text(
    "This needs an access token: sign in, and send it as `Authorization: Bearer …`.",
    "Для этого нужен токен доступа: войдите и передайте его в `Authorization: Bearer …`.",
    "Для цього потрібен токен доступу: увійдіть і передайте його в `Authorization: Bearer …`.",
)
BAD_TOKEN: Final = Text(
    "The access token is unknown, has expired or was revoked. Sign in again.",
    "Токен доступа неизвестен, истёк или отозван. Войдите заново.",
    "Токен доступу невідомий, сплив або відкликаний. Увійдіть знову.",
)
MALFORMED: Final = Text(
    "The Authorization header is not `Bearer` and a token.",
    "Заголовок Authorization — это не `Bearer` с токеном.",
    "Заголовок Authorization — це не `Bearer` з токеном.",
)

Verify = Callable[[str], Awaitable[Principal | None]]
"""The bearer of a token; None for one that does not hold, whatever the reason."""

Stand = Callable[[Principal], Awaitable[Principal | None]]
"""A bearer of before as they are now, with no more than they had; None where the grant that
their token came of is over."""

_B64TOKEN: Final = re.compile(r"[A-Za-z0-9\-._~+/]{1,4096}=*")
_CHALLENGE: Final = 'Bearer realm="fhir"'
_SCHEME: Final = "bearer"


class BearerGate:
    """Admits whoever has a token that holds."""

    def __init__(
        self,
        verify: Verify,
        rights: Callable[[Principal], Awaitable[Allowed]],
        stand: Stand,
    ) -> None:
        self._verify = verify
        self._rights = rights
        self._stand = stand

    async def admit(self, headers: Mapping[str, str]) -> Caller:
        token = bearer_token(headers.get("authorization"))
        principal = await self._verify(token)
        if principal is None:
            raise _challenged(Unauthenticated(BAD_TOKEN), 'error="invalid_token"')
        return await self._caller(principal)

    async def again(self, principal: Principal) -> Caller:
        still = await self._stand(principal)
        if still is None:
            raise Forbidden(NOT_GRANTED)
        return await self._caller(still)

    async def _caller(self, principal: Principal) -> Caller:
        allowed = await self._rights(principal)
        found = (allowed.declared, allowed.own)
        if found != (principal.declared, principal.own):  # what a job has kept may be over
            principal = replace(principal, declared=allowed.declared, own=allowed.own)
        return Caller(allowed.rights, principal, allowed.withheld, allowed.applied)


def needs_token() -> FhirError:
    """401: what was asked is for bearers of a token."""
    return _challenged(Unauthenticated(NO_TOKEN))


def bearer_token(header: str | None) -> str:
    """The token in an Authorization header.

    Raises:
        Unauthenticated: there is no header, or it is of another scheme.
        Malformed: it is no token.
    """
    scheme, _, token = (header or "").strip().partition(" ")
    if scheme.lower() != _SCHEME:
        raise needs_token()
    token = token.strip()
    if not _B64TOKEN.fullmatch(token):
        raise _challenged(Malformed(MALFORMED), 'error="invalid_request"')
    return token


def _challenged(error: FhirError, *attributes: str) -> FhirError:
    error.headers = {"WWW-Authenticate": ", ".join((_CHALLENGE, *attributes))}
    return error
