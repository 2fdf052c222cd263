"""Ending tasks for certain.

A cancellation can be lost: the driver's calls swallow one that comes at a bad moment (one stop
in thirty hung). So a task is told again until it has ended.
"""

import asyncio
from typing import Any, Final

_AGAIN: Final = 1.0  # seconds; a task may also need a while to tidy up


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel `tasks` and wait until all have ended, however they do.

    Whoever is cancelled while it waits here waits all the same: what it started may not
    outlive it, and what they work with is closed behind it. It is cancelled then.
    """
    told: asyncio.CancelledError | None = None
    while left := {each for each in tasks if not each.done()}:
        for each in left:
            each.cancel()
        try:
            await asyncio.wait(left, timeout=_AGAIN)
        except asyncio.CancelledError as error:
            told = error
    for each in tasks:
        if not each.cancelled():
            each.exception()  # told by whoever awaited it; asyncio would tell it again
    if told is not None:
        raise told
