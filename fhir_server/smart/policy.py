"""What the operator decides of the authorization server; seconds, unless said otherwise."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from fhir_server.access.scopes import ResourceScope
from fhir_server.smart.brands import Brands

Registration = Literal["open", "token", "closed"]


def _any(_: ResourceScope) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Policy:
    """One frozen value, made of the settings at start."""

    issuer: str
    """Absolute URL without a trailing slash; the endpoints lie below it."""
    fhir_base: str
    """Absolute URL without a trailing slash: the one audience of access tokens."""
    access_seconds: int = 600
    backend_seconds: int = 300
    """Access tokens of backend services. SMART recommends at most 300."""
    code_seconds: int = 60
    refresh_seconds: int = 100 * 86_400
    """How long a refresh token may lie unused."""
    grace_seconds: int = 10
    """A used refresh token is good for so long once more: tabs refresh at the same moment."""
    id_token_seconds: int = 600
    parked_seconds: int = 1800
    """How long a person may take to sign in and decide."""
    launch_seconds: int = 300
    registration: Registration = "closed"
    registration_digest: str = ""
    """Of the initial access token."""
    loopback: bool = False
    """Development: plain http on loopback for keys of clients."""
    management: str | None = None
    """Where people see and end what they granted."""
    style_url: str = ""
    """`smart_style_url` of launches that bring none."""
    brands: Brands | None = None
    """How apps show this server to people; None: the operator has not said."""
    can_filter: Callable[[ResourceScope], bool] = _any
    """Whether the search parameters of a scope are known here; other scopes are dropped."""

    def endpoint(self, name: str) -> str:
        """The absolute URL of `/auth/{name}`."""
        return f"{self.issuer}/auth/{name}"
