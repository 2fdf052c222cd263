"""Rows of the outbox, and how a unit of work writes them.

{ _id: the key
  lane: "occasion" or the channel of a delivery
  kind, about, until
  patient                    whom it is about
  facts                      an occasion's; of a delivery those of its occasion
  whose                      whom a delivery tells
  sealed: BinData            a delivery's address and content, encrypted
  due: 1764452700000         of one that waits: when it is taken up
  held: ISODate, worker      until when who works on it
  lease, tries, reason
  outcome, at }              of one that is over; due, facts and sealed are gone
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec
from pymongo import DeleteMany, UpdateMany, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from fhir_server.store.mongo.client import answered
from fhir_server.store.mongo.documents import Document
from fhir_server.store.mongo.resources import Tables
from fhir_server.store.mongo.sealing import Seal
from fhir_server.store.outgoing import (
    OCCASIONS,
    Delivery,
    Held,
    LostError,
    Occasion,
    Outcome,
)

OUTBOX: Final = "outbox"
WAITS: Final[Mapping[str, Any]] = {"due": {"$exists": True}}
"""In every filter for what waits: the indexes hold nothing else."""
DEAD: Final[Mapping[str, Any]] = {"outcome": "dead"}

_BEGINNING: Final[Mapping[str, Any]] = {"lease": 0, "tries": 0, "reason": ""}
_HOLDING: Final = ("due", "held", "worker")
_CONTENT: Final = ("facts", "sealed")
_DROPPED: Final[Mapping[str, Any]] = {
    "$set": {"outcome": "dropped"},
    "$unset": dict.fromkeys(_CONTENT, ""),
}
"""Of what is dead already: when and why it ended stays."""


Writing: TypeAlias = UpdateOne | UpdateMany | DeleteMany


class Posting:
    """What one unit posts and withdraws, sent together before it commits."""

    def __init__(self, tables: Tables, session: AsyncClientSession) -> None:
        self._tables = tables
        self._session = session
        self._writes: list[Writing] = []

    def post(self, occasions: Sequence[Occasion]) -> None:
        """`Posts.post`."""
        self._writes.extend(unless_known(_occasion(each)) for each in occasions)

    def withdraw(
        self, about: str, kinds: Sequence[str], patients: Sequence[str] | None
    ) -> None:
        """`Posts.withdraw`."""
        where: Document = {"about": about}
        if kinds:
            where["kind"] = {"$in": list(kinds)}
        if patients is not None:
            where["patient"] = {"$in": list(patients)}
        self._writes.append(DeleteMany({**where, **WAITS}))
        self._writes.append(UpdateMany({**where, **DEAD}, _DROPPED))

    async def told(self, held: Held, deliveries: Sequence[Delivery], now: int) -> None:
        """`Posts.told`."""
        occasion = held.of if isinstance(held.of, Occasion) else held.behind
        if occasion is None:
            raise TypeError(held)
        ended = ending("told" if deliveries else "silent", "", now)
        with answered():
            table = self._tables.named(OUTBOX)
            done = await table.update_one(mine(held), ended, session=self._session)
        if done.matched_count == 0:
            raise LostError
        seal = self._tables.seal
        self._writes.extend(
            unless_known(
                {
                    **of_delivery(seal, each, occasion.kind, occasion.about, occasion.until),
                    "patient": occasion.patient,
                    "facts": dict(occasion.facts),
                }
            )
            for each in deliveries
        )

    def given(self) -> Sequence[Writing]:
        """What waits; it is the caller's to send."""
        writes, self._writes = self._writes, []
        return writes

    def adopt(self, writes: Sequence[Writing]) -> None:
        """Let what waited in another unit wait here."""
        self._writes.extend(writes)

    async def send(self) -> None:
        """Carry out what waits, in its order."""
        writes = self.given()
        if writes:
            with answered():
                await self._tables.named(OUTBOX).bulk_write(writes, session=self._session)


def unless_known(row: Document) -> UpdateOne:
    """Insert `row`, if there is none of its key.

    An insert that meets one would end the transaction.
    """
    return UpdateOne({"_id": row["_id"]}, {"$setOnInsert": row}, upsert=True)


def of_delivery(
    seal: Seal, delivery: Delivery, kind: str, about: str, until: int | None
) -> Document:
    """The row of a delivery."""
    plain = msgspec.json.encode({"to": delivery.to, "content": delivery.content})
    return {
        "_id": delivery.key,
        "lane": delivery.channel,
        "kind": kind,
        "about": about,
        "until": until,
        "due": delivery.due,
        "whose": delivery.whose,
        "sealed": seal.seal(plain, place(delivery.key)),
        **_BEGINNING,
    }


def place(key: str) -> str:
    """Where a delivery is sealed for."""
    return f"{OUTBOX}/{key}"


def mine(held: Held) -> Document:
    """The row, as long as it is this worker's."""
    return {"_id": held.of.key, "lease": held.lease, **WAITS}


def ending(outcome: Outcome, reason: str, now: int) -> Document:
    """The update that ends a row; the dead keep what an operator sends again."""
    gone = _HOLDING if outcome == "dead" else (*_HOLDING, *_CONTENT)
    return {
        "$set": {"outcome": outcome, "reason": reason, "at": now},
        "$unset": dict.fromkeys(gone, ""),
    }


def _occasion(occasion: Occasion) -> Document:
    return {
        "_id": occasion.key,
        "lane": OCCASIONS,
        "kind": occasion.kind,
        "about": occasion.about,
        "patient": occasion.patient,
        "until": occasion.until,
        "due": occasion.due,
        "facts": dict(occasion.facts),
        **_BEGINNING,
    }
