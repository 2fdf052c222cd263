"""App state in MongoDB, beside what its FHIR endpoint does: erase it, and what it was before.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-state.html
"""

from collections.abc import Sequence
from typing import Final

from fhir_server.access.app_state import KIND, of_codes
from fhir_server.store.mongo.client import answered
from fhir_server.store.mongo.indexes import HISTORY_SUFFIX, Database
from fhir_server.store.mongo.translate import to_filter

PREFIX: Final = "app_state_"
"""Of the collections, so that no search for Basic ever meets app state."""


class MongoAppStates:
    """`smart.ports.States`."""

    def __init__(self, database: Database) -> None:
        self._current = database[f"{PREFIX}{KIND}"]
        self._history = database[f"{PREFIX}{KIND}{HISTORY_SUFFIX}"]

    async def erase(self, codes: Sequence[str]) -> None:
        if not codes:
            return
        held = to_filter(of_codes(codes))
        with answered():
            for table in (self._current, self._history):
                await table.delete_many(held)

    async def sweep(self, before: int) -> None:
        """Remove what was replaced or deleted before then (milliseconds since 1970)."""
        gone = [{"until": {"$lt": before}}, {"m": "DELETE"}]
        with answered():
            await self._history.delete_many({"at": {"$lt": before}, "$or": gone})
