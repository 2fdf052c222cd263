"""Who is told, in which language, by which way; and who is not, who may not see the visit.

https://hl7.org/fhir/R4/patient-definitions.html#Patient.communication
"""

import json
from typing import Any

import pytest

from fhir_server.access.codings import (
    CONSENT_ACTION,
    CONSENT_SCOPE,
    OWN,
    PARTICIPATION,
    PROXY,
    VISIT_NOTICE,
)
from fhir_server.cabinet.booking.names import BOOKED_BY, CHANNEL
from fhir_server.store.outgoing import Delivery
from tests.support.fhir import JsonObject
from tests.support.notified import BEGINNING, DAY, HOUR, House, person, prefers, speaks, staff
from tests.support.relations import relation
from tests.support.worlds import ROOT

pytestmark = pytest.mark.anyio


async def told(house: House, patient: str, who: Any = None, days: float = 7) -> list[Delivery]:
    """The messages of a visit that `who` (the patient) books."""
    slot = await house.slot(await house.schedule(), days=days)
    await house.book(who or person(patient), slot, patient)
    return await house.tell()


async def family(house: House, **child: Any) -> tuple[str, str]:
    """A child without an account, and a mother who has one; ids."""
    small = await house.patient(account=False, birthDate="2022-02-02", **child)
    mother = f"{small}-mother"
    await house.put(*relation(small, mother))
    await house.account(mother, patient=mother, person=f"{mother}-person")
    return small, mother


def parent(mother: str, child: str) -> Any:
    return person(
        mother, user=f"Person/{mother}-person", represented=(mother, child), patient=None
    )


@pytest.mark.parametrize(
    ("languages", "subject"),
    [
        (["ru-RU"], "Вы записаны на приём: 08.02 09:00"),
        (["uk"], "Вас записано на прийом: 08.02 09:00"),
        (["en-GB"], "Your visit is booked: 08.02 09:00"),
        (["fr", "uk"], "Вас записано на прийом: 08.02 09:00"),
        (["fr"], "Your visit is booked: 08.02 09:00"),
    ],
)
async def test_the_patients_language(house: House, languages: list[str], subject: str) -> None:
    spoken = [each for code in languages for each in speaks(code)]
    patient = await house.patient(communication=spoken)
    (mail,) = await told(house, patient)
    assert mail.content["subject"] == subject
    (note,) = await house.notes(patient)
    assert note["language"] == {"Вы": "ru", "Ва": "uk"}.get(subject[:2], "en")


async def test_the_language_of_the_account_where_the_record_says_none(house: House) -> None:
    patient = await house.patient(account=False)
    await house.account(patient, patient=patient, language="uk")
    (mail,) = await told(house, patient)
    assert mail.content["subject"].startswith("Вас записано")


@pytest.mark.parametrize(
    ("said", "ways"),
    [
        ([], ["email"]),
        ([prefers("sms")], ["sms"]),
        ([prefers("email"), prefers("sms")], ["email", "sms"]),
        ([prefers("none")], []),
        ([prefers("none", "reminder")], ["email"]),
        ([prefers("none"), prefers("sms", "visit")], ["sms"]),
        ([prefers("sms", "visit"), prefers("none", "visit-booked")], []),
    ],
)
async def test_preferences_are_kept(
    house: House, said: list[JsonObject], ways: list[str]
) -> None:
    telecom = [{"system": "sms", "value": "+380441234567"}]
    more = {"extension": said} if said else None
    patient = await house.patient(more, telecom=telecom)
    found = await told(house.under(notice_addresses="record", sms_gateway="x"), patient)
    assert [each.channel for each in found] == ways
    (note,) = await house.notes(patient)
    media = [each["coding"][0]["code"] for each in note["medium"]]
    assert media == ["ONLINEWRIT", *({"email": "EMAILWRIT", "sms": "SMSWRIT"}[w] for w in ways)]


@pytest.mark.parametrize(("setting", "to"), [("accounts", []), ("record", ["a@mail.example"])])
async def test_addresses_of_the_record_are_a_setting(
    house: House, setting: str, to: list[str]
) -> None:
    telecom = [{"system": "email", "value": "a@mail.example"}]
    patient = await house.patient(account=False, telecom=telecom)
    found = await told(house.under(notice_addresses=setting), patient, staff())
    assert [each.to for each in found] == to
    assert len(await house.notes(patient)) == 1


