"""Declared emergencies, one document each.

Whatever changes one raises the epoch in the same transaction: from its commit on every process
judges anew who may see what.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession

from fhir_server.access.emergencies import Declaration
from fhir_server.store.mongo.client import answered
from fhir_server.store.mongo.epochs import Epochs
from fhir_server.store.mongo.indexes import Database
from fhir_server.store.mongo.kept import Kept

_PERMISSION: Final = "break-glass"
_REMEMBERED: Final = 30 * 86_400_000
"""Milliseconds for which one that is over is kept; the audit and the patient's notice stay."""


class MongoEmergencies:
    """`access.emergencies.EmergencyRegister`, and what units do."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept = Kept(database, "emergencies", Declaration, "id")
        self._epochs = Epochs(database)

    async def prepare(self) -> None:
        """Make the indexes, and the epoch: no transaction has to."""
        await self._kept.prepare({"account": 1, "client": 1}, {"at": -1})
        await self._epochs.prepare()

    async def may_declare(self, account: str, client: str) -> bool:
        allowed = {"standing": "active", "permissions": _PERMISSION}
        tables = (("accounts", account), ("smart_clients", client))
        with answered():
            for table, id_ in tables:
                if await self._database[table].find_one({"_id": id_, **allowed}) is None:
                    return False
        return True

    async def held(self, account: str, client: str, now: int) -> Sequence[Declaration]:
        where = {"account": account, "client": client, **_holding(now)}
        return await self._kept.many(where, {"at": -1})

    async def all_held(self, now: int) -> Sequence[Declaration]:
        return await self._kept.many(_holding(now), {"at": -1})

    async def end(self, id_: str, now: int) -> Declaration | None:
        with answered():
            found = await self._kept.table.find_one_and_update(
                {"_id": id_, **_holding(now)},
                {"$set": {"ended": now}},
                return_document=ReturnDocument.AFTER,
            )
        await self._epochs.raised()
        return None if found is None else self._kept.record(found)

    async def end_account(self, account: str, now: int) -> None:
        await self._kept.change({"account": account, **_holding(now)}, {"ended": now})
        await self._epochs.raised()

    async def declare(
        self, declaration: Declaration, most: int, session: AsyncClientSession | None
    ) -> bool:
        """`Declares.declare`, within a transaction."""
        table = self._kept.table
        where = {"account": declaration.account, **_holding(declaration.at)}
        if await table.count_documents(where, limit=most, session=session) >= most:
            return False
        row = self._kept.document(declaration, declaration.ends + _REMEMBERED)
        await table.insert_one(row, session=session)
        await self._epochs.raised(session)
        return True

    async def end_declared(
        self, account: str, patient: str, now: int, session: AsyncClientSession | None
    ) -> int:
        """`Declares.end_declared`, within a transaction."""
        where = {"account": account, "patient": patient, **_holding(now)}
        ended = {"$set": {"ended": now}}
        found = await self._kept.table.update_many(where, ended, session=session)
        if found.modified_count:
            await self._epochs.raised(session)
        return found.modified_count


def _holding(now: int) -> Mapping[str, Any]:
    return {"ended": None, "ends": {"$gt": now}}
