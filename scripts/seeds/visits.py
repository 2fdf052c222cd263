"""When who was seen: the encounters other records refer to."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from scripts.seeds.agenda import MINUTES, attended
from scripts.seeds.clinics import Clinic
from scripts.seeds.elements import JsonObject, reference
from scripts.seeds.people import PATIENT, Person, of_clinic


@dataclass(frozen=True, slots=True)
class Visit:
    """An Encounter: when in days from the anchor, for how long in minutes."""

    id: str
    person: Person
    offset: int
    minutes: int = MINUTES
    kind: str = "AMB"
    status: str = "finished"
    appointment: str | None = None

    @property
    def reference(self) -> JsonObject:
        return reference(f"Encounter/{self.id}")


_SPECIAL: Final = (
    ("birth-of-sofia", "anna-ivanova-ru", -16, 4 * 24 * 60, "IMP", "finished"),
    ("infarction", "nikolai-ivanov-ru", -2870, 14 * 24 * 60, "IMP", "finished"),
    ("decompensation", "fyodor-semyonov-ru", -200, 9 * 24 * 60, "IMP", "finished"),
    ("at-home", "fyodor-semyonov-ru", -20, 40, "HH", "finished"),
    ("ambulance", "unknown-man-ru", -1, 240, "EMER", "in-progress"),
    ("video", "ruslan-khabibullin-ru", -12, 20, "VR", "finished"),
    ("birth", "yivha-yizhak-ua", -2, 3 * 24 * 60, "IMP", "in-progress"),
    ("video", "solomiia-kovalchuk-ua", -9, 45, "VR", "finished"),
    ("at-home", "zinaida-kravets-ua", -33, 35, "HH", "finished"),
    ("anaphylaxis", "mykhailo-kovalchuk-ua", -90, 300, "EMER", "finished"),
    ("fever", "emilia-de-la-cruz-ua", -3, 90, "EMER", "onleave"),
    ("mistake", "andrii-shevchenko-ua", -50, 15, "AMB", "entered-in-error"),
)


def visits(clinic: Clinic) -> Iterator[Visit]:
    for booking in attended(clinic):
        name = f"encounter-{booking.patient.id}"
        offset = booking.past or 0
        yield Visit(name, booking.patient, offset, appointment=booking.id)
    for person in of_clinic(clinic):
        for year in range(1, min(4, int(person.age))):
            yield Visit(f"checkup-{year}-{person.id}", person, -40 - year * 365)
    for name, patient, offset, minutes, kind, status in _SPECIAL:
        if patient.endswith(clinic.suffix):
            yield Visit(f"{name}-{patient}", PATIENT[patient], offset, minutes, kind, status)


@cache
def _first_visits(clinic: Clinic) -> dict[str, Visit]:
    return {each.person.id: each for each in reversed(list(visits(clinic)))}


def first_visit(person: Person) -> JsonObject | None:
    """Refer to the visit that `visits` gives first, if there was any."""
    found = _first_visits(person.clinic).get(person.id)
    return found.reference if found else None
