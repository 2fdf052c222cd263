"""Secrets that all workers share, made once and kept in the database."""

import secrets

from bson.binary import Binary

from fhir_server.store.mongo.client import answered
from fhir_server.store.mongo.indexes import Database

_LENGTH = 32  # bytes


async def cursor_key(database: Database) -> bytes:
    """The key that page links are signed with: links outlive a restart and a worker."""
    fresh = Binary(secrets.token_bytes(_LENGTH))
    with answered():
        secret = database["secrets"]
        await secret.update_one(
            {"_id": "cursors"}, {"$setOnInsert": {"key": fresh}}, upsert=True
        )
        found = await secret.find_one({"_id": "cursors"})
    if found is None:
        raise AssertionError(secret.name)  # the upsert has just made it
    return bytes(found["key"])
