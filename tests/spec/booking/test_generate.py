"""Slot/$generate: places of a schedule, made anew beside what is booked.

https://hl7.org/fhir/R4/slot.html
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest

from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.cabinet.booking.names import CAPACITY, CHANNEL
from tests.spec.booking.conftest import Clinic, person
from tests.spec.booking.test_book import booked, operate, policy
from tests.support.fhir import JsonObject
from tests.support.worlds import ROOT

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def hours(
    start: str, end: str, name: str = "hours", days: list[str] | None = None
) -> JsonObject:
    named = [{"name": "day", "valueCode": each} for each in days or DAYS]
    times = {"start": start, "end": end}
    part = [*named, *({"name": key, "valueTime": each} for key, each in times.items())]
    return {"name": name, "part": part}


def period(start: str, end: str) -> JsonObject:
    return {"name": "period", "valuePeriod": {"start": start, "end": end}}


def order(clinic: Clinic, schedule: str, *rows: JsonObject, minutes: int = 30) -> JsonObject:
    """A Parameters for the day in a week."""
    day = (clinic.clock.today + timedelta(days=7)).date().isoformat()
    length = {"value": minutes, "code": "min", "system": "http://unitsofmeasure.org"}
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "schedule", "valueReference": {"reference": f"Schedule/{schedule}"}},
            {"name": "period", "valuePeriod": {"start": day, "end": day}},
            {"name": "duration", "valueDuration": length},
            *(rows or (hours("08:00:00", "10:00:00"),)),
        ],
    }


def generate(clinic: Clinic, body: JsonObject, **more: Any) -> httpx.Response:
    return clinic.ask(more.get("who", ROOT), "POST", "/Slot/$generate", body)


def counts(answer: httpx.Response) -> tuple[int, int, int]:
    assert answer.status_code == 200, answer.text
    found = {each["name"]: each["valueInteger"] for each in answer.json()["parameter"]}
    return found["created"], found["kept"], found["removed"]


def slots(clinic: Clinic, schedule: str) -> list[JsonObject]:
    path = f"/Slot?schedule=Schedule/{schedule}&_sort=start&_count=1000"
    return [each["resource"] for each in clinic.get(path).get("entry", ())]


def test_places_are_made_and_a_second_time_kept(clinic: Clinic) -> None:
    speciality = [{"coding": [{"system": "urn:s", "code": "eye"}]}]
    schedule = clinic.schedule(
        specialty=speciality, **policy(zone={"valueString": "Asia/Tomsk"})
    )
    body = order(clinic, schedule)
    assert counts(generate(clinic, body)) == (4, 0, 0)
    assert counts(generate(clinic, body)) == (0, 4, 0)
    found = slots(clinic, schedule)
    assert [each["start"][11:] for each in found] == [
        f"{each}:00+07:00" for each in ("08:00", "08:30", "09:00", "09:30")
    ]
    assert all(each["specialty"] == speciality for each in found)
    assert {each["status"] for each in found} == {"free"}


def test_what_is_booked_or_closed_is_left_alone(clinic: Clinic) -> None:
    schedule = clinic.schedule()
    generate(clinic, order(clinic, schedule))
    first, second, third, _ = slots(clinic, schedule)
    booked(clinic, person(clinic.patient()), first["id"])
    who = person(clinic.patient())
    assert operate(clinic, who, "/Appointment/$hold", slot=second["id"]).is_success
    clinic.put({**third, "status": "busy-unavailable"})
    anew = order(clinic, schedule, hours("08:00:00", "10:00:00"), minutes=20)
    assert counts(generate(clinic, anew)) == (1, 3, 1)  # 9:40; 9:30 is gone
    assert [each["status"] for each in slots(clinic, schedule)] == [
        "busy",
        "busy-tentative",
        "busy-unavailable",
        "free",
    ]


def test_breaks_holidays_capacity_and_channels(clinic: Clinic) -> None:
    schedule = clinic.schedule()
    rest = hours("08:30:00", "09:00:00", "break")
    channel = {
        "name": "channel",
        "part": [{"name": "code", "valueCode": "portal"}, {"name": "quota", "valueInteger": 1}],
    }
    room = {"name": "capacity", "valueInteger": 3}
    worked = hours("08:00:00", "10:00:00")
    assert counts(generate(clinic, order(clinic, schedule, worked, rest, channel, room))) == (
        3,
        0,
        0,
    )
    said = [
        {each["url"]: next(v for k, v in each.items() if k != "url") for each in s["extension"]}
        for s in slots(clinic, schedule)
    ]
    assert [each[CHANNEL] for each in said].count("portal") == 1
    assert {each[CAPACITY] for each in said} == {3}
    day = order(clinic, schedule)["parameter"][1]["valuePeriod"]["start"]
    closed = order(clinic, schedule, worked, {"name": "holiday", "valueDate": day})
    assert counts(generate(clinic, closed)) == (0, 0, 3)


def test_a_dry_run_writes_nothing(clinic: Clinic) -> None:
    schedule = clinic.schedule()
    dry = {"name": "dry-run", "valueBoolean": True}
    assert counts(
        generate(clinic, order(clinic, schedule, hours("08:00:00", "10:00:00"), dry))
    ) == (4, 0, 0)
    assert slots(clinic, schedule) == []


@pytest.mark.parametrize("scope", ["patient/*.cruds", "user/*.cruds"])
def test_patients_generate_nothing(clinic: Clinic, scope: str) -> None:
    schedule = clinic.schedule()
    who = person(clinic.patient(), scope)
    answer = generate(clinic, order(clinic, schedule), who=who)
    assert answer.status_code == 403, answer.text
    assert slots(clinic, schedule) == []


@pytest.mark.parametrize(
    ("row", "status", "issue"),
    [
        (period("2030-01-01", "2032-01-01"), 400, "too-costly"),
        (period("2030-01", "2030-02"), 400, "value"),
        ({"name": "duration", "valueInteger": 0}, 400, "value"),
        ({"name": "colour", "valueString": "red"}, 400, "not-supported"),
        ({"name": "schedule", "valueString": "Schedule/none"}, 404, "not-found"),
    ],
)
def test_what_cannot_be_done_is_said(
    clinic: Clinic, row: JsonObject, status: int, issue: str
) -> None:
    body = order(clinic, clinic.schedule())
    others = [each for each in body["parameter"] if each["name"] != row["name"]]
    answer = generate(clinic, {**body, "parameter": [*others, row]})
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (status, issue)


def test_too_many_places_are_refused(clinic: Clinic) -> None:
    year = period("2030-01-01", "2030-12-31")
    body = order(clinic, clinic.schedule(), hours("00:00:00", "23:59:00"), minutes=5)
    body["parameter"][1] = year
    answer = generate(clinic, body)
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (400, "too-costly")


def test_no_booking_is_lost_while_a_schedule_is_made_anew(clinic: Clinic) -> None:
    schedule = clinic.schedule()
    generate(clinic, order(clinic, schedule))
    before = slots(clinic, schedule)
    patients = [clinic.patient() for _ in before]
    other = order(clinic, schedule, minutes=25)

    def book(place: int) -> httpx.Response:
        who = person(patients[place])
        return operate(clinic, who, "/Appointment/$book", slot=before[place]["id"])

    with ThreadPoolExecutor(5) as pool:
        made = pool.submit(generate, clinic, other)
        answers = list(pool.map(book, range(len(before))))
    assert made.result().status_code == 200
    left = {each["id"]: each for each in slots(clinic, schedule)}
    for slot, answer in zip(before, answers, strict=True):
        assert answer.status_code in (201, 409), answer.text
        if answer.status_code == 201:
            assert left[slot["id"]]["status"] == "busy"
        else:
            assert slot["id"] not in left
    spans = sorted((each["start"], each["end"]) for each in left.values())
    assert all(one[1] <= other[0] for one, other in pairwise(spans))


def test_a_schedule_out_of_reach_is_none(clinic: Clinic) -> None:
    schedule = clinic.schedule()
    scopes = parse_scopes("system/Slot.c system/Schedule.r?active=true")
    answer = generate(clinic, order(clinic, schedule), who=Principal("mis", scopes))
    assert answer.status_code == 404, answer.text
    assert slots(clinic, schedule) == []
