"""A hospital's system that loads what its patients know already: nobody is told, and everybody
is reminded.

https://hl7.org/fhir/R4/http.html#transaction
"""

from dataclasses import replace

import pytest

from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from tests.spec.notices.test_kinds import visit
from tests.spec.notices.test_results import consent, report
from tests.support.fhir import JsonObject
from tests.support.linked import offered, status
from tests.support.notified import HOUR, House, person, staff
from tests.support.worlds import ROOT

pytestmark = pytest.mark.anyio

IMPORT = Principal("mis-import", parse_scopes("system/*.cruds"))


async def loaded(house: House, who: Principal, *resources: JsonObject) -> None:
    """Written in a Bundle by a client of which nobody is told."""
    rows = [
        {
            "resource": each,
            "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"},
        }
        for each in resources
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": rows}
    answer = await house.ask(who, "POST", "/", bundle)
    assert answer.is_success, answer.text


async def test_what_a_silent_system_loads_is_reminded_of_and_not_told(house: House) -> None:
    patient, schedule = await house.patient(), await house.schedule()
    body = await visit(house, patient, await house.slot(schedule), id=f"{patient}-visit")
    await loaded(house, IMPORT, body)
    assert await house.tell() == []
    assert await house.notes(patient) == []
    ((kind, due),) = await house.waiting(f"Appointment/{body['id']}")
    assert kind == "visit-reminder"
    house.clock.set(int(due))  # the database's own kind
    (mail,) = await house.tell()
    assert mail.content["subject"].startswith("Your visit is coming")


async def test_what_a_silent_system_moves_and_cancels_is_not_told(house: House) -> None:
    patient, schedule = await house.patient(), await house.schedule()
    id_ = await house.book(person(patient), await house.slot(schedule))
    assert len(await house.tell()) == 1
    later = await visit(house, patient, await house.slot(schedule, days=9), id=id_)
    await loaded(house, IMPORT, later)
    assert await house.tell() == []
    ((_, due),) = await house.waiting(f"Appointment/{id_}")
    assert due > house.clock() + 7 * 24 * HOUR
    await loaded(house, IMPORT, {**later, "status": "cancelled"})
    assert await house.tell() == []
    assert await house.waiting(f"Appointment/{id_}") == []


@pytest.mark.parametrize("who", [ROOT, staff(), replace(staff(), client="mis-import")])
async def test_others_are_not_silent(house: House, who: Principal) -> None:
    patient, schedule = await house.patient(), await house.schedule()
    body = await visit(house, patient, await house.slot(schedule))
    assert (await house.ask(who, "POST", "/Appointment", body)).status_code == 201
    assert len(await house.tell()) == 1


async def test_a_place_that_a_silent_system_frees_is_offered_aloud(house: House) -> None:
    async def free(id_: str) -> None:
        taken = await house.get(f"/Appointment/{id_}")
        await loaded(house, IMPORT, {**taken, "status": "cancelled"})

    _, entry, _, found = await offered(house, free)
    assert found
    assert await status(house, entry) == "proposed"


async def test_results_that_a_silent_system_loads_are_not_told(house: House) -> None:
    patient = await house.patient()
    await house.put(consent(patient))
    for who, count in ((IMPORT, 0), (ROOT, 1)):
        await loaded(house, who, report(patient, id=f"{patient}-{count}"))
        assert len(await house.tell()) == count
