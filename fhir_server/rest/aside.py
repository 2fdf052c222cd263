"""Long work without waiting, such as parsing a large body, away from the event loop.

A thread of Python holds the others up for five milliseconds at a time instead of for the whole
of its work: 10 MB of XML took 3 s.

https://docs.python.org/3/library/asyncio-dev.html#running-blocking-code
"""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

_LARGE: Final = 256 * 1024
"""Bytes; below that the work is done sooner than a thread is found for it to matter."""


async def aside(size: int, work: Callable[..., T], *arguments: object) -> T:
    """What `work` gives for `arguments`; `size` in bytes tells how long it may take."""
    if size < _LARGE:
        return work(*arguments)
    return await asyncio.to_thread(work, *arguments)
