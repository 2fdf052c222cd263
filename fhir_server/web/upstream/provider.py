"""An upstream identity provider: where its sign-in is, and who came back from it.

A connector turns the provider's dialect into `Identity`; state, browser and account are the
business of `web.federated`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from fhir_server.core.messages import Text


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a provider vouches for."""

    subject: str
    """The provider's lasting name for the person."""
    level: int
    """How surely, 1 to 3."""
    email: str = ""
    family: str = ""
    given: str = ""
    birth_date: str = ""
    """`YYYY-MM-DD`."""
    identifiers: tuple[tuple[str, str], ...] = ()
    """(system, value) of national identifiers that the provider has checked."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way there and back: secrets that only this browser's attempt has."""

    state: str
    nonce: str
    verifier: str
    """Of PKCE."""
    redirect_uri: str


class UpstreamError(Exception):
    """The provider refused, cannot be reached, or said what cannot be believed."""


class Provider(Protocol):
    """A connector."""

    @property
    def title(self) -> Text:
        """What people call it."""

    @property
    def authorization_endpoint(self) -> str:
        """Where browsers are sent; its origin is named in the sign-in page's policy."""

    async def begin(self, attempt: Attempt) -> str:
        """The URL that the browser goes to.

        Raises:
            UpstreamError: the provider cannot be reached.
        """

    async def finish(self, attempt: Attempt, answer: Mapping[str, str]) -> Identity:
        """Who came back; `answer` are the parameters of the redirect.

        Raises:
            UpstreamError: nobody.
        """
