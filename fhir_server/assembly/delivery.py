"""The outbox at work, put together of settings and database."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import httpx

from fhir_server.assembly.database import seal
from fhir_server.assembly.recipients import endpoints, gateway
from fhir_server.delivery.answers import SECONDS
from fhir_server.delivery.carriers import Carrier
from fhir_server.delivery.composing import Compose
from fhir_server.delivery.fan_out import FanOut
from fhir_server.delivery.mailbox import ConsoleCarrier, FolderCarrier
from fhir_server.delivery.pace import Pace
from fhir_server.delivery.sms import SmsCarrier
from fhir_server.delivery.smtp import SmtpCarrier, SmtpServer
from fhir_server.delivery.tally import Tally
from fhir_server.delivery.webhooks import WebhookCarrier
from fhir_server.delivery.worker import Process, Worker
from fhir_server.interactions.context import Services
from fhir_server.jobs.endings import end
from fhir_server.outward import trust
from fhir_server.settings import Settings
from fhir_server.store.mongo.indexes import Database
from fhir_server.store.mongo.outbox import MongoOutbox
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.outgoing import Channel

_DAY: Final = 86_400


def outbox_of(settings: Settings, database: Database) -> MongoOutbox:
    """The outbox of a database that a store has prepared."""
    return MongoOutbox(database, seal(settings), settings.outbox_kept_days * _DAY)


def pace(settings: Settings) -> Pace:
    """How fast it is worked off."""
    return Pace(
        lease=settings.outbox_lease_seconds,
        poll=settings.outbox_poll_seconds,
        at_once=settings.outbox_slots,
        tries=settings.outbox_tries,
        pause=settings.outbox_pause_seconds,
    )


def email(settings: Settings) -> Carrier:
    """Who brings e-mail."""
    sender = settings.mail_from
    if settings.smtp_host is not None:
        password = settings.smtp_password
        server = SmtpServer(
            settings.smtp_host,
            settings.smtp_port,
            settings.smtp_user,
            "" if password is None else password.get_secret_value(),
            settings.smtp_encryption,
        )
        return SmtpCarrier(server, sender)
    if settings.mail_dir is not None:
        return FolderCarrier(settings.mail_dir, sender)
    return ConsoleCarrier(print)


def _carriers(
    settings: Settings, http: httpx.AsyncClient, services: Services
) -> Mapping[Channel, Carrier]:
    found: dict[Channel, Carrier] = {"email": email(settings)}
    if settings.webhooks is not None:
        known = endpoints(settings.webhooks)
        found["webhook"] = WebhookCarrier(http, known, services.now)
    gate = gateway(settings.sms_gateway)
    if gate is not None:
        found["sms"] = SmsCarrier(http, gate)
    return found


@asynccontextmanager
async def delivering(
    settings: Settings, store: MongoStore, services: Services, compose: Compose, tally: Tally
) -> AsyncIterator[None]:
    """Work the outbox off until the context ends; `compose` says what is made of occasions.

    Raises:
        RecipientsFileError: a file of the operator's cannot be followed.
    """
    async with httpx.AsyncClient(verify=trust(), timeout=SECONDS) as http:
        carriers = await asyncio.to_thread(_carriers, settings, http, services)
        process = Process(services.new_id(), services.now, random.random, tally)
        fan_out = FanOut(services.store, compose, services.now)
        outbox = outbox_of(settings, store.database)
        worker = Worker(outbox, fan_out, carriers, pace(settings), process)
        work = asyncio.create_task(worker.run())
        try:
            yield
        finally:
            await worker.stop()
            await end(work)
