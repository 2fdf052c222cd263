"""$find: what is shown can be booked, and what can be booked is shown.

https://profiles.ihe.net/ITI/Scheduling/ITI-115.html
"""

from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_server.access.decisions import Policy
from fhir_server.access.policy import AccessPolicy
from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.cabinet.booking.names import CAPACITY, CHANNEL, MINE, REQUIRES
from fhir_server.settings import Settings
from tests.spec.booking.conftest import Clinic, Clock, code, person
from tests.spec.booking.test_book import booked, operate, parameters, policy, values
from tests.support.fhir import JsonObject
from tests.support.polling import until
from tests.support.running import Running
from tests.support.worlds import ROOT, Tokens

EYE: Final = {"coding": [{"system": "urn:specialty", "code": "eye"}]}
_NUMBERS: Final = count(1)


def found(
    clinic: Clinic, who: Principal, query: str = "", **asked: Any
) -> tuple[list[JsonObject], int]:
    path = "/Appointment/$find"
    answer = (
        clinic.ask(who, "GET", f"{path}?{query}")
        if query
        else clinic.ask(who, "POST", path, parameters(**asked))
    )
    assert answer.status_code == 200, answer.text
    bundle = answer.json()
    return [each["resource"] for each in bundle.get("entry", ())], bundle["total"]


def slots(proposals: list[JsonObject]) -> list[str]:
    return [each["slot"][0]["reference"].removeprefix("Slot/") for each in proposals]


def test_free_places_of_a_schedule_in_the_order_of_time(clinic: Clinic) -> None:
    schedule = clinic.schedule(specialty=[EYE])
    late, early = clinic.slot(schedule, days=8), clinic.slot(schedule, days=7)
    proposals, total = found(clinic, person(clinic.patient()), schedule=f"Schedule/{schedule}")
    assert (slots(proposals), total) == ([early, late], 2)
    first = proposals[0]
    assert (first["status"], first["specialty"]) == ("proposed", [EYE])
    assert first["participant"][0]["actor"] == {"reference": "Practitioner/dr"}
    assert first["minutesDuration"] == 30
    assert clinic.ask(ROOT, "GET", f"/Appointment/{first['id']}").status_code == 404


def test_taken_held_closed_past_and_other_channels_are_not_shown(clinic: Clinic) -> None:
    schedule = clinic.schedule()
    other = [{"url": CHANNEL, "valueCode": "registry"}]
    own = [{"url": CHANNEL, "valueCode": "portal"}]
    taken, held = clinic.slot(schedule, days=7), clinic.slot(schedule, days=8)
    clinic.slot(schedule, days=9, status="busy-unavailable")
    clinic.slot(schedule, days=-1)
    elsewhere = clinic.slot(schedule, days=10, extension=other)
    here = clinic.slot(schedule, days=11, extension=own)
    who = person(clinic.patient())
    booked(clinic, who, taken)
    assert operate(clinic, who, "/Appointment/$hold", slot=held).is_success
    proposals, total = found(clinic, who, schedule=schedule)
    assert (slots(proposals), total) == ([here], 1)
    refused = operate(clinic, who, "/Appointment/$book", slot=elsewhere)
    assert (refused.status_code, code(refused)) == (422, "channel-closed")
    assert slots(found(clinic, ROOT, schedule=schedule)[0]) == [elsewhere, here]


def test_a_group_is_shown_until_it_is_full(clinic: Clinic) -> None:
    schedule = clinic.schedule()
    slot = clinic.slot(schedule, extension=[{"url": CAPACITY, "valuePositiveInt": 2}])
    for left in (1, 1, 0):
        assert found(clinic, person(clinic.patient()), schedule=schedule)[1] == left
        if left:
            booked(clinic, person(clinic.patient()), slot)


