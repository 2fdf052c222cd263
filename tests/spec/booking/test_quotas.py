"""The share of a schedule's day that persons may book, also under parallel bookings.

https://hl7.org/fhir/R4/slot.html
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx
import pytest

from fhir_server.access.principal import Principal
from tests.spec.booking.conftest import Clinic, code, person
from tests.spec.booking.test_book import booked, operate
from tests.spec.booking.test_demands import STAFF
from tests.spec.booking.test_tickets import places
from tests.support.fhir import JsonObject
from tests.support.worlds import ROOT


def quota(percent: int, channel: str = "portal", **more: JsonObject) -> JsonObject:
    share = {
        "url": "quota",
        "extension": [
            {"url": "channel", "valueCode": channel},
            {"url": "percent", "valueInteger": percent},
        ],
    }
    others = [{"url": name, **value} for name, value in more.items()]
    url = "https://fhir-server.example/StructureDefinition/booking-policy"
    return {"extension": [{"url": url, "extension": [share, *others]}]}


def book(clinic: Clinic, slot: str, who: Principal | None = None) -> httpx.Response:
    asking = who or person(clinic.patient())
    return operate(clinic, asking, "/Appointment/$book", slot=slot)


@pytest.mark.parametrize(("percent", "most"), [(0, 0), (30, 1), (50, 2), (100, 4)])
def test_persons_book_their_share_of_a_day(clinic: Clinic, percent: int, most: int) -> None:
    schedule = clinic.schedule(**quota(percent))
    answers = [book(clinic, each) for each in places(clinic, schedule, 4)]
    assert [each.status_code for each in answers] == [*[201] * most, *[409] * (4 - most)]
    assert {code(each) for each in answers[most:]} <= {"quota-reached"}


def test_another_day_has_a_share_of_its_own(clinic: Clinic) -> None:
    schedule = clinic.schedule(**quota(50))
    first, second = places(clinic, schedule, 2)
    there, _ = places(clinic, schedule, 2, days=11)
    assert [book(clinic, each).status_code for each in (first, second, there)] == [
        201,
        409,
        201,
    ]


def test_the_share_of_another_channel_limits_nobody_here(clinic: Clinic) -> None:
    schedule = clinic.schedule(**quota(0, "registry"))
    (slot,) = places(clinic, schedule, 1)
    assert book(clinic, slot).status_code == 201


@pytest.mark.parametrize("switch", ["true", "false"])
def test_parallel_bookings_do_not_go_past_a_share(clinic: Clinic, switch: str) -> None:
    tickets = {"valueBoolean": switch == "true"}
    slots = places(clinic, clinic.schedule(**quota(30, tickets=tickets)), 10)
    with ThreadPoolExecutor(len(slots)) as pool:
        answers = list(pool.map(lambda slot: book(clinic, slot), slots))
    assert sorted(each.status_code for each in answers) == [*[201] * 3, *[409] * 7]


def test_find_shows_a_day_while_its_share_has_room(clinic: Clinic) -> None:
    schedule = clinic.schedule(**quota(50))
    here, _ = places(clinic, schedule, 2)
    there = places(clinic, schedule, 2, days=11)

    def shown(who: Principal) -> set[str]:
        path = f"/Appointment/$find?schedule={schedule}"
        found = clinic.ask(who, "GET", path).json().get("entry", ())
        named = (each["resource"]["slot"][0]["reference"] for each in found)
        return {each.removeprefix("Slot/") for each in named}

    assert len(shown(person(clinic.patient()))) == 4
    assert book(clinic, here).status_code == 201
    assert shown(person(clinic.patient())) == set(there)
    assert len(shown(STAFF)) == 3


def test_a_hold_takes_of_the_share_and_gives_it_back(clinic: Clinic) -> None:
    first, second = places(clinic, clinic.schedule(**quota(50)), 2)
    who = person(clinic.patient())
    held = operate(clinic, who, "/Appointment/$hold", slot=first).json()["entry"][0]["resource"]
    assert code(book(clinic, second)) == "quota-reached"
    assert operate(clinic, who, f"/Appointment/{held['id']}/$confirm").is_success
    operate(clinic, who, f"/Appointment/{held['id']}/$cancel")
    assert book(clinic, second).status_code == 201


def test_a_visit_is_moved_within_the_share(clinic: Clinic) -> None:
    first, second = places(clinic, clinic.schedule(**quota(50)), 2)
    who = person(clinic.patient())
    visit = booked(clinic, who, first)
    moved = operate(clinic, who, f"/Appointment/{visit['id']}/$reschedule", slot=second)
    assert moved.status_code == 201


@pytest.mark.parametrize("who", [STAFF, ROOT], ids=["staff", "system"])
def test_staff_and_systems_book_the_rest(clinic: Clinic, who: Principal) -> None:
    slots = places(clinic, clinic.schedule(**quota(50)), 2)
    answers: list[Any] = []
    for slot in slots:
        visit = clinic.visit(clinic.patient(), slot)
        answers.append(clinic.ask(who, "POST", "/Appointment", visit).status_code)
    assert answers == [201, 201]


def test_what_staff_booked_leaves_the_share_alone(clinic: Clinic) -> None:
    first, second, third, _ = places(clinic, clinic.schedule(**quota(25)), 4)
    visit = clinic.visit(clinic.patient(), first)
    assert clinic.ask(STAFF, "POST", "/Appointment", visit).is_success
    assert [book(clinic, each).status_code for each in (second, third)] == [201, 409]


BAD: Final = [
    [{"url": "channel", "valueCode": "portal"}],
    [{"url": "channel", "valueCode": "portal"}, {"url": "percent", "valueInteger": 101}],
]


@pytest.mark.parametrize("parts", BAD)
def test_a_share_that_cannot_be_followed_is_not_stored(
    clinic: Clinic, parts: list[JsonObject]
) -> None:
    rules = quota(1)
    rules["extension"][0]["extension"][0]["extension"] = parts
    actor = [{"reference": "Practitioner/dr"}]
    answer = clinic.ask(
        ROOT, "POST", "/Schedule", {"resourceType": "Schedule", "actor": actor, **rules}
    )
    assert answer.status_code == 422
