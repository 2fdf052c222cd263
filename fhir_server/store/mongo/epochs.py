"""A number that is another one whenever what rights are made of has been written.

It is raised behind the commit and before the answer: whoever was told of a write, or asks
after it, meets the new number, in whatever process. A process that dies in between leaves the
old one; so nobody believes a number for longer than a second.
"""

from collections.abc import Iterable
from typing import Any, Final

from pymongo.asynchronous.client_session import AsyncClientSession

from fhir_server.store.mongo.client import answered
from fhir_server.store.mongo.indexes import Database

EPOCHS: Final = "epochs"
DECISIVE: Final = frozenset({
    "CareTeam", "Consent", "Group", "Person", "PractitionerRole", "RelatedPerson",
    "VerificationResult",
})  # fmt: skip
"""Types that say who may do what."""

_ACCESS: Final = {"_id": "access"}


class Epochs:
    """The number of one database."""

    def __init__(self, database: Database) -> None:
        self._table = database[EPOCHS]

    async def current(self) -> int:
        """0 before the first write."""
        with answered():
            found: dict[str, Any] | None = await self._table.find_one(_ACCESS)
        return 0 if found is None else int(found["n"])

    async def written(self, kinds: Iterable[str]) -> None:
        """Note that `kinds` were written, and committed."""
        if not DECISIVE.isdisjoint(kinds):
            await self.raised()

    async def raised(self, session: AsyncClientSession | None = None) -> None:
        """Make it another number; with a transaction, or not at all."""
        with answered():
            await self._table.update_one(
                _ACCESS, {"$inc": {"n": 1}}, upsert=True, session=session
            )

    async def prepare(self) -> None:
        """Make the number, for transactions that will raise it."""
        with answered():
            await self._table.update_one(_ACCESS, {"$setOnInsert": {"n": 0}}, upsert=True)
