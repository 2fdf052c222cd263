"""A child's fifteenth birthday comes while a parent uses the app: the next request is refused,
at every door of booking (S1-19, S1-20).

https://hl7.org/fhir/R4/appointment.html
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx
import pytest

from fhir_server.access.decisions import Policy
from fhir_server.access.policy import AccessPolicy
from fhir_server.access.principal import Principal
from fhir_server.access.proxies import ProxyRules
from tests.spec.booking.conftest import Clinic, Stopped, person, serving
from tests.spec.booking.test_book import booked, operate
from tests.spec.booking.waiting import Line, answer_of
from tests.support.fhir import JsonObject
from tests.support.relations import relation, years_before

ZONE: Final = ZoneInfo("Europe/Moscow")
BIRTHDAY: Final = datetime(2027, 3, 10, tzinfo=ZONE)
"""Its first moment, at the clinic: 21:00 of the day before in UTC."""
AGE: Final = 15
_PATCH: Final = {"Content-Type": "application/json-patch+json"}


@pytest.fixture(scope="module")
def stopped(mongodb_uri: str) -> Iterator[Clinic]:
    rules = ProxyRules(child_age=AGE)
    policy = AccessPolicy(Policy("all-normal"), proxies=rules, zone=ZONE)
    clock = Stopped(BIRTHDAY)
    with serving(mongodb_uri, policy, clock, time_zone=ZONE.key) as found:
        yield found


@dataclass(frozen=True)
class Family:
    """A mother in the app, her child, and what there is for the child."""

    clinic: Clinic
    mother: Principal
    child: str
    line: Line
    free: str
    """A Slot."""
    visit: JsonObject
    full: Line
    """Where nothing is free."""
    entry: str
    """With an offer."""


@pytest.fixture(scope="module")
def late(stopped: Clinic) -> Family:
    """One who did nothing before the birthday."""
    return family(stopped, Line(stopped), is_offered=True)


@pytest.fixture(scope="module")
def line(stopped: Clinic) -> Line:
    return Line(stopped)


def family(clinic: Clinic, line: Line, *, is_offered: bool) -> Family:
    """On the eve of the birthday; `is_offered`: there is an offer of the queue, too."""
    set_clock(clinic, BIRTHDAY - timedelta(hours=1))
    child, mother = clinic.patient(), clinic.patient()
    born = years_before(BIRTHDAY.date(), AGE)
    kin = relation(child, mother)
    for each in ({"resourceType": "Patient", "id": child, "birthDate": born}, *kin):
        clinic.put(each)
    own = person(mother, scope="user/*.cruds")
    who = replace(own, patient=child, represented=(mother, child))
    visit = booked(clinic, who, clinic.slot(line.schedule))
    free, entry, full = clinic.slot(line.schedule, days=9), "", line
    if is_offered:
        waits, full = Line(clinic), Line(clinic)
        full.kept()
        _, kept = waits.kept(days=12)
        entry = waits.join(who)["id"]
        waits.free(kept)
    return Family(clinic, who, child, line, free, visit, full, entry)


def set_clock(clinic: Clinic, at: datetime) -> None:
    assert isinstance(clinic.clock, Stopped)
    clinic.clock.at = at


def _post(path: str, body: Callable[[Family], object]) -> Callable[[Family], httpx.Response]:
    return lambda f: f.clinic.ask(f.mother, "POST", path, body(f))


def _new(f: Family) -> JsonObject:
    return f.clinic.visit(f.child, f.free, specialty=[f.line.concept])


def _operation(name: str, **values: str) -> Callable[[Family], httpx.Response]:
    def ask(f: Family) -> httpx.Response:
        given = {key: getattr(f, value) for key, value in values.items()}
        path = f"/Appointment/{name.format(visit=f.visit['id'], entry=f.entry)}"
        return operate(f.clinic, f.mother, path, **given)

    return ask


def _get(path: str) -> Callable[[Family], httpx.Response]:
    def ask(f: Family) -> httpx.Response:
        found = path.format(visit=f.visit["id"], entry=f.entry, child=f.child)
        return f.clinic.ask(f.mother, "GET", found)

    return ask


def _cancelled(f: Family) -> JsonObject:
    return {**f.visit, "status": "cancelled"}


def _bundle(method: str, url: str, body: Any) -> JsonObject:
    entry = {"request": {"method": method, "url": url}, "resource": body}
    return {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}


WRITES: Final[dict[str, Callable[[Family], httpx.Response]]] = {
    "$hold": _operation("$hold", slot="free"),
    "$book": _operation("$book", slot="free"),
    "create": _post("/Appointment", _new),
    "transaction": _post("/", lambda f: _bundle("POST", "Appointment", _new(f))),
    "$cancel": _operation("{visit}/$cancel"),
    "PUT": lambda f: f.clinic.ask(
        f.mother, "PUT", f"/Appointment/{f.visit['id']}", _cancelled(f)
    ),
    "PATCH": lambda f: f.clinic.ask(
        f.mother, "PATCH", f"/Appointment/{f.visit['id']}",
        [{"op": "replace", "path": "/status", "value": "cancelled"}], _PATCH,
    ),
    "conditional update": lambda f: f.clinic.ask(
        f.mother, "PUT", f"/Appointment?_id={f.visit['id']}", _cancelled(f)
    ),
    "transaction, cancelling": _post(
        "/", lambda f: _bundle("PUT", f"Appointment/{f.visit['id']}", _cancelled(f))
    ),
    "$reschedule": _operation("{visit}/$reschedule", slot="free"),
    "$waitlist-join": lambda f: f.clinic.ask(
        f.mother, "POST", "/Appointment/$waitlist-join",
        {"resourceType": "Parameters", "parameter": [
            {"name": "specialty", "valueCodeableConcept": f.full.concept}]},
    ),
    "create of an entry": _post("/Appointment", lambda f: f.full.entry(f.child)),
    "$confirm": _operation("{entry}/$confirm"),
    "accept": _post("/AppointmentResponse", lambda f: _said(f, "accepted")),
    "decline": _post("/AppointmentResponse", lambda f: _said(f, "declined")),
    "leave": _operation("{entry}/$cancel"),
}  # fmt: skip
READS: Final[dict[str, Callable[[Family], httpx.Response]]] = {
    "read": _get("/Appointment/{visit}"),
    "version": _get("/Appointment/{visit}/_history/1"),
    "history": _get("/Appointment/{visit}/_history"),
    "search": _get("/Appointment?patient={child}"),
    "search by id": _get("/Appointment?_id={visit},{entry}"),
    "search by POST": lambda f: f.clinic.ask(f.mother, "POST", "/Appointment/_search"),
    "compartment": _get("/Patient/{child}/Appointment"),
    "where one stands": _get("/Appointment/{entry}/$waitlist-status"),
}


def _said(f: Family, status: str) -> JsonObject:
    return answer_of(replace(f.mother, patient=f.child), f.entry, status)


def _stored(f: Family) -> object:
    path = f"/Appointment?patient={f.child}&_count=50"
    visits = f.clinic.get(path).get("entry", ())
    kept = sorted((e["resource"]["id"], e["resource"]["meta"]["versionId"]) for e in visits)
    return kept, f.clinic.status(f.free)


OF_THE_QUEUE: Final = frozenset(
    {"$waitlist-join", "create of an entry", "$confirm", "accept", "decline", "leave"}
)


@pytest.mark.parametrize("door", WRITES)
def test_a_parent_writes_until_the_birthday(stopped: Clinic, line: Line, door: str) -> None:
    found = family(stopped, line, is_offered=door in OF_THE_QUEUE)
    set_clock(stopped, BIRTHDAY - timedelta(milliseconds=1))
    answer = WRITES[door](found)
    assert answer.is_success, answer.text


@pytest.mark.parametrize("door", WRITES)
def test_from_the_birthday_on_a_parent_writes_nothing(
    stopped: Clinic, late: Family, door: str
) -> None:
    before = _stored(late)
    set_clock(stopped, BIRTHDAY)
    answer = WRITES[door](late)
    assert answer.status_code in {403, 404}, answer.text
    assert _stored(late) == before


@pytest.mark.parametrize("door", READS)
def test_a_parent_reads_until_the_birthday(stopped: Clinic, late: Family, door: str) -> None:
    set_clock(stopped, BIRTHDAY - timedelta(milliseconds=1))
    answer = READS[door](late)
    assert answer.is_success, answer.text
    assert answer.json().get("total") != 0
    set_clock(stopped, BIRTHDAY)
    answer = READS[door](late)
    is_empty = answer.is_success and not answer.json().get("entry")
    assert answer.status_code in {403, 404} or is_empty, answer.text
