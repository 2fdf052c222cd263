"""`smart.ports` on MongoDB: clients, launches, parked requests, sessions, assertions."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from fhir_server.smart import redirects
from fhir_server.smart.authorization import Parked
from fhir_server.smart.records import Client, Launch, Session
from fhir_server.store.mongo.indexes import Database
from fhir_server.store.mongo.kept import Kept

_DAY: Final = 86_400_000


class MongoClients:
    """`ports.Clients`."""

    def __init__(self, database: Database) -> None:
        self._kept = Kept(database, "smart_clients", Client, "id")

    async def prepare(self) -> None:
        """Make the indexes."""
        await self._kept.prepare({"origins": 1})

    async def find(self, id_: str) -> Client | None:
        return await self._kept.find(id_)

    async def put(self, client: Client) -> None:
        found = (redirects.origin(each) for each in client.redirect_uris)
        origins = sorted({each for each in found if each is not None})
        await self._kept.put(client, None, {"origins": origins})

    async def remove(self, id_: str) -> bool:
        return await self._kept.remove({"_id": id_}) > 0

    async def all(self) -> Sequence[Client]:
        return await self._kept.many({}, {"created": 1, "_id": 1})

    async def has_origin(self, origin: str) -> bool:
        where = {"origins": origin, "standing": "active"}
        return await self._kept.one(where) is not None


class MongoLaunches:
    """`ports.Launches`."""

    def __init__(self, database: Database) -> None:
        self._kept = Kept(database, "smart_launches", Launch, "digest")

    async def prepare(self) -> None:
        """Make the indexes."""
        await self._kept.prepare()

    async def put(self, launch: Launch) -> None:
        await self._kept.put(launch, launch.expires + _DAY)

    async def find(self, digest: str) -> Launch | None:
        return await self._kept.find(digest)

    async def use(self, digest: str, now: int) -> bool:
        return await self._kept.use(digest, now) is not None


class MongoParkedRequests:
    """`ports.ParkedRequests`."""

    def __init__(self, database: Database) -> None:
        self._kept = Kept(database, "smart_parked", Parked, "id")

    async def prepare(self) -> None:
        """Make the indexes."""
        await self._kept.prepare()

    async def put(self, parked: Parked) -> None:
        await self._kept.put(parked, parked.expires)

    async def find(self, id_: str) -> Parked | None:
        return await self._kept.find(id_)

    async def take(self, id_: str) -> bool:
        return await self._kept.remove({"_id": id_}) > 0


class MongoSessions:
    """`ports.Sessions`."""

    def __init__(self, database: Database) -> None:
        self._kept = Kept(database, "smart_sessions", Session, "id")

    async def prepare(self) -> None:
        """Make the indexes."""
        await self._kept.prepare({"digest": 1}, {"account": 1})

    async def put(self, session: Session) -> None:
        await self._kept.put(session, session.ends + _DAY)

    async def find(self, id_: str) -> Session | None:
        return await self._kept.find(id_)

    async def by_digest(self, digest: str) -> Session | None:
        return await self._kept.one({"digest": digest})

    async def seen(self, id_: str, now: int, idle_ends: int) -> bool:
        live = {"_id": id_, "ended": None, "idle_ends": {"$gt": now}}
        later = {"last_seen": now, "idle_ends": idle_ends}
        return await self._kept.change(live, later) > 0

    async def end(self, id_: str, now: int) -> None:
        await self._kept.change({"_id": id_, "ended": None}, {"ended": now})

    async def end_account(self, account: str, now: int) -> None:
        await self._kept.change({"account": account, "ended": None}, {"ended": now})


@dataclass(frozen=True, slots=True)
class _Assertion:
    digest: str
    expires: int


class MongoAssertions:
    """`ports.Assertions`."""

    def __init__(self, database: Database) -> None:
        self._kept = Kept(database, "smart_assertions", _Assertion, "digest")

    async def prepare(self) -> None:
        """Make the indexes."""
        await self._kept.prepare()

    async def first(self, client: str, jti: str, expires: int) -> bool:
        key = sha256(f"{len(client)}:{client}{jti}".encode()).hexdigest()
        return await self._kept.add(_Assertion(key, expires), expires)
