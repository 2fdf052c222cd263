"""A place is taken once, by whatever door; what a Slot says follows from its visits.

https://hl7.org/fhir/R4/appointment.html
"""

from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.spec.booking.conftest import Clinic, code, person
from tests.support.worlds import ROOT

PARALLEL = 50


def test_a_visit_takes_its_place(clinic: Clinic) -> None:
    patient, slot = clinic.patient(), clinic.slot(clinic.schedule())
    answer = clinic.ask(person(patient), "POST", "/Appointment", clinic.visit(patient, slot))
    assert answer.status_code == 201, answer.text
    assert clinic.status(slot) == "busy"


def test_of_fifty_one_is_booked(clinic: Clinic) -> None:
    slot = clinic.slot(clinic.schedule())
    patients = [clinic.patient() for _ in range(PARALLEL)]
    visits = [clinic.visit(each, slot) for each in patients]

    def book(place: int) -> httpx.Response:
        return clinic.ask(person(patients[place]), "POST", "/Appointment", visits[place])

    with ThreadPoolExecutor(PARALLEL) as pool:
        answers = list(pool.map(book, range(PARALLEL)))
    statuses = sorted(each.status_code for each in answers)
    assert statuses == [201] + [409] * (PARALLEL - 1)
    assert {code(each) for each in answers if each.status_code == 409} == {"slot-taken"}
    found = clinic.get(f"/Appointment?slot=Slot/{slot}&_total=accurate")
    assert found["total"] == 1


def test_a_cancelled_visit_gives_its_place_back(clinic: Clinic) -> None:
    patient, slot = clinic.patient(), clinic.slot(clinic.schedule())
    who = person(patient)
    made = clinic.ask(who, "POST", "/Appointment", clinic.visit(patient, slot)).json()
    patch = [{"op": "replace", "path": "/status", "value": "cancelled"}]
    answer = clinic.ask(
        who,
        "PATCH",
        f"/Appointment/{made['id']}",
        patch,
        {"Content-Type": "application/json-patch+json"},
    )
    assert answer.status_code == 200, answer.text
    assert clinic.status(slot) == "free"


def test_all_places_of_a_visit_or_none(clinic: Clinic) -> None:
    schedule, patient = clinic.schedule(), clinic.patient()
    first, second = clinic.slot(schedule), clinic.slot(schedule, status="busy")
    visit = clinic.visit(patient, first, second)
    answer = clinic.ask(person(patient), "POST", "/Appointment", visit)
    assert (answer.status_code, code(answer)) == (409, "slot-taken")
    assert clinic.status(first) == "free"


def test_a_slot_with_visits_is_not_freed_by_hand(clinic: Clinic) -> None:
    patient, slot = clinic.patient(), clinic.slot(clinic.schedule())
    clinic.ask(person(patient), "POST", "/Appointment", clinic.visit(patient, slot))
    free = {**clinic.get(f"/Slot/{slot}"), "status": "free"}
    answer = clinic.ask(ROOT, "PUT", f"/Slot/{slot}", free)
    assert (answer.status_code, code(answer)) == (409, "slot-occupied")
    assert clinic.ask(ROOT, "DELETE", f"/Slot/{slot}").status_code == 409
