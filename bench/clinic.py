"""The server as patients' apps meet it, and what bare MongoDB makes of the same bookings.

`app` is the server with its own bearer gate, whose tokens are the ids of patients; `bare` is
an application that does for a booking one transaction of two documents: the Slot replaced
where it is free, the Appointment inserted.
"""

import os
from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import uuid4

import msgspec
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern
from starlette.types import Receive, Scope, Send

from bench import calendars
from bench.load import BASE_URL, DATABASE, Loader
from fhir_server.access.policy import AccessPolicy
from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.app import create
from fhir_server.interactions.context import Services
from fhir_server.interactions.live_rights import LiveRights
from fhir_server.rest.bearer import BearerGate
from fhir_server.rest.gate import Gate
from fhir_server.settings import Settings
from fhir_server.store.mongo.client import connect

_SCOPES: Final = parse_scopes("patient/Appointment.cruds patient/Slot.rs patient/Schedule.rs")
_SNAPSHOT: Final = ReadConcern("snapshot")
_DURABLE: Final = WriteConcern("majority", j=True)


def _gate(services: Services) -> Gate:
    async def verify(token: str) -> Principal | None:
        user = f"Patient/{token}"
        return Principal(
            "app", _SCOPES, patient=token, user=user, represented=(token,), level=3, token=token
        )

    async def stand(principal: Principal) -> Principal | None:
        return principal

    return BearerGate(verify, LiveRights(services, AccessPolicy()).of, stand)


def app() -> Any:
    """The server; its address of MongoDB is that of the environment."""
    settings = Settings(database=DATABASE, seed=False, base_url=BASE_URL, log_level="ERROR")
    return create(settings, _gate)


class _Bare:
    async def open(self) -> None:
        client = await connect(os.environ["FHIR_MONGODB_URI"])
        self._client, self._database = client, client[DATABASE]
        loader = Loader()
        slot = calendars.slot(0, 0) | {"status": "busy"}
        self._slot = loader.document(slot, 2)
        self._visit = loader.document({
            "resourceType": "Appointment",
            "id": "",
            "status": "booked",
            **{name: slot[name] for name in ("start", "end", "specialty")},
            "slot": [{"reference": "Slot/x"}],
            "participant": [
                {"actor": {"reference": "Patient/x"}, "status": "accepted"},
                {"actor": {"reference": "Practitioner/x"}, "status": "accepted"},
            ],
        })  # fmt: skip

    async def book(self, body: bytes) -> None:
        slot = msgspec.json.decode(body)["parameter"][0]["valueString"]

        async def work(session: AsyncClientSession) -> None:
            free = {"_id": slot, "v": 1}
            fresh = self._slot | {"_id": slot}
            await self._database["Slot"].find_one_and_replace(free, fresh, session=session)
            visit = self._visit | {"_id": str(uuid4())}
            await self._database["Appointment"].insert_one(visit, session=session)
            await session.commit_transaction()

        await self._within(work)

    async def _within(self, work: Callable[[AsyncClientSession], Awaitable[None]]) -> None:
        async with self._client.start_session() as session:
            await session.start_transaction(_SNAPSHOT, _DURABLE)
            await work(session)


_bare: Final = _Bare()


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    """ASGI."""
    if scope["type"] == "lifespan":
        await receive()
        await _bare.open()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    message = await receive()
    await _bare.book(message.get("body", b""))
    await send({"type": "http.response.start", "status": 201, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})
