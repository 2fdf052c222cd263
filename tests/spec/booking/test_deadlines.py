"""The clinic's deadlines to the millisecond, at every door of a write, on days when its clocks
change and on others (S3-13, S4-17).

https://hl7.org/fhir/R4/appointment.html
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

import httpx
import pytest

from fhir_server.access.decisions import Policy
from fhir_server.access.policy import AccessPolicy
from fhir_server.access.principal import Principal
from fhir_server.cabinet.booking.names import CAPACITY, REPLACES
from tests.spec.booking.conftest import Clinic, Stopped, code, person, serving
from tests.spec.booking.doors import TO_MOVE, move
from tests.spec.booking.test_book import booked, operate, policy
from tests.support.fhir import JsonObject
from tests.support.worlds import ROOT

MOMENT: Final = timedelta(milliseconds=1)
HOUR: Final = timedelta(hours=1)
_PATCH: Final = {"Content-Type": "application/json-patch+json"}
_CANCEL: Final = [{"op": "replace", "path": "/status", "value": "cancelled"}]
_DAY: Final = {"value": 24, "code": "h", "system": "http://unitsofmeasure.org"}


@dataclass(frozen=True)
class Scene:
    """A visit at a clinic, and its deadlines."""

    zone: str
    start: str
    """With the offset of the clinic at that time."""
    cut_off: str
    """A time of day, on the day before."""
    cancellable: str
    """The first moment, in UTC, at which it cannot be cancelled."""
    movable: str
    """The same of moving it: 24 hours before it, however long the day is."""


SCENES: Final = {
    "ordinary day": Scene(
        "Europe/Kyiv", "2027-01-20T10:00:00+02:00", "18:00:00",
        "2027-01-19T16:00:00Z", "2027-01-19T08:00:00Z",
    ),
    # The clocks go forward on 28 March at 03:00.
    "spring": Scene(
        "Europe/Kyiv", "2027-03-28T10:00:00+03:00", "18:00:00",
        "2027-03-27T16:00:00Z", "2027-03-27T07:00:00Z",
    ),
    "spring, a time that is skipped": Scene(
        "Europe/Kyiv", "2027-03-29T10:00:00+03:00", "03:30:00",
        "2027-03-28T01:30:00Z", "2027-03-28T07:00:00Z",
    ),
    # They go back on 31 October at 04:00.
    "autumn": Scene(
        "Europe/Kyiv", "2027-10-31T10:00:00+02:00", "18:00:00",
        "2027-10-30T15:00:00Z", "2027-10-30T08:00:00Z",
    ),
    "autumn, a time that comes twice": Scene(
        "Europe/Kyiv", "2027-11-01T10:00:00+02:00", "03:30:00",
        "2027-10-31T00:30:00Z", "2027-10-31T08:00:00Z",
    ),
    "without summer time": Scene(
        "Asia/Yekaterinburg", "2027-03-28T10:00:00+05:00", "18:00:00",
        "2027-03-27T13:00:00Z", "2027-03-27T05:00:00Z",
    ),
}  # fmt: skip


class Place:
    """A Slot for many, under the deadlines of a scene, and one to move to."""

    def __init__(self, clinic: Clinic, scene: Scene) -> None:
        self.clinic = clinic
        self.scene = scene
        self.at("2027-01-01T00:00:00Z")
        rules = policy(
            zone={"valueString": scene.zone},
            cancel_time={"valueTime": scene.cut_off},
            reschedule_notice={"valueDuration": _DAY},
        )
        self._schedule = clinic.schedule(**rules)
        self.slot = self._slot(scene.start)
        self.other = self._slot("2027-12-01T10:00:00Z")

    def at(self, text: str, more: timedelta = timedelta()) -> None:
        """Set the clock."""
        assert isinstance(self.clinic.clock, Stopped)
        self.clinic.clock.at = datetime.fromisoformat(text) + more

    def _slot(self, start: str) -> str:
        id_, begin = f"{self._schedule}-{start[:10]}", datetime.fromisoformat(start)
        self.clinic.put({
            "resourceType": "Slot",
            "id": id_,
            "extension": [{"url": CAPACITY, "valuePositiveInt": 100}],
            "schedule": {"reference": f"Schedule/{self._schedule}"},
            "status": "free",
            "start": start,
            "end": (begin + timedelta(minutes=30)).isoformat(),
        })  # fmt: skip
        return id_

    def visit(self) -> tuple[Principal, JsonObject]:
        """A new patient with a visit there."""
        self.at("2027-01-01T00:00:00Z")
        who = person(self.clinic.patient())
        return who, booked(self.clinic, who, self.slot)


@pytest.fixture(scope="module")
def place(mongodb_uri: str) -> Iterator[Callable[[str], Place]]:
    clock = Stopped(datetime(2027, 1, 1, tzinfo=UTC))
    with serving(mongodb_uri, AccessPolicy(Policy("all-normal")), clock) as clinic:
        yield cache(lambda scene: Place(clinic, SCENES[scene]))


Door = Callable[[Place, Principal, JsonObject], httpx.Response]


def _bundled(kind: str, method: str, url: str, resource: Any) -> Door:
    """An entry of a Bundle; `{id}` in `url` is that of the visit."""

    def ask(place: Place, who: Principal, visit: JsonObject) -> httpx.Response:
        body = resource(place, visit)
        request = {"method": method, "url": url.format(id=visit["id"])}
        entry = {"request": request, **({} if body is None else {"resource": body})}
        bundle = {"resourceType": "Bundle", "type": kind, "entry": [entry]}
        return place.clinic.ask(who, "POST", "/", bundle)

    return ask


def _sent(method: str, path: str, body: Any, headers: dict[str, str] | None = None) -> Door:
    def ask(place: Place, who: Principal, visit: JsonObject) -> httpx.Response:
        given = body(place, visit) if callable(body) else body
        return place.clinic.ask(who, method, path.format(id=visit["id"]), given, headers)

    return ask


def _ended(_: Place, visit: JsonObject) -> JsonObject:
    return {**visit, "status": "cancelled"}


def _moved(place: Place, visit: JsonObject) -> JsonObject:
    patient = visit["participant"][0]["actor"]["reference"].partition("/")[2]
    named = {"reference": f"Appointment/{visit['id']}"}
    extension = [{"url": REPLACES, "valueReference": named}]
    return place.clinic.visit(patient, place.other, extension=extension)


CANCELLING: Final[dict[str, Door]] = {
    "$cancel": lambda p, who, v: operate(p.clinic, who, f"/Appointment/{v['id']}/$cancel"),
    "$book": lambda p, who, v: operate(
        p.clinic, who, "/Appointment/$book", cancelled_appt_id=v["id"]
    ),
    "PUT": _sent("PUT", "/Appointment/{id}", _ended),
    "PATCH": _sent("PATCH", "/Appointment/{id}", _CANCEL, _PATCH),
    "conditional update": _sent("PUT", "/Appointment?_id={id}", _ended),
    "conditional patch": _sent("PATCH", "/Appointment?_id={id}", _CANCEL, _PATCH),
    "batch": _bundled("batch", "PUT", "Appointment/{id}", _ended),
    "transaction": _bundled("transaction", "PUT", "Appointment/{id}", _ended),
    "transaction, conditional": _bundled("transaction", "PUT", "Appointment?_id={id}", _ended),
}
MOVING: Final[dict[str, Door]] = {
    "$reschedule": lambda p, who, v: operate(
        p.clinic, who, f"/Appointment/{v['id']}/$reschedule", slot=p.other
    ),
    "$book": lambda p, who, v: operate(
        p.clinic, who, "/Appointment/$book", slot=p.other, cancelled_appt_id=v["id"]
    ),
    "create": _sent("POST", "/Appointment", _moved),
    "batch": _bundled("batch", "POST", "Appointment", _moved),
    "transaction": _bundled("transaction", "POST", "Appointment", _moved),
}
DELETING: Final[dict[str, Door]] = {
    "DELETE": _sent("DELETE", "/Appointment/{id}", None),
    "conditional delete": _sent("DELETE", "/Appointment?_id={id}", None),
    "batch": _bundled("batch", "DELETE", "Appointment/{id}", lambda *_: None),
    "transaction": _bundled("transaction", "DELETE", "Appointment/{id}", lambda *_: None),
}


def said(answer: httpx.Response) -> str:
    """The cabinet's code of a refusal, of a batch that of its entry; empty: none."""
    if answer.content and answer.json().get("type") == "batch-response":
        response = answer.json()["entry"][0]["response"]
        outcome = response.get("outcome", {"issue": [{}]})
        details = outcome["issue"][0].get("details", {})
        return str(details.get("coding", [{"code": ""}])[0]["code"])
    return "" if answer.is_success else code(answer)


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("door", CANCELLING)
def test_until_the_cut_off_at_every_door(
    place: Callable[[str], Place], scene: str, door: str
) -> None:
    here = place(scene)
    who, visit = here.visit()
    for more in (HOUR, timedelta()):
        here.at(here.scene.cancellable, more)
        answer = CANCELLING[door](here, who, visit)
        assert said(answer) == "cancel-deadline-passed", answer.text
    here.at(here.scene.cancellable, -MOMENT)
    answer = CANCELLING[door](here, who, visit)
    assert said(answer) == "", answer.text
    assert here.clinic.get(f"/Appointment/{visit['id']}")["status"] == "cancelled"


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("door", MOVING)
def test_until_the_notice_at_every_door(
    place: Callable[[str], Place], scene: str, door: str
) -> None:
    here = place(scene)
    who, visit = here.visit()
    for more in (HOUR, timedelta()):
        here.at(here.scene.movable, more)
        answer = MOVING[door](here, who, visit)
        assert said(answer) == "reschedule-too-late", answer.text
    here.at(here.scene.movable, -MOMENT)
    answer = MOVING[door](here, who, visit)
    assert said(answer) == "", answer.text
    assert here.clinic.get(f"/Appointment/{visit['id']}")["status"] == "cancelled"


