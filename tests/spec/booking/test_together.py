"""Many who book at once, at two servers, share transactions: each visit has one of all that is
written of a visit, its own, and nobody who was refused left anything.

https://hl7.org/fhir/R4/http.html#transaction-integrity
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import Random
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest
from pymongo import MongoClient

from fhir_server.store.mongo.sharing import Sharing
from tests.spec.booking.conftest import Clinic, person, twinned
from tests.spec.booking.test_book import operate
from tests.spec.booking.test_tickets import number, places
from tests.support.fhir import JsonObject
from tests.support.polling import until

SCHEDULES: Final = 4
PLACES: Final = 12
"""Of each."""
RIVALS: Final = 2
"""For each place."""
ABREAST: Final = 32


@pytest.fixture(scope="module")
def twins(mongodb_uri: str) -> Iterator[tuple[Sequence[Clinic], str]]:
    """One clinic on two servers, and its database."""
    database = f"together_{uuid4().hex[:12]}"
    with twinned(mongodb_uri, database=database, booking_seconds=3600) as found:
        yield found, database


class Shared:
    """How many units were in transactions with others."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sizes: list[int] = []
        carry_out = Sharing._carry_out

        async def noted(sharing: Sharing, members: Sequence[Any], turn: Any) -> None:
            self.sizes.append(len(members))
            await carry_out(sharing, members, turn)

        monkeypatch.setattr(Sharing, "_carry_out", noted)


def test_each_visit_has_one_of_everything(
    twins: tuple[Sequence[Clinic], str], mongodb_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinics, database = twins
    schedules = [clinics[0].schedule() for _ in range(SCHEDULES)]
    slots = [each for schedule in schedules for each in places(clinics[0], schedule, PLACES)]
    wishes = [(slot, clinics[0].patient()) for slot in slots for _ in range(RIVALS)]
    Random(7).shuffle(wishes)
    seen = Shared(monkeypatch)

    def book(at: int) -> httpx.Response:
        slot, patient = wishes[at]
        return operate(clinics[at % 2], person(patient), "/Appointment/$book", slot=slot)

    with ThreadPoolExecutor(ABREAST) as pool:
        answers = list(pool.map(book, range(len(wishes))))
    assert Counter(each.status_code for each in answers) == {201: len(slots), 409: len(slots)}
    assert sum(seen.sizes) > ABREAST, "nothing was shared"
    visits = [
        (each.json()["entry"][0]["resource"], *wish)
        for each, wish in zip(answers, wishes, strict=True)
        if each.status_code == 201
    ]
    for visit, slot, patient in visits:
        assert visit["slot"] == [{"reference": f"Slot/{slot}"}]
        assert visit["participant"][0]["actor"]["reference"] == f"Patient/{patient}"
    assert sorted(slot for _, slot, _ in visits) == sorted(slots)
    _check_numbers(clinics[0], [visit for visit, _, _ in visits])
    _check_told(clinics[0], [(visit, patient) for visit, _, patient in visits])
    with MongoClient[dict[str, Any]](mongodb_uri) as client:
        _check_rows(client, database, [visit["id"] for visit, _, _ in visits])


def _check_numbers(clinic: Clinic, visits: Sequence[JsonObject]) -> None:
    """Those of a schedule have no gaps, and none has one twice."""
    given: dict[str, list[int]] = {}
    for visit in visits:
        slot = clinic.get("/" + visit["slot"][0]["reference"])
        given.setdefault(slot["schedule"]["reference"], []).append(int(number(visit) or 0))
    assert [sorted(each) for each in given.values()] == [list(range(1, PLACES + 1))] * SCHEDULES


def _check_told(clinic: Clinic, visits: Sequence[tuple[JsonObject, str]]) -> None:
    """Versions, Provenances and AuditEvents of each, and whose they are."""
    for visit, patient in visits:
        reference, who = f"Appointment/{visit['id']}", f"Patient/{patient}"
        # The other server's part of the audit comes a little later.
        events = until(partial(_events, clinic, patient))
        provenances = _of(clinic, f"Provenance?target={reference}")
        versions = _of(clinic, f"{reference}/_history")
        assert [len(each) for each in (events, provenances, versions)] == [1, 1, 1], reference
        for each in (*events, *provenances):
            agents = [a.get("who", {}).get("reference") for a in each["agent"]]
            assert {a for a in agents if a and a.startswith("Patient/")} == {who}, each


def _events(clinic: Clinic, patient: str) -> Sequence[JsonObject] | None:
    return _of(clinic, f"AuditEvent?subtype=operation&patient={patient}") or None


def _of(clinic: Clinic, path: str) -> Sequence[JsonObject]:
    return [each["resource"] for each in clinic.get(f"/{path}").get("entry", ())]


def _check_rows(
    client: "MongoClient[dict[str, Any]]", database: str, visits: Sequence[str]
) -> None:
    """What is to be told of each visit: the same of all, and nothing of others."""
    rows = list(client[database]["outbox"].find())
    about: dict[str, list[str]] = {}
    for row in rows:
        about.setdefault(row["about"], []).append(f"{row['lane']} {row['kind']}")
    told = Counter(tuple(sorted(each)) for each in about.values())
    assert about.keys() == {f"Appointment/{each}" for each in visits}
    assert len(told) == 1, told
