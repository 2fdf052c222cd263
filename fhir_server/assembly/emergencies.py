"""Break-glass, put together of settings and database; and the mail that tells of it.

emergencies = await emergencies(settings, store, alarm)
alarm.site = built.site             when there are accounts
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from fhir_server.access.emergencies import Declaration, EmergencyRules
from fhir_server.cabinet.accounts import mail
from fhir_server.interactions.context import Guard
from fhir_server.interactions.emergencies import Emergencies
from fhir_server.interactions.notices import KIND, guard_notice
from fhir_server.jobs.audit import StoredNames
from fhir_server.settings import Settings
from fhir_server.store.mongo.emergencies import MongoEmergencies
from fhir_server.store.mongo.smart_clients import MongoClients
from fhir_server.store.mongo.store import MongoStore
from fhir_server.web.site import Site

GUARDS: Final[dict[str, Sequence[Guard]]] = {KIND: (guard_notice,)}


@dataclass
class Alarm:
    """Sends the message, once there are accounts to send it to."""

    site: Site | None = None

    async def tell(self, declaration: Declaration) -> None:
        """Begin to tell whoever has the account of the patient's own record. The record's
        notice is there already; a message that is lost takes nothing from it."""
        if self.site is not None:
            self.site.later.begin(self._send(self.site, declaration.patient))

    async def _send(self, site: Site, patient: str) -> None:
        link = f"{site.accounts.issuer}/auth/account"
        for each in await site.accounts.state.accounts.by_patient(patient):
            if each.email and each.standing == "active":
                letter = mail.BROKEN_GLASS.to(each.email, each.language, link=link)
                await site.accounts.mail.send(letter)


async def emergencies(
    settings: Settings, store: MongoStore, alarm: Alarm, depth: int
) -> Emergencies | None:
    """What break-glass is made of; None where nobody has to say who they are."""
    if settings.insecure_no_auth:
        return None
    register = MongoEmergencies(store.database)
    await register.prepare()
    clients = MongoClients(store.database)

    async def called(id_: str) -> str | None:
        client = await clients.find(id_)
        return None if client is None else client.name

    rules = EmergencyRules(
        settings.break_glass_minutes * 60,
        settings.break_glass_most,
        ZoneInfo(settings.time_zone),
    )
    return Emergencies(register, rules, StoredNames(store, depth, called), alarm.tell)
