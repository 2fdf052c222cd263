"""When each app last read a record: to the minute, and without a write for every read.

A read marks its grant in memory. What was marked is written together every few seconds, each
grant once a minute at most. A process that is killed forgets what it had not written yet;
the audit has every single read.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from fhir_server.access.audience import DIRECTORY
from fhir_server.access.principal import Principal
from fhir_server.core.errors import FhirError

COARSE: Final = 60_000
"""Milliseconds in which further reads of a grant are not told apart."""
SECONDS: Final = 5.0
"""Between two writes of a process."""

Keep = Callable[[Mapping[str, int]], Awaitable[None]]
"""Writes when (milliseconds since 1970) grants were last read by; the later time stays."""


class LastReads:
    """Of one process."""

    def __init__(self, keep: Keep, now: Callable[[], int]) -> None:
        self._keep = keep
        self._now = now
        self._marked: dict[str, int] = {}
        self._due: dict[str, int] = {}

    def mark(self, principal: Principal | None, kind: str | None) -> None:
        """The bearer has been shown something of a type; None: of any."""
        if principal is None or principal.grant is None or kind in DIRECTORY:
            return
        now, grant = self._now(), principal.grant
        if now - self._marked.get(grant, 0) >= COARSE:
            self._marked[grant] = self._due[grant] = now

    async def write(self) -> None:
        """Write what was marked.

        Raises:
            FhirError: it could not be written; the next call tries again.
        """
        now = self._now()
        self._marked = {each: at for each, at in self._marked.items() if now - at < COARSE}
        due, self._due = self._due, {}
        if not due:
            return
        try:
            await self._keep(due)
        except FhirError:
            self._due = {**due, **self._due}
            raise
