"""What one Bundle may cost: the memory of its answers, the time of a database that is away.

https://hl7.org/fhir/R4/http.html#transaction
"""

import asyncio
from dataclasses import replace
from typing import Final

from fhir_server.core.errors import FhirError, TimedOut, TooCostly, Unavailable
from fhir_server.core.messages import Text
from fhir_server.interactions.commands import Command, History, Read, Search, VRead
from fhir_server.interactions.doors import Asked
from fhir_server.interactions.results import Result

TOO_MUCH: Final = Text(
    "The reads of this Bundle answer with more than {limit} bytes; ask for the rest alone.",
    "Ответы на чтения в этом Bundle больше {limit} байт; остальное запросите отдельно.",
    "Відповіді на читання в цьому Bundle понад {limit} байтів; решту запитайте окремо.",
)

_READS: Final = (Read, VRead, Search, History, Asked)
_PATIENCE: Final = 3
"""Entries in a row that meet no database: each has waited as long as an operation may."""
_BREATH: Final = 20
"""Entries worked on before other requests get their turn: about 5 ms."""


async def breath(place: int) -> None:
    """Let others have their turn, now and then; `place` counts the work done."""
    if place % _BREATH == _BREATH - 1:
        await asyncio.sleep(0)


class Budget:
    """The bytes that the reads of one Bundle may still answer with."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._left = limit

    def check(self, asked: Command | Asked) -> None:
        """Raise TooCostly where nothing is left for a read or an operation."""
        if self._left < 0 and isinstance(asked, _READS):
            raise TooCostly(TOO_MUCH, limit=self._limit)

    def taken(self, result: Result) -> Result:
        """`result`, counted.

        Raises:
            TooCostly: it is more than is left.
        """
        if result.wanted:
            body = result.body if result.version is None else result.version.body
            self._left -= len(body or b"")
            if self._left < 0:
                raise TooCostly(TOO_MUCH, limit=self._limit)
        return result


class Patience:
    """Ends with the database: thousands of entries would each wait for it."""

    def __init__(self) -> None:
        self._in_a_row = 0
        self._last: FhirError | None = None

    def answered(self, error: FhirError | None) -> None:
        """Take note of how an entry ended."""
        lost = isinstance(error, Unavailable | TimedOut)
        self._in_a_row = self._in_a_row + 1 if lost else 0
        self._last = error

    def check(self, index: int) -> None:
        """Raise for the entry `index` what those before it met, if it was that too often."""
        if self._in_a_row >= _PATIENCE and self._last is not None:
            place = (f"Bundle.entry[{index}]",)
            issues = [replace(each, expression=place) for each in self._last.issues]
            raise type(self._last).of(issues)
