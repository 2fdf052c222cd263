"""The ceiling: what this machine could do at most, with no FHIR in the way.

A bare ASGI application on the same uvicorn that does for each operation of the benchmark only
the same MongoDB operation: the same collections, indexes and stored bytes, the same driver
and durability. It parses what it is sent as JSON, checks nothing, and knows no search. The
documents it writes were indexed beforehand; only their ids are fresh.
"""

import asyncio
import gc
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

import msgspec
from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern
from starlette.types import Receive, Scope, Send

from bench import bodies
from bench.load import DATABASE, Loader
from fhir_server.assembly.machine import new_id
from fhir_server.core.datetimes import parse_interval
from fhir_server.search import keys
from fhir_server.store.mongo.client import connect
from fhir_server.store.mongo.documents import superseded

Document = dict[str, Any]
Asked = tuple[str, Mapping[str, str], bytes]
"""What stands behind the base, the query, the body."""
Answer = tuple[int, bytes, Sequence[tuple[bytes, bytes]]]

BASE: Final = "/fhir"

_TYPE: Final = (b"content-type", b"application/fhir+json; charset=utf-8")
_STORED: Final = {"json": 1, "v": 1, "at": 1}
_SNAPSHOT: Final = ReadConcern("snapshot")
_DURABLE: Final = WriteConcern("majority", j=True)
_NEWEST: Final = [("at", -1), ("_id", -1)]
_EVERYTHING: Final = 1_000
_SUBJECT: Final = "subject|Patient/"
_COMPARTMENT: Final = ("Patient", "Encounter", "Observation")


class Ceiling:
    """One connection to MongoDB, and the documents to be written."""

    async def open(self, uri: str) -> None:
        self._client = await connect(uri)
        self._database = self._client[DATABASE]
        loader = Loader()
        self._created = loader.document(bodies.created(0) | {"id": ""})
        self._updated = loader.document(bodies.updated(0), 2)
        self._entries = [
            (resource["resourceType"], loader.document(resource))
            for resource in bodies.linked(bodies.transaction(0))
        ]

    async def close(self) -> None:
        await self._client.close()

    async def read(self, asked: Asked) -> Answer:
        kind, _, id_ = asked[0].partition("/")
        row = await self._database[kind].find_one({"_id": id_}, _STORED)
        return (404, b"", ()) if row is None else (200, row["json"], _version(row))

    async def identifier(self, asked: Asked) -> Answer:
        system, _, value = asked[1]["identifier"].partition("|")
        where = {
            "tok": keys.token("identifier", None, value),
            "tokx": keys.token("identifier", system, value),
        }
        return _page(await self._find("Patient", where, [("_id", 1)]))

    async def name(self, asked: Asked) -> Answer:
        lo, hi = parse_interval(asked[1]["birthdate"])
        family = keys.folded("family", asked[1]["family"].casefold())
        within = {"$gte": lo, "$lt": hi}
        where = {
            "str": {"$gte": family, "$lt": family + keys.LAST},
            "date": {"$elemMatch": {"k": "birthdate", "lo": within}},
        }
        return _page(await self._find("Patient", where, [("_id", 1)]))

    async def page(self, asked: Asked) -> Answer:
        return _page(await self._chart(asked[1]))

    async def include(self, asked: Asked) -> Answer:
        rows = await self._chart(asked[1])
        subjects = {key for row in rows for key in row["ref"] if key.startswith(_SUBJECT)}
        where = {"_id": {"$in": [key.removeprefix(_SUBJECT) for key in subjects]}}
        return _page([*rows, *await self._find("Patient", where, [("_id", 1)])])

    async def _chart(self, query: Mapping[str, str]) -> list[Document]:
        system, _, code = query["code"].partition("|")
        where = {
            "pt": query["patient"],
            "tok": keys.token("code", None, code),
            "tokx": keys.token("code", system, code),
            "sd": {"$gte": parse_interval(query["date"].removeprefix("ge")).lo},
        }
        return await self._find("Observation", where, [("sd", -1), ("_id", -1)], {"ref": 1})

    async def everything(self, asked: Asked) -> Answer:
        where = {"in": asked[0].removesuffix("/$everything")}
        found = await asyncio.gather(
            *(self._find(kind, where, [("_id", 1)], None, _EVERYTHING) for kind in _COMPARTMENT)
        )
        others = await asyncio.gather(
            self._find("Practitioner", {"_id": {"$in": ["d1"]}}, [("_id", 1)]),
            self._find("Organization", {"_id": {"$in": ["o1"]}}, [("_id", 1)]),
        )
        return _page([row for rows in (*found, *others) for row in rows])

    async def history(self, asked: Asked) -> Answer:
        id_ = asked[0].split("/")[1]
        versions = {"$gt": {"id": id_}, "$lt": {"id": id_ + "\0"}}
        live, past = await asyncio.gather(
            self._find("Patient", {"_id": id_}, [("_id", 1)]),
            self._find("Patient_history", {"_id": versions}, [("_id", -1)]),
        )
        return _page([*live, *past])

    async def create(self, asked: Asked) -> Answer:
        msgspec.json.decode(asked[2])
        id_ = new_id()
        await self._database["Observation"].insert_one(self._created | {"_id": id_})
        place = f"{BASE}/Observation/{id_}/_history/1".encode()
        return 201, self._created["json"], [*_version(self._created), (b"location", place)]

    async def update(self, asked: Asked) -> Answer:
        number = msgspec.json.decode(asked[2])["multipleBirthInteger"]
        id_ = asked[0].partition("/")[2]
        current = self._updated | {"_id": id_, "v": number}

        async def work(session: AsyncClientSession) -> Answer:
            old = await self._database["Patient"].find_one_and_replace(
                {"_id": id_, "v": number - 1},
                current,
                session=session,
                return_document=ReturnDocument.BEFORE,
            )
            if old is None:
                await session.abort_transaction()
                return 412, b"", ()
            past = superseded(old, current["at"])
            await self._database["Patient_history"].insert_one(past, session=session)
            await session.commit_transaction()
            body = current["json"].replace(bodies.UPDATED_ID.encode(), id_.encode())
            return 200, body, _version(current)

        return await self._transaction(work)

    async def transaction(self, asked: Asked) -> Answer:
        msgspec.json.decode(asked[2])
        rows: dict[str, list[Document]] = {}
        for kind, row in self._entries:
            rows.setdefault(kind, []).append(row | {"_id": new_id()})

        async def work(session: AsyncClientSession) -> Answer:
            for kind, found in rows.items():
                await self._database[kind].insert_many(found, session=session)
            await session.commit_transaction()
            places = [f'"{kind}/{row["_id"]}"' for kind, found in rows.items() for row in found]
            return 200, b"[" + ",".join(places).encode() + b"]", ()

        return await self._transaction(work)

    async def _transaction(
        self, work: Callable[[AsyncClientSession], Awaitable[Answer]]
    ) -> Answer:
        async with self._client.start_session() as session:
            await session.start_transaction(_SNAPSHOT, _DURABLE)
            return await work(session)

    async def _find(
        self,
        kind: str,
        where: Document,
        order: Sequence[tuple[str, int]],
        also: Document | None = None,
        limit: int = 50,
    ) -> list[Document]:
        projection = _STORED | (also or {})
        # One row more says whether another page follows; the server must know it too.
        cursor = self._database[kind].find(
            where, projection, sort=order, limit=limit + 1, batch_size=limit + 2
        )
        return (await cursor.to_list())[:limit]


