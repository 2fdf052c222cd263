"""The order of the queue, and a simulation of its life against a model of a few lines.

https://hl7.org/fhir/R4/appointment.html#statuses
"""

from dataclasses import dataclass, field
from random import Random
from typing import Final

import pytest

from fhir_server.access.principal import Principal
from tests.spec.booking.conftest import Clinic, person
from tests.spec.booking.test_book import operate
from tests.spec.booking.waiting import OPEN, Line, answered, said
from tests.support.fhir import JsonObject
from tests.support.worlds import ROOT


@pytest.mark.parametrize(
    ("entries", "order"),
    [
        # Since when one waits, with any precision; a day begins at its midnight.
        (({"created": "2020-01-02"}, {"created": "2020-01-01T23:59:59Z"}), (1, 0)),
        # 1 is the most urgent, 9 the least, 0 is undefined: behind it.
        (({"priority": 9}, {"priority": 1}, {"priority": 0}, {"priority": 5}), (1, 3, 0, 2)),
        (({}, {"priority": 9}), (1, 0)),
        # Urgency before time; of equals who came first.
        (
            (
                {"priority": 2, "created": "2020-01-01"},
                {"priority": 1, "created": "2020-01-03"},
                {"priority": 1, "created": "2020-01-02"},
            ),
            (2, 1, 0),
        ),
    ],
)
def test_who_is_the_first(
    clinic: Clinic, entries: tuple[JsonObject, ...], order: tuple[int, ...]
) -> None:
    line = Line(clinic)
    _, visit = line.kept()
    ids = [_entered(line, clinic.patient(), each) for each in entries]
    asked: list[int] = []
    for _ in ids:
        line.free(visit)
        (place,) = (n for n, id_ in enumerate(ids) if line.at(id_)["status"] == "proposed")
        asked.append(place)
        visit = line.at(ids[place])
    assert tuple(asked) == order


