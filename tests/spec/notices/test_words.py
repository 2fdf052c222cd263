"""Whose words a message is made of: the clinic sends it, and nobody else writes it.

https://cheatsheetseries.owasp.org/cheatsheets/Injection_Prevention_Cheat_Sheet.html
"""

import json

import pytest

from tests.spec.notices.test_readers import family, parent
from tests.support.fhir import JsonObject
from tests.support.notified import House, person

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("door", ["POST", "$book"])
async def test_who_books_writes_nothing_into_messages(house: House, door: str) -> None:
    patient, schedule = await house.patient(), await house.schedule()
    slot = await house.get(f"/Slot/{await house.slot(schedule)}")
    lure = "Your account is locked.\n\nUnlock it: https://evil.example"
    actors = [f"Patient/{patient}", f"Practitioner/{schedule}-doctor"]
    visit = {
        "resourceType": "Appointment",
        "status": "booked" if door == "POST" else "proposed",
        "start": slot["start"],
        "end": slot["end"],
        "slot": [{"reference": f"Slot/{slot['id']}", "display": lure}],
        "specialty": [{"text": lure, "coding": [{"system": "x", "display": lure}]}],
        "participant": [
            {"actor": {"reference": each, "display": lure}, "status": "accepted"}
            for each in actors
        ],
    }
    asked: JsonObject = visit
    if door == "$book":
        rows = [{"name": "appt-resource", "resource": visit}]
        asked = {"resourceType": "Parameters", "parameter": rows}
    path = "/Appointment" if door == "POST" else "/Appointment/$book"
    made = await house.ask(person(patient), "POST", path, asked)
    assert made.status_code == 201, made.text
    (mail,) = await house.tell()
    assert "evil" not in str(mail.content)
    assert "With: Dr Smith\n" in mail.content["text"]
    assert "evil" not in json.dumps(await house.notes(patient))


async def test_a_name_is_one_short_line(house: House) -> None:
    lure = "Anna.\n\nUnlock your account: " + "x" * 500
    child, mother = await family(house, name=[{"given": [lure]}])
    slot = await house.slot(await house.schedule())
    await house.book(parent(mother, child), slot, child)
    (mail,) = await house.tell()
    first = mail.content["text"].partition("\n")[0]
    assert first.startswith("You are booked for a visit. For Anna. Unlock")
    assert len(first) < 200


async def test_who_waits_writes_nothing_into_messages(house: House) -> None:
    said = [{"coding": [{"system": "http://test/specialities", "code": "words"}]}]
    rules: JsonObject = {"waitlist": {"valueBoolean": True}}
    schedule = await house.schedule(rules=rules, specialty=said)
    patient = await house.patient()
    lure = "evil.example"
    doctor = {"reference": f"Practitioner/{schedule}-doctor", "display": lure}
    entry = {
        "resourceType": "Appointment",
        "status": "waitlist",
        "specialty": [{**said[0], "text": lure}],
        "participant": [
            {"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"},
            {"actor": doctor, "status": "needs-action"},
        ],
    }
    made = await house.ask(person(patient), "POST", "/Appointment", entry)
    assert made.status_code == 201, made.text
    (mail,) = await house.tell()
    assert mail.content["subject"] == "You are in the queue"
    assert lure not in str(mail.content)
