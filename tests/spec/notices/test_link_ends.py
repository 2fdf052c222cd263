"""When a one-tap link is over, and what then is said: one page, whatever the reason.

https://cheatsheetseries.owasp.org/cheatsheets/Forgot_Password_Cheat_Sheet.html#url-tokens
"""

import asyncio
from dataclasses import replace

import httpx
import pytest

from fhir_server.access.step_up import read_rules
from fhir_server.cabinet.notices.answering import Answered, Asked, act
from fhir_server.rest.budgets import Budget, Budgets
from fhir_server.web.routes import Pages
from tests.spec.notices.test_readers import family, parent
from tests.support.fhir import JsonObject
from tests.support.linked import (
    ACCEPT,
    CANCEL,
    DECLINE,
    MOVE,
    block,
    booked,
    is_over,
    offered,
    status,
)
from tests.support.notified import (
    BEGINNING,
    DAY,
    HOUR,
    ISSUER,
    House,
    links,
    person,
    speaks,
    staff,
)

pytestmark = pytest.mark.anyio


async def test_guesses_are_bounded_and_nobody_is_locked_out(house: House) -> None:
    _, _, found = await booked(house)
    assert house.app.access is not None
    site = house.app.access.cabinet.site
    assert site.misses is not None
    none = Budget(0, 0)
    counted = Budgets(none, none, Budget(rate=1, burst=15), lambda: 0.0)
    pages = Pages(house.app, replace(site, misses=counted))
    for network, expected in (("203.0.113.7", [404] * 3 + [429] * 2), ("203.0.113.8", [404])):
        transport = httpx.ASGITransport(app=pages, client=(network, 1))
        async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as stranger:
            guessed = [await stranger.get(f"/auth/v/{n:022}") for n in range(len(expected))]
            assert [each.status_code for each in guessed] == expected
            assert (await stranger.get(found[CANCEL])).status_code == 200
            if 429 in expected:
                assert guessed[-1].headers["retry-after"] == "1"
                assert guessed[-1].headers["referrer-policy"] == "no-referrer"
                assert guessed[-1].content == b""


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
    await block(house, waits)
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


async def test_a_link_ends_with_the_address_that_it_was_sent_to(house: House) -> None:
    patient, id_, found = await booked(house)
    accounts = house.taps.bearers.accounts
    (account,) = await accounts.by_patient(patient)
    await accounts.change(account, email=f"new-{patient}@mail.example")
    assert await is_over(house, found[CANCEL])
    assert await status(house, id_) == "booked"


@pytest.mark.parametrize(
    ("telecom", "holds"),
    [
        ({"value": "mine@mail.example"}, True),
        ({"value": "new@mail.example"}, False),
        ({"value": "mine@mail.example", "use": "old"}, False),
        ({"value": "mine@mail.example", "period": {"end": "2027-01-31"}}, False),
    ],
)
async def test_a_link_ends_with_the_address_of_the_record(
    house: House, telecom: JsonObject, holds: bool
) -> None:
    settings = {"notice_addresses": "record"}
    said = {"system": "email", "value": "mine@mail.example"}
    patient, _, found = await booked(house.under(**settings), account=False, telecom=[said])
    before = await house.get(f"/Patient/{patient}")
    await house.put({**before, "telecom": [{**said, **telecom}]})
    taps = house.taps_under(**settings)
    assert (await taps.look(found[CANCEL].rpartition("/")[2]) is not None) == holds


async def test_a_made_up_token_is_nothing(house: House) -> None:
    _, id_, found = await booked(house)
    url = found[CANCEL]
    other = "A" if url[-1] != "A" else "B"
    made_up = [url[:-1] + other, url[:-1], url + "A", "/auth/v/" + "x" * 5000]
    for each in made_up:
        assert await is_over(house, each), each
    assert await status(house, id_) == "booked"


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


async def test_a_demand_for_a_stronger_sign_in_holds(house: House) -> None:
    _, id_, found = await booked(house)
    demands = read_rules(("Appointment.u=2",), ())
    taps = replace(house.taps, services=replace(house.taps.services, step_up=demands))
    tap = await taps.look(found[CANCEL].rpartition("/")[2])
    assert tap is not None
    assert await act(taps, tap, Asked("", "en", "")) == Answered(sign_in=True)
    assert await status(house, id_) == "booked"
