"""The whole server with its channels, put together of settings."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from fhir_server.app import Application, everybody
from fhir_server.assembly.delivery import outbox_of, pace
from fhir_server.assembly.recipients import RecipientsFileError
from fhir_server.delivery.carriers import reference
from fhir_server.settings import Settings
from fhir_server.store.mongo.client import Client
from fhir_server.store.mongo.outbox import MongoOutbox
from fhir_server.store.outgoing import Channel, Delivery, Entry
from tests.support.mailing import Mailbox, mail_server
from tests.support.receiving import Receiver

pytestmark = pytest.mark.anyio

CONTENT = {"subject": "s", "text": "t"}
SECRET = "whsec_" + "cw" * 16


def settings(uri: str, database: str, **more: Any) -> Settings:
    return Settings.model_validate(
        {
            "mongodb_uri": uri,
            "database": database,
            "seed": False,
            "insecure_no_auth": True,
            "secret_key": "of the test",
            "outbox_poll_seconds": 0.05,
            "outbox_pause_seconds": 0.1,
            **more,
        }
    )


@pytest.fixture
async def database(mongodb_client: Client) -> AsyncIterator[str]:
    name = f"delivering_{uuid4().hex[:12]}"
    yield name
    await mongodb_client.drop_database(name)


async def ended(outbox: MongoOutbox, key: str) -> Entry:
    return await seen(outbox, key, lambda found: found.outcome is not None)


async def seen(outbox: MongoOutbox, key: str, wanted: Callable[[Entry], bool]) -> Entry:
    for _ in range(1000):
        found = await outbox.find(key)
        if found is not None and wanted(found):
            return found
        await asyncio.sleep(0.02)
    raise TimeoutError(key)


def written(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value))
    return path


async def test_every_channel_that_is_set_up(
    mongodb_uri: str, mongodb_client: Client, database: str, tmp_path: Path
) -> None:
    box = Mailbox()
    with Receiver() as hook, Receiver() as gate:
        async with mail_server(box) as server:
            hooks = {"mis": {"url": hook.url, "secrets": [SECRET], "private": True}}
            gateway = {"url": gate.url, "body": {"id": "{reference}"}, "private": True}
            found = settings(
                mongodb_uri,
                database,
                smtp_host=server.host,
                smtp_port=server.port,
                smtp_encryption="none",
                webhooks=written(tmp_path / "hooks.json", hooks),
                sms_gateway=written(tmp_path / "gate.json", gateway),
            )
            application = Application(found, everybody)
            async with application.running():
                outbox = outbox_of(found, mongodb_client[database])
                told: dict[Channel, str] = {
                    "email": "a@b.cc",
                    "sms": "+380441234567",
                    "webhook": "mis",
                }
                for channel, to in told.items():
                    await outbox.put(Delivery(channel, channel, to, CONTENT), "test", None)
                outcomes = [(await ended(outbox, each)).outcome for each in told]
    assert outcomes == ["sent", "sent", "sent"]
    assert reference("email") in box.taken[0]["Message-ID"]
    assert [each.headers["webhook-id"] for each in hook.received] == [reference("webhook")]
    assert [json.loads(each.body) for each in gate.received] == [{"id": reference("sms")}]
    assert application.tally.tries == {(each, "sent"): 1 for each in told}


async def test_a_message_outlives_its_server_and_its_mail_servers_absence(
    mongodb_uri: str, mongodb_client: Client, database: str, tmp_path: Path
) -> None:
    away = settings(
        mongodb_uri, database, smtp_host="127.0.0.1", smtp_port=9, smtp_encryption="none"
    )
    outbox = outbox_of(away, mongodb_client[database])
    async with Application(away, everybody).running():
        await outbox.put(Delivery("a", "email", "a@b.cc", CONTENT), "test", None)
        found = await seen(outbox, "a", lambda found: found.reason == "unreachable")
        assert found.outcome is None
    back = settings(mongodb_uri, database, mail_dir=tmp_path / "mails")
    async with Application(back, everybody).running():
        assert (await ended(outbox, "a")).outcome == "sent"
    (file,) = (tmp_path / "mails").iterdir()
    assert re.search(rb"^To: a@b.cc", file.read_bytes(), re.MULTILINE)


async def test_a_server_with_a_file_that_cannot_be_followed_does_not_start(
    mongodb_uri: str, database: str, tmp_path: Path
) -> None:
    found = settings(mongodb_uri, database, webhooks=written(tmp_path / "hooks.json", []))
    with pytest.raises(RecipientsFileError, match=r"hooks\.json"):
        async with Application(found, everybody).running():
            pass


def test_settings_are_the_pace() -> None:
    found = Settings.model_validate(
        {"outbox_lease_seconds": 8, "outbox_slots": 2, "outbox_tries": 3}
    )
    assert (pace(found).attempt, pace(found).at_once, pace(found).tries) == (6, 2, 3)
