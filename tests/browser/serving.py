"""The server with its pages, in a thread: what the browser talks to."""

import socket
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from fhir_server.access.policy import AccessPolicy
from fhir_server.access.principal import Principal
from fhir_server.access.required import Required
from fhir_server.access.rights import Rights
from fhir_server.app import Application, everybody
from fhir_server.assembly.authorization import Surroundings
from fhir_server.assembly.machine import new_id, now
from fhir_server.assembly.pages import cabinet
from fhir_server.assembly.records import StoredRecords
from fhir_server.cabinet.accounts.fhir_records import FhirRecords
from fhir_server.core.messages import Text
from fhir_server.interactions.live_rights import LiveRights
from fhir_server.settings import Settings
from fhir_server.smart.records import Client
from fhir_server.store.accounts import Account
from fhir_server.store.mongo.client import connect
from fhir_server.web.interaction import Asking

PASSWORD = "correct horse battery"
EMAIL = "anna@mail.example"
APP = "diary"
REDIRECT = "https://app.example/callback"


def patient(id_: str, family: str, given: str, born: str) -> dict[str, Any]:
    resource = {
        "resourceType": "Patient",
        "id": id_,
        "name": [{"text": f"{given} {family}", "family": family, "given": [given]}],
        "birthDate": born,
    }
    return {"resource": resource, "request": {"method": "PUT", "url": f"Patient/{id_}"}}


def visit(id_: str, start: str, code: str, **more: Any) -> dict[str, Any]:
    resource = {
        "resourceType": "Encounter",
        "id": id_,
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": code},
        "subject": {"reference": "Patient/anna"},
        "period": {"start": start},
        **more,
    }
    return {"resource": resource, "request": {"method": "PUT", "url": f"Encounter/{id_}"}}


async def represented(_: Account) -> Sequence[str]:
    """Anna is Ben's mother."""
    return ("ben",)


async def tmk(patient: str) -> Sequence[Required]:
    """Ben's record is closed."""
    title = Text("Telemedicine", "Телемедицинская помощь", "Телемедична допомога")
    where = Text("At the reception desk", "В регистратуре", "У реєстратурі")
    return (Required((), title, where),) if patient == "ben" else ()


class Served:
    """A context in which the pages answer at `base`."""

    def __init__(self, mongodb_uri: str, database: str, mails: Path) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        port = self._socket.getsockname()[1]
        self.base = f"http://localhost:{port}"
        self._settings = Settings(
            insecure_no_auth=True,
            mongodb_uri=mongodb_uri,
            database=database,
            seed=False,
            log_level="WARNING",
            base_url=f"{self.base}/fhir",
            mail_dir=mails,
            outbox_poll_seconds=0.1,
            lockout_network_tries=1000,
        )
        self._app: ASGIApp | None = None
        app = Starlette(routes=[Mount("/", self._answer)], lifespan=self._lifespan)
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="on")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._app is not None
        # What is mounted sees the whole path: Mount has taken nothing off it.
        await self._app({**scope, "root_path": ""}, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        settings = self._settings
        assert settings.mongodb_uri is not None
        application = Application(settings, everybody)
        async with application.running():
            assert application.surface is not None
            people = [
                patient("anna", "Иванова", "Анна", "1985-03-14"),
                patient("ben", "Иванов", "Бен", "2015-01-02"),
                visit("v1", "2019-05", "IMP"),
                visit("v2", "2026-03-12T10:30:00+03:00", "AMB",
                      type=[{"text": "Приём врача-кардиолога повторный"}],
                      serviceProvider={"display": "Городская поликлиника № 15, филиал 2"}),
                visit("v3", "2025-11-30", "VR"),
            ]  # fmt: skip
            await application.transaction(
                {"resourceType": "Bundle", "type": "transaction", "entry": people}
            )
            client = await connect(settings.mongodb_uri.get_secret_value())
            live = LiveRights(application.surface.services, AccessPolicy())

            async def rights(who: Principal) -> Rights:
                return (await live.of(who)).rights

            records = FhirRecords(application.surface.services, represented, tmk, rights=rights)
            given = Surroundings(
                Asking(), StoredRecords(application.surface.services.store), now, new_id
            )
            database = client[settings.database]
            async with cabinet(settings, database, given, records) as built:
                await self._people(built.site.accounts)
                self._app = built.before(application, "/fhir")
                yield
            await client.close()

    async def _people(self, ports: Any) -> None:
        hashed = await ports.hasher.hash(PASSWORD)
        await ports.state.accounts.add(
            Account("a1", EMAIL, "Анна Иванова", 3, now(), password_hash=hashed, patient="anna")
        )
        await ports.smart.clients.put(
            Client(
                APP,
                "Diary of health",
                "none",
                redirect_uris=(REDIRECT,),
                grant_types=frozenset({"authorization_code", "refresh_token"}),
                scopes="openid fhirUser launch/patient launch/encounter offline_access "
                "patient/*.cruds",
                publisher="Example Ltd",
                policy_uri="https://app.example/privacy",
            )
        )

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + 60
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError(self.base)
            time.sleep(0.05)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join(60)
        self._socket.close()
