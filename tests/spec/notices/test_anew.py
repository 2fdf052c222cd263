"""What could not be sent is looked at again before it is tried again: by then its person may be
reached elsewhere, want to be told otherwise, or not see the visit any more.

https://www.hl7.org/fhir/R4/datatypes.html#ContactPoint
"""

from pathlib import Path
from typing import Any

import pytest

from fhir_server.delivery.fan_out import FanOut
from fhir_server.store.mongo.outbox import MongoOutbox
from fhir_server.store.mongo.sealing import Seal
from fhir_server.store.outgoing import CHANNELS, OCCASIONS, Delivery, Held, Occasion
from tests.support.fhir import JsonObject
from tests.support.notified import BEGINNING, HOUR, House, links, person, prefers
from tests.support.relations import relation

pytestmark = pytest.mark.anyio

NUMBER = "+380441234567"


@pytest.fixture
def told(house: House) -> House:
    """The clinic, which writes to addresses of records, too."""
    return house.under(notice_addresses="record", sms_gateway=Path("gateway.json"))


def outbox(house: House) -> MongoOutbox:
    return MongoOutbox(house.client[house.app.settings.database], Seal(None), 86_400)


def fan_out(house: House) -> FanOut:
    assert house.composer is not None
    return FanOut(house.taps.services.store, house.composer.compose, house.clock)


async def taken(house: House, *lanes: Any) -> Held | None:
    return await outbox(house).lease("test", lanes, house.clock(), 60)


async def composed(house: House) -> None:
    """Work off the occasions alone."""
    while (held := await taken(house, OCCASIONS)) is not None:
        assert isinstance(held.of, Occasion)
        await fan_out(house)(held, held.of)


async def put_off(house: House) -> Delivery:
    """The one message is tried in vain, and due again."""
    await composed(house)
    held = await taken(house, *CHANNELS)
    assert held is not None
    assert await outbox(house).postpone(held, house.clock(), "smtp 451")
    assert isinstance(held.of, Delivery)
    return held.of


async def again(house: House) -> tuple[bool, list[Delivery]]:
    """Whether the message that is due again holds, and what goes out then."""
    held = await taken(house, *CHANNELS)
    assert held is not None
    holds = await fan_out(house).holds(held)
    if holds:
        assert isinstance(held.of, Delivery)
        return True, [held.of]
    await composed(house)
    found = []
    while (held := await taken(house, *CHANNELS)) is not None:
        assert isinstance(held.of, Delivery)
        found.append(held.of)
    return False, found


def reached(*points: tuple[str, str]) -> JsonObject:
    return {"telecom": [{"system": system, "value": value} for system, value in points]}


async def visiting(house: House, *points: tuple[str, str], **more: Any) -> tuple[str, str]:
    """A patient without an account, and a booked visit."""
    patient = await house.patient(account=False, **reached(*points), **more)
    id_ = await house.book(person(patient), await house.slot(await house.schedule()))
    return patient, id_


async def changed(house: House, patient: str, **more: Any) -> None:
    await house.put({**await house.get(f"/Patient/{patient}"), **more})


async def test_the_address_is_the_one_of_the_moment_in_which_it_is_sent(told: House) -> None:
    patient, _ = await visiting(told, ("email", "old@mail.example"))
    before = await put_off(told)
    assert before.to == "old@mail.example"
    await changed(told, patient, **reached(("email", "new@mail.example")))
    holds, (mail,) = await again(told)
    assert (holds, mail.to) == (False, "new@mail.example")
    assert mail.content["subject"] == before.content["subject"]
    assert mail.key.isascii()
    assert mail.key != before.key
    for sent, holds in ((before, False), (mail, True)):
        token = links(sent)["Cancel the visit"].removeprefix("/auth/v/")
        tap = await told.taps_under(notice_addresses="record").look(token)
        assert (tap is not None) == holds


async def test_it_is_told_once_in_the_record_and_reminded_of_once(told: House) -> None:
    patient, id_ = await visiting(told, ("email", "old@mail.example"))
    await put_off(told)
    reminders = await told.waiting(f"Appointment/{id_}")
    await changed(told, patient, **reached(("email", "new@mail.example")))
    await again(told)
    assert len(await told.notes(patient)) == 1
    waiting = await told.waiting(f"Appointment/{id_}")
    assert [e for e in waiting if e[0] == "visit-reminder"] == [
        e for e in reminders if e[0] == "visit-reminder"
    ]


async def test_where_nothing_has_changed_the_same_is_sent(told: House) -> None:
    await visiting(told, ("email", "anna@mail.example"))
    before = await put_off(told)
    holds, (mail,) = await again(told)
    assert holds
    assert (mail.key, mail.to, mail.content) == (before.key, before.to, before.content)


@pytest.mark.parametrize(
    "change",
    [
        {"extension": [prefers("none")]},
        {"deceasedBoolean": True},
        {"active": False},
        {"telecom": []},
    ],
)
async def test_who_is_not_told_any_more_is_not_told(told: House, change: JsonObject) -> None:
    patient, _ = await visiting(told, ("email", "anna@mail.example"))
    await put_off(told)
    known = await told.get(f"/Patient/{patient}")
    await told.put({k: v for k, v in {**known, **change}.items() if v != []})
    assert await again(told) == (False, [])


async def test_who_has_an_account_by_now_is_told_there(told: House) -> None:
    patient, _ = await visiting(told, ("email", "anna@mail.example"))
    await put_off(told)
    await told.account(patient, patient=patient)
    holds, (mail,) = await again(told)
    assert (holds, mail.to) == (False, f"{patient}@mail.example")


async def test_another_way_is_taken_where_it_was_chosen_meanwhile(told: House) -> None:
    points = (("email", "anna@mail.example"), ("sms", NUMBER))
    patient, _ = await visiting(told, *points)
    await put_off(told)
    await changed(told, patient, extension=[prefers("sms")])
    holds, (sms,) = await again(told)
    assert (holds, sms.channel, sms.to) == (False, "sms", NUMBER)


async def test_nobody_else_is_told_again(told: House) -> None:
    child = await told.patient(account=False, birthDate="2022-02-02")
    mother = f"{child}-mother"
    await told.put(*relation(child, mother))
    await changed(told, child, **reached(("email", "old@mail.example")))
    await told.account(mother, patient=mother, person=f"{mother}-person")
    await told.book(person(child), await told.slot(await told.schedule()))
    await composed(told)
    both = [await taken(told, *CHANNELS) for _ in range(2)]
    for held in both:
        assert held is not None
        assert isinstance(held.of, Delivery)
        if held.of.to == "old@mail.example":
            await outbox(told).postpone(held, told.clock(), "smtp 451")
        else:
            await outbox(told).settle(held, "sent", "", told.clock())
    await changed(told, child, **reached(("email", "new@mail.example")))
    holds, (mail,) = await again(told)
    assert (holds, mail.to) == (False, "new@mail.example")


async def test_a_telephone_does_not_ring_at_night_for_a_message_that_comes_again(
    told: House,
) -> None:
    await visiting(told, ("sms", NUMBER))
    await put_off(told)
    told.clock.set(BEGINNING + 14 * HOUR)
    assert await again(told) == (False, [])
    told.clock.set(BEGINNING + 22 * HOUR + 59 * 60_000)
    assert await taken(told, OCCASIONS, *CHANNELS) is None
    told.clock.set(BEGINNING + 23 * HOUR)
    await composed(told)
    held = await taken(told, *CHANNELS)
    assert held is not None
    assert isinstance(held.of, Delivery)
    assert held.of.to == NUMBER