async def test_the_verified_address_counts_where_there_is_one(house: House) -> None:
    patient = await house.patient(telecom=[{"system": "email", "value": "a@mail.example"}])
    (mail,) = await told(house.under(notice_addresses="record"), patient)
    assert mail.to == f"{patient}@mail.example"


@pytest.mark.parametrize("gone", [{"standing": "locked"}, {"standing": "closed"}])
async def test_a_shut_account_is_not_written_to(house: House, gone: JsonObject) -> None:
    patient = await house.patient(account=False)
    await house.account(patient, patient=patient, **gone)
    assert await told(house, patient, staff()) == []


@pytest.mark.parametrize(
    "gone", [{"deceasedBoolean": True}, {"deceasedDateTime": "2026"}, {"active": False}]
)
async def test_nobody_writes_about_who_has_died(house: House, gone: JsonObject) -> None:
    patient = await house.patient()
    id_ = await house.book(person(patient), await house.slot(await house.schedule()))
    await house.tell()
    await house.put({**await house.get(f"/Patient/{patient}"), **gone})
    await house.operate(staff(), f"/Appointment/{id_}/$cancel")
    assert await house.tell() == []
    assert len(await house.notes(patient)) == 1


async def test_a_parent_is_told_of_a_childs_visit(house: House) -> None:
    child, mother = await family(house)
    (mail,) = await told(house, child, staff())
    assert mail.to == f"{mother}@mail.example"
    assert f"For {child.title()}." in mail.content["text"]
    (note,) = await house.notes(child)
    assert "For " not in note["payload"][0]["contentString"]
    assert await house.notes(mother) == []


async def test_child_and_parent_are_told_each(house: House) -> None:
    child, mother = await family(house)
    await house.account(child, patient=child)
    found = await told(house, child, parent(mother, child))
    assert {each.to for each in found} == {f"{child}@mail.example", f"{mother}@mail.example"}


async def test_an_address_is_written_to_once(house: House) -> None:
    shared = [{"system": "email", "value": "p-shared@mail.example"}]
    child, mother = await family(house, telecom=shared)
    other = await house.patient(account=False)
    await house.account("p-shared", patient=other)
    del mother
    await house.put(*relation(child, other))
    accounts = house.taps.bearers.accounts
    account = await accounts.find("account-p-shared")
    assert account is not None
    await accounts.change(account, person=f"{other}-person")
    found = await told(house.under(notice_addresses="record"), child, staff())
    assert [each.to for each in found].count("p-shared@mail.example") == 1


async def test_a_parent_is_not_told_after_the_birthday_of_the_law(house: House) -> None:
    child, mother = await family(house)
    id_ = await house.book(
        parent(mother, child), await house.slot(await house.schedule()), child
    )
    assert len(await house.tell()) == 1
    grown = {**await house.get(f"/Patient/{child}"), "birthDate": "2010-02-02"}
    await house.put(grown)
    await house.operate(staff(), f"/Appointment/{id_}/$cancel")
    assert await house.tell() == []
    assert len(await house.notes(child)) == 2


async def test_a_relation_that_nobody_verified_is_none(house: House) -> None:
    child, mother = await family(house)
    await house.ask(ROOT, "DELETE", f"/VerificationResult/{mother}-verified")
    assert await told(house, child, staff()) == []


async def test_by_channel_hides_what_is_told_too(house: House) -> None:
    hiding = house.under(booking_visibility="by-channel")
    patient = await house.patient()
    assert len(await told(hiding, patient)) == 1
    assert await told(hiding, patient, staff(), days=8) == []
    assert len(await house.notes(patient)) == 1
    child, mother = await family(house)
    assert await told(hiding, child, staff()) == []
    (mail,) = await told(hiding, child, parent(mother, child), days=8)
    assert mail.to == f"{mother}@mail.example"


async def test_what_was_hidden_after_the_booking_is_not_reminded_of(house: House) -> None:
    patient = await house.patient()
    hiding = house.under(booking_visibility="by-channel")
    id_ = await house.book(person(patient), await house.slot(await house.schedule()))
    assert len(await hiding.tell()) == 1
    visit = await house.get(f"/Appointment/{id_}")
    kept = [each for each in visit["extension"] if each["url"] not in (CHANNEL, BOOKED_BY)]
    await house.put({**visit, "extension": kept})
    house.clock.set(BEGINNING + 6 * DAY - HOUR)
    assert await hiding.tell() == []


