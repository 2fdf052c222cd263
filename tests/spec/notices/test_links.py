"""One-tap links: only a button acts, once, as the person, under the rules of an app.

https://cheatsheetseries.owasp.org/cheatsheets/Forgot_Password_Cheat_Sheet.html#url-tokens
"""

import asyncio

import pytest

from tests.support.linked import (
    ACCEPT,
    CANCEL,
    CONFIRM,
    DECLINE,
    MOVE,
    block,
    booked,
    is_over,
    offered,
    reminded,
    status,
)
from tests.support.notified import House, person, speaks

pytestmark = pytest.mark.anyio


async def test_the_page_says_what_when_and_where(house: House) -> None:
    _, _, found = await booked(house)
    page = await house.browser().open(found[CANCEL])
    assert page.status_code == 200
    assert "Monday, 8 February 2027, 09:00" in page.text
    assert "Room of" in page.text
    assert f'<button class="main">{CANCEL}</button>' in page.text
    for secret in ("Dr Smith", "Test", "mail.example", "csrf-token", "<script"):
        assert secret not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-robots-tag"].startswith("noindex")
    assert "script-src 'self'" in page.headers["content-security-policy"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
async def test_opening_a_link_does_nothing(house: House, method: str) -> None:
    _, id_, found = await booked(house)
    scanner = house.browser().http
    for url in found.values():
        for headers in ({}, {"Purpose": "prefetch"}, {"Sec-Purpose": "prefetch"}):
            await scanner.request(method, url, headers=headers)
    assert await status(house, id_) == "booked"
    assert (await house.browser().open(found[CANCEL])).status_code == 200


async def test_a_form_of_another_browser_does_nothing(house: House) -> None:
    _, id_, found = await booked(house)
    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        answer = await house.browser().http.post(
            found[CANCEL], data={"csrf": "x"}, headers=headers
        )
        assert answer.status_code == 403
    browser = house.browser()
    await browser.open(found[CANCEL])
    token = browser.response.text.partition('name="csrf" value="')[2].partition('"')[0]
    foreign = {"Origin": "https://evil.example"}
    answer = await browser.http.post(found[CANCEL], data={"csrf": token}, headers=foreign)
    assert answer.status_code == 403
    assert await status(house, id_) == "booked"


async def test_cancel(house: House) -> None:
    _, id_, found = await booked(house)
    page = await house.browser().tap(found[CANCEL])
    assert (page.status_code, "The visit is cancelled." in page.text) == (200, True)
    visit = await house.get(f"/Appointment/{id_}")
    assert visit["status"] == "cancelled"
    place = visit["slot"][0]["reference"]
    assert (await house.get(f"/{place}"))["status"] == "free"
    (mail,) = await house.tell()
    assert mail.content["text"].startswith("Your visit is cancelled.")
    assert [await is_over(house, each) for each in found.values()] == [True, True]


async def test_confirm_is_an_answer_that_staff_see(house: House) -> None:
    patient, id_, found = await reminded(house)
    page = await house.browser().tap(found[CONFIRM])
    assert "the clinic knows that you will come" in page.text
    (row,) = (await house.get(f"/AppointmentResponse?appointment=Appointment/{id_}"))["entry"]
    assert row["resource"]["participantStatus"] == "accepted"
    assert row["resource"]["actor"] == {"reference": f"Patient/{patient}"}
    assert await status(house, id_) == "booked"
    assert await is_over(house, found[CONFIRM])
    assert not await is_over(house, found[CANCEL])


async def test_move_shows_free_places_and_books_one(house: House) -> None:
    patient, id_, found = await booked(house)
    visit = await house.get(f"/Appointment/{id_}")
    place = await house.get(f"/{visit['slot'][0]['reference']}")
    schedule = place["schedule"]["reference"].removeprefix("Schedule/")
    free = await house.slot(schedule, days=8)
    others = [
        await house.slot(schedule, days=9, status="busy"),
        await house.slot(schedule, days=-1),
        await house.slot(await house.schedule(), days=8),
    ]
    page = await house.browser().open(found[MOVE])
    assert "Tuesday, 9 February 2027, 09:00" in page.text
    assert [each for each in others if each in page.text] == []
    for wrong in (*others, "", "no-such"):
        await house.browser().tap(found[MOVE], slot=wrong)
        assert await status(house, id_) == "booked"
    page = await house.browser().tap(found[MOVE], slot=free)
    assert "The visit was moved." in page.text
    assert await status(house, id_) == "cancelled"
    (mail,) = await house.tell()
    assert mail.content["subject"] == "Your visit was moved: 09.02 09:00"
    assert mail.to == f"{patient}@mail.example"
    assert await is_over(house, found[MOVE], slot=free)


async def test_a_place_that_is_gone_can_be_chosen_anew(house: House) -> None:
    _, id_, found = await booked(house)
    visit = await house.get(f"/Appointment/{id_}")
    place = await house.get(f"/{visit['slot'][0]['reference']}")
    schedule = place["schedule"]["reference"].removeprefix("Schedule/")
    one, two = await house.slot(schedule, days=8), await house.slot(schedule, days=9)
    other = person(await house.patient())
    held = await house.operate(other, "/Appointment/$hold", slot=two)
    assert held.status_code == 201
    browser = house.browser()
    await browser.open(found[MOVE])
    await house.book(other, one)
    page = await browser.press(found[MOVE], slot=one)
    assert page.status_code == 404  # it is none of those that are free
    page = await house.browser().open(found[MOVE])
    assert page.status_code == 200
    assert "No other time is free" in page.text


@pytest.mark.parametrize(
    ("action", "after", "place"),
    [(ACCEPT, "booked", "busy"), (DECLINE, "waitlist", "free")],
)
async def test_an_offer_is_answered(house: House, action: str, after: str, place: str) -> None:
    _, entry, slot, found = await offered(house)
    page = await house.browser().open(found[action])
    assert "Answer until" in page.text
    page = await house.browser().tap(found[action])
    assert page.status_code == 200
    assert await status(house, entry) == after
    assert (await house.get(f"/Slot/{slot}"))["status"] == place
    assert [await is_over(house, each) for each in found.values()] == [True, True]


async def test_a_link_does_what_it_is_for_and_nothing_else(house: House) -> None:
    _, id_, found = await reminded(house)
    await house.browser().tap(found[CONFIRM], action="cancel", status="cancelled", slot="x")
    assert await status(house, id_) == "booked"


async def test_the_database_does_not_know_the_token(house: House) -> None:
    _, _, found = await booked(house)
    database = house.client[house.app.settings.database]
    token = found[CANCEL].rpartition("/")[2]
    rows = await database["links"].find().to_list()
    assert token not in str(rows)
    assert len(token) >= 22


async def test_two_taps_at_once_act_once(house: House) -> None:
    _, id_, found = await reminded(house)
    browsers = [house.browser() for _ in range(6)]
    for each in browsers:
        await each.open(found[CONFIRM])
    await asyncio.gather(*(each.press(found[CONFIRM]) for each in browsers))
    rows = await house.get(f"/AppointmentResponse?appointment=Appointment/{id_}&_summary=count")
    assert rows["total"] == 1


async def test_two_taps_at_once_cancel_once(house: House) -> None:
    _, id_, found = await booked(house)
    browsers = [house.browser() for _ in range(6)]
    for each in browsers:
        await each.open(found[CANCEL])
    await asyncio.gather(*(each.press(found[CANCEL]) for each in browsers))
    history = await house.get(f"/Appointment/{id_}/_history")
    assert [e["resource"]["status"] for e in history["entry"]] == ["cancelled", "booked"]
    assert len(await house.tell()) == 1


async def test_it_is_audited_as_the_person_by_link(house: House) -> None:
    patient, id_, found = await booked(house)
    await house.browser().tap(found[CANCEL])
    events = await house.get(f"/AuditEvent?entity=Appointment/{id_}&action=U")
    (event,) = [each["resource"] for each in events["entry"]]
    said = str(event["agent"])
    assert "one-tap-link" in said
    assert f"Patient/{patient}" in said
    provenance = await house.get(
        f"/Provenance?target=Appointment/{id_}&_sort=-recorded&_count=1"
    )
    (row,) = [each["resource"] for each in provenance["entry"]]
    assert "Device/one-tap-link" in str(row["agent"])


async def test_a_refused_tap_is_audited_too(house: House) -> None:
    waits, _, _, found = await offered(house)
    await block(house, waits)
    await house.browser().tap(found[ACCEPT])
    events = await house.get(f"/AuditEvent?patient={waits}&outcome=4")
    (event,) = [each["resource"] for each in events["entry"]]
    assert "one-tap-link" in str(event["agent"])


@pytest.mark.parametrize(
    ("language", "button"),
    [("ru", "Отменить запись"), ("uk", "Скасувати запис"), ("en", CANCEL)],
)
async def test_the_page_speaks_the_language_of_the_message(
    house: House, language: str, button: str
) -> None:
    _, _, found = await booked(house, communication=speaks(language))
    page = await house.browser().open(found[button], **{"Accept-Language": "fr"})
    assert f'<html lang="{language}">' in page.text
    assert f'<button class="main">{button}</button>' in page.text
    other = await house.browser().open(f"{found[button]}?language=uk")
    assert '<html lang="uk">' in other.text


async def test_the_rights_are_of_the_one_visit(house: House) -> None:
    patient, id_, found = await booked(house)
    other = await house.book(person(patient), await house.slot(await house.schedule(), days=8))
    tap = await house.taps.look(found[CANCEL].rpartition("/")[2])
    assert tap is not None
    rights, store = tap.allowed.rights, house.taps.services.store
    assert await store.read("Appointment", id_, within=rights.update) is not None
    for within in (rights.read, rights.update):
        assert await store.read("Appointment", other, within=within) is None
        assert await store.read("Patient", patient, within=within) is None
    assert await store.read("Appointment", id_, within=rights.delete) is None
    created = ("Appointment", "AppointmentResponse", "Communication", "Patient")
    assert [kind for kind in created if rights.allows("c", kind)] == []
