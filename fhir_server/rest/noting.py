"""What the audit is told of one HTTP request, and that it is durable before the answer goes.

https://hl7.org/fhir/R4/security.html#audit
"""

from collections.abc import Callable, Mapping
from typing import Final

from fhir_server.access.principal import Principal
from fhir_server.access.public import ANYBODY
from fhir_server.core.errors import FhirError, Unauthenticated
from fhir_server.core.paths import Target
from fhir_server.interactions.audit import Audit
from fhir_server.interactions.trail import Doing, Origin, Trail, doing_of_request
from fhir_server.rest.requests import Scope

_STRANGERS: Final = 60
"""Refused tokens noted in a minute: whoever has none that holds must not fill the disk."""
_MINUTE: Final = 60_000
_UNKNOWN: Final = Principal("", ())


class Noting:
    """Of one process; `request` begins a request's."""

    def __init__(self, audit: Audit | None, now: Callable[[], int]) -> None:
        self.audit = audit
        self.now = now
        self._minute = 0
        self._strangers = 0

    def request(self, scope: Scope) -> "Noted":
        """What will be noted of the request of `scope`."""
        return Noted(self, scope)

    def admits_stranger(self) -> bool:
        """Whether one more refused token may be noted in this minute."""
        minute = self.now() // _MINUTE
        if minute != self._minute:
            self._minute, self._strangers = minute, 0
        self._strangers += 1
        return self._strangers <= _STRANGERS


class Noted:
    """One request."""

    __slots__ = ("_doing", "_noting", "_scope", "_strange", "trail")

    def __init__(self, noting: Noting, scope: Scope) -> None:
        self._noting = noting
        self._scope = scope
        self._doing: Doing | None = None
        self._strange = False
        self.trail: Trail | None = None

    def asks(self, code: str, target: Target, headers: Mapping[str, str]) -> None:
        """It asks for this, by somebody who is not known yet."""
        if self._noting.audit is not None:
            self._doing = doing_of_request(code, target)
            self._strange = "authorization" in headers

    def by(self, principal: Principal | None) -> Trail | None:
        """It is known who asks; the trail of what follows. An open directory is not noted:
        there is nobody to name, and anybody could fill the disk."""
        audit = self._noting.audit
        if principal is ANYBODY:
            return None
        if audit is not None and principal is not None and self._doing is not None:
            client = self._scope.get("client") or ("", 0)
            request: bytes = self._scope.get("fhir.request_id", b"")
            origin = Origin(self._noting.now(), client[0], request.decode("latin-1"))
            self.trail = Trail(audit.log, principal, origin, self._doing)
        return self.trail

    def fail(self, error: FhirError) -> None:
        """It was refused."""
        is_strange = self._strange and isinstance(error, Unauthenticated)
        if self.trail is None and is_strange and self._noting.admits_stranger():
            self.by(_UNKNOWN)
        if self.trail is not None:
            self.trail.fail(error)

    async def keep(self) -> None:
        """What was noted is durable when this returns.

        Raises:
            Unavailable: it could not be kept: nothing may be shown.
        """
        if self.trail is not None:
            await self.trail.keep()
