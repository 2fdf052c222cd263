"""`store.accounts` on MongoDB: accounts, and the codes that make or change them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec
from pymongo import IndexModel
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from fhir_server.store.accounts import Account, SentCode
from fhir_server.store.mongo.client import answered
from fhir_server.store.mongo.documents import Document
from fhir_server.store.mongo.indexes import Database
from fhir_server.store.mongo.kept import Kept
from fhir_server.store.mongo.preparing import indexed
from fhir_server.store.mongo.sealing import Seal

_UNIQUE: Final = IndexModel(
    [("email", 1)],
    name="unique_email",
    unique=True,
    partialFilterExpression={"email": {"$gt": ""}},
)
"""Who signs in through an identity provider may have no address."""
_KNOWN: Final = IndexModel(
    [("upstream", 1)],
    name="unique_upstream",
    unique=True,
    partialFilterExpression={"upstream.0": {"$exists": True}},
)
_PLACE: Final = "authenticator of {}"


class MongoAccounts:
    """`accounts.Accounts`. Secrets of authenticators are sealed."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self.kept = Kept(database, "accounts", Account, "id")
        self._seal = seal

    async def prepare(self) -> None:
        """Make the indexes."""
        await self.kept.prepare({"patient": 1}, {"person": 1}, {"passkeys.id": 1})
        with answered():
            await indexed(self.kept.table, _UNIQUE, _KNOWN)

    async def find(self, id_: str) -> Account | None:
        return self._opened(await self.kept.find(id_))

    async def by_email(self, email: str) -> Account | None:
        return self._opened(await self.kept.one({"email": email})) if email else None

    async def by_patient(self, patient: str) -> Sequence[Account]:
        return await self.kept.many({"patient": patient}, {"created": 1})

    async def by_person(self, person: str) -> Sequence[Account]:
        return await self.kept.many({"person": person}, {"created": 1})

    async def by_upstream(self, identity: str) -> Account | None:
        return self._opened(await self.kept.one({"upstream": identity}))

    async def by_passkey(self, credential: str) -> Account | None:
        return self._opened(await self.kept.one({"passkeys.id": credential}))

    async def add(self, account: Account) -> bool:
        try:
            with answered():
                await self._insert(account, None)
        except EmailTakenError:
            return False
        return True

    async def _insert(self, account: Account, session: AsyncClientSession | None) -> None:
        """Insert within `session`; answered by the caller, who owns the transaction.

        Raises:
            EmailTakenError: the address belongs to another.
        """
        try:
            await self.kept.table.insert_one(self.document(account), session=session)
        except DuplicateKeyError as error:
            raise EmailTakenError from error

    async def insert_within(self, account: Account, session: AsyncClientSession) -> None:
        """As `add`, in a transaction of the caller's."""
        await self._insert(account, session)

    async def change(self, account: Account, **values: object) -> None:
        found: dict[str, Any] = {each: msgspec.to_builtins(values[each]) for each in values}
        if found.get("totp_secret"):
            found["totp_secret"] = self._sealed(account.id, str(found["totp_secret"]))
        await self.kept.change({"_id": account.id}, found)

    async def take_step(self, account: str, step: int) -> bool:
        where = {"_id": account, "totp_step": {"$lt": step}}
        return await self.kept.change(where, {"totp_step": step}) > 0

    def document(self, account: Account) -> Document:
        """As it is stored."""
        found = self.kept.document(account)
        if account.totp_secret:
            found["totp_secret"] = self._sealed(account.id, account.totp_secret)
        return found

    def _sealed(self, id_: str, secret: str) -> str:
        return self._seal.seal(secret.encode(), _PLACE.format(id_)).hex()

    def _opened(self, account: Account | None) -> Account | None:
        if account is None or not account.totp_secret:
            return account
        sealed = bytes.fromhex(account.totp_secret)
        plain = self._seal.open(sealed, _PLACE.format(account.id)).decode()
        return replace(account, totp_secret=plain)


class MongoCodes:
    """`accounts.Codes`."""

    def __init__(self, database: Database, accounts: MongoAccounts) -> None:
        self._kept = Kept(database, "account_codes", SentCode, "key")
        self._client = database.client
        self._accounts = accounts

    async def prepare(self) -> None:
        """Make the indexes."""
        await self._kept.prepare()

    async def put(self, code: SentCode) -> None:
        await self._kept.put(code, code.expires)

    async def find(self, key: str) -> SentCode | None:
        return await self._kept.find(key)

    async def take(self, key: str, digest: str, now: int, tries: int) -> SentCode | None:
        with answered():
            found = await self._kept.table.find_one_and_delete(_right(key, digest, now, tries))
        return None if found is None else self._kept.record(found)

    async def failed(self, key: str) -> None:
        with answered():
            await self._kept.table.update_one({"_id": key}, {"$inc": {"tries": 1}})

    async def register(
        self, key: str, digest: str, now: int, tries: int, account: Account
    ) -> bool:
        async def work(session: AsyncClientSession) -> bool:
            where = _right(key, digest, now, tries)
            found = await self._kept.table.delete_one(where, session=session)
            if found.deleted_count == 0:
                return False
            await self._accounts.insert_within(account, session)
            return True

        with answered():
            async with self._client.start_session() as session:
                try:
                    return await session.with_transaction(work)
                except EmailTakenError:
                    return False


def _right(key: str, digest: str, now: int, tries: int) -> Mapping[str, Any]:
    return {"_id": key, "digest": digest, "expires": {"$gt": now}, "tries": {"$lt": tries}}


class EmailTakenError(Exception):
    """Another account has this address."""
