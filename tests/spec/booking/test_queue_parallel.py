"""Whoever writes at the same time, by whatever server: never two visits on a place, never a
place that nobody has and nobody may book, never a hold without an end.

https://hl7.org/fhir/R4/appointment.html#statuses
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import Random
from typing import Final
from uuid import uuid4

import httpx
import pytest

from fhir_server.access.principal import Principal
from fhir_server.cabinet.booking.policy import HOUR, MINUTE
from tests.spec.booking.conftest import Clinic, code, person, twinned
from tests.spec.booking.test_book import operate
from tests.spec.booking.waiting import Line, answered, said
from tests.support.fhir import JsonObject
from tests.support.parallel import together
from tests.support.polling import until
from tests.support.worlds import ROOT

MANY: Final = 24


def test_of_many_who_wait_one_is_offered(clinic: Clinic) -> None:
    line = Line(clinic)
    slot, visit, _ = line.taken()
    entries = _fill(line, MANY)
    line.free(visit)
    found = [line.at(each) for each in entries]
    assert [each["status"] for each in found] == ["proposed"] + ["waitlist"] * (MANY - 1)
    assert clinic.status(slot) == "busy-tentative"


def test_places_that_are_freed_together_go_to_the_first(clinic: Clinic) -> None:
    line = Line(clinic)
    taken = [line.taken(days=7 + n) for n in range(8)]
    entries = _fill(line, 12)
    answers = together(
        [partial(operate, clinic, ROOT, f"/Appointment/{v['id']}/$cancel") for _, v, _ in taken]
    )
    assert {each.status_code for each in answers} == {200}, [a.text for a in answers]
    found = [line.at(each) for each in entries]
    assert [each["status"] for each in found] == ["proposed"] * 8 + ["waitlist"] * 4
    slots = {each["slot"][0]["reference"] for each in found[:8]}
    assert slots == {f"Slot/{slot}" for slot, _, _ in taken}


def test_an_offer_is_taken_once_and_a_booking_is_one(clinic: Clinic) -> None:
    line = Line(clinic)
    who, entry, slot = line.offered()
    works = [partial(answered, clinic, who, entry) for _ in range(8)]
    works += [partial(operate, clinic, who, f"/Appointment/{entry}/$confirm")] * 8
    answers = together(works)
    assert {each.is_success for each in answers} == {True}, [each.text for each in answers]
    assert (line.at(entry)["status"], clinic.status(slot)) == ("booked", "busy")


def test_who_declines_and_leaves_at_once_has_left(clinic: Clinic) -> None:
    """`$cancel` means the visit as it is when it is written, not as it was looked up."""
    for _ in range(6):
        line = Line(clinic)
        who, entry, _ = line.offered()
        leave = partial(operate, clinic, who, f"/Appointment/{entry}/$cancel")
        decline = partial(answered, clinic, who, entry, "declined")
        answers = together([leave, decline])
        assert answers[0].status_code == 200, answers[0].text
        assert line.at(entry)["status"] == "cancelled"


def _fill(line: Line, count: int) -> list[str]:
    """Entries of new patients, in the order of the queue."""
    rows = [
        {
            "resource": line.entry(f"{line.code}-p{n}", created=f"2020-01-01T00:00:{n:02}Z"),
            "request": {"method": "POST", "url": "Appointment"},
        }
        for n in range(count)
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": rows}
    answer = line.clinic.ask(ROOT, "POST", "/", bundle)
    assert answer.status_code == 200, answer.text
    return [e["response"]["location"].split("/")[-3] for e in answer.json()["entry"]]


# Random interleavings, on two servers ------------------------------------------------------

SLOTS: Final = 4
PEOPLE: Final = 10
ROUNDS: Final = 60
ABREAST: Final = 6


@pytest.fixture(scope="module")
def twins(mongodb_uri: str) -> Iterator[Sequence[Clinic]]:
    """One clinic on two servers."""
    database = f"twins_{uuid4().hex[:12]}"
    with twinned(mongodb_uri, database=database, booking_seconds=0.3) as found:
        yield found


class Crowd:
    """People who do what they like with the places of one doctor."""

    def __init__(self, twins: Sequence[Clinic], seed: int) -> None:
        self._twins = twins
        self._chance = Random(seed)
        self.line = Line(twins[0])
        self.slots = [twins[0].slot(self.line.schedule, days=20 + n) for n in range(SLOTS)]
        self.people = [person(twins[0].patient()) for _ in range(PEOPLE)]

    def deed(self) -> Callable[[], httpx.Response]:
        """Something that somebody might do now."""
        clinic, who = self._chance.choice(self._twins), self._chance.choice(self.people)
        slot, pick = self._chance.choice(self.slots), self._chance.random()
        if pick < 0.1:
            self._twins[0].clock.forward(self._chance.choice((MINUTE, 11 * MINUTE, 2 * HOUR)))
        deeds: list[Callable[[], httpx.Response]] = [
            partial(operate, clinic, who, "/Appointment/$book", slot=slot),
            partial(operate, clinic, who, "/Appointment/$hold", slot=slot),
            partial(self._join, clinic, who),
            partial(self._join, clinic, who),
            partial(self._answer, clinic, who, "accepted"),
            partial(self._answer, clinic, who, "declined"),
            partial(self._cancel, clinic, who),
            partial(self._cancel, clinic, who),
        ]
        return self._chance.choice(deeds)

    def _join(self, clinic: Clinic, who: Principal) -> httpx.Response:
        entry = self.line.entry(str(who.patient))
        return clinic.ask(who, "POST", "/Appointment", entry)

    def _answer(self, clinic: Clinic, who: Principal, answer: str) -> httpx.Response:
        found = self._own(clinic, who, "proposed")
        return answered(clinic, who, found or "none", answer)

    def _cancel(self, clinic: Clinic, who: Principal) -> httpx.Response:
        found = self._own(clinic, who, "booked,pending,waitlist,proposed")
        return operate(clinic, who, f"/Appointment/{found or 'none'}/$cancel")

    def _own(self, clinic: Clinic, who: Principal, statuses: str) -> str | None:
        path = f"/Appointment?patient={who.patient}&status={statuses}&_sort=-_lastUpdated"
        found: Sequence[JsonObject] = clinic.ask(who, "GET", path).json().get("entry", ())
        return str(found[0]["resource"]["id"]) if found else None

    def problems(self) -> list[str]:
        """What must not be, when everything is at rest; an empty list: nothing."""
        query = f"/Appointment?specialty={self.line.code}&_count=1000"
        live = [e["resource"] for e in self._twins[0].get(query).get("entry", ())]
        found = [each for slot in self.slots for each in self._problems(slot, live)]
        waits = [each for each in live if each["status"] in {"waitlist", "proposed"}]
        people = Counter(each["participant"][0]["actor"]["reference"] for each in waits)
        found += [f"{who} waits {n} times" for who, n in people.items() if n > 1]
        for each in waits:
            is_offer = each["status"] == "proposed"
            if is_offer != ("slot" in each) or is_offer != ("offerExpires" in said(each)):
                found.append(f"half an offer: {each}")
        return found

    def _problems(self, slot: str, live: Sequence[JsonObject]) -> Iterator[str]:
        held = [
            each["status"]
            for each in live
            if each["status"] in {"booked", "pending", "proposed"}
            and {"reference": f"Slot/{slot}"} in each.get("slot", ())
        ]
        expected = {"booked": "busy", "pending": "busy-tentative", "proposed": "busy-tentative"}
        status = expected[held[0]] if held else "free"
        if len(held) > 1 or self._twins[0].status(slot) != status:
            yield f"{slot} is {self._twins[0].status(slot)} with {held}"


@pytest.mark.parametrize("seed", range(3))
def test_whatever_people_do_at_once(twins: Sequence[Clinic], seed: int) -> None:
    crowd = Crowd(twins, seed)
    with ThreadPoolExecutor(ABREAST) as pool:
        answers = list(pool.map(lambda _: crowd.deed()(), range(ROUNDS)))
    worst = [each for each in answers if each.status_code >= 500]
    assert not worst, [each.text for each in worst]
    assert {each.status_code for each in answers} <= {200, 201, 403, 404, 409, 422}
    assert any(code(each) == "slot-taken" for each in answers if each.status_code == 409)
    twins[0].clock.forward(3 * HOUR)  # what is held or offered is over
    assert until(lambda: not crowd.problems(), patience=15), crowd.problems()
