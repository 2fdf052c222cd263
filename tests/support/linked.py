"""Links as a patient gets them, and what becomes of the visits.

https://hl7.org/fhir/R4/appointment.html
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from fhir_server.cabinet.booking.names import BLOCKED, FLAGS
from tests.support.fhir import JsonObject
from tests.support.notified import BEGINNING, DAY, HOUR, House, links, person

CANCEL: Final = "Cancel the visit"
MOVE: Final = "Move the visit"
CONFIRM: Final = "I will come"
ACCEPT: Final = "Take the place"
DECLINE: Final = "Leave it to others"


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


async def offered(
    house: House, free: Callable[[str], Awaitable[None]] | None = None
) -> tuple[str, str, str, dict[str, str]]:
    """A place that was offered: patient, entry, Slot, links. `free` ends the visit that took
    it; else its patient does."""
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
    if free is None:
        await house.operate(person(first), f"/Appointment/{taken}/$cancel")
    else:
        await free(taken)
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


async def block(house: House, patient: str) -> None:
    """The patient may not book."""
    await house.put({
        "resourceType": "Flag",
        "id": f"{patient}-flag",
        "status": "active",
        "code": {"coding": [{"system": FLAGS, "code": BLOCKED}]},
        "subject": {"reference": f"Patient/{patient}"},
    })  # fmt: skip