def test_pages_go_on_where_the_last_one_ended(clinic: Clinic) -> None:
    schedule = clinic.schedule()
    made = [clinic.slot(schedule, days=7 + each) for each in range(5)]
    who = person(clinic.patient())
    path: str | None = f"/Appointment/$find?schedule={schedule}&_count=2"
    seen: list[str] = []
    while path is not None:
        bundle = clinic.ask(who, "GET", path).json()
        assert bundle["total"] == 5
        seen += slots([each["resource"] for each in bundle["entry"]])
        links = {each["relation"]: each["url"] for each in bundle["link"]}
        path = links.get("next", "").removeprefix("http://test/fhir") or None
    assert seen == made


@pytest.mark.parametrize("form", ["id", "reference", "resource", "appt-resource", "hold"])
def test_a_proposal_is_booked_as_it_is(clinic: Clinic, form: str) -> None:
    schedule = clinic.schedule(**policy(referral={"valueBoolean": False}))
    slot, who = clinic.slot(schedule), person(clinic.patient())
    (proposal,), _ = found(clinic, who, schedule=schedule)
    asked: dict[str, Any] = {
        "id": {"appt_id": proposal["id"]},
        "reference": {"appointment_reference": {"reference": f"Appointment/{proposal['id']}"}},
        "resource": {"appointment_resource": proposal},
        "appt-resource": {"appt_resource": proposal},
        "hold": {"appointment_resource": proposal},
    }[form]
    name = "$hold" if form == "hold" else "$book"
    answer = operate(clinic, who, f"/Appointment/{name}", **asked)
    assert answer.is_success, answer.text
    assert clinic.status(slot) == ("busy-tentative" if form == "hold" else "busy")


def test_what_is_asked_narrows(clinic: Clinic) -> None:
    number = next(_NUMBERS)
    organization, doctor = f"Organization/o{number}", f"Practitioner/d{number}"
    place = {
        "resourceType": "Location",
        "id": f"l{number}",
        "address": {"city": f"Izhevsk{number}"},
    }
    role = {
        "resourceType": "PractitionerRole",
        "id": f"r{number}",
        "practitioner": {"reference": doctor},
        "organization": {"reference": organization},
        "location": [{"reference": f"Location/l{number}"}],
    }
    named = {
        "resourceType": "Practitioner",
        "id": f"d{number}",
        "identifier": [{"system": "urn:d", "value": f"{number}"}],
    }
    for each in (place, role, named):
        clinic.put(each)
    actor = [{"reference": f"PractitionerRole/r{number}"}]
    schedule = clinic.schedule(actor=actor, specialty=[EYE])
    service = [{"coding": [{"system": "urn:service", "code": "consult"}]}]
    slot, who = clinic.slot(schedule, serviceType=service), person(clinic.patient())
    clinic.slot(clinic.schedule())
    by_identifier = {"identifier": {"system": "urn:d", "value": f"{number}"}}
    for hits in (
        {"practitioner": {"reference": doctor}},
        {"practitioner": by_identifier},
        {"practitioner": [{"reference": "Practitioner/none"}, {"reference": doctor}]},
        {"organization": {"reference": organization}},
        {"location_reference": {"reference": f"Location/l{number}"}},
        {"location_string": f"izhevsk{number}"},
        {"practitioner": doctor, "specialty": "urn:specialty|eye", "visit_type": "consult"},
    ):
        assert slots(found(clinic, who, **hits)[0]) == [slot], hits
    for misses in (
        {"practitioner": doctor, "organization": "Organization/none"},
        {"practitioner": doctor, "specialty": "urn:specialty|ear"},
        {"practitioner": doctor, "service_type": "urn:service|other"},
    ):
        assert found(clinic, who, **misses) == ([], 0), misses


