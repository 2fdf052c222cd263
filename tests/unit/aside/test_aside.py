"""What is done in a thread, and what is not.

https://docs.python.org/3/library/asyncio-dev.html#running-blocking-code
"""

import threading

import pytest

from fhir_server.aside import HEAVY, LARGE, aside


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("size", "least", "stays"),
    [(LARGE - 1, LARGE, True), (LARGE, LARGE, False), (HEAVY - 1, HEAVY, True),
     (HEAVY, HEAVY, False)],
)  # fmt: skip
async def test_large_work_leaves_the_loop(size: int, least: int, *, stays: bool) -> None:
    found = await aside(size, threading.current_thread, least=least)
    assert (found is threading.current_thread()) == stays


@pytest.mark.anyio
@pytest.mark.parametrize("size", [0, LARGE])
async def test_what_is_raised_is_raised_here(size: int) -> None:
    with pytest.raises(ZeroDivisionError):
        await aside(size, divmod, 1, 0)