async def test_who_booked_for_another_of_the_group_is_not_told(house: House) -> None:
    first, second = await house.patient(), await house.patient()
    id_ = await house.book(person(first), await house.slot(await house.schedule()))
    await house.tell()
    visit = await house.get(f"/Appointment/{id_}")
    more = {"actor": {"reference": f"Patient/{second}"}, "status": "accepted"}
    await house.put({**visit, "participant": [*visit["participant"], more]})
    assert [each.to for each in await house.tell()] == [f"{second}@mail.example"]


async def test_the_key_of_a_message_tells_no_address(house: House) -> None:
    number = "+380671234567"
    telling = house.under(notice_addresses="record", sms_gateway="x")
    patient = await house.patient(account=False, telecom=[{"system": "sms", "value": number}])
    (message,) = await told(telling, patient)
    assert message.to == number
    assert message.key.endswith(f"/visit-booked/sms/Patient/{patient}")


async def test_without_a_required_consent_the_cabinet_is_silent(
    house: House, tmp_path: Any
) -> None:
    rows = tmp_path / "required.json"
    text = '{"en": "x", "ru": "x", "uk": "x"}'
    rows.write_text(
        '[{"categories": [{"system": "http://test/consents", "code": "pdn"}], '
        f'"title": {text}, "where": {text}}}]'
    )
    patient = await house.patient()
    assert await told(house.under(required_consents=rows), patient) == []
    assert await house.notes(patient) == []


async def test_of_a_confidential_visit_a_mail_says_the_time_alone(house: House) -> None:
    patient, schedule = await house.patient(), await house.schedule()
    slot = await house.get(f"/Slot/{await house.slot(schedule)}")
    label = {
        "system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
        "code": "R",
    }
    await house.put({
        "resourceType": "Appointment",
        "id": f"{slot['id']}-visit",
        "meta": {"security": [label]},
        "status": "booked",
        "start": slot["start"],
        "end": slot["end"],
        "slot": [{"reference": f"Slot/{slot['id']}"}],
        "participant": [
            {"actor": {"reference": each}, "status": "accepted"}
            for each in (f"Patient/{patient}", f"Location/{schedule}-room")
        ],
    })  # fmt: skip
    (mail,) = await house.tell()
    assert "Room" not in mail.content["text"]
    assert "09:00" in mail.content["text"]
    (note,) = await house.notes(patient)
    assert note["meta"]["security"][0]["code"] == "R"


@pytest.mark.parametrize("who", ["patient", "staff", "system"])
async def test_nobody_writes_a_notice(house: House, who: str) -> None:
    patient = await house.patient()
    await told(house, patient)
    (note,) = await house.notes(patient)
    caller = {"patient": person(patient), "staff": staff(), "system": ROOT}[who]
    path = f"/Communication/{note['id']}"
    changed = {**note, "payload": [{"contentString": "x"}]}
    plain = {**note, "category": [{"text": "x"}]}
    forged = {k: v for k, v in note.items() if k not in ("id", "meta")}
    answers = [
        await house.ask(caller, "PUT", path, changed),
        await house.ask(caller, "PUT", path, plain),
        await house.ask(caller, "DELETE", path),
        await house.ask(caller, "POST", "/Communication", forged),
    ]
    assert {each.status_code for each in answers} == {403}
    if who != "patient":
        assert VISIT_NOTICE.code in answers[0].text
    assert (await house.notes(patient)) == [note]


async def test_the_patient_reads_the_notice(house: House) -> None:
    patient = await house.patient()
    await told(house, patient)
    path = f"/Communication?category={VISIT_NOTICE.system}|{VISIT_NOTICE.code}"
    found = (await house.ask(person(patient), "GET", path)).json()
    assert [each["resource"]["subject"]["reference"] for each in found["entry"]] == [
        f"Patient/{patient}"
    ]


async def test_s4_08_it_says_when_where_with_whom_and_the_number(house: House) -> None:
    patient = await house.patient(communication=speaks("ru"))
    (mail,) = await told(house, patient)
    (note,) = await house.notes(patient)
    (payload,) = note["payload"]
    for text in (mail.content["text"], payload["contentString"]):
        assert "8 февраля 2027" in text, text
        assert "09:00" in text
        assert "Room of" in text
        assert "Smith" in text
        assert "Номер талона: 1" in text


