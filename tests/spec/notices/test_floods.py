"""How much is written when somebody, or something, does the same again and again.

https://cheatsheetseries.owasp.org/cheatsheets/Denial_of_Service_Cheat_Sheet.html
"""

import pytest

from tests.support.notified import DAY, House, person, staff

pytestmark = pytest.mark.anyio


async def toggled(telling: House, patient: str, times: int) -> list[int]:
    """Messages of each booking and cancellation."""
    slot = await telling.slot(await telling.schedule())
    found = []
    for _ in range(times):
        id_ = await telling.book(person(patient), slot)
        found.append(len(await telling.tell()))
        await telling.operate(person(patient), f"/Appointment/{id_}/$cancel")
        found.append(len(await telling.tell()))
    return found


async def test_who_books_and_cancels_by_turns_is_written_to_so_often(house: House) -> None:
    patient, telling = await house.patient(), house.under(notice_daily=3)
    assert await toggled(telling, patient, 3) == [1, 1, 1, 0, 0, 0]
    assert len(await house.notes(patient)) == 6
    assert await toggled(telling, await house.patient(), 1) == [1, 1]


async def test_a_day_later_they_are_written_to_again(house: House) -> None:
    patient, telling = await house.patient(), house.under(notice_daily=2)
    assert await toggled(telling, patient, 2) == [1, 1, 0, 0]
    house.clock.set(house.clock() + DAY + 1)
    assert await toggled(telling, patient, 1) == [1, 1]


async def test_what_the_clinic_does_is_told_all_the_same(house: House) -> None:
    patient, telling = await house.patient(), house.under(notice_daily=1)
    slot = await house.slot(await house.schedule())
    assert len(await toggled(telling, patient, 1)) == 2
    id_ = await telling.book(person(patient), slot)
    assert await telling.tell() == []
    await telling.operate(staff(), f"/Appointment/{id_}/$cancel")
    (mail,) = await telling.tell()
    assert mail.content["subject"] == "Your visit is cancelled: 08.02 09:00"
