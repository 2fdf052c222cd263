"""What happens beside the requests for resources, from its telling to the AuditEvent.

https://profiles.ihe.net/ITI/BALP/content.html
"""

from collections.abc import AsyncIterator
from typing import get_args

import pytest

from fhir_server.access.audit_codes import EVENTS, INTERACTIONS
from fhir_server.access.audit_log import EventKind, Occurrence
from fhir_server.access.audit_rows import Who
from fhir_server.assembly.telling import Told, ToldOfAccounts
from fhir_server.cabinet.accounts import events as accounts
from fhir_server.core.wire import loads
from fhir_server.interactions.audit import Drain
from fhir_server.interactions.trail import Sink
from fhir_server.search.indexing import Indexer
from fhir_server.search.plan import UNRESTRICTED, Compartment, Everything, Search
from fhir_server.search.registry import Registry
from fhir_server.smart.events import Event, Kind
from fhir_server.store.mongo.audit_archive import MongoAuditArchive
from fhir_server.store.mongo.audit_log import MongoAuditLog, prepare
from fhir_server.store.mongo.client import Client
from fhir_server.store.mongo.store import MongoStore
from fhir_server.validation.own_definitions import known
from fhir_server.validation.validator import Validator
from tests.support.fhir import JsonObject, new_id

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000_000


class Audited:
    """A sink, and the events that come of it."""

    def __init__(self, store: MongoStore) -> None:
        self._store = store
        self._log = MongoAuditLog(store.database, new_id)
        self.sink = Sink(self._log, lambda: NOW, new_id)

    async def events(self, patient: str = "") -> list[JsonObject]:
        async def nobody(_: object) -> dict[str, str]:
            return {}

        indexer = Indexer(Registry(), "http://x/fhir")
        archive = MongoAuditArchive(self._store.database, indexer.values, self._store.prepare)
        await Drain(self._log, archive, "http://x/fhir", nobody).all(None)
        where = Compartment((f"Patient/{patient}",)) if patient else Everything()
        found = await self._store.search(Search("AuditEvent", where), within=UNRESTRICTED)
        return [loads(each.body, max_depth=20) for each in found.rows]


@pytest.fixture
async def audited(mongodb_client: Client) -> AsyncIterator[Audited]:
    name = f"test_{new_id()[:12]}"
    store = await MongoStore.open(mongodb_client, name)
    await prepare(store.database)
    yield Audited(store)
    await mongodb_client.drop_database(name)


def test_every_kind_has_a_row() -> None:
    assert set(get_args(EventKind)) == set(EVENTS)
    assert not set(EVENTS) & set(INTERACTIONS)


async def test_every_kind_is_valid_r4_and_in_the_patients_record(audited: Audited) -> None:
    who = Who(client="cabinet", account="a1", user="Patient/p1", represented=("p1",))
    for kind in get_args(EventKind):
        await audited.sink.note(Occurrence(kind, who, ("p1",), note="why", address="192.0.2.1"))
    events = await audited.events("p1")
    assert len(events) == len(EVENTS)
    own = known(())
    validator = Validator(own.terminology, own.profiles)
    for event in events:
        issues = validator.validate(event, "AuditEvent")
        assert [each for each in issues if each.severity == "error"] == []
        assert event["outcomeDesc"] == "why"


@pytest.mark.parametrize(
    ("kind", "subtype", "action", "outcome"),
    [
        ("granted", "AuthZ-Consent", "C", "0"),
        ("refused", "AuthZ-Consent", "C", "4"),
        ("issued", "ITI-71", "E", "0"),
        ("refreshed", "refresh", "E", "0"),
        ("ended", "revoke", "D", "0"),
        ("failed", "refused", "E", "4"),
        ("registered", "register", "U", "0"),
    ],
)
async def test_revo_09_what_the_authorization_server_tells(
    audited: Audited, kind: Kind, subtype: str, action: str, outcome: str
) -> None:
    event = Event(kind, "cabinet", "a1", "g1", "p1", "patient/*.rs", "by the person")
    await Told(audited.sink).tell(event)
    (found,) = await audited.events("p1")
    assert found["subtype"][0]["code"] == subtype
    assert (found["action"], found["outcome"]) == (action, outcome)
    assert found["outcomeDesc"] == "by the person"
    whos = [each["who"] for each in found["agent"]]
    assert {"identifier": {"value": "a1"}} in whos
    assert any(each.get("reference") == "Device/cabinet" for each in whos)


@pytest.mark.parametrize(
    ("kind", "subtype", "outcome"),
    [
        ("signed-in", "110122", "0"),
        ("refused", "110122", "4"),
        ("signed-out", "110123", "0"),
        ("invited", "110137", "0"),
        ("registered", "110137", "0"),
        ("password-changed", "110137", "0"),
        ("second-step", "110137", "0"),
    ],
)
async def test_what_the_accounts_tell(
    audited: Audited, kind: accounts.Kind, subtype: str, outcome: str
) -> None:
    event = accounts.AccountEvent(kind, "a1", "p1", network="192.0.2.1", reason="pwd")
    await ToldOfAccounts(audited.sink).tell(event)
    (found,) = await audited.events("p1")
    assert found["subtype"][0]["code"] == subtype
    assert found["outcome"] == outcome
    assert found["outcomeDesc"].endswith("pwd")
    shown = found["agent"][0]["network"].get("address")
    assert shown == (None if kind == "refused" else "192.0.2.1")


async def test_a_sign_in_that_failed_is_nobodys_record(audited: Audited) -> None:
    await audited.sink.note(Occurrence("sign-in", Who(account="a1"), status=401))
    (found,) = await audited.events()
    assert found["outcome"] == "4"
    assert "entity" not in found
