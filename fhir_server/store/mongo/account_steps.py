"""`store.accounts` on MongoDB: invitations, sign-ins between their steps, attempts, known
browsers."""

from dataclasses import dataclass
from typing import Any, Final

from pymongo import ReturnDocument

from fhir_server.store.accounts import AccountState, Device, Invitation, PendingSignIn
from fhir_server.store.mongo.accounts import MongoAccounts, MongoCodes
from fhir_server.store.mongo.client import answered
from fhir_server.store.mongo.indexes import Database
from fhir_server.store.mongo.kept import UNTIL, Kept, moment
from fhir_server.store.mongo.sealing import Seal

_DAY: Final = 86_400_000


class MongoInvitations:
    """`accounts.Invitations`."""

    def __init__(self, database: Database) -> None:
        self._kept = Kept(database, "account_invitations", Invitation, "digest")

    async def prepare(self) -> None:
        """Make the indexes."""
        await self._kept.prepare({"patient": 1})

    async def put(self, invitation: Invitation) -> None:
        theirs = {"patient": invitation.patient}
        await self._kept.remove(theirs)
        await self._kept.put(invitation, invitation.expires + _DAY)
        # Of several that are made at the same time, the one that all agree on stays.
        ends, digest = invitation.expires, invitation.digest
        lesser = [{"expires": {"$lt": ends}}, {"expires": ends, "_id": {"$lt": digest}}]
        await self._kept.remove({**theirs, "$or": lesser})

    async def find(self, digest: str) -> Invitation | None:
        return await self._kept.find(digest)

    async def live(self, patient: str, email: str, now: int) -> Invitation | None:
        where = {"patient": patient, "email": email, "used": None, "expires": {"$gt": now}}
        return await self._kept.one(where)

    async def use(self, digest: str, now: int) -> bool:
        return await self._kept.use(digest, now) is not None


class MongoPendingSignIns:
    """`accounts.PendingSignIns`."""

    def __init__(self, database: Database) -> None:
        self._kept = Kept(database, "account_pending", PendingSignIn, "digest")

    async def prepare(self) -> None:
        """Make the indexes."""
        await self._kept.prepare()

    async def put(self, pending: PendingSignIn) -> None:
        await self._kept.put(pending, pending.expires)

    async def find(self, digest: str) -> PendingSignIn | None:
        return await self._kept.find(digest)

    async def use(self, digest: str, now: int) -> bool:
        return await self._kept.use(digest, now) is not None


class MongoDevices:
    """`accounts.Devices`."""

    def __init__(self, database: Database) -> None:
        self._kept = Kept(database, "account_devices", Device, "digest")

    async def prepare(self) -> None:
        """Make the indexes."""
        await self._kept.prepare()

    async def put(self, device: Device) -> None:
        await self._kept.put(device, device.expires)

    async def find(self, digest: str) -> Device | None:
        return await self._kept.find(digest)


@dataclass(frozen=True, slots=True)
class _Count:
    key: str
    tries: int
    ends: int


class MongoAttempts:
    """`accounts.Attempts`: one document a key, counted by one atomic update."""

    def __init__(self, database: Database) -> None:
        self._kept = Kept(database, "account_attempts", _Count, "key")

    async def prepare(self) -> None:
        """Make the indexes."""
        await self._kept.prepare()

    async def count(self, key: str, now: int, window: int) -> tuple[int, int]:
        begins: dict[str, Any] = {"$lte": [{"$ifNull": ["$ends", 0]}, now]}
        step = {
            "tries": {"$cond": [begins, 1, {"$add": ["$tries", 1]}]},
            "ends": {"$cond": [begins, now + window, "$ends"]},
            UNTIL: {"$cond": [begins, moment(now + window), f"${UNTIL}"]},
        }
        with answered():
            found = await self._kept.table.find_one_and_update(
                {"_id": key},
                [{"$set": step}],
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        if found is None:
            raise AssertionError(key)  # the upsert has just made it
        return int(found["tries"]), int(found["ends"])

    async def seen(self, key: str, now: int) -> tuple[int, int]:
        found = await self._kept.find(key)
        return (0, now) if found is None or found.ends <= now else (found.tries, found.ends)

    async def forget(self, key: str) -> None:
        await self._kept.remove({"_id": key})


async def prepared(database: Database, seal: Seal) -> AccountState:
    """Everything that accounts need, over one database, with its indexes."""
    accounts = MongoAccounts(database, seal)
    codes = MongoCodes(database, accounts)
    invitations = MongoInvitations(database)
    pending = MongoPendingSignIns(database)
    attempts = MongoAttempts(database)
    devices = MongoDevices(database)
    for each in (accounts, codes, invitations, pending, attempts, devices):
        await each.prepare()
    return AccountState(accounts, codes, invitations, pending, attempts, devices)
