"""The roster of the next day: made at the cut-off, once, for staff (S3-14).

https://hl7.org/fhir/R4/list.html
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final
from uuid import uuid4

import pytest

from fhir_server.access.decisions import Policy
from fhir_server.access.policy import AccessPolicy
from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.cabinet.booking.names import LISTS, ROSTER, ROSTERS
from fhir_server.cabinet.booking.policy import HOUR
from tests.spec.booking.conftest import Clinic, person, serving
from tests.spec.booking.test_book import booked, operate, policy
from tests.support.fhir import JsonObject
from tests.support.polling import until

DESK: Final = Principal(
    "desk", parse_scopes("user/*.cruds"), user="Practitioner/desk", staff=True, purpose="TREAT"
)
RULES: Final = AccessPolicy(Policy("basic-normal"))


@pytest.fixture(scope="module")
def name() -> str:
    return f"rosters_{uuid4().hex[:12]}"


@pytest.fixture(scope="module")
def listing(mongodb_uri: str, name: str) -> Iterator[Clinic]:
    with serving(mongodb_uri, RULES, database=name, roster_seconds=0.2) as found:
        yield found


def cut_off(clinic: Clinic, hours: int) -> JsonObject:
    """Rules whose cut-off is in `hours`, a day before."""
    at = (clinic.clock.today + timedelta(hours=hours)).time().isoformat()
    return policy(cancel_days={"valueInteger": 1}, cancel_time={"valueTime": at})


def tomorrow(clinic: Clinic, hours: int) -> str:
    """The day after that of the next cut-off."""
    return (clinic.clock.today + timedelta(hours=hours, days=1)).date().isoformat()


def rosters(clinic: Clinic, schedule: str, day: str, who: Principal = DESK) -> list[JsonObject]:
    path = f"/List?identifier={ROSTERS}|{schedule}/{day}&_include=List:item"
    answer = clinic.ask(who, "GET", path)
    assert answer.status_code == 200, answer.text
    found: list[JsonObject] = [each["resource"] for each in answer.json().get("entry", ())]
    return found


def listed(found: list[JsonObject]) -> list[str]:
    (only,) = (each for each in found if each["resourceType"] == "List")
    return [each["item"]["reference"] for each in only.get("entry", ())]


def days_to(clinic: Clinic, day: str, hours: int) -> float:
    """Days from now to `hours` o'clock (UTC) of `day`."""
    now = clinic.clock.today
    midnight = now.replace(hour=0, minute=0, second=0) + timedelta(
        days=(now.fromisoformat(day).date() - now.date()).days
    )
    return (midnight + timedelta(hours=hours) - now) / timedelta(days=1)


@pytest.fixture(scope="module")
def snapshot(listing: Clinic) -> tuple[str, str, str, list[str]]:
    """A schedule, its day and a patient, with what the roster lists."""
    schedule = listing.schedule(**cut_off(listing, 2))
    day = tomorrow(listing, 2)
    places = [
        listing.slot(schedule, days=days_to(listing, day, hours)) for hours in (15, 9, 11, 12)
    ]
    places.append(listing.slot(schedule, days=days_to(listing, day, 25)))  # of the day after
    patients = [listing.patient() for _ in places]
    visits = [
        booked(listing, person(who), place)["id"]
        for who, place in zip(patients, places, strict=True)
    ]
    gone = operate(listing, person(patients[2]), f"/Appointment/{visits[2]}/$cancel")
    assert gone.is_success, gone.text
    assert rosters(listing, schedule, day) == []
    listing.clock.forward(2 * HOUR)
    assert until(lambda: rosters(listing, schedule, day) != [])
    expected = [f"Appointment/{visits[n]}" for n in (1, 3, 0)]
    return schedule, day, patients[0], expected


Snapshot = tuple[str, str, str, list[str]]


def test_the_booked_visits_of_the_day_are_listed(listing: Clinic, snapshot: Snapshot) -> None:
    schedule, day, _, expected = snapshot
    found = rosters(listing, schedule, day)
    assert listed(found) == expected
    assert {each["resourceType"] for each in found} == {"List", "Appointment"}
    (roster,) = (each for each in found if each["resourceType"] == "List")
    assert roster["code"]["coding"] == [{"system": LISTS, "code": ROSTER}]
    assert "subject" not in roster


def test_no_patient_reaches_it(listing: Clinic, snapshot: Snapshot) -> None:
    schedule, day, patient, _ = snapshot
    (roster,) = (e for e in rosters(listing, schedule, day) if e["resourceType"] == "List")
    for scope in ("patient/*.cruds", "user/*.cruds"):
        who = person(patient, scope)
        assert rosters(listing, schedule, day, who) == []
        assert listing.ask(who, "GET", f"/List/{roster['id']}").status_code == 404
        own = listing.ask(who, "GET", "/Appointment?_revinclude=List:item").json()
        kinds = {each["resource"]["resourceType"] for each in own["entry"]}
        assert kinds == {"Appointment"}
        on_it = listing.ask(who, "GET", f"/Appointment?_list={roster['id']}").json()
        assert "entry" not in on_it
        has = listing.ask(who, "GET", f"/Appointment?_has:List:item:_id={roster['id']}").json()
        assert "entry" not in has


def test_it_stays_as_it_was_and_is_made_once(
    listing: Clinic, mongodb_uri: str, name: str, snapshot: Snapshot
) -> None:
    """Another process looks for rosters too, which has not made this one."""
    schedule, day, _, expected = snapshot
    path = f"/{expected[0]}"
    visit = listing.ask(DESK, "GET", path).json()
    assert listing.ask(DESK, "PUT", path, {**visit, "status": "cancelled"}).is_success
    before = listing.get(f"/List?identifier={ROSTERS}|{schedule}/{day}")["entry"]
    with serving(mongodb_uri, RULES, database=name, roster_seconds=0.05) as other:
        other.clock.forward(2 * HOUR)
        late = other.schedule(**cut_off(other, -1))
        today = tomorrow(other, -1)
        other.slot(late, days=days_to(other, today, 9))
        # The later one is looked for behind the earlier.
        assert until(lambda: rosters(other, late, today) != [])
        assert listed(rosters(other, late, today)) == []
    after = listing.get(f"/List?identifier={ROSTERS}|{schedule}/{day}")["entry"]
    assert [each["resource"] for each in after] == [each["resource"] for each in before]
    assert len(after) == 1
