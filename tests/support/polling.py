"""Asking again until something has come about."""

import time
from collections.abc import Callable
from typing import TypeVar

import httpx

T = TypeVar("T")

PATIENCE = 30.0


def until(ask: Callable[[], T | None], *, patience: float = PATIENCE) -> T:
    """The first answer that is not None or False."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        found = ask()
        if found is not None and found is not False:
            return found
        time.sleep(0.02)
    raise TimeoutError(ask)


def finished(fhir: httpx.Client, accepted: httpx.Response) -> httpx.Response:
    """The answer of an asynchronous request, when it is there."""
    assert accepted.status_code == 202, accepted.text
    place = accepted.headers["content-location"]

    def ask() -> httpx.Response | None:
        answer = fhir.get(place)
        return None if answer.status_code == 202 else answer

    return until(ask)