@pytest.mark.parametrize("door", DELETING)
def test_a_visit_is_deleted_at_no_time(place: Callable[[str], Place], door: str) -> None:
    here = place("spring")
    who, visit = here.visit()
    for more in (-HOUR, HOUR):
        here.at(here.scene.cancellable, more)
        answer = DELETING[door](here, who, visit)
        assert said(answer) == "status-not-allowed", answer.text
    assert here.clinic.get(f"/Appointment/{visit['id']}")["status"] == "booked"


@pytest.mark.parametrize("hours", [-1, 1])
def test_to_decline_what_is_booked_cancels_nothing(
    place: Callable[[str], Place], hours: int
) -> None:
    """An AppointmentResponse answers an offer, and is no way past a deadline."""
    here = place("autumn")
    who, visit = here.visit()
    here.at(here.scene.cancellable, hours * HOUR)
    response = {
        "resourceType": "AppointmentResponse",
        "appointment": {"reference": f"Appointment/{visit['id']}"},
        "actor": {"reference": f"Patient/{who.patient}"},
        "participantStatus": "declined",
    }
    answer = here.clinic.ask(who, "POST", "/AppointmentResponse", response)
    assert answer.status_code == 201, answer.text
    assert here.clinic.get(f"/Appointment/{visit['id']}")["status"] == "booked"


