"""`outgoing.Outbox` on MongoDB, one collection; its rows: `store.mongo.outbox_rows`."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from pymongo import ReturnDocument

from fhir_server.store.mongo.client import answered
from fhir_server.store.mongo.documents import Document
from fhir_server.store.mongo.indexes import Database
from fhir_server.store.mongo.outbox_rows import (
    DEAD,
    OUTBOX,
    WAITS,
    ending,
    mine,
    of_delivery,
    place,
    unless_known,
)
from fhir_server.store.mongo.sealing import Seal, SealedError
from fhir_server.store.outgoing import (
    CHANNELS,
    OCCASIONS,
    WHOSE,
    Delivery,
    Entry,
    Held,
    Lane,
    Occasion,
    Outcome,
)

_FREE: Final[Mapping[str, Any]] = {"$expr": {"$lte": ["$held", "$$NOW"]}}
"""A missing field is less than any date."""
_UNHELD: Final[Mapping[str, str]] = {"held": "", "worker": ""}
_MS: Final = 1000


class MongoOutbox:
    """The outbox of one database."""

    def __init__(self, database: Database, seal: Seal, kept_seconds: float) -> None:
        """`kept_seconds`: how long a row that is over is remembered."""
        self._table = database[OUTBOX]
        self._seal = seal
        self._kept = round(kept_seconds * _MS)

    async def lease(
        self, worker: str, lanes: Sequence[Lane], now: int, seconds: float
    ) -> Held | None:
        taken = {
            "worker": worker,
            "held": {"$add": ["$$NOW", round(seconds * _MS)]},
            "lease": {"$add": ["$lease", 1]},
            "tries": {"$add": ["$tries", 1]},
        }
        with answered():
            row = await self._table.find_one_and_update(
                {"lane": {"$in": list(lanes)}, "due": {"$lte": now}, **_FREE},
                [{"$set": taken}],
                sort={"due": 1},
                return_document=ReturnDocument.AFTER,
            )
            if row is None:
                return None
            try:
                of = self._of(row)
            except SealedError:
                ended = ending("dead", "sealed", now)
                await self._table.update_one({"_id": row["_id"], **WAITS}, ended)
                raise
        behind = _behind(row) if row.get("whose") else None
        return Held(of, row["kind"], row["until"], row["lease"], row["tries"], behind)

    def _of(self, row: Mapping[str, Any]) -> Occasion | Delivery:
        key, lane = row["_id"], row["lane"]
        if lane == OCCASIONS:
            return Occasion(
                key, row["kind"], row["about"], row["patient"], row["due"], row["until"],
                row["facts"],
            )  # fmt: skip
        opened = msgspec.json.decode(self._seal.open(row["sealed"], place(key)))
        whose = row.get("whose", "")
        return Delivery(key, lane, opened["to"], opened["content"], row["due"], whose)

    async def settle(self, held: Held, outcome: Outcome, reason: str, now: int) -> bool:
        return await self._changed(held, ending(outcome, reason, now))

    async def postpone(self, held: Held, due: int, reason: str) -> bool:
        change = {"$set": {"due": due, "reason": reason}, "$unset": _UNHELD}
        return await self._changed(held, change)

    async def release(self, held: Held) -> bool:
        return await self._changed(held, {"$inc": {"tries": -1}, "$unset": _UNHELD})

    async def _changed(self, held: Held, change: Mapping[str, Any]) -> bool:
        with answered():
            done = await self._table.update_one(mine(held), change)
        return done.matched_count == 1

    async def put(self, delivery: Delivery, kind: str, until: int | None) -> None:
        row = of_delivery(self._seal, delivery, kind, "", until)
        with answered():
            await self._table.bulk_write([unless_known(row)])

    async def expire(self, now: int) -> int:
        with answered():
            late = {"until": {"$lte": now}, **WAITS}
            ended = await self._table.update_many(late, ending("expired", "", now))
            old = {"outcome": {"$exists": True}, "at": {"$lte": now - self._kept}}
            await self._table.delete_many(old)
        return ended.modified_count

    async def entries(self, outcome: Outcome | None, *, limit: int) -> Sequence[Entry]:
        where, order = (WAITS, "due") if outcome is None else ({"outcome": outcome}, "at")
        with answered():
            rows = await self._table.find(where, {"sealed": 0}).sort(order).to_list(limit)
        return [_entry(row) for row in rows]

    async def find(self, key: str) -> Entry | None:
        with answered():
            row = await self._table.find_one({"_id": key}, {"sealed": 0})
        return None if row is None else _entry(row)

    async def resend(self, key: str, now: int) -> bool:
        again = {"$set": {"due": now, "tries": 0}, "$unset": {"outcome": "", "at": ""}}
        return await self._waits_or_is_dead(key, again)

    async def drop(self, key: str, now: int) -> bool:
        return await self._waits_or_is_dead(key, ending("dropped", "", now))

    async def _waits_or_is_dead(self, key: str, change: Mapping[str, Any]) -> bool:
        with answered():
            done = await self._table.update_one({"_id": key, "$or": [WAITS, DEAD]}, change)
        return done.matched_count == 1

    async def backlog(self, now: int) -> Mapping[tuple[Lane, str], int]:
        found: dict[tuple[Lane, str], int] = {}
        with answered():
            # Of what is due the index alone is read: there may be many reminders of later.
            due = {"lane": {"$in": [OCCASIONS, *CHANNELS]}, "due": {"$lte": now}}
            for state, where in (("due", due), ("dead", DEAD)):
                counted = await self._table.aggregate(
                    [{"$match": where}, {"$group": {"_id": "$lane", "n": {"$sum": 1}}}]
                )
                async for row in counted:
                    found[row["_id"], state] = row["n"]
        return found


def _behind(row: Mapping[str, Any]) -> Occasion:
    facts = {**row["facts"], WHOSE: row["whose"]}
    return Occasion(
        row["_id"], row["kind"], row["about"], row["patient"], row["due"], row["until"], facts
    )


def _entry(row: Document) -> Entry:
    return Entry(
        row["_id"],
        row["lane"],
        row["kind"],
        row["about"],
        row.get("due"),
        row["until"],
        row["tries"],
        row.get("outcome"),
        row["reason"],
        row.get("at"),
    )
