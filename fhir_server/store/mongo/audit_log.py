"""The audit's log in MongoDB: `access.audit_log.AuditLog` by group commit.

    { _id: "<writer>/0000000017"   or "row/<id>": written by a unit with its resources
      w, n: 17                     writer and place in its chain
      at: 1700000000000
      prev, hash: BinData          SHA-256 over prev, _id and body
      body: BinData                entries, and seals: ids and hashes of rows of units
      p: ["p1", …]                 patients whose events are still to be made
      open: true }                 absent when all are

While a batch is on its way to the journal the next one gathers: a request pays its share of
one insert. A batch whose fate is unknown ends its chain; the writer begins another.

https://www.mongodb.com/docs/manual/reference/write-concern/
"""

import asyncio
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from bson.binary import Binary
from bson.errors import BSONError
from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError, PyMongoError

from fhir_server.access.audit_log import AuditRow
from fhir_server.access.audit_rows import batch_bytes
from fhir_server.core.errors import Unavailable
from fhir_server.core.messages import Text
from fhir_server.store.mongo.client import answered
from fhir_server.store.mongo.documents import Document
from fhir_server.store.mongo.indexes import Database
from fhir_server.store.mongo.preparing import indexed

LOG: Final = "audit_log"
CHECKPOINTS: Final = "audit_checkpoints"
ROW: Final = "row/"

NOT_KEPT: Final = Text(
    "The audit cannot be written at the moment, so nothing is shown. Try again shortly.",
    "Журнал доступа сейчас недоступен, поэтому данные не показаны. Повторите чуть позже.",
    "Журнал доступу зараз недоступний, тому дані не показано. Повторіть трохи згодом.",
)

_AT_ONCE: Final = 1000  # rows of a batch
_BYTES: Final = 8 * 1024 * 1024  # of a batch; a document holds 16 MB
_WAITING: Final = 20_000  # rows that a relaxed log may owe; then it waits as a durable one
_RELAXED: Final = 0.5  # seconds between two batches of a relaxed log, and before a late seal
_TRIES: Final = 2
_CROWD: Final = 4
_GATHERING: Final = 0.003
"""Seconds before the next batch where the last one had a crowd: half as many batches cost half
as much, and a lone caller does not wait."""

Waiting = tuple[AuditRow | None, asyncio.Future[None] | None]
"""A row, and who waits for it; without a row: who waits for those before."""


async def prepare(database: Database) -> None:
    """Make the collection and its indexes."""
    log = database[LOG]
    open_only = {"open": {"$exists": True}}
    with answered():
        await indexed(
            log,
            IndexModel({"open": 1, "at": 1}, partialFilterExpression=open_only),
            IndexModel({"p": 1, "at": 1}, partialFilterExpression=open_only),
            IndexModel({"w": 1, "n": 1}),
            IndexModel({"at": 1}),
        )


def chained(prev: bytes, id_: str, body: bytes) -> bytes:
    """The hash of a batch."""
    return sha256(prev + id_.encode() + body).digest()


def row_document(row: AuditRow) -> Document:
    """A row as a unit writes it."""
    return {
        "_id": ROW + row.id,
        "at": row.at,
        "body": Binary(row.body),
        "p": list(row.patients),
        "open": True,
    }


