"""People who wait for a place, in the tests of the queue."""

from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import httpx

from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.cabinet.booking.names import WAITLIST
from fhir_server.cabinet.booking.visits import whole_extension
from tests.spec.booking.conftest import Clinic, person
from tests.spec.booking.test_book import booked, operate, policy
from tests.support.fhir import JsonObject
from tests.support.worlds import ROOT

SYSTEM: Final = "http://test/specialities"
OPEN: Final[dict[str, JsonObject]] = {"waitlist": {"valueBoolean": True}}
_NUMBERS: Final = count(1)


def staff() -> Principal:
    """Somebody of the registry."""
    return Principal(
        "registry", parse_scopes("user/*.cruds"), user="Practitioner/registrar", staff=True
    )


@dataclass
class Line:
    """A doctor of a speciality of its own, and who waits for a place there."""

    clinic: Clinic
    rules: dict[str, JsonObject] = field(default_factory=lambda: dict(OPEN))
    doctor: str = ""
    code: str = ""
    schedule: str = ""

    def __post_init__(self) -> None:
        number = next(_NUMBERS)
        self.code = self.code or f"speciality{number}"
        self.doctor = self.doctor or f"Practitioner/doctor{number}"
        self.schedule = self.clinic.schedule(
            **(policy(**self.rules) if self.rules else {}),
            specialty=[self.concept],
            actor=[{"reference": self.doctor}],
        )

    @property
    def concept(self) -> JsonObject:
        return {"coding": [{"system": SYSTEM, "code": self.code}]}

    def taken(self, **more: Any) -> tuple[str, JsonObject, Principal]:
        """A Slot that somebody has booked; its visit, and who booked it."""
        slot, who = self.clinic.slot(self.schedule, **more), person(self.clinic.patient())
        return slot, booked(self.clinic, who, slot), who

    def kept(self, **more: Any) -> tuple[str, JsonObject]:
        """A Slot that a system has booked, past the queue; and its visit."""
        slot = self.clinic.slot(self.schedule, status="busy", **more)
        visit = self.clinic.visit(self.clinic.patient(), slot)
        return slot, self.clinic.ask(ROOT, "POST", "/Appointment", visit).json()

    def entry(self, patient: str, **more: Any) -> JsonObject:
        """A place in the queue, not yet sent."""
        return {
            "resourceType": "Appointment",
            "status": "waitlist",
            "specialty": [self.concept],
            "participant": [
                {"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"}
            ],
            **more,
        }

    def for_doctor(self, patient: str, doctor: str | None = None) -> JsonObject:
        """A place in the queue to one doctor."""
        found = self.entry(patient)
        who = {"reference": doctor or self.doctor}
        return {
            **found,
            "participant": [
                *found["participant"],
                {"actor": who, "status": "needs-action"},
            ],
        }

    def join(self, who: Principal, **more: Any) -> JsonObject:
        """The entry of `who`, who has joined."""
        answer = self.clinic.ask(who, "POST", "/Appointment", self.entry(patient(who), **more))
        assert answer.status_code == 201, answer.text
        found: JsonObject = answer.json()
        return found

    def joined(self, **more: Any) -> tuple[Principal, str]:
        """A new patient who has joined, with the entry's id."""
        who = person(self.clinic.patient())
        return who, str(self.join(who, **more)["id"])

    def free(self, visit: JsonObject) -> None:
        """Cancel a visit, as a system does."""
        answer = operate(self.clinic, ROOT, f"/Appointment/{visit['id']}/$cancel")
        assert answer.status_code == 200, answer.text

    def at(self, entry: str) -> JsonObject:
        """The entry as it is stored."""
        return self.clinic.get(f"/Appointment/{entry}")

    def offered(self, **more: Any) -> tuple[Principal, str, str]:
        """A new patient who has joined and been offered a Slot: who, entry, Slot."""
        slot, visit, _ = self.taken(**more)
        who, entry = self.joined()
        self.free(visit)
        assert self.at(entry)["status"] == "proposed"
        return who, entry, slot


def patient(who: Principal) -> str:
    """Whose app it is."""
    assert who.patient is not None
    return who.patient


def answer_of(who: Principal, entry: str, status: str = "accepted", **more: Any) -> JsonObject:
    """An AppointmentResponse to the offer of `entry`, not yet sent."""
    return {
        "resourceType": "AppointmentResponse",
        "appointment": {"reference": f"Appointment/{entry}"},
        "actor": {"reference": f"Patient/{who.patient}"},
        "participantStatus": status,
        **more,
    }


def answered(
    clinic: Clinic, who: Principal, entry: str, status: str = "accepted", **more: Any
) -> httpx.Response:
    """The answer to that answer."""
    return clinic.ask(
        who, "POST", "/AppointmentResponse", answer_of(who, entry, status, **more)
    )


def said(resource: JsonObject) -> dict[str, Any]:
    """What the extension `waitlist` says; `refused` is not among it."""
    found = whole_extension(resource, WAITLIST) or {}
    return {
        each["url"]: next(v for k, v in each.items() if k.startswith("value"))
        for each in found.get("extension", ())
        if each["url"] != "refused"
    }
