"""Long computations, such as checking a large body, away from the event loop.

A thread of Python holds the others up for five milliseconds at a time instead of for the whole
of its work: 10 MB of XML took 3 s. What runs here keeps its state to itself: the arguments are
nobody else's until it is done.

https://docs.python.org/3/library/asyncio-dev.html#running-blocking-code
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

T = TypeVar("T")

LARGE: Final = 256 * 1024
"""Bytes read or written; below that it is done sooner than a thread is found for it."""
HEAVY: Final = 64 * 1024
"""Bytes checked or indexed, which takes some ten times as long as reading them."""

# Each running thread takes its turn of 5 ms before the loop has the next: with six, small
# reads beside six large writes took six times as long. Large work waits for large work.
_THREADS: Final = ThreadPoolExecutor(2, thread_name_prefix="aside")


async def aside(size: int, work: Callable[..., T], *arguments: object, least: int = LARGE) -> T:
    """What `work` gives for `arguments`; `size` in bytes tells how long it may take.

    From `least` bytes on it runs in a thread.
    """
    if size < least:
        return work(*arguments)
    return await asyncio.get_running_loop().run_in_executor(_THREADS, work, *arguments)
