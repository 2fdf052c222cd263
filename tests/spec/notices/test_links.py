"""One-tap links: only a button acts, once, as the person, under the rules of an app.

https://cheatsheetseries.owasp.org/cheatsheets/Forgot_Password_Cheat_Sheet.html#url-tokens
"""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from fhir_server.access.step_up import read_rules
from fhir_server.cabinet.booking.names import BLOCKED, FLAGS
from fhir_server.cabinet.notices.answering import Answered, Asked, act
from tests.spec.notices.test_readers import family, parent
from tests.support.fhir import JsonObject
from tests.support.notified import BEGINNING, DAY, HOUR, House, links, person, speaks, staff

pytestmark = pytest.mark.anyio

CANCEL, MOVE, CONFIRM = "Cancel the visit", "Move the visit", "I will come"
ACCEPT, DECLINE = "Take the place", "Leave it to others"


async def booked(
    house: House, rules: JsonObject | None = None, **more: Any
) -> tuple[str, str, dict[str, str]]:
    """A patient's visit in a week at 9:00: patient, visit, and the links of its mail."""
    patient, schedule = await house.patient(**more), await house.schedule(rules=rules)
    id_ = await house.book(person(patient), await house.slot(schedule))
    (mail,) = await house.tell()
    return patient, id_, links(mail)


async def reminded(house: House) -> tuple[str, str, dict[str, str]]:
    """The same, a day and an hour before it."""
    patient, id_, _ = await booked(house)
    house.clock.set(BEGINNING + 6 * DAY - HOUR)
    (mail,) = await house.tell()
    return patient, id_, links(mail)


async def offered(house: House) -> tuple[str, str, str, dict[str, str]]:
    """A place that was offered: patient, entry, Slot, links."""
    specialty = [{"coding": [{"system": "http://test/specialities", "code": "links"}]}]
    rules = {"waitlist": {"valueBoolean": True}}
    schedule = await house.schedule(rules=rules, specialty=specialty)
    first, waits = await house.patient(), await house.patient()
    slot = await house.slot(schedule)
    taken = await house.book(person(first), slot)
    entry = {
        "resourceType": "Appointment",
        "status": "waitlist",
        "specialty": specialty,
        "participant": [
            {"actor": {"reference": f"Patient/{waits}"}, "status": "accepted"},
            {
                "actor": {"reference": f"Practitioner/{schedule}-doctor"},
                "status": "needs-action",
            },
        ],
    }
    made = await house.ask(person(waits), "POST", "/Appointment", entry)
    assert made.status_code == 201, made.text
    await house.tell()
    await house.operate(person(first), f"/Appointment/{taken}/$cancel")
    (mail,) = [each for each in await house.tell() if each.to.startswith(waits)]
    return waits, made.json()["id"], slot, links(mail)


async def status(house: House, id_: str) -> str:
    return str((await house.get(f"/Appointment/{id_}"))["status"])


async def is_over(house: House, url: str, **fields: str) -> bool:
    """Whether a link is answered by the one page, whatever is done with it."""
    nothing = (await house.browser().open("/auth/v/AAAAAAAAAAAAAAAAAAAAAA")).text
    pages = [await house.browser().open(url), await house.browser().tap(url, **fields)]
    shown = {each.text.replace(url, "X") for each in pages if each.status_code == 404}
    return bool(shown) and shown <= {nothing.replace("/auth/v/AAAAAAAAAAAAAAAAAAAAAA", "X")}


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


async def test_an_offer_that_is_over_is_over(house: House) -> None:
    _, entry, _, found = await offered(house)
    house.clock.set(house.clock() + 2 * HOUR)
    assert [await is_over(house, each) for each in found.values()] == [True, True]
    assert await status(house, entry) == "proposed"


async def test_an_offer_made_anew_is_another_one(house: House) -> None:
    _, entry, slot, found = await offered(house)
    await house.browser().tap(found[DECLINE])
    house.clock.set(house.clock() + 1)
    await house.operate(staff(), f"/Appointment/{entry}/$waitlist-offer", slot=slot)
    assert await status(house, entry) == "proposed"
    assert await is_over(house, found[ACCEPT])


@pytest.mark.parametrize(
    ("action", "at", "holds"),
    [
        (CANCEL, BEGINNING + 7 * DAY - 1, True),
        (CANCEL, BEGINNING + 7 * DAY, False),
        (MOVE, BEGINNING + 6 * DAY - 1, True),
        (MOVE, BEGINNING + 6 * DAY, False),
    ],
)
async def test_a_link_ends_with_its_deadline(
    house: House, action: str, at: int, holds: bool
) -> None:
    _, id_, found = await booked(house)
    house.clock.set(at)
    assert await is_over(house, found[action]) != holds
    if not holds:
        assert await status(house, id_) == "booked"


