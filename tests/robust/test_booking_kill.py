"""kill -9 of a server between any two of its commands to MongoDB leaves a whole booking with
what is to be told of it, or none, and who asks again with the same Idempotency-Key has one.

https://hl7.org/fhir/R4/http.html#transaction-integrity
"""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from typing import IO, Final
from uuid import uuid4

import httpx
import pytest
from pymongo import MongoClient

from fhir_server.access.principal import Principal
from fhir_server.cabinet.notices.kinds import REMINDER
from fhir_server.store.mongo import embedded
from tests.spec.booking.conftest import Clinic, Clock
from tests.spec.booking.test_book import booked, parameters
from tests.spec.booking.waiting import Line
from tests.support import killed_server
from tests.support.fhir import JsonObject
from tests.support.running import Running
from tests.support.worlds import ROOT

pytestmark = pytest.mark.slow

_NUMBERS: Final = count()
LEAST: Final = 5
"""Commands of a booking: reads, the transaction's writes, its commit."""
ABREAST: Final = 4
"""Who books at once."""


class Victims:
    """Servers that can be killed, one after the other."""

    def __init__(self, uri: str, database: str) -> None:
        command = [sys.executable, "-m", "tests.support.killed_server", uri, database]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self._next = self._begin()

    @property
    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout

    def _begin(self) -> int:
        to, by = self._pipes
        to.write("\n")
        return int(by.readline())

    def one(self) -> httpx.Client:
        """The next one; meanwhile one more begins."""
        port, self._next = self._next, self._begin()
        return httpx.Client(base_url=f"http://127.0.0.1:{port}/fhir", timeout=60)

    def ready(self) -> None:
        """Return when the one that begins has begun."""
        httpx.get(f"http://127.0.0.1:{self._next}/fhir/metadata", timeout=60)

    def end(self) -> None:
        for each in self._pipes:
            each.close()
        self._process.wait(60)


@dataclass(frozen=True)
class House:
    """A database, a server on it that lives, and others that do not."""

    clinic: Clinic
    victims: Victims
    mongodb: "MongoClient[dict[str, object]]"
    database: str


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    started = embedded.start(tmp_path_factory.mktemp("killed"), cache_gb=0.25)
    database = f"killed_{uuid4().hex[:12]}"
    tokens, clock = killed_server.tokens(), Clock()
    victims = Victims(started.uri, database)
    try:
        with (
            Running(
                killed_server.settings(started.uri, database), tokens.gate, clock
            ) as running,
            httpx.Client(base_url=running.base_url, timeout=60) as http,
            MongoClient[dict[str, object]](started.uri) as client,
        ):
            yield House(Clinic(http, tokens, clock), victims, client, database)
    finally:
        victims.end()
        started.stop()


@dataclass(frozen=True)
class Case:
    """A request, and everything that it is about."""

    who: Principal
    path: str
    body: JsonObject
    slots: Mapping[str, str]
    """Ids by what they are called here."""
    patients: Mapping[str, str]
    headers: dict[str, str] = field(default_factory=dict)


def someone(clinic: Clinic) -> Principal:
    """A new patient."""
    id_ = killed_server.PEOPLE[next(_NUMBERS)]
    clinic.put({"resourceType": "Patient", "id": id_})
    return killed_server.person(id_)


def book(clinic: Clinic) -> Case:
    """$book with an Idempotency-Key."""
    slot, who = clinic.slot(clinic.schedule()), someone(clinic)
    key = {"Idempotency-Key": str(uuid4())}
    given = parameters(slot=slot)
    return Case(who, "/Appointment/$book", given, {"slot": slot}, {"patient": who.token}, key)


def reschedule(clinic: Clinic) -> Case:
    schedule, who = clinic.schedule(), someone(clinic)
    old, new = clinic.slot(schedule), clinic.slot(schedule, days=9)
    path = f"/Appointment/{booked(clinic, who, old)['id']}/$reschedule"
    slots = {"old": old, "new": new}
    return Case(who, path, parameters(slot=new), slots, {"patient": who.token})


def cancel(clinic: Clinic) -> Case:
    """$cancel of a visit whose place somebody waits for."""
    line, who, waits = Line(clinic), someone(clinic), someone(clinic)
    slot = clinic.slot(line.schedule)
    visit = booked(clinic, who, slot)
    line.join(waits)
    path = f"/Appointment/{visit['id']}/$cancel"
    patients = {"patient": who.token, "waits": waits.token}
    return Case(who, path, parameters(reason="pat"), {"slot": slot}, patients)


def picture(house: House, case: Case) -> list[str]:
    """All that is stored of a case, ids apart: visits and places with their versions, what
    was written down of them, what the audit says of that, and what is to be told of it."""
    clinic = house.clinic
    slots = _read(clinic, *(f"Slot/{id_}/_history?_count=1" for id_ in case.slots.values()))
    found = [
        f"{name}: {history['entry'][0]['resource']['status']}, {history['total']} versions"
        for name, history in zip(case.slots, slots, strict=True)
    ]
    names = {f"Slot/{id_}": name for name, id_ in case.slots.items()}
    pages = _read(clinic, *(f"Appointment?patient={id_}" for id_ in case.patients.values()))
    for name, page in zip(case.patients, pages, strict=True):
        visits = [each["resource"] for each in page.get("entry", ())]
        found += sorted(f"{name}: {_told(house, each, names)}" for each in visits)
    return found


