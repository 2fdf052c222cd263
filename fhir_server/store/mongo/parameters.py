"""`port.ParameterStates` on MongoDB.

One row a parameter:

    { _id: "<canonical url>"
      at                       meta.lastUpdated of the SearchParameter that defined it so
      digest                   of all that decides about its index values
      kinds, covered: [...]    types it is defined on; those indexed for it
      state: "pending"|"active"   the same in a word, for operators }
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from fhir_server.store.definitions import ParameterState
from fhir_server.store.mongo.client import answered
from fhir_server.store.mongo.indexes import Database

PARAMETERS: Final = "search_parameters"

_STATE: Final = {"$cond": [{"$setIsSubset": ["$kinds", "$covered"]}, "active", "pending"]}


class MongoParameterStates:
    """The states in one database."""

    def __init__(self, database: Database) -> None:
        self._table = database[PARAMETERS]

    async def load(self) -> Mapping[str, ParameterState]:
        with answered():
            return {row["_id"]: _state(row) async for row in self._table.find()}

    async def note(self, url: str, state: ParameterState) -> None:
        row = {
            "at": state.at,
            "digest": state.digest,
            "kinds": sorted(state.kinds),
            "covered": sorted(state.covered),
            "state": "active" if state.active else "pending",
        }
        with answered():
            try:
                other = {"$ne": state.digest}
                older = {"_id": url, "at": {"$lte": state.at}, "digest": other}
                await self._table.update_one(older, {"$set": row}, upsert=True)
            except DuplicateKeyError:  # it is there, and as new: another worker noted it
                return

    async def cover(self, url: str, at: int, kinds: Sequence[str]) -> None:
        wider = {"$setUnion": ["$covered", list(kinds)]}
        with answered():
            await self._table.update_one(
                {"_id": url, "at": at},
                [{"$set": {"covered": wider}}, {"$set": {"state": _STATE}}],
            )

    async def forget(self, url: str) -> None:
        with answered():
            await self._table.delete_one({"_id": url})


def _state(row: Mapping[str, Any]) -> ParameterState:
    kinds, covered = frozenset(row["kinds"]), frozenset(row["covered"])
    return ParameterState(row["digest"], row["at"], kinds, covered)
