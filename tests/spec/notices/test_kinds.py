"""What is told, by whatever door the change comes.

https://hl7.org/fhir/R4/appointment.html#statuses
"""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.support.fhir import JsonObject
from tests.support.notified import HOUR, House, links, person, staff
from tests.support.worlds import ROOT

pytestmark = pytest.mark.anyio


async def visit(house: House, patient: str, slot: str, **more: Any) -> JsonObject:
    """An Appointment, not yet sent."""
    place = await house.get(f"/Slot/{slot}")
    room = {"reference": f"Location/{place['schedule']['reference'][9:]}-room"}
    people = [
        {"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"},
        {"actor": room, "status": "accepted"},
    ]
    return {
        "resourceType": "Appointment",
        "status": "booked",
        "slot": [{"reference": f"Slot/{slot}"}],
        "start": place["start"],
        "end": place["end"],
        "participant": people,
        **more,
    }


async def _operation(house: House, patient: str, slot: str) -> str:
    return await house.book(person(patient), slot)


async def _create(house: House, patient: str, slot: str) -> str:
    body = await visit(house, patient, slot)
    answer = await house.ask(staff(), "POST", "/Appointment", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def _put(house: House, patient: str, slot: str) -> str:
    body = await visit(house, patient, slot, id=f"{slot}-visit")
    answer = await house.ask(ROOT, "PUT", f"/Appointment/{slot}-visit", body)
    assert answer.status_code == 201, answer.text
    return f"{slot}-visit"


async def _bundle(house: House, patient: str, slot: str) -> str:
    await house.put(await visit(house, patient, slot, id=f"{slot}-visit"))
    return f"{slot}-visit"


async def _hold(house: House, patient: str, slot: str) -> str:
    who = person(patient)
    held = await house.operate(who, "/Appointment/$hold", slot=slot)
    assert await house.tell() == []
    found = str(held.json()["entry"][0]["resource"]["id"])
    answer = await house.operate(who, f"/Appointment/{found}/$confirm")
    assert answer.status_code == 200, answer.text
    return found


async def test_no_words_of_an_app_are_told_in_the_clinics_name(house: House) -> None:
    """Whoever may book could have the clinic write anything, to parents too."""
    patient, schedule = await house.patient(), await house.schedule()
    slot = await house.slot(schedule)
    evil = "Pay at https://evil.example"
    body = await visit(house, patient, slot, specialty=[{"text": evil}])
    for each in body["participant"][1:]:
        each["actor"]["display"] = evil
    nobody = {"reference": "Location/not-there", "display": evil}
    doctor = {"reference": "Practitioner/not-there", "display": evil}
    body["participant"][1:1] = [
        {"actor": each, "status": "accepted"} for each in (nobody, doctor)
    ]
    answer = await house.ask(person(patient), "POST", "/Appointment", body)
    assert answer.status_code == 201, answer.text
    (mail,) = await house.tell()
    assert "evil" not in str(mail.content)


Door = Callable[[House, str, str], Awaitable[str]]


@pytest.mark.parametrize("door", [_operation, _create, _put, _bundle, _hold])
async def test_a_booking_is_told_at_every_door(house: House, door: Door) -> None:
    patient, schedule = await house.patient(), await house.schedule()
    await door(house, patient, await house.slot(schedule))
    (mail,) = await house.tell()
    assert (mail.channel, mail.to) == ("email", f"{patient}@mail.example")
    assert mail.content["subject"] == "Your visit is booked: 08.02 09:00"
    assert f"Where: Room of {schedule}" in mail.content["text"]
    (note,) = await house.notes(patient)
    assert note["topic"]["coding"][0]["code"] == "visit-booked"
    assert await house.tell() == []


async def _by_patient(house: House, patient: str, id_: str) -> None:
    answer = await house.operate(person(patient), f"/Appointment/{id_}/$cancel")
    assert answer.status_code == 200, answer.text


async def _patched(house: House, patient: str, id_: str) -> None:
    del patient
    patch = [{"op": "replace", "path": "/status", "value": "cancelled"}]
    kind = "application/json-patch+json"
    answer = await house.ask(
        staff(), "PATCH", f"/Appointment/{id_}", patch, **{"Content-Type": kind}
    )
    assert answer.status_code == 200, answer.text


async def _bundled(house: House, patient: str, id_: str) -> None:
    del patient
    await house.put({**await house.get(f"/Appointment/{id_}"), "status": "cancelled"})


async def _deleted(house: House, patient: str, id_: str) -> None:
    del patient
    answer = await house.ask(ROOT, "DELETE", f"/Appointment/{id_}")
    assert answer.is_success, answer.text


Ends = Callable[[House, str, str], Awaitable[None]]


@pytest.mark.parametrize(
    ("door", "said"),
    [
        (_by_patient, "Your visit is cancelled."),
        (_patched, "The clinic has cancelled your visit."),
        (_bundled, "The clinic has cancelled your visit."),
        (_deleted, "The clinic has cancelled your visit."),
    ],
)
async def test_a_cancellation_is_told_and_ends_the_reminder(
    house: House, door: Ends, said: str
) -> None:
    patient = await house.patient()
    id_ = await house.book(person(patient), await house.slot(await house.schedule()))
    await house.tell()
    assert [kind for kind, _ in await house.waiting(f"Appointment/{id_}")] == ["visit-reminder"]
    await door(house, patient, id_)
    (mail,) = await house.tell()
    assert mail.content["text"].startswith(said)
    assert links(mail) == {}
    assert await house.waiting(f"Appointment/{id_}") == []


async def test_a_visit_that_is_moved_is_told_once(house: House) -> None:
    patient, schedule = await house.patient(), await house.schedule()
    who = person(patient)
    old = await house.book(who, await house.slot(schedule))
    await house.tell()
    later = await house.slot(schedule, days=9)
    answer = await house.operate(who, f"/Appointment/{old}/$reschedule", slot=later)
    assert answer.status_code == 201, answer.text
    (mail,) = await house.tell()
    assert mail.content["subject"] == "Your visit was moved: 10.02 09:00"
    assert await house.waiting(f"Appointment/{old}") == []
    (coming,) = await house.waiting(f"Appointment/{answer.json()['id']}")
    assert coming[0] == "visit-reminder"


async def test_another_time_in_place_replaces_the_reminder(house: House) -> None:
    patient, schedule = await house.patient(), await house.schedule()
    id_ = await house.book(person(patient), await house.slot(schedule))
    await house.tell()
    ((_, first),) = await house.waiting(f"Appointment/{id_}")
    moved = await visit(house, patient, await house.slot(schedule, days=8), id=id_)
    await house.put(moved)
    (mail,) = await house.tell()
    assert mail.content["subject"] == "Your visit was moved: 09.02 09:00"
    assert await house.waiting(f"Appointment/{id_}") == [("visit-reminder", first + 24 * HOUR)]


async def test_another_room_is_told(house: House) -> None:
    patient, schedule = await house.patient(), await house.schedule()
    id_ = await house.book(person(patient), await house.slot(schedule))
    await house.tell()
    await house.put({"resourceType": "Location", "id": f"{id_}-new", "name": "Room 7"})
    before = await house.get(f"/Appointment/{id_}")
    people = [
        before["participant"][0],
        {"actor": {"reference": f"Location/{id_}-new"}, "status": "accepted"},
    ]
    await house.put({**before, "participant": people})
    (mail,) = await house.tell()
    assert mail.content["subject"].startswith("Your visit has changed")
    assert "Where: Room 7" in mail.content["text"]


@pytest.mark.parametrize(
    "change", [{"comment": "x"}, {"status": "arrived"}, {"status": "fulfilled"}]
)
async def test_what_changes_nothing_for_the_patient_is_not_told(
    house: House, change: JsonObject
) -> None:
    patient = await house.patient()
    id_ = await house.book(person(patient), await house.slot(await house.schedule()))
    await house.tell()
    await house.put({**await house.get(f"/Appointment/{id_}"), **change})
    assert await house.tell() == []
    assert len(await house.notes(patient)) == 1


async def test_history_that_is_loaded_tells_nothing(house: House) -> None:
    patient, schedule = await house.patient(), await house.schedule()
    slot = await house.slot(schedule, days=-400, status="busy")
    old = await visit(house, patient, slot, id=f"{slot}-visit")
    await house.put(old)
    await house.put({**old, "status": "cancelled"})
    assert await house.tell() == []
    assert house.told == []


async def test_what_is_stale_when_it_is_told_says_nothing(house: House) -> None:
    patient = await house.patient()
    who = person(patient)
    id_ = await house.book(who, await house.slot(await house.schedule()))
    await house.operate(who, f"/Appointment/{id_}/$cancel")
    mails = await house.tell()
    assert [each.content["subject"] for each in mails] == [
        "Your visit is cancelled: 08.02 09:00"
    ]


async def test_the_queue_is_told_step_by_step(house: House) -> None:
    rules = {"waitlist": {"valueBoolean": True}, "offers": {"valueInteger": 2}}
    concept = [{"coding": [{"system": "http://test/specialities", "code": "a"}]}]
    schedule = await house.schedule(rules=rules, specialty=concept)
    first, waits = await house.patient(), await house.patient()
    who, slots = person(waits), [await house.slot(schedule, days=n) for n in (7, 8)]
    taken = [await house.book(person(first), each) for each in slots]
    await house.tell()

    entry = {
        "resourceType": "Appointment",
        "status": "waitlist",
        "specialty": concept,
        "participant": [{"actor": {"reference": f"Patient/{waits}"}, "status": "accepted"}],
    }
    made = await house.ask(who, "POST", "/Appointment", entry)
    assert made.status_code == 201, made.text
    entry_id = made.json()["id"]

    async def subjects() -> list[str]:
        found = await house.tell()
        return [each.content["subject"] for each in found if each.to.startswith(waits)]

    async def answered(status: str) -> None:
        answer = {
            "resourceType": "AppointmentResponse",
            "appointment": {"reference": f"Appointment/{entry_id}"},
            "actor": {"reference": f"Patient/{waits}"},
            "participantStatus": status,
        }
        done = await house.ask(who, "POST", "/AppointmentResponse", answer)
        assert done.status_code == 201, done.text

    assert await subjects() == ["You are in the queue"]
    await house.operate(person(first), f"/Appointment/{taken[0]}/$cancel")
    (offer,) = [each for each in await house.tell() if each.to.startswith(waits)]
    assert offer.content["subject"] == "A place has become free: 08.02 09:00"
    assert "Answer until: Monday, 1 February 2027, 11:00" in offer.content["text"]
    assert list(links(offer)) == ["Take the place", "Leave it to others"]
    await answered("declined")
    assert await subjects() == ["You wait on in the queue"]
    await house.operate(person(first), f"/Appointment/{taken[1]}/$cancel")
    assert await subjects() == ["A place has become free: 09.02 09:00"]
    await answered("declined")
    assert await subjects() == ["You are out of the queue"]
    kinds = [each["topic"]["coding"][0]["code"] for each in await house.notes(waits)]
    assert kinds == [
        "waitlist-joined", "waitlist-offered", "waitlist-returned", "waitlist-offered",
        "waitlist-ended",
    ]  # fmt: skip
