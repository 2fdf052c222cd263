"""Who stands behind a request, decided before anything of it is carried out.

https://www.rfc-editor.org/rfc/rfc6750
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from fhir_server.access.principal import Principal
from fhir_server.access.rights import NO_RIGHTS, UNLIMITED, Rights
from fhir_server.core.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller and what it may do."""

    rights: Rights
    principal: Principal | None = None
    withheld: Forbidden | None = None
    """What to answer where a right is missing, if not that a scope is."""


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


class OpenGate:
    """Of `--insecure-no-auth`: whoever reaches the server may do everything."""

    async def admit(self, headers: Mapping[str, str]) -> Caller:
        del headers
        return _ANYBODY


_ANYBODY: Final = Caller(UNLIMITED)