def _told(house: House, visit: JsonObject, names: Mapping[str, str]) -> str:
    """One visit, and what is said of it elsewhere."""
    clinic = house.clinic
    reference = f"Appointment/{visit['id']}"
    events = f"AuditEvent?subtype=create,update&entity={reference}"
    totals = [
        each["total"]
        for each in _read(
            clinic,
            f"{reference}/_history?_count=1",
            f"Provenance?target={reference}&_total=accurate&_count=0",
            f"{events}&_total=accurate&_count=0",
        )
    ]
    assert str(totals[0]) == visit["meta"]["versionId"]
    on = [names[each["reference"]] for each in visit.get("slot", ())]
    counted = f"versions, Provenances, AuditEvents: {totals}"
    return f"{visit['status']} on {on}; {counted}; {_outbox(house, visit)}"


def _outbox(house: House, visit: JsonObject) -> str:
    """Of which kinds there are occasions of this version, told already or not, and how many
    of former ones would still be told."""
    about = f"Appointment/{visit['id']}"
    rows = list(house.mongodb[house.database]["outbox"].find({"about": about}))
    now = f"{about}/{visit['meta']['versionId']}/"
    own = sorted(str(e["kind"]) for e in rows if str(e["_id"]).startswith(now))
    stale = [each for each in rows if not str(each["_id"]).startswith(now) and "due" in each]
    return f"to tell: {[each for each in own if each != REMINDER]}, stale: {len(stale)}"


def _read(clinic: Clinic, *urls: str) -> list[JsonObject]:
    """What `urls` show to one who may do everything."""
    rows = [{"request": {"method": "GET", "url": each}} for each in urls]
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": rows}
    answer = clinic.ask(ROOT, "POST", "/", bundle)
    assert answer.status_code == 200, answer.text
    return [each["resource"] for each in answer.json()["entry"]]


def killed(house: House, case: Case, point: str) -> bool:
    """Whether the server was killed at `point` of the request, or has answered before."""
    headers = {"Authorization": f"Bearer {case.who.token}", "x-kill": point, **case.headers}
    try:
        with house.victims.one() as client:
            answer = client.post(case.path, json=case.body, headers=headers)
    except httpx.TransportError:
        # What a dead process has begun MongoDB keeps for a minute; who begins is not to lose
        # what it asks.
        house.victims.ready()
        house.mongodb.admin.command("killAllSessions", [])
        return True
    assert answer.is_success, answer.text
    return False


@pytest.mark.parametrize(
    ("make", "told"),
    [(book, "visit-booked"), (reschedule, "visit-moved"), (cancel, "waitlist-offered")],
)
def test_all_or_nothing_wherever_it_is_killed(
    house: House, make: Callable[[Clinic], Case], told: str
) -> None:
    clinic = house.clinic
    case = make(clinic)
    nothing = picture(house, case)
    assert killed(house, case, "answer")
    whole = picture(house, case)
    assert whole != nothing
    assert told in str(whole)
    seen: list[bool] = []
    for point in count(1):
        case = make(clinic)
        if not killed(house, case, str(point)):
            break
        found = picture(house, case)
        assert found in (nothing, whole), f"killed before command {point}"
        seen.append(found == whole)
        again = clinic.ask(case.who, "POST", case.path, case.body, case.headers)
        assert again.is_success or (make is reschedule and seen[-1]), again.text
        assert picture(house, case) == whole, f"killed before command {point}, asked again"
    assert seen == sorted(seen)
    assert len(seen) > LEAST


def together(house: House, cases: Sequence[Case], point: str) -> bool:
    """Whether the server was killed at `point` of the transactions for `cases`, which come at
    once, or has answered all of them before."""
    with house.victims.one() as client, ThreadPoolExecutor(len(cases)) as pool:

        def ask(case: Case) -> bool:
            headers = {"Authorization": f"Bearer {case.who.token}", "x-kill": point}
            try:
                answer = client.post(case.path, json=case.body, headers=headers)
            except httpx.TransportError:
                return True
            assert answer.is_success, answer.text
            return False

        found = list(pool.map(ask, cases))
    if any(found):
        house.victims.ready()
        house.mongodb.admin.command("killAllSessions", [])
    return any(found)


def test_those_who_book_at_once_have_all_or_nothing_each(house: House) -> None:
    clinic = house.clinic
    for point in count(1):
        cases = [book(clinic) for _ in range(ABREAST)]
        nothing = picture(house, cases[0])
        is_killed = together(house, cases, f"all {point}")
        seen = [picture(house, each) for each in cases]
        for case, found in zip(cases, seen, strict=True):
            again = clinic.ask(case.who, "POST", case.path, case.body)
            assert again.is_success == (found == nothing), again.text
            whole = picture(house, case)
            assert found in (nothing, whole), f"killed before command {point}"
        if not is_killed:
            assert nothing not in seen
            break
    assert point > LEAST
