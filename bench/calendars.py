"""The calendars of a town: 200 doctors, 60 days, 16 places a day.

Ids are made of numbers, so that both sides know them.
"""

from collections.abc import Iterator
from typing import Final

from fhir_server.core.datetimes import format_instant
from fhir_server.core.types import JsonObject

DOCTORS: Final = 200
DAYS: Final = 60
A_DAY: Final = 16
PATIENTS: Final = 30_000
HALF_HOUR: Final = 1_800_000
DAY: Final = 86_400_000
SPECIALITIES: Final = 20


def slot_id(number: int) -> str:
    return f"slot-{number:06}"


def patient_id(number: int) -> str:
    return f"person-{number:04}"


def resources(begin: int) -> Iterator[JsonObject]:
    """Everything; places begin at `begin` (milliseconds since 1970), on a day's first hour."""
    for number in range(PATIENTS):
        yield {"resourceType": "Patient", "id": patient_id(number)}
    for doctor in range(DOCTORS):
        yield {"resourceType": "Practitioner", "id": f"doctor-{doctor}"}
        yield {
            "resourceType": "Schedule",
            "id": f"schedule-{doctor}",
            "specialty": [_speciality(doctor)],
            "actor": [{"reference": f"Practitioner/doctor-{doctor}", "display": "Dr"}],
        }
    for number in range(DOCTORS * DAYS * A_DAY):
        yield slot(number, begin)


def slot(number: int, begin: int) -> JsonObject:
    """The places of one moment lie beside each other: doctor by doctor."""
    moment, doctor = divmod(number, DOCTORS)
    day, place = divmod(moment, A_DAY)
    start = begin + day * DAY + place * HALF_HOUR
    return {
        "resourceType": "Slot",
        "id": slot_id(number),
        "specialty": [_speciality(doctor)],
        "schedule": {"reference": f"Schedule/schedule-{doctor}"},
        "status": "free",
        "start": format_instant(start),
        "end": format_instant(start + HALF_HOUR),
    }


def _speciality(doctor: int) -> JsonObject:
    return {"coding": [{"system": "urn:speciality", "code": str(doctor % SPECIALITIES)}]}


def bookings(first: int, count: int) -> Iterator[tuple[str, str]]:
    """A patient and a Slot each, none of them twice and no patient in two places at once."""
    for number in range(first, first + count):
        yield patient_id(number % PATIENTS), slot_id(number)