def _entered(line: Line, patient: str, more: JsonObject) -> str:
    body = line.entry(patient, **{"created": "2020-06-01", **more})
    answer = line.clinic.ask(ROOT, "POST", "/Appointment", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


# A simulation ------------------------------------------------------------------------------

DOCTORS: Final = 3
LIMIT: Final = 2


@dataclass
class Person:
    """A patient of the model."""

    id: str
    order: tuple[int, int]
    doctor: int | None
    """None: any doctor."""
    made: int = 0
    refused: set[str] = field(default_factory=set)
    slot: str | None = None
    """What is offered, or booked."""
    status: str = "waitlist"

    @property
    def entry(self) -> str:
        return f"entry-{self.id}"


class Model:
    """What the queue is to do, in a few lines."""

    def __init__(self, people: list[Person], doctors: dict[str, int]) -> None:
        self.people = people
        self.doctors = doctors
        """Of every Slot."""

    def freed(self, slot: str) -> None:
        """`slot` goes to the first whom it fits; there are always some."""
        fits = [
            each
            for each in self.people
            if each.status == "waitlist"
            and each.doctor in (None, self.doctors[slot])
            and slot not in each.refused
        ]
        first = min(fits, key=lambda each: each.order)
        first.slot, first.status = slot, "proposed"

    def ended(self, one: Person, status: str) -> str:
        """`one` has left the offer with `status`; the Slot that was offered."""
        assert one.slot is not None
        slot, one.slot, one.status = one.slot, None, status
        if status == "waitlist":
            one.refused.add(slot)
            one.made += 1
            one.status = "cancelled" if one.made >= LIMIT else status
        return slot


class Life:
    """One thing after the other, in the clinic and in the model."""

    def __init__(self, clinic: Clinic, count: int, slots: int) -> None:
        self.clinic = clinic
        self.chance = Random(count)
        rules = {
            **OPEN,
            "offers": {"valueInteger": LIMIT},
            "most_ahead": {"valueInteger": 0},
        }
        code = f"simulated-{count}"
        self.lines = [Line(clinic, rules=rules, code=code) for _ in range(DOCTORS)]
        doctors: dict[str, int] = {}
        self.visits: dict[str, str] = {}
        for n in range(slots):
            slot, visit = self.lines[n % DOCTORS].kept(days=7 + n / 10)
            doctors[slot], self.visits[slot] = n % DOCTORS, visit["id"]
        self.model = Model([self._person(n) for n in range(count)], doctors)
        rows = [self._entry(each) for each in self.model.people]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": rows}
        answer = clinic.ask(ROOT, "POST", "/", bundle)
        assert answer.status_code == 200, answer.text

    def _person(self, number: int) -> Person:
        priority = self.chance.choice((10, 10, 10, 1, 5))
        doctor = self.chance.choice((None, *range(DOCTORS)))
        return Person(f"{self.lines[0].code}-{number}", (priority, number), doctor)

    def _entry(self, one: Person) -> JsonObject:
        line = self.lines[one.doctor or 0]
        made = line.entry(one.id) if one.doctor is None else line.for_doctor(one.id)
        priority, number = one.order
        own = {
            "id": one.entry,
            "created": f"2020-01-01T{number // 60:02}:{number % 60:02}:00Z",
            **({"priority": priority} if priority < 10 else {}),
        }
        request = {"method": "PUT", "url": f"Appointment/{one.entry}"}
        return {"resource": {**made, **own}, "request": request}

    def step(self) -> None:
        """Somebody answers an offer, or a visit is cancelled."""
        offers = [each for each in self.model.people if each.status == "proposed"]
        if not offers or (self.visits and self.chance.random() < 0.4):
            slot = self.chance.choice(sorted(self.visits))
            self._ask(ROOT, self.visits.pop(slot))
            self.model.freed(slot)
            return
        one = self.chance.choice(offers)
        who = person(one.id)
        match self.chance.choice(("accepted", "declined", "declined", "leaves")):
            case "accepted":
                assert answered(self.clinic, who, one.entry).is_success
                one.status = "booked"
                self.visits[str(one.slot)] = one.entry
            case "declined":
                assert answered(self.clinic, who, one.entry, "declined").is_success
                self.model.freed(self.model.ended(one, "waitlist"))
            case _:
                self._ask(who, one.entry)
                self.model.freed(self.model.ended(one, "cancelled"))

    def _ask(self, who: Principal, visit: str) -> None:
        answer = operate(self.clinic, who, f"/Appointment/{visit}/$cancel")
        assert answer.is_success, answer.text
        for each in self.model.people:  # a visit that came of the queue
            if each.entry == visit and each.status == "booked":
                each.status = "cancelled"

    def offers(self) -> set[tuple[str, str]]:
        """Who is offered what."""
        path = f"/Appointment?specialty={self.lines[0].code}&status=proposed&_count=1000"
        rows = [e["resource"] for e in self.clinic.get(path).get("entry", ())]
        return {(e["id"], e["slot"][0]["reference"].removeprefix("Slot/")) for e in rows}

    def expected(self) -> set[tuple[str, str]]:
        """The same, of the model."""
        people = self.model.people
        return {(e.entry, str(e.slot)) for e in people if e.status == "proposed"}

    def places(self) -> dict[str, str]:
        """The status of every Slot."""
        return {slot: self.clinic.status(slot) for slot in self.model.doctors}

    def entries(self) -> dict[str, tuple[str, int]]:
        """Status and offers in vain of every entry."""
        path = f"/Appointment?specialty={self.lines[0].code}&_count=1000"
        rows = [e["resource"] for e in self.clinic.get(path)["entry"]]
        return {
            each["id"]: (each["status"], said(each).get("offersMade", 0))
            for each in rows
            if each["id"].startswith("entry-")
        }


@pytest.mark.parametrize(
    ("count", "steps"), [(60, 60), pytest.param(500, 200, marks=pytest.mark.slow)]
)
def test_the_order_is_kept_whatever_patients_do(clinic: Clinic, count: int, steps: int) -> None:
    life = Life(clinic, count, slots=count // 6)
    for _ in range(steps):
        life.step()
        assert life.offers() == life.expected()
    offered = {str(each.slot) for each in life.model.people if each.status == "proposed"}
    places = life.places()
    assert {s for s, status in places.items() if status == "busy-tentative"} == offered
    assert {s for s, status in places.items() if status == "busy"} == life.visits.keys()
    expected = {e.entry: (e.status, e.made) for e in life.model.people}
    assert life.entries() == expected
