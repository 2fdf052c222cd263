"""Which index answers what the queue asks: who waits for a place, and what is free.

Rows: 3,000 Appointments, a tenth of which wait, of 30 doctors in 10 specialities; 3,000
Slots, a third of which are free.
"""

import pytest

from fhir_server.cabinet.booking.entries import Served, entry_of
from fhir_server.cabinet.booking.joining import free_for
from fhir_server.cabinet.booking.queue import waiting_for
from fhir_server.search import keys
from fhir_server.search.plan import UNRESTRICTED, Node, Search
from fhir_server.search.values import Ranged
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.port import Version
from tests.support.units import inserted
from tests.support.versions import version

pytestmark = pytest.mark.anyio

DAY = 86_400_000
NOW = 1_767_225_600_000  # 2026-01-01
COUNT, DOCTORS, SPECIALITIES = 3_000, 30, 10
SYSTEM = "urn:specialities"
SPECIALITY = (SYSTEM, "3")


def token(code: str, value: str) -> list[str]:
    return [keys.token(code, system, value) for system in (None, SYSTEM)]


def appointment(n: int) -> Version:
    doctor = n % DOCTORS
    status = "waitlist" if n // DOCTORS % 10 == 0 else "booked"
    return version(
        f"a{n:05}",
        kind="Appointment",
        tokens=[*token("status", status), *token("specialty", str(doctor % SPECIALITIES))],
        references=[
            keys.reference("actor", f"Practitioner/{doctor}"),
            keys.reference("patient", f"Patient/{n}"),
        ],
    )


def slot(n: int) -> Version:
    start = NOW + n * DAY // 50
    return version(
        f"s{n:05}",
        kind="Slot",
        tokens=token("status", "free" if n // DOCTORS % 3 == 0 else "busy"),
        references=[keys.reference("schedule", f"Schedule/{n % DOCTORS}")],
        dates=[Ranged("start", start, start + 1)],
        sort_date=start,
    )


@pytest.fixture(scope="module")
async def store(mongo_store: MongoStore) -> MongoStore:
    for make in (appointment, slot):
        rows = [make(n) for n in range(COUNT)]
        for start in range(0, COUNT, 1_000):
            await inserted(mongo_store, *rows[start : start + 1_000])
    return mongo_store


def free(schedules: int) -> Node:
    who = {"actor": {"reference": "Patient/p"}, "status": "accepted"}
    entry = entry_of({
        "status": "waitlist",
        "participant": [who],
        "specialty": [{"coding": [{"system": SYSTEM, "code": "3"}]}],
        "requestedPeriod": [{"start": "2026-01-05", "end": "2026-01-12"}],
    })  # fmt: skip
    found = free_for(entry, [str(n) for n in range(schedules)], NOW)
    assert found is not None
    return found


def waits(*doctors: str, specialities: tuple[tuple[str, str], ...] = ()) -> Node:
    found = waiting_for(Served(frozenset(doctors), frozenset(specialities)))
    assert found is not None
    return found


WAITING = COUNT // 10
ROWS = [
    ("for a speciality", "Appointment", waits(specialities=(SPECIALITY,)), WAITING),
    ("for a doctor", "Appointment", waits("Practitioner/3"), COUNT // DOCTORS),
    (
        "for one of a Schedule",
        "Appointment",
        waits("Practitioner/3", "PractitionerRole/3", specialities=(SPECIALITY,)),
        WAITING,
    ),
    ("free with a doctor", "Slot", free(1), COUNT // DOCTORS * 2),
    ("free in a speciality", "Slot", free(10), COUNT // 4),
]


@pytest.mark.parametrize(
    ("kind", "where", "most"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS]
)
async def test_an_index_answers(store: MongoStore, kind: str, where: Node, most: int) -> None:
    plan = await store.explain(Search(kind, where, count=1_000), within=UNRESTRICTED)
    assert "COLLSCAN" not in plan["stages"], plan
    assert plan["indexes"], plan
    assert plan["docsExamined"] <= most, plan
