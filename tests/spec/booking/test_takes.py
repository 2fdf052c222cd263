"""Nobody keeps a place from others by holding it again and again.

https://hl7.org/fhir/R4/appointment.html
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest

from fhir_server.access.decisions import Policy
from fhir_server.access.policy import AccessPolicy
from fhir_server.access.principal import Principal
from tests.spec.booking.abreast import Request
from tests.spec.booking.conftest import Clinic, code, person, serving
from tests.spec.booking.doors import TO_HOLD, book, cancel, id_of, status_of
from tests.spec.booking.test_book import operate, policy
from tests.spec.booking.test_own_word import sent
from tests.support.relations import relation

MINUTE = 60_000
HOUR = 60 * MINUTE
MOST = 3


@pytest.fixture(scope="module")
def ahead(mongodb_uri: str) -> Iterator[Clinic]:
    """A clinic whose clock is put forward."""
    with serving(mongodb_uri, AccessPolicy(Policy("all-normal"))) as found:
        yield found


def wished(clinic: Clinic, who: Principal, door: str, slot: str) -> Request:
    return book(who, door, clinic.visit(who.patient or "", slot, status="pending"))


def let_go(clinic: Clinic, who: Principal, slot: str, times: int = MOST) -> None:
    """The place is held and given up."""
    for _ in range(times):
        held = sent(clinic, wished(clinic, who, "$hold", slot))
        assert held.status_code == 201, held.text
        visit = clinic.get(f"/Appointment/{id_of(held)}")
        assert sent(clinic, cancel(who, "PATCH", visit)).is_success


def at_once(clinic: Clinic, requests: list[Request]) -> list[httpx.Response]:
    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(lambda each: sent(clinic, each), requests))


@pytest.mark.parametrize("door", TO_HOLD)
def test_a_hold_is_not_taken_anew_without_end(clinic: Clinic, door: str) -> None:
    slot, who = clinic.slot(clinic.schedule()), person(clinic.patient())
    let_go(clinic, who, slot)
    answer = sent(clinic, wished(clinic, who, door, slot))
    assert status_of(answer) == 422
    assert "too-many-bookings" in answer.text
    assert "several times in a day" in answer.text
    assert clinic.status(slot) == "free"
    others = person(clinic.patient())
    assert sent(clinic, wished(clinic, others, "$hold", slot)).status_code == 201


def test_a_booking_that_is_given_up_counts_too(clinic: Clinic) -> None:
    slot, who = clinic.slot(clinic.schedule()), person(clinic.patient())
    for _ in range(MOST):
        made = operate(clinic, who, "/Appointment/$book", slot=slot)
        path = f"/Appointment/{id_of(made)}/$cancel"
        assert operate(clinic, who, path, reason="pat").is_success
    answer = operate(clinic, who, "/Appointment/$book", slot=slot)
    assert (answer.status_code, code(answer)) == (422, "too-many-bookings")


def test_what_the_clinic_entered_by_mistake_counts_for_nobody(clinic: Clinic) -> None:
    slot, who = clinic.slot(clinic.schedule()), person(clinic.patient())
    for _ in range(MOST):
        held = sent(clinic, wished(clinic, who, "$hold", slot))
        assert held.status_code == 201, held.text
        visit = clinic.get(f"/Appointment/{id_of(held)}")
        clinic.put(visit | {"status": "entered-in-error"})
    assert sent(clinic, wished(clinic, who, "$hold", slot)).status_code == 201


def test_holds_that_ran_out_count_for_a_day(ahead: Clinic) -> None:
    slot, who = ahead.slot(ahead.schedule()), person(ahead.patient())
    for _ in range(MOST):
        assert sent(ahead, wished(ahead, who, "$hold", slot)).status_code == 201
        ahead.clock.forward(10 * MINUTE)
    answer = sent(ahead, wished(ahead, who, "$hold", slot))
    assert (answer.status_code, code(answer)) == (422, "too-many-bookings")
    ahead.clock.forward(24 * HOUR)
    assert sent(ahead, wished(ahead, who, "$hold", slot)).status_code == 201


def family(clinic: Clinic) -> tuple[Principal, Principal, Principal]:
    """A mother, the same for her child, and the child itself."""
    child, mother = clinic.patient(), clinic.patient()
    born = {"resourceType": "Patient", "id": child, "birthDate": "2024-01-01"}
    for each in (born, *relation(child, mother)):
        clinic.put(each)
    own = person(mother, "user/*.cruds")
    return own, replace(own, patient=child, represented=(mother, child)), person(child)


def test_one_account_does_not_go_on_for_another_patient(clinic: Clinic) -> None:
    mother, acting, _ = family(clinic)
    slot = clinic.slot(clinic.schedule())
    let_go(clinic, mother, slot)
    answer = sent(clinic, wished(clinic, acting, "$hold", slot))
    assert (answer.status_code, code(answer)) == (422, "too-many-bookings")


def test_one_patient_is_not_held_for_by_another_account(clinic: Clinic) -> None:
    _, acting, child = family(clinic)
    slot = clinic.slot(clinic.schedule())
    let_go(clinic, child, slot)
    answer = sent(clinic, wished(clinic, acting, "$hold", slot))
    assert (answer.status_code, code(answer)) == (422, "too-many-bookings")


def test_other_places_are_not_touched(clinic: Clinic) -> None:
    schedule, who = clinic.schedule(), person(clinic.patient())
    let_go(clinic, who, clinic.slot(schedule))
    other = clinic.slot(schedule, days=8)
    assert sent(clinic, wished(clinic, who, "$hold", other)).status_code == 201


@pytest.mark.parametrize(("most", "times", "status"), [(0, 5, 201), (1, 1, 422), (2, 1, 201)])
def test_the_clinic_says_how_often(clinic: Clinic, most: int, times: int, status: int) -> None:
    rules = policy(most_takes={"valueInteger": most})
    slot, who = clinic.slot(clinic.schedule(**rules)), person(clinic.patient())
    let_go(clinic, who, slot, times)
    assert sent(clinic, wished(clinic, who, "$hold", slot)).status_code == status


def test_a_hold_that_one_has_is_booked(clinic: Clinic) -> None:
    slot, who = clinic.slot(clinic.schedule()), person(clinic.patient())
    let_go(clinic, who, slot, MOST - 1)
    held = sent(clinic, wished(clinic, who, "$hold", slot))
    path = f"/Appointment/{id_of(held)}/$confirm"
    assert operate(clinic, who, path).is_success


def test_several_at_once_are_counted(clinic: Clinic) -> None:
    """One more is left, of ten that want it in one moment and give it up at once."""
    rules = policy(most_takes={"valueInteger": 1})
    slot, who = clinic.slot(clinic.schedule(**rules)), person(clinic.patient())
    answers = at_once(clinic, [wished(clinic, who, "$hold", slot) for _ in range(10)])
    assert sorted({each.status_code for each in answers}) == [201, 409]
    (made,) = [each for each in answers if each.status_code == 201]
    visit = clinic.get(f"/Appointment/{id_of(made)}")
    assert sent(clinic, cancel(who, "PATCH", visit)).is_success
    answers = at_once(clinic, [wished(clinic, who, "$hold", slot) for _ in range(10)])
    assert {each.status_code for each in answers} == {422}