class MongoAuditLog:
    """The writer of one process."""

    def __init__(
        self, database: Database, new_id: Callable[[], str], *, relaxed: bool = False
    ) -> None:
        self._table = database[LOG]
        self._new_id = new_id
        self._relaxed = relaxed
        self._rows: list[Waiting] = []
        self._seals: list[tuple[str, str, int]] = []
        self._task: asyncio.Task[None] | None = None
        self._failing = False
        self._hurry = asyncio.Event()
        self._given = 0
        self._begin()

    @property
    def kept(self) -> int:
        """`AuditLog.kept`."""
        return self._given

    async def keep(self, row: AuditRow) -> None:
        """`AuditLog.keep`."""
        self._given += 1
        if self._relaxed and not self._failing and len(self._rows) < _WAITING:
            self._rows.append((row, None))
            self._wake(_RELAXED)
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._rows.append((row, done))
        self._wake(0)
        await done

    def seal(self, row: AuditRow) -> None:
        """`AuditLog.seal`."""
        self._seals.append((row.id, sha256(row.body).hexdigest(), row.at))
        self._wake(_RELAXED)

    async def flush(self) -> None:
        """`AuditLog.flush`."""
        if not (self._rows or self._seals or self._task):
            return
        # Behind what waits now, and not behind what comes meanwhile.
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._rows.append((None, done))
        self._wake(0)
        await done

    def _begin(self) -> None:
        self._writer = self._new_id()
        self._number = 0
        self._hash = b""

    def _wake(self, pause: float) -> None:
        if self._task is None:
            self._hurry.clear()
            self._task = asyncio.create_task(self._run(pause))
        if not pause:
            self._hurry.set()

    async def _run(self, pause: float) -> None:
        try:
            if pause:
                await self._rest(pause)
            while self._rows or self._seals:
                count = await self._write_next()
                if self._failing:
                    break
                if count >= _CROWD:
                    await asyncio.sleep(_GATHERING)
        finally:
            self._task = None

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._hurry.wait()
        except TimeoutError:
            return

    async def _write_next(self) -> int:
        """Write what has gathered; whoever waits for it hears. How many waited."""
        rows = self._taken()
        seals, self._seals = self._seals[:_AT_ONCE], self._seals[_AT_ONCE:]
        try:
            await self._written([row for row, _ in rows if row is not None], seals)
        except (PyMongoError, BSONError):
            self._failing = True
            self._begin()
            self._seals = seals + self._seals
            owed = [(row, None) for row, done in rows if done is None]
            self._rows = [*owed, *self._rows]
            for _, done in rows:
                if done is not None and not done.done():
                    done.set_exception(Unavailable(NOT_KEPT))
            self._fail_waiting()
        else:
            self._failing = False
            for _, done in rows:
                if done is not None and not done.done():
                    done.set_result(None)
        return len(rows)

    def _fail_waiting(self) -> None:
        """Nobody waits for a database that is away longer than it takes to know."""
        for _, done in self._rows:
            if done is not None and not done.done():
                done.set_exception(Unavailable(NOT_KEPT))
        self._rows = [(row, None) for row, done in self._rows if done is None]

    def _taken(self) -> list[Waiting]:
        size, count = 0, 0
        for row, _ in self._rows[:_AT_ONCE]:
            size += 0 if row is None else len(row.body)
            if count and size > _BYTES:
                break
            count += 1
        taken, self._rows = self._rows[:count], self._rows[count:]
        return taken

    async def _written(self, rows: list[AuditRow], seals: list[tuple[str, str, int]]) -> None:
        if not rows and not seals:
            return
        number = self._number + 1
        id_ = f"{self._writer}/{number:010d}"
        body = batch_bytes([row.body for row in rows], seals)
        document: Document = {
            "_id": id_,
            "w": self._writer,
            "n": number,
            "at": max(row.at for row in rows) if rows else max(seal[2] for seal in seals),
            "prev": Binary(self._hash),
            "hash": Binary(chained(self._hash, id_, body)),
            "body": Binary(body),
        }
        if rows:
            patients = dict.fromkeys(p for row in rows for p in row.patients)
            document |= {"p": list(patients), "open": True}
        await self._insert(document)
        self._number, self._hash = number, bytes(document["hash"])

    async def _insert(self, document: Document) -> None:
        """Insert once; a repetition that finds the document there has succeeded."""
        for left in reversed(range(_TRIES)):
            try:
                await self._table.insert_one(document)
            except DuplicateKeyError:
                return
            except PyMongoError:
                if not left:
                    raise
            else:
                return
