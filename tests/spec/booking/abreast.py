"""Two servers on one database in one event loop: requests to both cross at every await.

Nothing goes on between two calls: the loop stands still, and the clock is set by hand.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar
from uuid import uuid4

import httpx

from fhir_server.access.decisions import Policy
from fhir_server.access.policy import AccessPolicy
from fhir_server.access.principal import Principal
from fhir_server.app import Application
from fhir_server.assembly.booking import chores
from fhir_server.core.types import JsonObject
from fhir_server.settings import Settings
from tests.support.worlds import ROOT, Tokens

T = TypeVar("T")

BEGIN: Final = 1_800_000_000_000
"""Milliseconds since 1970: of no meaning."""
_NEVER: Final = 10_000_000.0
"""Seconds: the background waits to be called."""


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody's request, whichever server has it."""

    who: Principal
    method: str
    path: str
    body: object = None
    headers: tuple[tuple[str, str], ...] = ()


class Abreast:
    """Both servers; `now` is their clock."""

    def __init__(
        self, runner: asyncio.Runner, tokens: Tokens, clients: Sequence[httpx.AsyncClient]
    ) -> None:
        self._runner = runner
        self._tokens = tokens
        self._clients = clients
        self.now = BEGIN
        self.tidies: list[Callable[[], Coroutine[Any, Any, None]]] = []
        """What each of the servers does in the background."""

    def clock(self) -> int:
        return self.now

    def at_once(self, *works: Coroutine[Any, Any, T]) -> list[T]:
        """What `works` give, begun together."""

        async def all_of_them() -> list[T]:
            return await asyncio.gather(*works)

        return self._runner.run(all_of_them())

    async def ask(self, server: int, request: Request) -> httpx.Response:
        """Ask the first (0) or the second (1) server."""
        token = self._tokens.give(replace(request.who, token=request.who.token or str(uuid4())))
        headers = {"Authorization": f"Bearer {token}", **dict(request.headers)}
        return await self._clients[server].request(
            request.method, request.path, json=request.body, headers=headers
        )

    def root(self, method: str, path: str, body: object = None) -> JsonObject:
        """A request that succeeds, as one who may do everything."""
        (answer,) = self.at_once(self.ask(0, Request(ROOT, method, path, body)))
        assert answer.is_success, answer.text
        found: JsonObject = answer.json()
        return found


@contextmanager
def abreast(uri: str) -> Iterator[Abreast]:
    """The two servers, until the context ends."""
    tokens = Tokens(AccessPolicy(Policy("all-normal")))
    settings = Settings(
        mongodb_uri=uri,
        database=f"abreast_{uuid4().hex[:12]}",
        seed=False,
        log_level="WARNING",
        base_url="http://test/fhir",
        booking_seconds=_NEVER,
    )
    clients: list[httpx.AsyncClient] = []
    with asyncio.Runner() as runner:
        both = Abreast(runner, tokens, clients)
        stack = AsyncExitStack()

        async def begin() -> None:
            for _ in range(2):
                application = Application(settings, tokens.gate, both.clock)
                clients.append(await stack.enter_async_context(_served(application)))
                both.tidies.append(_tidy(settings, application))

        runner.run(begin())
        try:
            yield both
        finally:
            runner.run(stack.aclose())


@asynccontextmanager
async def _served(application: Application) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application)
    async with (
        application.running(),
        httpx.AsyncClient(transport=transport, base_url="http://test/fhir") as client,
    ):
        yield client


def _tidy(
    settings: Settings, application: Application
) -> Callable[[], Coroutine[Any, Any, None]]:
    assert application.surface is not None
    (found,) = (
        each
        for each in chores(settings, application.surface.services)
        if each.name == "booking"
    )

    async def tidy() -> None:
        await found.do()

    return tidy
