"""Reminders: while a visit can still be moved, in the clinic's time, across its clocks."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.fhir import JsonObject
from tests.support.notified import BEGINNING, DAY, HOUR, House, links, person, prefers, staff

pytestmark = pytest.mark.anyio

MINUTE = 60_000


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def hours(count: float) -> JsonObject:
    return {
        "valueDuration": {"value": count, "code": "h", "system": "http://unitsofmeasure.org"}
    }


async def booked(house: House, rules: JsonObject | None = None, **slot: Any) -> tuple[str, str]:
    """A patient's visit; ids of both."""
    patient, schedule = await house.patient(), await house.schedule(rules=rules)
    id_ = await house.book(person(patient), await house.slot(schedule, **slot))
    await house.tell()
    return patient, id_


@pytest.mark.parametrize(
    ("rules", "before"),
    [
        ({}, 25 * HOUR),
        ({"reschedule_notice": hours(48)}, 49 * HOUR),
        ({"reminder": hours(3)}, 3 * HOUR),
        ({"reminder": hours(0)}, None),
    ],
)
async def test_it_is_sent_so_long_before(
    house: House, rules: JsonObject, before: int | None
) -> None:
    _, id_ = await booked(house, rules, days=7 + 6 / 24)  # 15:00
    start = BEGINNING + 7 * DAY + 6 * HOUR
    due = [] if before is None else [("visit-reminder", start - before)]
    assert await house.waiting(f"Appointment/{id_}") == due


async def test_it_comes_once_and_the_visit_can_be_moved_then(house: House) -> None:
    patient, id_ = await booked(house, days=7)
    house.clock.set(BEGINNING + 6 * DAY - HOUR - 1)
    assert await house.tell() == []
    house.clock.set(BEGINNING + 6 * DAY - HOUR)
    (mail,) = await house.tell()
    assert mail.content["subject"] == "Your visit is coming: 08.02 09:00"
    assert list(links(mail)) == ["I will come", "Move the visit", "Cancel the visit"]
    assert await house.tell() == []
    topics = [each["topic"]["coding"][0]["code"] for each in await house.notes(patient)]
    assert topics == ["visit-booked", "visit-reminder"]
    assert await house.waiting(f"Appointment/{id_}") == []


async def test_a_visit_of_tomorrow_has_none(house: House) -> None:
    _, id_ = await booked(house, days=1)
    assert await house.waiting(f"Appointment/{id_}") == []


async def test_late_it_does_not_offer_to_move(house: House) -> None:
    patient, _ = await booked(house)
    house.clock.set(BEGINNING + 6 * DAY + HOUR)
    (mail,) = await house.tell()
    assert list(links(mail)) == ["I will come", "Cancel the visit"]
    house.clock.set(BEGINNING + 7 * DAY)
    del patient


@pytest.mark.parametrize("change", ["none", "number", "active"])
async def test_what_waits_for_the_morning_is_told_as_it_is_then(
    house: House, change: str
) -> None:
    number, other = ({"system": "sms", "value": f"+38044123456{n}"} for n in (7, 8))
    patient = await house.patient(telecom=[number], extension=[prefers("sms")])
    telling = house.under(notice_addresses="record", sms_gateway="x")
    late = BEGINNING + 14 * HOUR
    house.clock.set(late)
    id_ = await house.book(person(patient), await house.slot(await house.schedule()))
    assert await telling.tell() == []
    before = await house.get(f"/Patient/{patient}")
    changes: JsonObject = {"number": {"telecom": [other]}, "active": {"active": False}}
    await house.put({**before, **changes.get(change, {})})
    house.clock.set(late + 9 * HOUR)
    expected = {"none": ["+380441234567"], "number": ["+380441234568"], "active": []}
    assert [each.to for each in await telling.tell()] == expected[change]
    assert [kind for kind, _ in await house.waiting(f"Appointment/{id_}")] == ["visit-reminder"]
    (note,) = await house.notes(patient)
    media = [each["coding"][0]["code"] for each in note["medium"]]
    assert media == ["ONLINEWRIT", "SMSWRIT"]


async def test_it_stays_when_others_of_a_group_come_and_go(house: House) -> None:
    patient, id_ = await booked(house)
    ((_, due),) = await house.waiting(f"Appointment/{id_}")
    alone = await house.get(f"/Appointment/{id_}")
    other = {
        "actor": {"reference": f"Patient/{await house.patient()}"},
        "status": "accepted",
    }
    group = {**alone, "participant": [*alone["participant"], other]}
    for each in (group, alone):
        await house.put(each)
        await house.tell()
    house.clock.set(int(due))
    assert [each.to for each in await house.tell()] == [f"{patient}@mail.example"]


async def test_after_the_visit_it_is_not_sent(house: House) -> None:
    await booked(house)
    house.clock.set(BEGINNING + 7 * DAY)
    assert await house.tell() == []


async def test_a_visit_of_somebody_else_is_confirmed_alone(house: House) -> None:
    patient, schedule = await house.patient(), await house.schedule()
    await house.book(staff(), await house.slot(schedule), patient)
    (mail,) = await house.tell()
    assert links(mail) == {}
    house.clock.set(BEGINNING + 6 * DAY)
    (mail,) = await house.tell()
    assert list(links(mail)) == ["I will come"]


async def test_one_that_would_come_at_night_comes_before_it(house: House) -> None:
    rules = {"zone": {"valueString": "Europe/Kyiv"}, "reminder": hours(2)}
    begins = at("2027-03-28T08:30:00+03:00")  # the clocks have gone forward in that night
    days = (begins - BEGINNING) / DAY
    _, id_ = await booked(house, rules, days=days)
    (coming,) = await house.waiting(f"Appointment/{id_}")
    assert coming == ("visit-reminder", at("2027-03-27T21:59:00+02:00"))


async def test_an_sms_waits_for_the_morning(house: House) -> None:
    telecom = [{"system": "sms", "value": "+380441234567"}]
    wants = [prefers("sms"), prefers("email")]
    patient = await house.patient(telecom=telecom, extension=wants)
    late = round(datetime(2027, 2, 1, 23, tzinfo=UTC).timestamp() * 1000)
    house.clock.set(late)
    telling = house.under(notice_addresses="record", sms_gateway="x")
    await house.book(person(patient), await house.slot(await house.schedule()))
    assert [each.channel for each in await telling.tell()] == ["email"]
    house.clock.set(late + 9 * HOUR)
    assert [each.channel for each in await telling.tell()] == ["sms"]
