"""Numbers of booked visits: gapless by schedule and day, in the order of booking.

https://hl7.org/fhir/R4/appointment.html
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.cabinet.booking.names import TICKET
from tests.spec.booking.conftest import Clinic, code, person
from tests.spec.booking.test_book import booked, operate, policy
from tests.support.fhir import JsonObject
from tests.support.worlds import ROOT

PARALLEL = 50
STAFF = Principal("desk", parse_scopes("user/*.cruds"), user="Practitioner/desk", staff=True)
OFF = policy(tickets={"valueBoolean": False})


def number(visit: JsonObject) -> str | None:
    found = [e["valueString"] for e in visit.get("extension", ()) if e["url"] == TICKET]
    return found[0] if found else None


def stored(clinic: Clinic, id_: str) -> str | None:
    return number(clinic.get(f"/Appointment/{id_}"))


def morning(clinic: Clinic, days: int = 10) -> datetime:
    """An hour at which no zone's day changes within the next eight."""
    return clinic.clock.today.replace(hour=1, minute=0, second=0) + timedelta(days=days)


def places(clinic: Clinic, schedule: str, count: int, *, days: int = 10) -> list[str]:
    """Slots of one day, five minutes each."""
    return [_nth(clinic, schedule, n, days=days) for n in range(count)]


def _nth(clinic: Clinic, schedule: str, n: int, *, days: int = 10) -> str:
    return place(clinic, schedule, morning(clinic, days) + timedelta(minutes=5 * n))


def place(clinic: Clinic, schedule: str, start: datetime, **more: Any) -> str:
    end = start + timedelta(minutes=5)
    times: dict[str, Any] = {"start": start.isoformat(), "end": end.isoformat()}
    return clinic.slot(schedule, **times, **more)


def test_visits_of_a_day_are_numbered_in_the_order_of_booking(clinic: Clinic) -> None:
    early, middle, late = places(clinic, clinic.schedule(), 3)
    given = [
        number(booked(clinic, person(clinic.patient()), each)) for each in (late, early, middle)
    ]
    assert given == ["1", "2", "3"]


def test_a_schedule_and_a_day_have_numbers_of_their_own(clinic: Clinic) -> None:
    one, other = clinic.schedule(), clinic.schedule()
    slots = [
        *places(clinic, one, 1),
        *places(clinic, one, 1, days=11),
        *places(clinic, other, 1),
    ]
    assert {number(booked(clinic, person(clinic.patient()), e)) for e in slots} == {"1"}


def test_a_day_is_the_clinics(clinic: Clinic) -> None:
    schedule = clinic.schedule(**policy(zone={"valueString": "Asia/Vladivostok"}))  # +10
    evening = morning(clinic).replace(hour=13)
    hours = (evening, evening + timedelta(minutes=30), evening + timedelta(hours=2))
    slots = [place(clinic, schedule, each) for each in hours]
    given = [number(booked(clinic, person(clinic.patient()), each)) for each in slots]
    assert given == ["1", "2", "1"]


def test_parallel_bookings_lose_and_double_no_number(clinic: Clinic) -> None:
    schedule = clinic.schedule()
    with ThreadPoolExecutor(8) as pool:
        slots = list(pool.map(lambda n: _nth(clinic, schedule, n), range(PARALLEL)))
        people = [person(each) for each in pool.map(lambda _: clinic.patient(), slots)]

    def book(pair: tuple[Principal, str]) -> str | None:
        return number(booked(clinic, *pair))

    with ThreadPoolExecutor(PARALLEL) as pool:
        given = list(pool.map(book, zip(people, slots, strict=True)))
    assert sorted(int(each or 0) for each in given) == list(range(1, PARALLEL + 1))


def test_parallel_plain_creates_lose_and_double_no_number(clinic: Clinic) -> None:
    slots = places(clinic, clinic.schedule(), 12)
    visits = [clinic.visit(clinic.patient(), each) for each in slots]

    def create(visit: JsonObject) -> httpx.Response:
        return clinic.ask(ROOT, "POST", "/Appointment", visit)

    with ThreadPoolExecutor(len(visits)) as pool:
        answers = list(pool.map(create, visits))
    given = [int(number(each.json()) or 0) for each in answers]
    assert sorted(given) == list(range(1, 13))