def test_from_until_and_on_which_days(clinic: Clinic) -> None:
    schedule = clinic.schedule()
    week = [clinic.slot(schedule, days=7 + each) for each in range(7)]
    who, begin = person(clinic.patient()), clinic.clock.today + timedelta(days=7, minutes=-1)
    until_ = begin + timedelta(days=2)
    asked = f"schedule={schedule}&start={begin:%Y-%m-%dT%H:%M:00Z}"
    assert slots(found(clinic, who, f"{asked}&end={until_:%Y-%m-%dT%H:%M:00Z}")[0]) == week[:2]
    day = f"{clinic.get(f'/Slot/{week[3]}')['start'][:10]}"
    name = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[
        clinic.clock.today.fromisoformat(day).weekday()
    ]
    assert slots(found(clinic, who, f"{asked}&day={name}")[0]) == [week[3]]


def test_own_visits_are_marked_and_nobody_else_s(clinic: Clinic) -> None:
    schedule = clinic.schedule()
    mine, other = clinic.slot(schedule, days=7), clinic.slot(schedule, days=8)
    free = clinic.slot(schedule, days=9)
    who = person(clinic.patient())
    visit, alien = booked(clinic, who, mine), booked(clinic, person(clinic.patient()), other)
    proposals, _ = found(clinic, who, f"schedule={schedule}&mine=true")
    assert slots(proposals) == [mine, free]
    assert values(proposals[0])[MINE] == {"reference": f"Appointment/{visit['id']}"}
    asked_for = alien["participant"][0]["actor"]["reference"]
    query = f"schedule={schedule}&mine=true&patient-reference={asked_for}"
    others, _ = found(clinic, who, query)
    assert slots(others) == [free]


def test_what_a_place_demands_is_told(clinic: Clinic) -> None:
    rules = policy(referral={"valueBoolean": True}, level={"valueInteger": 2})
    schedule = clinic.schedule(**rules)
    clinic.slot(schedule)
    (proposal,), _ = found(clinic, person(clinic.patient()), schedule=schedule)
    assert [each["valueCode"] for each in proposal["extension"]] == ["level-2", "referral"]
    assert {each["url"] for each in proposal["extension"]} == {REQUIRES}


def test_reasons_and_referrals_go_along(clinic: Clinic) -> None:
    schedule, patient = clinic.schedule(), clinic.patient()
    clinic.slot(schedule)
    query = f"schedule={schedule}&reason=urn:c|1&patient-reference=Patient/{patient}"
    (proposal,), _ = found(clinic, person(patient), query)
    assert proposal["reasonCode"] == [{"coding": [{"system": "urn:c", "code": "1"}]}]
    assert proposal["participant"][0]["actor"]["reference"] == f"Patient/{patient}"


@pytest.mark.parametrize("query", ["colour=red", "start=soon", "day=someday", "_cursor=x"])
def test_what_is_not_understood_is_refused(clinic: Clinic, query: str) -> None:
    answer = clinic.ask(person(clinic.patient()), "GET", f"/Appointment/$find?{query}")
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    "query",
    [
        "start=9999-12-31T23:59:59-12:00",
        "start=9999-12-01",
        "end=9999-12-31T23:59:59-12:00",
        "start=9999-12-25&end=9999-12-31&day=fri",
        "start=0001-01-01T00:00:00%2B14:00",
    ],
)
def test_the_ends_of_the_calendar_are_far_away_and_no_more(clinic: Clinic, query: str) -> None:
    answer = clinic.ask(person(clinic.patient()), "GET", f"/Appointment/$find?{query}")
    assert answer.status_code == 200, answer.text


def test_without_a_scope_for_slots_nothing_is_found(clinic: Clinic) -> None:
    who = Principal("app", ())
    assert clinic.ask(who, "GET", "/Appointment/$find").status_code == 403


