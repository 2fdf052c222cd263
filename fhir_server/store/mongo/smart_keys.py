"""`smart.ports.SigningKeys` on MongoDB: `{ _id: number, kid, private: <sealed>, … }`."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import msgspec
from bson.binary import Binary
from pymongo.errors import DuplicateKeyError

from fhir_server.smart.records import SigningKey
from fhir_server.store.mongo.client import answered
from fhir_server.store.mongo.documents import Document
from fhir_server.store.mongo.indexes import Database
from fhir_server.store.mongo.preparing import repeated
from fhir_server.store.mongo.sealing import Seal

_TABLE: Final = "smart_keys"


class MongoSigningKeys:
    """The keys of one database."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._table = database[_TABLE]
        self._seal = seal

    async def all(self) -> Sequence[SigningKey]:
        with answered():
            rows = await self._table.find().sort("_id", -1).to_list()
        return [self._key(each) for each in rows]

    async def add(self, key: SigningKey) -> bool:
        fields = asdict(key)
        number = fields.pop("number")
        private = self._seal.seal(msgspec.json.encode(fields["private"]), _place(number))
        row: Document = {**fields, "_id": number, "private": Binary(private)}
        with answered():
            try:
                await self._table.insert_one(row)
            except DuplicateKeyError:
                return False
            ended = {"expires": {"$lte": key.created}}
            await repeated(lambda: self._table.delete_many(ended))
        return True

    def _key(self, row: Document) -> SigningKey:
        number = row.pop("_id")
        private = self._seal.open(bytes(row.pop("private")), _place(number))
        return SigningKey(**row, number=number, private=msgspec.json.decode(private))


def _place(number: int) -> str:
    return f"{_TABLE}/{number}"
