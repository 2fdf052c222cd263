"""The loop that tries again: whatever is raised is told in the log, and stops nothing."""

from collections.abc import Awaitable
from traceback import extract_tb
from typing import TypeVar

import structlog

from fhir_server.core.errors import TimedOut, Unavailable

T = TypeVar("T")


async def tried(log: structlog.stdlib.BoundLogger, what: str, doing: Awaitable[T]) -> T | None:
    """What comes of it; None where it failed, which is told in the log alone."""
    try:
        return await doing
    except (Unavailable, TimedOut) as error:  # the database is away: it will be back
        log.warning("job_step_postponed", step=what, error=type(error).__name__)
    except Exception as error:  # noqa: BLE001  # the retry loop: nothing may stop it
        log.error("job_step_failed", step=what, **_told(error))  # noqa: TRY400  # no message
    return None


def _told(error: Exception) -> dict[str, object]:
    """What may be told of an error nobody foresaw: no message, which may hold data."""
    places = [f"{at.filename}:{at.lineno} {at.name}" for at in extract_tb(error.__traceback__)]
    return {"error": type(error).__qualname__, "places": places[-12:]}
