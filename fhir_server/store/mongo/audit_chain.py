"""The chain of the audit's log: held against its hashes, and shortened by retention.

A writer's batches are numbered without a gap, and each has the hash of the one before. What
retention has removed leaves a checkpoint: the number and hash of the last batch that went.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

import msgspec
from pymongo.errors import DuplicateKeyError

from fhir_server.access.audit_rows import read_batch
from fhir_server.store.mongo.audit_archive import KIND
from fhir_server.store.mongo.audit_log import CHECKPOINTS, LOG, ROW, chained
from fhir_server.store.mongo.client import answered
from fhir_server.store.mongo.documents import Document
from fhir_server.store.mongo.indexes import HISTORY_SUFFIX, Database

_UNSEALED_AFTER: Final = 60_000
"""Milliseconds for which the row of a unit may wait for the batch that seals it."""
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Chain:
    """One writer's chain, as far as it holds."""

    writer: str
    first: int
    """Number of its first batch."""
    last: int
    hash: str
    """Of the last batch that holds, in hex."""
    broken: str = ""
    """Id of the first batch that does not hold; empty: all do."""


@dataclass(frozen=True, slots=True)
class Unsealed:
    """A row that no batch has taken into a chain: its writer was killed before it could, or
    the row was put there by another hand."""

    id: str


async def verify(database: Database, now: int) -> AsyncIterator[Chain | Unsealed]:
    """Every chain; then every row outside of all chains. `now` in milliseconds since 1970."""
    log = database[LOG]
    with answered():
        sealed: dict[str, tuple[str, int]] = {}
        kept = {row["_id"]: row async for row in database[CHECKPOINTS].find()}
        found = {each for each in await log.distinct("w") if each is not None}
        for writer in sorted(found | kept.keys()):
            yield await _chain(database, writer, kept.get(writer), sealed)
        async for row in log.find({"_id": {"$gte": ROW, "$lt": ROW[:-1] + "0"}}, {"at": 1}):
            if row["_id"] not in sealed and row["at"] < now - _UNSEALED_AFTER:
                yield Unsealed(row["_id"])


async def _chain(
    database: Database,
    writer: str,
    checkpoint: Document | None,
    sealed: dict[str, tuple[str, int]],
) -> Chain:
    """Walk the batches of `writer`; what they seal goes into `sealed`."""
    begun = checkpoint or {"n": 0, "hash": b"", "until": 0}
    known, until = bytes(begun["hash"]), begun["until"]
    chain = Chain(writer, begun["n"] + 1, begun["n"], known.hex())
    async for row in database[LOG].find({"w": writer, "n": {"$gt": begun["n"]}}).sort("n", 1):
        mine = await _seals(database, row, until)
        if mine is None or not _follows(row, chain.last, known):
            return replace(chain, broken=row["_id"])
        sealed |= mine
        known = bytes(row["hash"])
        chain = replace(chain, last=row["n"], hash=known.hex())
    return chain


def _follows(row: Document, last: int, known: bytes) -> bool:
    body = bytes(row["body"])
    return bool(
        row["n"] == last + 1
        and row["_id"] == f"{row['w']}/{row['n']:010d}"
        and bytes(row["prev"]) == known
        and bytes(row["hash"]) == chained(known, row["_id"], body)
    )


async def _seals(
    database: Database, row: Document, until: int
) -> dict[str, tuple[str, int]] | None:
    """What the batch seals; None where a row is missing or is not what was sealed."""
    try:
        seals = read_batch(bytes(row["body"])).seals
    except msgspec.DecodeError:
        return None
    named = {ROW + id_: (digest, at) for id_, digest, at in seals}
    there: dict[str, str] = {}
    if named:
        async for each in database[LOG].find({"_id": {"$in": list(named)}}, {"body": 1}):
            there[each["_id"]] = sha256(bytes(each["body"])).hexdigest()
    for id_, (digest, at) in named.items():
        gone = id_ not in there and at < until
        if not gone and there.get(id_) != digest:
            return None
    return named


async def retain(database: Database, since: int) -> int:
    """Remove what was noted before `since` (milliseconds since 1970), batches only from the
    beginning of a chain and only when their events are made; how many documents went."""
    log = database[LOG]
    removed = 0
    with answered():
        for writer in [each for each in await log.distinct("w") if each is not None]:
            kept = {"w": writer, "$or": [{"at": {"$gte": since}}, {"open": True}]}
            stop = await log.find_one(kept, {"n": 1}, sort=[("n", 1)])
            below = {} if stop is None else {"n": {"$lt": stop["n"]}}
            last = await log.find_one({"w": writer, **below}, sort=[("n", -1)])
            if last is None:
                continue
            await _checkpoint(database, writer, last, since)
            gone = await log.delete_many({"w": writer, "n": {"$lte": last["n"]}})
            removed += gone.deleted_count
        rows = {"_id": {"$gte": ROW, "$lt": ROW[:-1] + "0"}, "at": {"$lt": since}}
        gone = await log.delete_many({**rows, "open": {"$exists": False}})
        removed += gone.deleted_count
        for name in (KIND, KIND + HISTORY_SUFFIX):
            gone = await database[name].delete_many({"at": {"$lt": since}})
            removed += gone.deleted_count
    return removed


async def _checkpoint(database: Database, writer: str, last: Document, since: int) -> None:
    """Before the batches go: verification begins behind it. It never moves back."""
    mark = {"n": last["n"], "hash": last["hash"], "until": since}
    older = {"_id": writer, "n": {"$lt": last["n"]}}
    try:
        await database[CHECKPOINTS].update_one(older, {"$set": mark}, upsert=True)
    except DuplicateKeyError:
        return  # another process was there first