STATES = st.lists(
    st.tuples(
        st.sampled_from(("free", "busy", "busy-unavailable", "booked", "held", "half")),
        st.sampled_from((None, "portal", "registry")),
        st.sampled_from((-1.0, 0.5, 20.0)),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@given(STATES)
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_what_is_shown_is_what_can_be_booked(
    clinic: Clinic, states: list[tuple[str, str | None, float, bool]]
) -> None:
    schedule = clinic.schedule()
    made: list[str] = []
    for place, (state, channel, days, is_group) in enumerate(states):
        status = state if state in ("busy", "busy-unavailable") else "free"
        extension: list[JsonObject] = []
        if channel:
            extension.append({"url": CHANNEL, "valueCode": channel})
        if is_group or state == "half":
            extension.append({"url": CAPACITY, "valuePositiveInt": 2})
        more: dict[str, Any] = {"extension": extension} if extension else {}
        when = days + place / 24
        slot = clinic.slot(schedule, days=when, status=status, **more)
        made.append(slot)
        for kind in {"booked": ["booked"], "held": ["pending"], "half": ["booked"]}.get(
            state, ()
        ):
            visit = clinic.visit(clinic.patient(), slot, status=kind)
            assert clinic.ask(ROOT, "POST", "/Appointment", visit).is_success
    shown = set(slots(found(clinic, person(clinic.patient()), schedule=schedule)[0]))
    bookable = {slot for slot in made if _can_be_booked(clinic, slot)}
    assert shown == bookable


def _can_be_booked(clinic: Clinic, slot: str) -> bool:
    """By a person who has nothing else; everything is then as before."""
    who = person(clinic.patient())
    answer = operate(clinic, who, "/Appointment/$book", slot=slot)
    if answer.is_success:
        id_ = answer.json()["entry"][0]["resource"]["id"]
        clinic.ask(ROOT, "POST", f"/Appointment/{id_}/$cancel")
    return answer.is_success


def test_a_hold_that_is_over_is_shown_again(clinic: Clinic) -> None:
    schedule = clinic.schedule()
    slot, who = clinic.slot(schedule), person(clinic.patient())
    assert operate(clinic, who, "/Appointment/$hold", slot=slot).is_success
    assert found(clinic, who, schedule=schedule) == ([], 0)
    clinic.clock.forward(11 * 60_000)
    assert until(lambda: slots(found(clinic, who, schedule=schedule)[0]) == [slot])


def test_existing_visits_are_found_by_patient_and_date(clinic: Clinic) -> None:
    """ITI-118."""
    patient = clinic.patient()
    visit = booked(clinic, person(patient), clinic.slot(clinic.schedule()))
    path = f"/Appointment?patient={patient}&date=ge{clinic.clock.today:%Y-%m-%d}"
    answer: httpx.Response = clinic.ask(person(patient), "GET", path)
    assert [each["resource"]["id"] for each in answer.json()["entry"]] == [visit["id"]]


def test_nothing_is_found_beyond_the_rights(clinic: Clinic) -> None:
    schedule = clinic.schedule()
    clinic.slot(schedule)
    scopes = parse_scopes("system/Slot.rs?status=busy system/Schedule.rs")
    assert found(clinic, Principal("mis", scopes), schedule=schedule) == ([], 0)


def test_the_operators_own_rules_are_told(mongodb_uri: str, tmp_path: Path) -> None:
    (tmp_path / "rules.json").write_text('{"referral": true}', encoding="utf-8")
    tokens = Tokens(AccessPolicy(Policy("all-normal")))
    own = Settings(
        mongodb_uri=mongodb_uri,
        database=f"booking_{uuid4().hex[:12]}",
        seed=False,
        log_level="WARNING",
        base_url="http://test/fhir",
        booking_rules=tmp_path / "rules.json",
    )
    clock = Clock()
    with (
        Running(own, tokens.gate, clock) as running,
        httpx.Client(base_url=running.base_url, timeout=60) as http,
    ):
        clinic = Clinic(http, tokens, clock)
        schedule = clinic.schedule()
        clinic.slot(schedule)
        proposals, _ = found(clinic, person(clinic.patient()), schedule=schedule)
    needed = [e["valueCode"] for e in proposals[0]["extension"] if e["url"] == REQUIRES]
    assert needed == ["referral"]