def _strict(clinic: Clinic, **more: JsonObject) -> str:
    day = {"value": 72, "code": "h", "system": "http://unitsofmeasure.org"}
    return clinic.schedule(**policy(reschedule_notice={"valueDuration": day}, **more))


def _lenient(clinic: Clinic) -> str:
    none = {"value": 0, "code": "h", "system": "http://unitsofmeasure.org"}
    own = {"valueBoolean": False}
    return clinic.schedule(**policy(reschedule_notice={"valueDuration": none}, own_only=own))


@pytest.mark.parametrize("door", TO_MOVE)
def test_a_visit_is_given_up_by_the_rules_of_its_own_place(clinic: Clinic, door: str) -> None:
    patient = clinic.patient()
    who, elsewhere = person(patient), clinic.slot(_lenient(clinic), days=30)
    visit = booked(clinic, who, clinic.slot(_strict(clinic), days=2))
    wanted = clinic.visit(patient, elsewhere)
    sent = move(who, door, visit["id"], wanted)
    answer = clinic.ask(who, sent.method, sent.path, sent.body, dict(sent.headers))
    assert said(answer) == "reschedule-too-late", answer.text
    assert clinic.get(f"/Appointment/{visit['id']}")["status"] == "booked"
    assert clinic.status(elsewhere) == "free"


def test_who_may_give_it_up_is_said_by_its_own_place_too(clinic: Clinic) -> None:
    patient = clinic.patient()
    staffs = clinic.visit(patient, clinic.slot(clinic.schedule(), days=20))
    visit = clinic.ask(ROOT, "POST", "/Appointment", staffs).json()
    elsewhere = clinic.slot(_lenient(clinic), days=30)
    path = f"/Appointment/{visit['id']}/$reschedule"
    answer = operate(clinic, person(patient), path, slot=elsewhere)
    assert (answer.status_code, code(answer)) == (403, "not-own-booking")


@pytest.mark.parametrize("status", ["pending", "proposed", "waitlist"])
def test_a_booking_is_given_up_for_nothing_less(clinic: Clinic, status: str) -> None:
    patient = clinic.patient()
    who, other = person(patient), clinic.slot(clinic.schedule(), days=30)
    visit = booked(clinic, who, clinic.slot(clinic.schedule(), days=20))
    wanted = clinic.visit(patient, *([other] if status == "pending" else []), status=status)
    named = {"reference": f"Appointment/{visit['id']}"}
    wanted["extension"] = [{"url": REPLACES, "valueReference": named}]
    answer = clinic.ask(who, "POST", "/Appointment", wanted)
    assert (answer.status_code, code(answer)) == (422, "status-not-allowed")
    assert clinic.get(f"/Appointment/{visit['id']}")["status"] == "booked"