async def test_a_rule_that_was_set_meanwhile_holds_and_says_why(house: House) -> None:
    patient, schedule = await house.patient(communication=speaks("ru")), await house.schedule()
    id_ = await house.book(person(patient), await house.slot(schedule))
    (mail,) = await house.tell()
    found = links(mail)
    rules = await house.schedule(
        rules={"cancel_time": {"valueTime": "18:00:00"}, "cancel_days": {"valueInteger": 9}}
    )
    stricter = await house.get(f"/Schedule/{rules}")
    await house.put(
        {**await house.get(f"/Schedule/{schedule}"), "extension": stricter["extension"]}
    )
    await asyncio.sleep(1.1)  # a changed rule may be overlooked for a second
    page = await house.browser().tap(found["Отменить запись"])
    assert page.status_code == 409
    assert "Отменить эту запись здесь можно было до" in page.text
    assert "Позвоните в клинику" in page.text
    assert await status(house, id_) == "booked"
    assert (await house.browser().open(found["Отменить запись"])).status_code == 200


async def test_who_is_blocked_does_not_take_an_offer(house: House) -> None:
    waits, entry, _, found = await offered(house)
    await house.put({
        "resourceType": "Flag",
        "id": f"{waits}-flag",
        "status": "active",
        "code": {"coding": [{"system": FLAGS, "code": BLOCKED}]},
        "subject": {"reference": f"Patient/{waits}"},
    })  # fmt: skip
    page = await house.browser().tap(found[ACCEPT])
    assert page.status_code == 409
    assert "Booking is blocked" in page.text
    assert await status(house, entry) == "proposed"


@pytest.mark.parametrize("change", ["start", "slot", "cancelled", "gone"])
async def test_another_visit_is_not_the_one_of_the_link(house: House, change: str) -> None:
    _, id_, found = await booked(house)
    visit = await house.get(f"/Appointment/{id_}")
    schedule = (await house.get(f"/{visit['slot'][0]['reference']}"))["schedule"]["reference"]
    fresh = await house.get(
        f"/Slot/{await house.slot(schedule.removeprefix('Schedule/'), days=8)}"
    )
    match change:
        case "start":
            moved = {
                "start": fresh["start"],
                "end": fresh["end"],
                "slot": [{"reference": f"Slot/{fresh['id']}"}],
            }
            await house.put({**visit, **moved})
        case "slot":
            await house.put({**visit, "slot": [{"reference": f"Slot/{fresh['id']}"}]})
        case "cancelled":
            await house.put({**visit, "status": "cancelled"})
        case _:
            await house.ask(staff(), "DELETE", f"/Appointment/{id_}")
    assert [await is_over(house, each) for each in found.values()] == [True, True]


async def test_a_comment_of_the_reception_kills_no_link(house: House) -> None:
    _, id_, found = await booked(house)
    await house.put({**await house.get(f"/Appointment/{id_}"), "comment": "x"})
    await house.browser().tap(found[CANCEL])
    assert await status(house, id_) == "cancelled"


@pytest.mark.parametrize("change", ["standing", "password", "before"])
async def test_links_end_with_the_account(house: House, change: str) -> None:
    patient, id_, found = await booked(house)
    accounts = house.taps.bearers.accounts
    (account,) = await accounts.by_patient(patient)
    now = house.clock()
    values: dict[str, object] = {
        "standing": {"standing": "closed"},
        "password": {"password_changed": now + 1},
        "before": {"password_changed": now - 1},
    }[change]  # type: ignore[assignment]
    await accounts.change(account, **values)
    assert await is_over(house, found[CANCEL]) == (change != "before")
    assert await status(house, id_) == ("cancelled" if change == "before" else "booked")


async def test_a_made_up_token_is_nothing(house: House) -> None:
    _, id_, found = await booked(house)
    url = found[CANCEL]
    other = "A" if url[-1] != "A" else "B"
    made_up = [url[:-1] + other, url[:-1], url + "A", "/auth/v/" + "x" * 5000]
    for each in made_up:
        assert await is_over(house, each), each
    assert await status(house, id_) == "booked"


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
    await house.put({
        "resourceType": "Flag",
        "id": f"{waits}-flag",
        "status": "active",
        "code": {"coding": [{"system": FLAGS, "code": BLOCKED}]},
        "subject": {"reference": f"Patient/{waits}"},
    })  # fmt: skip
    await house.browser().tap(found[ACCEPT])
    events = await house.get(f"/AuditEvent?patient={waits}&outcome=4")
    (event,) = [each["resource"] for each in events["entry"]]
    assert "one-tap-link" in str(event["agent"])


async def test_a_parents_link_ends_with_the_right(house: House) -> None:
    child, mother = await family(house)
    id_ = await house.book(
        parent(mother, child), await house.slot(await house.schedule()), child
    )
    (mail,) = await house.tell()
    found = links(mail)
    assert (await house.browser().open(found[CANCEL])).status_code == 200
    before = await house.get(f"/Patient/{child}")
    await house.put({**before, "birthDate": "2010-02-02"})
    assert await is_over(house, found[CANCEL])
    assert await status(house, id_) == "booked"
    await house.put(before)
    await house.browser().tap(found[CANCEL])
    assert await status(house, id_) == "cancelled"


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


async def test_a_demand_for_a_stronger_sign_in_holds(house: House) -> None:
    _, id_, found = await booked(house)
    demands = read_rules(("Appointment.u=2",), ())
    taps = replace(house.taps, services=replace(house.taps.services, step_up=demands))
    tap = await taps.look(found[CANCEL].rpartition("/")[2])
    assert tap is not None
    assert await act(taps, tap, Asked("", "en", "")) == Answered(sign_in=True)
    assert await status(house, id_) == "booked"


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
