"""What the endpoints are built over, and what the pages for people give them.

https://hl7.org/fhir/smart-app-launch/STU2.2/
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response

from fhir_server.rest.oauth.key_ring import KeyRing
from fhir_server.smart.authorization import Parked
from fhir_server.smart.policy import Policy
from fhir_server.smart.ports import Ports
from fhir_server.smart.records import Session


class Interaction(Protocol):
    """The pages: they know the browser, and ask the person."""

    async def session(self, request: Request) -> Session | None:
        """Whose browser this is, if somebody is signed in."""

    async def show(self, request: Request, parked: Parked) -> Response:
        """Begin to ask: bind the parked request to the browser and go to the sign-in or
        consent page. It ends with `smart.completion.complete`."""


class Throttle(Protocol):
    """Limits on how often something may be tried."""

    async def wait(self, endpoint: str, request: Request) -> int | None:
        """Seconds after which it may be tried again; None: go on."""

    async def failed(self, endpoint: str, request: Request) -> None:
        """It was tried, and refused."""


class NoThrottle:
    """No limits."""

    async def wait(self, endpoint: str, request: Request) -> int | None:  # noqa: ARG002  # Throttle's
        """Never."""
        return None

    async def failed(self, endpoint: str, request: Request) -> None:
        """Let it pass."""


@dataclass(frozen=True, slots=True)
class Service:
    """The authorization server, put together."""

    ports: Ports
    policy: Policy
    key_ring: KeyRing
    interaction: Interaction
    origins: tuple[str, ...] = ()
    """Web origins that may call besides those of registered clients, as `rest.cors` reads
    them: `*` is any, `localhost` whatever this machine serves."""
    style: Mapping[str, Any] = field(default_factory=dict)
    """What `smart_style_url` answers."""
    throttle: Throttle = field(default_factory=NoThrottle)
    arrivals: Throttle = field(default_factory=NoThrottle)
    """Of authorization requests: each waits for its person for half an hour."""
    registrations: Throttle = field(default_factory=NoThrottle)
    """Of those who need no initial access token: what they register is kept."""