async def test_of_what_the_clinic_does_not_name_nothing_is_told(house: House) -> None:
    patient, schedule = await house.patient(), await house.schedule()
    slot = await house.get(f"/Slot/{await house.slot(schedule)}")
    home = {"resourceType": "Location", "id": f"{patient}-home", "name": "Hidden home"}
    await house.put(home)
    answer = await house.ask(person(patient), "POST", "/Appointment", {
        "resourceType": "Appointment",
        "status": "booked",
        "start": slot["start"],
        "end": slot["end"],
        "slot": [{"reference": f"Slot/{slot['id']}"}],
        "participant": [
            {"actor": {"reference": each}, "status": "accepted"}
            for each in (f"Location/{patient}-home", f"Patient/{patient}")
        ],
    })  # fmt: skip
    assert answer.status_code == 201, answer.text
    (mail,) = await house.tell()
    (note,) = await house.notes(patient)
    assert "Hidden" not in str(mail.content)
    assert "Hidden" not in str(note)


async def test_that_a_notice_was_read_the_patient_says(house: House) -> None:
    patient = await house.patient(communication=speaks("ru"))
    await told(house, patient)
    (note,) = await house.notes(patient)
    assert note["topic"]["text"] == "Вы записаны на приём"
    read = {**note, "received": "2027-02-01T10:00:00Z"}
    answer = await house.ask(person(patient), "PUT", f"/Communication/{note['id']}", read)
    assert answer.status_code == 200, answer.text


async def test_systems_are_told_what_happened_to_which_resource(
    house: House, tmp_path: Any
) -> None:
    url, secrets = "https://mis.example/hooks", [f"whsec_{'A' * 32}"]
    rows = {
        "all": {"url": url, "secrets": secrets},
        "ends": {"url": url, "secrets": secrets, "kinds": ["visit-cancelled"]},
    }
    file = tmp_path / "webhooks.json"
    file.write_text(json.dumps(rows))
    patient = await house.patient(account=False)
    id_ = await house.book(person(patient), await house.slot(await house.schedule()))
    telling = house.under(webhooks=file)
    (hook,) = await telling.tell()
    assert (hook.channel, hook.to) == ("webhook", "all")
    assert hook.content == {
        "type": "visit-booked",
        "timestamp": "2027-02-01T09:00:00.000Z",
        "data": {"reference": f"Appointment/{id_}"},
    }
    await house.operate(staff(), f"/Appointment/{id_}/$cancel")
    assert [each.to for each in await telling.tell()] == ["all", "ends"]


async def test_who_acts_by_a_consent_is_told_of_the_own_bookings(house: House) -> None:
    old = await house.patient(birthDate="1950-02-02")
    daughter = f"{old}-daughter"
    await house.put(
        *relation(old, daughter, code="DAU"),
        {
            "resourceType": "Consent",
            "id": f"{old}-proxy",
            "status": "active",
            "scope": {"coding": [{"system": CONSENT_SCOPE, "code": "patient-privacy"}]},
            "category": [{"coding": [{"system": OWN, "code": PROXY}]}],
            "patient": {"reference": f"Patient/{old}"},
            "performer": [{"reference": f"Patient/{old}"}],
            "dateTime": "2027-01-01",
            "policy": [{"uri": "http://test/policy"}],
            "provision": {
                "type": "permit",
                "actor": [
                    {
                        "role": {"coding": [{"system": PARTICIPATION, "code": "IRCP"}]},
                        "reference": {"reference": f"RelatedPerson/{daughter}-of-{old}"},
                    }
                ],
                "action": [
                    {"coding": [{"system": CONSENT_ACTION, "code": each}]}
                    for each in ("access", "disclose", "collect", "correct")
                ],
            },
        },
    )
    await house.account(daughter, patient=daughter, person=f"{daughter}-person")
    assert [each.to for each in await told(house, old)] == [f"{old}@mail.example"]
    found = await told(house, old, parent(daughter, old), days=8)
    assert {each.to for each in found} == {f"{old}@mail.example", f"{daughter}@mail.example"}
