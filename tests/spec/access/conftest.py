"""Two running servers: one with what must stay hidden, one without."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import httpx
import pytest

from fhir_server.settings import Settings
from tests.support.running import Running
from tests.support.worlds import Tokens, World


@pytest.fixture(scope="session")
def tokens() -> Tokens:
    return Tokens()


def _settings(uri: str, name: str) -> Settings:
    return Settings(
        mongodb_uri=uri,
        database=f"{name}_{uuid4().hex[:12]}",
        seed=False,
        log_level="WARNING",
        max_count=60,
        explain=True,
        audit="off",  # it tells what each of the two was asked, and they are asked in turn
    )


@contextmanager
def two(uri: str, tokens: Tokens) -> Iterator[tuple[World, World]]:
    """The one that hides something, and the one with nothing to hide."""
    with (
        Running(_settings(uri, "hiding"), tokens.gate) as hiding,
        Running(_settings(uri, "empty"), tokens.gate) as empty,
        httpx.Client(base_url=hiding.base_url, timeout=60) as first,
        httpx.Client(base_url=empty.base_url, timeout=60) as second,
    ):
        yield World(first), World(second)


@pytest.fixture(scope="session")
def worlds(mongodb_uri: str, tokens: Tokens) -> Iterator[tuple[World, World]]:
    """Those of most tests, which leave in them what they have made."""
    with two(mongodb_uri, tokens) as found:
        yield found
