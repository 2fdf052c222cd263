"""Who stands behind a request, decided before anything of it is carried out.

https://www.rfc-editor.org/rfc/rfc6750
"""

from collections.abc import Mapping
from typing import Final, Protocol

from fhir_server.access.principal import Principal
from fhir_server.access.rights import NO_RIGHTS, UNLIMITED
from fhir_server.core.errors import Forbidden
from fhir_server.interactions.grants import NOT_GRANTED, Caller

NOBODY: Final = Caller(NO_RIGHTS)

PUBLIC: Final = frozenset({"capabilities"})
"""Interactions that need no token: "/metadata" SHALL be readable by everybody."""


class Gate(Protocol):
    """What every request passes."""

    async def admit(self, headers: Mapping[str, str]) -> Caller:
        """The caller that sent `headers` (names in lower case).

        Raises:
            Unauthenticated: no token, or none that holds; carries WWW-Authenticate.
            Invalid: the Authorization header is malformed.
        """

    async def again(self, principal: Principal) -> Caller:
        """Who was admitted before, as they are now: for what they ordered to be done later.

        Raises:
            Forbidden: nothing is left of what they were allowed.
        """


class OpenGate:
    """Of `--insecure-no-auth`: whoever reaches the server may do everything."""

    async def admit(self, headers: Mapping[str, str]) -> Caller:
        del headers
        return _ANYBODY

    async def again(self, principal: Principal) -> Caller:
        del principal  # ordered when there was access control: who it is cannot be told now
        raise Forbidden(NOT_GRANTED)


_ANYBODY: Final = Caller(UNLIMITED)
