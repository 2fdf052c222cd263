"""An upstream identity provider: where its sign-in is, and who came back from it.

A connector turns the provider's dialect into an `Identity`; state, browser and account are the
business of `web.federated`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import httpx

from fhir_server.cabinet.accounts.federation import Identity
from fhir_server.core.messages import Text

SECONDS: Final = 10.0
BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way there and back: secrets that only this browser's attempt has."""

    state: str
    """A UUID, as ЕСИА wants it."""
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


async def object_of(http: httpx.AsyncClient, request: httpx.Request) -> dict[str, Any]:
    """The JSON object that a provider answers with.

    Raises:
        UpstreamError: it does not.
    """
    try:
        response = await http.send(request, follow_redirects=False)
        body = response.json()
    except (httpx.HTTPError, ValueError) as error:
        raise UpstreamError("the provider did not answer") from error
    if response.status_code != httpx.codes.OK or not isinstance(body, dict):
        raise UpstreamError(f"the provider answered {response.status_code}")
    if len(response.content) > BYTES:
        raise UpstreamError("the provider answered too much")
    return body


def code_of(answer: Mapping[str, str]) -> str:
    """The authorization code of a redirect.

    Raises:
        UpstreamError: there is none.
    """
    code = answer.get("code")
    if not code or "error" in answer:
        raise UpstreamError("the provider, or the person, refused")
    return code


def text_of(found: Mapping[str, Any], name: str) -> str:
    """A text among claims; empty where it is missing or something else."""
    value = found.get(name)
    return value if isinstance(value, str) else ""
