"""Two servers that differ in what must stay hidden, and answers made comparable.

Whoever may not see a thing must get the same answer from both: that is the whole of secrecy
(noninterference). One server has the hidden resources, the other has never heard of them.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

import httpx

from fhir_server.access.policy import AccessPolicy
from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.interactions.context import Services
from fhir_server.interactions.live_rights import Allowed, LiveRights
from fhir_server.rest.bearer import BearerGate
from fhir_server.rest.gate import Gate
from tests.support.fhir import JsonObject

ROOT: Final = Principal("root", parse_scopes("system/*.cruds"), token="root")
"""May do everything: loads the worlds, and shows that a door would tell."""

_OF_THE_MOMENT: Final = frozenset({"date", "server", "x-request-id"})
"""Headers that differ between any two answers."""
_VOLATILE: Final = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\dZ+:-]*"), "TIME"),
    (re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"), "TIME"),
    (re.compile(r"_cursor=[\w.%~-]+"), "_cursor=C"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UUID"),
)


_PAGES: Final = 100
"""Followed in one direction."""


class Tokens:
    """Principals by the token that stands for each; the gate of the tests."""

    def __init__(self, policy: AccessPolicy | None = None) -> None:
        self.policy = policy or AccessPolicy()
        self.ahead = 0
        """Milliseconds by which the clock that rights go by is ahead."""
        self.told: dict[str, Allowed] = {}
        """By token what its bearer was allowed when it was last asked."""
        self._known: dict[str, Principal] = {"root": ROOT}
        self._policies: dict[str, AccessPolicy] = {}
        self.left: dict[str, int] = {}
        """How often a token's bearer will still be found standing by jobs; without an entry
        always."""

    def known(self, token: str) -> Principal:
        """The bearer of a token that was given."""
        return self._known[token]

    def give(self, principal: Principal, policy: AccessPolicy | None = None) -> str:
        """A token for `principal`: its own id. `policy`: of a house of its own."""
        self._known[principal.token] = principal
        if policy is not None:
            self._policies[principal.token] = policy
        return principal.token

    def revoke(self, token: str) -> None:
        """From now on nobody has `token`."""
        del self._known[token]

    def gate(self, services: Services) -> Gate:
        """The gate that knows these tokens; everything behind it is the server's own."""
        timed = replace(services, now=lambda: services.now() + self.ahead)
        by_policy: dict[int, LiveRights] = {}

        async def verify(token: str) -> Principal | None:
            return self._known.get(token)

        async def stand(principal: Principal) -> Principal | None:
            left = self.left.get(principal.token)
            if left is not None:
                self.left[principal.token] = left - 1
            return None if left is not None and left <= 0 else principal

        async def allowed(principal: Principal) -> Allowed:
            policy = self._policies.get(principal.token, self.policy)
            live = by_policy.setdefault(id(policy), LiveRights(timed, policy))
            self.told[principal.token] = found = await live.of(principal)
            return found

        return BearerGate(verify, allowed, stand)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request; `{h}` stands for the hidden resource's id, `{p}` for the patient's."""

    method: str
    path: str
    body: object = None
    headers: Mapping[str, str] | None = None
    pages: Literal["", "next", "both"] = ""
    """Follow `next` for a hundred pages; `both`: then `previous` for as many."""


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

    def load(self, *resources: JsonObject, at_once: bool = False) -> None:
        """Put `resources` under their ids. `at_once` is quicker, for what nobody will see:
        versions of one moment stand in any order in a history."""
        puts = (
            {
                "resource": each,
                "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"},
            }
            for each in resources
        )
        self._bundle("transaction" if at_once else "batch", puts)

    def remove(self, *names: str) -> None:
        """Delete `names` (`Observation/1`)."""
        deletions = ({"request": {"method": "DELETE", "url": each}} for each in names)
        self._bundle("transaction", deletions)

    def _bundle(self, kind: str, entries: Iterable[JsonObject]) -> None:
        bundle = {"resourceType": "Bundle", "type": kind, "entry": list(entries)}
        answer = self.http.post("/", json=bundle, headers=_authorization("root"))
        statuses = {each["response"]["status"][:3] for each in answer.json()["entry"]}
        assert statuses <= {"200", "201", "204"}, answer.text

    def ask(self, ask: Ask, token: str, patient: str, hidden: str) -> list[Answer]:
        """The answers to `ask`, one a page; an empty `token`: without one."""

        def filled(text: str) -> str:
            return text.replace("{h}", hidden).replace("{p}", patient)

        text = None if ask.body is None else filled(json.dumps(ask.body))
        headers = {"Content-Type": "application/fhir+json", **(ask.headers or {})}
        headers = {name: filled(value) for name, value in headers.items()}
        headers |= _authorization(token) | {"Accept-Encoding": "identity"}

        def pages(url: str, relation: str, most: int) -> Iterator[httpx.Response]:
            while url:
                response = self.http.request(ask.method, url, content=text, headers=headers)
                yield response
                most -= 1
                url = _link(response, relation) if most else ""

        found = list(pages(filled(ask.path), "next", _PAGES if ask.pages else 1))
        if ask.pages == "both":
            found += pages(_link(found[-1], "previous"), "previous", _PAGES)
        return [self._plain(each) for each in found]

    def _plain(self, response: httpx.Response) -> Answer:
        headers = dict(response.headers)
        # A cursor has no fixed length; what the length says beside the body, HEAD says.
        if response.content:
            assert int(headers.pop("content-length")) == len(response.content)
        told = sorted(set(headers) - _OF_THE_MOMENT)
        return Answer(
            response.status_code,
            tuple((name, self._clean(headers[name])) for name in told),
            self._clean(response.text),
        )

    def _clean(self, text: str) -> str:
        text = text.replace(str(self.http.base_url).rstrip("/"), "BASE")
        for pattern, plain in _VOLATILE:
            text = pattern.sub(plain, text)
        return text


def _authorization(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def _link(response: httpx.Response, relation: str) -> str:
    links = response.json().get("link", ()) if response.is_success else ()
    return next((each["url"] for each in links if each["relation"] == relation), "")
