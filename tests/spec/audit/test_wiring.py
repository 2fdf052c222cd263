"""The audit of the whole server: its own tokens, its own pages, its registered apps.

https://www.rfc-editor.org/rfc/rfc6749#section-5.2
"""

import asyncio
from uuid import uuid4

import httpx
from pymongo import MongoClient

from fhir_server.settings import Settings
from fhir_server.smart.records import Client
from fhir_server.store.mongo.audit_log import LOG
from fhir_server.store.mongo.client import connect
from fhir_server.store.mongo.smart_clients import MongoClients
from tests.support.auditing import Caller, Clinic, agent
from tests.support.running import Running


def logged(settings: Settings) -> bytes:
    """Everything in the log."""
    assert settings.mongodb_uri is not None
    with MongoClient[dict[str, bytes]](settings.mongodb_uri.get_secret_value()) as client:
        rows = client[settings.database][LOG].find({}, {"body": 1, "_id": 0})
        return b"".join(bytes(each["body"]) for each in rows)


def test_apps_are_called_by_their_names(clinic: Clinic, patient: Caller) -> None:
    async def register() -> None:
        assert clinic.settings.mongodb_uri is not None
        client = await connect(clinic.settings.mongodb_uri.get_secret_value())
        clients = MongoClients(client[clinic.settings.database])
        await clients.put(Client("cabinet", "Diary of health", "none"))
        await client.close()

    asyncio.run(register())
    patient.get(f"/Observation/{patient.observation}")
    event = patient.events("action=R")[0]
    assert agent(event, "110152")["who"]["display"] == "Diary of health"


def test_refused_tokens_and_sign_ins_are_kept(clinic: Clinic) -> None:
    database = f"audit_{uuid4().hex[:12]}"
    settings = clinic.settings.model_copy(update={"database": database})
    with (
        Running(settings) as running,
        httpx.Client(base_url=running.base_url.removesuffix("/fhir"), timeout=60) as client,
    ):
        form = {"grant_type": "authorization_code", "code": "x", "client_id": "nobody"}
        assert client.post("/auth/token", data=form).is_client_error
        bearer = {"authorization": "Bearer stolen-token"}
        assert client.get("/fhir/Patient/p1", headers=bearer).status_code == 401
        assert client.get("/fhir/Patient/p1").status_code == 401
    kept = logged(settings)
    assert kept.count(b'["refused"') == 1
    assert kept.count(b'["read","Patient/p1","",[],401') == 1
    assert b"stolen" not in kept
