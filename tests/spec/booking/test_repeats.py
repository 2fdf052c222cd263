"""Idempotency-Key: what is sent again is done once, and answered alike.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from fhir_server.access.principal import Principal
from fhir_server.cabinet.booking.policy import DAY
from tests.spec.booking.conftest import Clinic, code, person
from tests.spec.booking.test_book import booked, parameters
from tests.support.fhir import JsonObject

PARALLEL = 12


def ask(
    clinic: Clinic, who: Principal, key: str, body: JsonObject, path: str = "/Appointment/$book"
) -> httpx.Response:
    return clinic.ask(who, "POST", path, body, {"Idempotency-Key": key})


def visits(clinic: Clinic, slot: str) -> int:
    found = clinic.get(f"/Appointment?slot=Slot/{slot}&_total=accurate")
    return int(found["total"])


def same(one: httpx.Response, other: httpx.Response) -> bool:
    return (one.status_code, one.content) == (other.status_code, other.content)


@pytest.mark.parametrize("door", ["$hold", "$book", "POST"])
def test_what_is_sent_again_is_done_once(clinic: Clinic, door: str) -> None:
    patient, slot = clinic.patient(), clinic.slot(clinic.schedule())
    path = "/Appointment" if door == "POST" else f"/Appointment/{door}"
    body: dict[str, Any] = (
        clinic.visit(patient, slot) if door == "POST" else parameters(slot=slot)
    )
    who, key = person(patient), str(uuid4())
    first = ask(clinic, who, key, body, path)
    assert first.status_code == 201, first.text
    assert same(first, ask(clinic, who, key, body, path))
    assert visits(clinic, slot) == 1


def test_a_hold_is_made_a_booking_once(clinic: Clinic) -> None:
    who, slot = person(clinic.patient()), clinic.slot(clinic.schedule())
    held = ask(clinic, who, str(uuid4()), parameters(slot=slot), "/Appointment/$hold")
    id_ = held.json()["entry"][0]["resource"]["id"]
    key, body = str(uuid4()), parameters(appointment_reference=id_)
    first, second = ask(clinic, who, key, body), ask(clinic, who, key, body)
    assert same(first, second)
    assert second.json()["entry"][0]["resource"]["status"] == "booked"


def test_in_parallel_too(clinic: Clinic) -> None:
    who, slot, key = person(clinic.patient()), clinic.slot(clinic.schedule()), str(uuid4())
    with ThreadPoolExecutor(PARALLEL) as pool:
        asked = [
            pool.submit(ask, clinic, who, key, parameters(slot=slot)) for _ in range(PARALLEL)
        ]
        answers = [each.result() for each in asked]
    assert {each.status_code for each in answers} == {201}
    assert all(same(answers[0], each) for each in answers)
    assert visits(clinic, slot) == 1


def test_another_request_needs_another_key(clinic: Clinic) -> None:
    schedule, key = clinic.schedule(), str(uuid4())
    first, second = clinic.slot(schedule), clinic.slot(schedule, days=8)
    who = person(clinic.patient())
    assert ask(clinic, who, key, parameters(slot=first)).is_success
    refused = ask(clinic, who, key, parameters(slot=second))
    assert (refused.status_code, code(refused)) == (422, "idempotency-key-reused")
    assert clinic.status(second) == "free"


def test_a_key_is_of_one_caller(clinic: Clinic) -> None:
    schedule, key = clinic.schedule(), str(uuid4())
    slot = clinic.slot(schedule)
    assert ask(clinic, person(clinic.patient()), key, parameters(slot=slot)).is_success
    other = ask(clinic, person(clinic.patient()), key, parameters(slot=slot))
    assert (other.status_code, code(other)) == (409, "slot-taken")


def test_what_was_refused_may_be_tried_again(clinic: Clinic) -> None:
    slot, key = clinic.slot(clinic.schedule()), str(uuid4())
    other, who = person(clinic.patient()), person(clinic.patient())
    taken = booked(clinic, other, slot)
    assert ask(clinic, who, key, parameters(slot=slot)).status_code == 409
    assert clinic.ask(other, "POST", f"/Appointment/{taken['id']}/$cancel").is_success
    assert ask(clinic, who, key, parameters(slot=slot)).status_code == 201


def test_a_key_is_known_for_a_day(clinic: Clinic) -> None:
    schedule, key, who = clinic.schedule(), str(uuid4()), person(clinic.patient())
    first, second = clinic.slot(schedule, days=20), clinic.slot(schedule, days=21)
    assert ask(clinic, who, key, parameters(slot=first)).is_success
    clinic.clock.forward(DAY + 1)
    assert ask(clinic, who, key, parameters(slot=second)).status_code == 201


def test_a_key_that_is_none_is_refused(clinic: Clinic) -> None:
    slot = clinic.slot(clinic.schedule())
    answer = ask(clinic, person(clinic.patient()), "x" * 256, parameters(slot=slot))
    assert answer.status_code == 400
    assert clinic.status(slot) == "free"


def test_an_answer_is_given_again_within_the_rights_of_now(clinic: Clinic) -> None:
    patient, slot, key = clinic.patient(), clinic.slot(clinic.schedule()), str(uuid4())
    assert ask(clinic, person(patient), key, parameters(slot=slot)).is_success
    narrow = "patient/Appointment.r?status=cancelled patient/Appointment.c patient/Slot.rs"
    later = ask(clinic, person(patient, narrow), key, parameters(slot=slot))
    assert (later.status_code, later.content) == (201, b"")


@pytest.mark.parametrize("read", ["", " patient/Appointment.r?status=cancelled"])
def test_who_may_only_book_is_answered_without_the_visit_each_time(
    clinic: Clinic, read: str
) -> None:
    patient, slot, key = clinic.patient(), clinic.slot(clinic.schedule()), str(uuid4())
    who = person(patient, f"patient/Appointment.c patient/Slot.rs{read}")
    first, again = (ask(clinic, who, key, parameters(slot=slot)) for _ in range(2))
    assert (first.status_code, first.content) == (201, b"")
    assert same(first, again)
    assert first.headers["etag"] == again.headers["etag"] == 'W/"1"'
