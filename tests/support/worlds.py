"""Two servers that differ in what must stay hidden, and answers made comparable.

Whoever may not see a thing must get the same answer from both: that is the whole of secrecy
(noninterference). One server has the hidden resources, the other has never heard of them.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httpx

from fhir_server.access.policy import AccessPolicy
from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.interactions.context import Services
from fhir_server.interactions.live_rights import LiveRights
from fhir_server.rest.bearer import BearerGate
from fhir_server.rest.gate import Gate
from tests.support.fhir import JsonObject

ROOT: Final = Principal("root", parse_scopes("system/*.cruds"), token="root")
"""May do everything: loads the worlds, and shows that a door would tell."""

_HEADERS: Final = ("content-type", "etag", "location", "www-authenticate", "allow")
_VOLATILE: Final = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\dZ+:-]*"), "TIME"),
    (re.compile(r"_cursor=[\w.%~-]+"), "_cursor=C"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UUID"),
)


class Tokens:
    """Principals by the token that stands for each; the gate of the tests."""

    def __init__(self, policy: AccessPolicy | None = None) -> None:
        self.policy = policy or AccessPolicy()
        self._known: dict[str, Principal] = {"root": ROOT}
        self.left: dict[str, int] = {}
        """How often a token's bearer will still be found standing by jobs; without an entry
        always."""

    def known(self, token: str) -> Principal:
        """The bearer of a token that was given."""
        return self._known[token]

    def give(self, principal: Principal) -> str:
        """A token for `principal`: its own id."""
        self._known[principal.token] = principal
        return principal.token

    def gate(self, services: Services) -> Gate:
        """The gate that knows these tokens; everything behind it is the server's own."""
        live = LiveRights(services, self.policy)

        async def verify(token: str) -> Principal | None:
            return self._known.get(token)

        async def stand(principal: Principal) -> Principal | None:
            left = self.left.get(principal.token)
            if left is not None:
                self.left[principal.token] = left - 1
            return None if left is not None and left <= 0 else principal

        return BearerGate(verify, live.of, stand)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request; `{h}` stands for the hidden resource's id, `{p}` for the patient's."""

    method: str
    path: str
    body: object = None
    headers: Mapping[str, str] | None = None
    pages: bool = False
    """Follow `next` to the end."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller learned, without what differs between any two servers."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str


@dataclass(frozen=True, slots=True)
class World:
    """One server."""

    http: httpx.Client

    def load(self, *resources: JsonObject) -> None:
        """Put `resources` under their ids."""
        entry = [
            {
                "resource": each,
                "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"},
            }
            for each in resources
        ]
        # One after the other: versions of one moment would stand in any order in a history.
        bundle = {"resourceType": "Bundle", "type": "batch", "entry": entry}
        answer = self.http.post("/", json=bundle, headers=_authorization("root"))
        statuses = {each["response"]["status"][:3] for each in answer.json()["entry"]}
        assert statuses == {"201"}, answer.text

    def ask(self, ask: Ask, token: str, patient: str, hidden: str) -> list[Answer]:
        """The answers to `ask`, one a page; an empty `token`: without one."""

        def filled(text: str) -> str:
            return text.replace("{h}", hidden).replace("{p}", patient)

        text = None if ask.body is None else filled(json.dumps(ask.body))
        headers = {"Content-Type": "application/fhir+json", **(ask.headers or {})}
        headers = {name: filled(value) for name, value in headers.items()}
        url = filled(ask.path)
        found: list[Answer] = []
        while url:
            response = self.http.request(
                ask.method, url, content=text, headers=headers | _authorization(token)
            )
            found.append(self._plain(response))
            url = _next(response) if ask.pages else ""
        return found

    def _plain(self, response: httpx.Response) -> Answer:
        headers = [(name, response.headers.get(name, "")) for name in _HEADERS]
        return Answer(
            response.status_code,
            tuple((name, self._clean(value)) for name, value in headers),
            self._clean(response.text),
        )

    def _clean(self, text: str) -> str:
        text = text.replace(str(self.http.base_url).rstrip("/"), "BASE")
        for pattern, plain in _VOLATILE:
            text = pattern.sub(plain, text)
        return text


def _authorization(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def _next(response: httpx.Response) -> str:
    links = response.json().get("link", ()) if response.is_success else ()
    return next((each["url"] for each in links if each["relation"] == "next"), "")