def test_a_refused_booking_takes_no_number(clinic: Clinic) -> None:
    first, second = places(clinic, clinic.schedule(), 2)
    who = person(clinic.patient())
    booked(clinic, who, first)
    for slot in (first, first):
        answer = operate(clinic, person(clinic.patient()), "/Appointment/$book", slot=slot)
        assert (answer.status_code, code(answer)) == (409, "slot-taken")
    assert number(booked(clinic, person(clinic.patient()), second)) == "2"


def test_a_transaction_that_fails_takes_no_number(clinic: Clinic) -> None:
    first, second = places(clinic, clinic.schedule(), 2)
    visit = clinic.visit(clinic.patient(), first)
    entries = [
        {"resource": each, "request": {"method": "POST", "url": "Appointment"}}
        for each in (visit, {**visit, "participant": []})
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    assert not clinic.ask(ROOT, "POST", "", bundle).is_success
    assert number(booked(clinic, person(clinic.patient()), second)) == "1"


def test_a_transaction_numbers_each_visit(clinic: Clinic) -> None:
    visits = [
        clinic.visit(clinic.patient(), each) for each in places(clinic, clinic.schedule(), 3)
    ]
    entries = [
        {"resource": each, "request": {"method": "POST", "url": "Appointment"}}
        for each in visits
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    headers = {"Prefer": "return=representation"}
    answer = clinic.ask(ROOT, "POST", "", bundle, headers).json()
    assert [number(each["resource"]) for each in answer["entry"]] == ["1", "2", "3"]


def test_a_hold_has_a_number_when_it_is_booked(clinic: Clinic) -> None:
    first, second = places(clinic, clinic.schedule(), 2)
    who = person(clinic.patient())
    held = operate(clinic, who, "/Appointment/$hold", slot=first).json()["entry"][0]["resource"]
    assert number(held) is None
    assert number(booked(clinic, person(clinic.patient()), second)) == "1"
    answer = operate(clinic, who, f"/Appointment/{held['id']}/$confirm")
    assert number(answer.json()) == "2"


def test_a_cancelled_visit_keeps_its_number_and_nobody_else_gets_it(clinic: Clinic) -> None:
    (slot,) = places(clinic, clinic.schedule(), 1)
    who = person(clinic.patient())
    visit = booked(clinic, who, slot)
    assert number(operate(clinic, who, f"/Appointment/{visit['id']}/$cancel").json()) == "1"
    assert number(booked(clinic, person(clinic.patient()), slot)) == "2"


def test_a_moved_visit_gets_a_new_number(clinic: Clinic) -> None:
    schedule = clinic.schedule()
    first, second = places(clinic, schedule, 2)
    who = person(clinic.patient())
    visit = booked(clinic, who, first)
    moved = operate(clinic, who, f"/Appointment/{visit['id']}/$reschedule", slot=second)
    assert number(moved.json()) == "2"
    assert stored(clinic, visit["id"]) == "1"


@pytest.mark.parametrize(("days", "expected"), [(10, "1"), (11, "2")])
def test_a_visit_that_staff_move_in_place_is_numbered_where_it_is(
    clinic: Clinic, days: int, expected: str
) -> None:
    schedule = clinic.schedule()
    first, _ = places(clinic, schedule, 2)
    (there,) = places(clinic, schedule, 1, days=11)
    booked(clinic, person(clinic.patient()), there)
    patient = clinic.patient()
    visit = booked(clinic, person(patient), first)
    (later,) = [place(clinic, schedule, morning(clinic, days) + timedelta(hours=3))]
    changed = visit | {
        name: clinic.visit(patient, later)[name] for name in ("slot", "start", "end")
    }
    answer = clinic.ask(STAFF, "PUT", f"/Appointment/{visit['id']}", changed)
    assert (answer.status_code, number(answer.json())) == (200, expected)


FORGED = {"url": TICKET, "valueString": "777"}


@pytest.mark.parametrize("who", ["person", "staff", "system"])
def test_nobody_says_the_number(clinic: Clinic, who: str) -> None:
    (slot,) = places(clinic, clinic.schedule(), 1)
    patient = clinic.patient()
    asking = {"person": person(patient), "staff": STAFF, "system": ROOT}[who]
    visit = clinic.visit(patient, slot, extension=[FORGED])
    made = clinic.ask(asking, "POST", "/Appointment", visit).json()
    assert number(made) == "1"
    changed = {**made, "comment": "?", "extension": [FORGED]}
    answer = clinic.ask(asking, "PUT", f"/Appointment/{made['id']}", changed)
    assert number(answer.json()) == "1"
    without = {name: value for name, value in made.items() if name != "extension"}
    answer = clinic.ask(asking, "PUT", f"/Appointment/{made['id']}", without)
    assert number(answer.json()) == "1"


@pytest.mark.parametrize(("who", "expected"), [("staff", None), ("system", "777")])
def test_without_numbers_of_ours_a_systems_own_are_kept(
    clinic: Clinic, who: str, expected: str | None
) -> None:
    (slot,) = places(clinic, clinic.schedule(**OFF), 1)
    asking = {"staff": STAFF, "system": ROOT}[who]
    visit = clinic.visit(clinic.patient(), slot, extension=[FORGED])
    made = clinic.ask(asking, "POST", "/Appointment", visit).json()
    assert number(made) == expected


def test_what_was_long_over_when_it_was_told_needs_no_number(clinic: Clinic) -> None:
    start = datetime(2020, 3, 2, 9, tzinfo=UTC)
    slot = place(clinic, clinic.schedule(), start)
    visit = clinic.visit(clinic.patient(), slot, status="fulfilled")
    assert number(clinic.ask(ROOT, "POST", "/Appointment", visit).json()) is None


def test_an_offer_that_is_accepted_is_numbered(clinic: Clinic) -> None:
    (slot,) = places(clinic, clinic.schedule(), 1)
    patient = clinic.patient()
    wish = clinic.visit(patient, status="waitlist", specialty=[{"text": "any"}])
    entry = clinic.ask(ROOT, "POST", "/Appointment", wish).json()
    offered = operate(
        clinic, ROOT, f"/Appointment/{entry['id']}/$waitlist-offer", slot=f"Slot/{slot}"
    )
    assert (offered.json()["status"], number(offered.json())) == ("proposed", None)
    answer = {
        "resourceType": "AppointmentResponse",
        "appointment": {"reference": f"Appointment/{entry['id']}"},
        "actor": {"reference": f"Patient/{patient}"},
        "participantStatus": "accepted",
    }
    assert clinic.ask(person(patient), "POST", "/AppointmentResponse", answer).is_success
    assert stored(clinic, entry["id"]) == "1"


@pytest.mark.parametrize("door", ["POST", "Bundle"])
def test_a_booking_for_another_patient_tells_nothing_of_that_ones_plans(
    clinic: Clinic, door: str
) -> None:
    schedule = clinic.schedule()
    first, second = places(clinic, schedule, 1)[0], clinic.slot(schedule, days=3)
    other = clinic.patient()
    begin = clinic.get(f"/Slot/{first}")["start"]
    same = clinic.slot(clinic.schedule(), start=begin, end=clinic.get(f"/Slot/{first}")["end"])
    booked(clinic, person(other), first)
    for slot in (same, second):
        visit = clinic.visit(other, slot)
        request = {"method": "POST", "url": "Appointment"}
        bundle = {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [{"resource": visit, "request": request}],
        }
        path, body = ("/Appointment", visit) if door == "POST" else ("", bundle)
        answer = clinic.ask(person(clinic.patient()), "POST", path, body)
        assert (answer.status_code, code(answer)) == (403, "None")
