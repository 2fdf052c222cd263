"""Numbers without gaps, as a unit of work hands them out."""

from typing import Protocol


class Numbers(Protocol):
    """A part of `port.Unit`."""

    async def number(self, key: str) -> int:
        """The next number of the sequence `key`, of which 1 is the first: given for good with
        the unit, or not at all. Units take turns at a sequence, and who has claimed `key` at
        its beginning does not start again for it."""