def _version(row: Document) -> list[tuple[bytes, bytes]]:
    return [(b"etag", b'W/"%d"' % row["v"])]


def _page(rows: Sequence[Document]) -> Answer:
    entries = b",".join(b'{"resource":%b}' % row["json"] for row in rows)
    return 200, b'{"resourceType":"Bundle","entry":[%b]}' % entries, ()


_ceiling: Final = Ceiling()
_SEARCHES: Final[Mapping[str, Callable[[Asked], Awaitable[Answer]]]] = {
    "identifier": _ceiling.identifier,
    "family": _ceiling.name,
}


def _operation(method: str, path: str, query: Mapping[str, str]) -> Any:
    if method == "PUT":
        return _ceiling.update
    if method == "POST":
        return _ceiling.create if path else _ceiling.transaction
    if path.endswith("/$everything"):
        return _ceiling.everything
    if path.endswith("/_history"):
        return _ceiling.history
    if not query:
        return _ceiling.read
    if "_include" in query:
        return _ceiling.include
    return _SEARCHES.get(next(iter(query)), _ceiling.page)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """ASGI."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    body = await _body(receive) if scope["method"] != "GET" else b""
    path = scope["path"][len(BASE) + 1 :]
    query = _query(scope["query_string"].decode())
    operation = _operation(scope["method"], path, query)
    await _send(send, await operation((path, query, body)))


def _query(text: str) -> Mapping[str, str]:
    if not text:
        return {}
    pairs = (pair.partition("=") for pair in text.split("&"))
    return {name: unquote(value) for name, _, value in pairs}


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _send(send: Send, answer: Answer) -> None:
    status, body, headers = answer
    length = (b"content-length", b"%d" % len(body))
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [_TYPE, length, *headers],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Receive, send: Send) -> None:
    await receive()
    await _ceiling.open(os.environ["FHIR_MONGODB_URI"])
    gc.freeze()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await _ceiling.close()
    await send({"type": "lifespan.shutdown.complete"})
