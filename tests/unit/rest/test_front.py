"""TLS-05 and TLS-07: what came without TLS, and what is said to browsers.

https://www.rfc-editor.org/rfc/rfc6797
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from fhir_server.core.addresses import within
from fhir_server.rest.forwarding import Forwarding
from fhir_server.rest.front import Front

BASE = "https://fhir.example.org/r4"
PROXY = "10.0.0.1"


class Answer:
    """What came of a request, and what the application saw of it."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.seen: Scope | None = None


@dataclass(frozen=True)
class Ask:
    """A request at the front."""

    path: str = "/fhir/Patient"
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    peer: str = PROXY
    scheme: str = "http"
    query: bytes = b""

    @property
    def scope(self) -> dict[str, Any]:
        return {
            "type": "http",
            "method": self.method,
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": self.query,
            "scheme": self.scheme,
            "client": (self.peer, 4711),
            "headers": [(k.encode(), v.encode()) for k, v in self.headers.items()],
        }


def ask(asked: Ask, *, base: str = BASE, hsts: int = 100, strict: bool = True) -> Answer:
    answer = Answer()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        answer.seen = scope
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"served"})

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {k.decode(): v.decode() for k, v in message["headers"]}
        else:
            answer.body += message.get("body", b"")

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    forwarding = Forwarding(within(("10.0.0.0/8",)), "x-forwarded")
    front = Front(app, forwarding, base, "/fhir", hsts=hsts, strict=strict)
    asyncio.run(front(asked.scope, receive, send))
    return answer


SECURE = {"x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.9"}
PLAIN = {"x-forwarded-proto": "http", "x-forwarded-for": "203.0.113.9"}
BEARER = {"authorization": "Bearer x"}


@pytest.mark.parametrize(
    ("path", "query", "location"),
    [
        ("/fhir/Patient", b"", "https://fhir.example.org/r4/Patient"),
        ("/fhir/Patient", b"name=a%20b", "https://fhir.example.org/r4/Patient?name=a%20b"),
        ("/fhir", b"", "https://fhir.example.org/r4"),
        ("/auth/account", b"", "https://fhir.example.org/auth/account"),
        ("/fhirx", b"", "https://fhir.example.org/fhirx"),
        ("//evil.example/", b"", "https://fhir.example.org//evil.example/"),
    ],
)
def test_tls_05_plain_http_is_sent_to_https_without_processing(
    path: str, query: bytes, location: str
) -> None:
    answer = ask(
        Ask(path, {**PLAIN, "host": "evil.example", "x-forwarded-host": "evil"}, query=query)
    )
    assert (answer.status, answer.headers["location"]) == (308, location)
    assert answer.seen is None
    assert "strict-transport-security" not in answer.headers


@pytest.mark.parametrize(
    ("method", "more"),
    [
        ("GET", {"authorization": "Bearer x"}),
        ("HEAD", {"authorization": "Basic x"}),
        ("POST", {}),
        ("PUT", {"authorization": "Bearer x"}),
        ("DELETE", {}),
    ],
)
def test_tls_05_a_bearer_over_http_is_never_accepted(method: str, more: dict[str, str]) -> None:
    answer = ask(Ask(headers={**PLAIN, **more}, method=method))
    assert answer.status == 403
    assert answer.seen is None
    assert json.loads(answer.body)["issue"][0]["code"] == "security"


def test_tls_05_a_secret_over_http_is_an_oauth_error() -> None:
    answer = ask(Ask("/auth/token", PLAIN, "POST"))
    assert answer.status == 400
    assert json.loads(answer.body)["error"] == "invalid_request"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("peer", "headers", "scheme", "status"),
    [
        (PROXY, SECURE, "http", 200),
        (PROXY, {}, "http", 403),  # a proxy has to say https
        (PROXY, {}, "https", 200),  # the proxy speaks TLS to us
        ("203.0.113.9", {}, "https", 200),
        ("203.0.113.9", {}, "http", 403),  # past the proxy
        ("203.0.113.9", SECURE, "http", 403),
        ("127.0.0.1", {}, "http", 200),  # from this machine
        ("::1", PLAIN, "http", 200),
    ],
)
def test_tls_05_how_it_came(
    peer: str, headers: dict[str, str], scheme: str, status: int
) -> None:
    found = ask(Ask(headers={**headers, **BEARER}, peer=peer, scheme=scheme))
    assert found.status == status


@pytest.mark.parametrize("path", ["/health/ready", "/health/live", "/metrics"])
def test_probes_need_no_tls(path: str) -> None:
    assert ask(Ask(path)).status == 200


def test_without_knowledge_of_proxies_nothing_is_refused() -> None:
    answer = ask(Ask(headers={**PLAIN, **BEARER}, peer="192.0.2.1"), strict=False)
    assert answer.status == 200
    assert answer.headers["strict-transport-security"] == "max-age=100"


def test_where_the_base_is_http_nothing_is_refused() -> None:
    answer = ask(Ask(headers={**PLAIN, **BEARER}), base="http://fhir.example.org/fhir")
    assert answer.status == 200
    assert "strict-transport-security" not in answer.headers


@pytest.mark.parametrize(
    ("base", "hsts", "said"),
    [
        (BASE, 31_536_000, "max-age=31536000"),
        (BASE, 0, None),
        ("https://localhost:8443/fhir", 100, None),  # other ports of it speak http
        ("https://127.0.0.1/fhir", 100, None),
        ("https://[::1]/fhir", 100, None),
    ],
)
def test_tls_05_hsts(base: str, hsts: int, said: str | None) -> None:
    found = ask(Ask(headers=SECURE), base=base, hsts=hsts)
    assert found.headers.get("strict-transport-security") == said


def test_tls_07_what_follows_knows_the_client_and_the_scheme() -> None:
    seen = ask(Ask(headers=SECURE)).seen
    assert seen is not None
    assert (seen["client"], seen["scheme"]) == (("203.0.113.9", 0), "https")


def test_tls_07_of_others_the_socket_is_what_counts() -> None:
    seen = ask(Ask(headers=SECURE, peer="192.0.2.1"), strict=False).seen
    assert seen is not None
    assert (seen["client"], seen["scheme"]) == (("192.0.2.1", 4711), "http")
