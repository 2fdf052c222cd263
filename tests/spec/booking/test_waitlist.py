"""The queue: who may join it, what an offer is, what becomes of the answer.

https://hl7.org/fhir/R4/appointment.html#statuses
https://hl7.org/fhir/R4/appointmentresponse.html
"""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from fhir_server.access.principal import Principal
from fhir_server.cabinet.booking.names import BLOCKED, BOOKED_BY, EXHAUSTED, FLAGS, WAITLIST
from fhir_server.cabinet.booking.policy import HOUR, MINUTE
from fhir_server.cabinet.booking.visits import extension
from tests.spec.booking.conftest import Clinic, code, person
from tests.spec.booking.test_book import booked, operate, policy
from tests.spec.booking.waiting import (
    OPEN,
    SYSTEM,
    Line,
    answer_of,
    answered,
    patient,
    said,
    staff,
)
from tests.support.fhir import JsonObject
from tests.support.polling import until
from tests.support.worlds import ROOT


def refused(answer: httpx.Response, status: int, why: str) -> None:
    assert (answer.status_code, code(answer)) == (status, why), answer.text


# Joining ---------------------------------------------------------------------------------


def test_who_joins_is_told_since_when_and_how_often(clinic: Clinic) -> None:
    line, who = Line(clinic), person(clinic.patient())
    forged = {
        "url": WAITLIST,
        "extension": [
            {"url": "offersMade", "valueUnsignedInt": 0},
            {"url": "offersLimit", "valueUnsignedInt": 99},
        ],
    }
    entry = line.join(who, created="2001-01-01", extension=[forged])
    assert said(entry) == {"target": "specialty", "offersMade": 0, "offersLimit": 3}
    assert entry["created"][:10] == clinic.clock.today.date().isoformat()
    assert extension(entry, BOOKED_BY) == {"reference": f"Patient/{who.patient}"}


@pytest.mark.parametrize("door", ["POST", "$waitlist-join", "Bundle", "condition"])
def test_nobody_joins_where_there_is_no_queue(clinic: Clinic, door: str) -> None:
    line, who = Line(clinic, rules={}), person(clinic.patient())
    refused(_joins(line, who, door), 422, "waitlist-disabled")


@pytest.mark.parametrize("door", ["POST", "$waitlist-join", "Bundle", "condition"])
def test_nobody_waits_while_a_place_is_free(clinic: Clinic, door: str) -> None:
    line, who = Line(clinic), person(clinic.patient())
    clinic.slot(line.schedule)
    refused(_joins(line, who, door), 422, "slots-available")


@pytest.mark.parametrize("door", ["POST", "$waitlist-join", "Bundle", "condition"])
def test_one_entry_a_patient_and_speciality(clinic: Clinic, door: str) -> None:
    line = Line(clinic)
    who, _ = line.joined()
    refused(_joins(line, who, door), 409, "already-waiting")


def _joins(line: Line, who: Principal, door: str) -> httpx.Response:
    entry, clinic = line.entry(patient(who)), line.clinic
    match door:
        case "POST":
            return clinic.ask(who, "POST", "/Appointment", entry)
        case "$waitlist-join":
            concept = {"name": "specialty", "valueCodeableConcept": line.concept}
            body = {"resourceType": "Parameters", "parameter": [concept]}
            return clinic.ask(who, "POST", "/Appointment/$waitlist-join", body)
        case "condition":
            unless = {"If-None-Exist": "identifier=none"}
            return clinic.ask(who, "POST", "/Appointment", entry, unless)
        case _:
            row = {"resource": entry, "request": {"method": "POST", "url": "Appointment"}}
            bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [row]}
            return clinic.ask(who, "POST", "/", bundle)


def test_the_operation_names_the_doctors_speciality(clinic: Clinic) -> None:
    line, who = Line(clinic), person(clinic.patient())
    period = {"start": "2020-01-01", "end": "2099-12-31"}
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "practitioner", "valueReference": {"reference": line.doctor}},
            {"name": "period", "valuePeriod": period},
        ],
    }
    answer = clinic.ask(who, "POST", "/Appointment/$waitlist-join", body)
    assert answer.status_code == 201, answer.text
    entry = answer.json()
    assert entry["specialty"] == [line.concept]
    assert entry["requestedPeriod"] == [period]
    assert said(entry)["target"] == "practitioner"


def test_a_free_place_outside_of_the_period_does_not_matter(clinic: Clinic) -> None:
    line = Line(clinic)
    clinic.slot(line.schedule, days=20)
    soon = (clinic.clock.today + timedelta(days=10)).date().isoformat()
    assert line.joined(requestedPeriod=[{"end": soon}])


def test_who_is_blocked_does_not_join(clinic: Clinic) -> None:
    line, who = Line(clinic), person(clinic.patient())
    _block(clinic, patient(who))
    refused(_joins(line, who, "POST"), 403, "booking-blocked")


def _block(clinic: Clinic, patient: str) -> None:
    clinic.put({
        "resourceType": "Flag",
        "id": f"block-{patient}",
        "status": "active",
        "code": {"coding": [{"system": FLAGS, "code": BLOCKED}]},
        "subject": {"reference": f"Patient/{patient}"},
    })  # fmt: skip


@pytest.mark.parametrize("first", ["doctor", "speciality"])
@pytest.mark.parametrize("second", ["doctor", "speciality", "another doctor"])
def test_one_waits_once_a_speciality_by_whatever_name(
    clinic: Clinic, first: str, second: str
) -> None:
    """An entry for a doctor may leave the speciality out, and waits for the same places."""
    line, who = Line(clinic), person(clinic.patient())
    colleague = Line(clinic, code=line.code)

    def entry(by: str) -> JsonObject:
        whole = line.entry(patient(who))
        if by == "speciality":
            return whole
        named = colleague.doctor if by == "another doctor" else line.doctor
        doctor = {"actor": {"reference": named}, "status": "needs-action"}
        rest = {name: value for name, value in whole.items() if name != "specialty"}
        return {**rest, "participant": [*whole["participant"], doctor]}

    assert clinic.ask(who, "POST", "/Appointment", entry(first)).status_code == 201
    refused(clinic.ask(who, "POST", "/Appointment", entry(second)), 409, "already-waiting")


def test_a_patients_schedule_rules_no_queue(clinic: Clinic) -> None:
    """A person may keep a Schedule with a doctor in it, and any rules on it."""
    line, who = Line(clinic, rules={}), person(clinic.patient())
    own = {
        "resourceType": "Schedule",
        **policy(**OPEN),
        "specialty": [line.concept],
        "actor": [{"reference": f"Patient/{patient(who)}"}, {"reference": line.doctor}],
    }
    made = clinic.ask(who, "POST", "/Schedule", own)
    assert made.status_code == 201, made.text
    refused(_joins(line, who, "POST"), 422, "waitlist-disabled")


@pytest.mark.parametrize("part", ["requestedPeriod", "specialty", "participant"])
def test_an_entry_names_no_more_than_can_be_looked_for(clinic: Clinic, part: str) -> None:
    line, who = Line(clinic), person(clinic.patient())
    entry = line.entry(patient(who))
    more = {
        "requestedPeriod": lambda n: {"start": f"2040-01-{n:02d}", "end": f"2040-01-{n:02d}"},
        "specialty": lambda n: {"coding": [{"system": "urn:other", "code": f"c{n}"}]},
        "participant": lambda n: {
            "actor": {"reference": f"PractitionerRole/nobody{n}"},
            "status": "needs-action",
        },
    }[part]
    entry[part] = [*entry.get(part, ()), *map(more, range(1, 22))]
    refused(clinic.ask(who, "POST", "/Appointment", entry), 422, "waitlist-entry")


def test_nobody_joins_for_another_patient(clinic: Clinic) -> None:
    line, who = Line(clinic), person(clinic.patient())
    entry = line.entry(clinic.patient())
    assert clinic.ask(who, "POST", "/Appointment", entry).status_code == 403


@pytest.mark.parametrize("part", ["specialty", "slot"])
def test_what_is_no_entry(clinic: Clinic, part: str) -> None:
    line, who = Line(clinic), person(clinic.patient())
    entry = line.entry(patient(who))
    if part == "slot":
        slot = clinic.slot(line.schedule, status="busy")
        entry["slot"] = [{"reference": f"Slot/{slot}"}]
    else:
        del entry[part]
    refused(clinic.ask(who, "POST", "/Appointment", entry), 422, "waitlist-entry")


def test_staff_and_systems_put_anybody_into_the_queue(clinic: Clinic) -> None:
    line = Line(clinic, rules={})
    clinic.slot(line.schedule)
    for who in (staff(), ROOT):
        entry = line.entry(clinic.patient(), priority=2, created="2020-01-01")
        made = clinic.ask(who, "POST", "/Appointment", entry)
        assert made.status_code == 201, made.text
        assert (made.json()["priority"], made.json()["created"]) == (2, "2020-01-01")


@pytest.mark.parametrize(
    "change",
    [{"specialty": [{"text": "another"}]}, {"requestedPeriod": [{"end": "2099-01-01"}]}],
)
def test_what_is_waited_for_does_not_change(clinic: Clinic, change: JsonObject) -> None:
    line = Line(clinic)
    who, entry = line.joined()
    answer = clinic.ask(who, "PUT", f"/Appointment/{entry}", {**line.at(entry), **change})
    refused(answer, 422, "use-reschedule")


def test_nobody_makes_oneself_the_first(clinic: Clinic) -> None:
    line = Line(clinic)
    who, entry = line.joined()
    before = line.at(entry)
    forged = {**before, "created": "2001-01-01", "comment": "Please"}
    answer = clinic.ask(who, "PUT", f"/Appointment/{entry}", forged)
    assert answer.status_code == 200, answer.text
    assert answer.json()["comment"] == "Please"
    assert answer.json()["created"] == before["created"]


# Offers ----------------------------------------------------------------------------------


def test_a_place_that_is_given_back_is_offered(clinic: Clinic) -> None:
    line = Line(clinic)
    slot, visit, _ = line.taken()
    who, entry = line.joined()
    line.free(visit)
    found, place = line.at(entry), clinic.get(f"/Slot/{slot}")
    assert place["status"] == "busy-tentative"
    assert found["status"] == "proposed"
    assert (found["start"], found["end"]) == (place["start"], place["end"])
    assert found["slot"] == [{"reference": f"Slot/{slot}"}]
    answers = {each["actor"]["reference"]: each["status"] for each in found["participant"]}
    assert answers == {f"Patient/{who.patient}": "needs-action", line.doctor: "accepted"}
    assert said(found)["offersMade"] == 0
    assert said(found)["offerExpires"] > clinic.clock.today.isoformat()


@pytest.mark.parametrize("how", ["DELETE", "PUT", "reschedule", "hold"])
def test_however_it_becomes_free(clinic: Clinic, how: str) -> None:
    line = Line(clinic)
    other = clinic.slot(Line(clinic).schedule, days=9)
    slot = clinic.slot(line.schedule)
    first = person(clinic.patient())
    path = "/Appointment/$hold" if how == "hold" else "/Appointment/$book"
    visit = operate(clinic, first, path, slot=slot).json()["entry"][0]["resource"]
    _, entry = line.joined()
    if how == "hold":
        clinic.clock.forward(11 * MINUTE)
    elif how == "reschedule":
        path = f"/Appointment/{visit['id']}/$reschedule"
        assert operate(clinic, first, path, slot=other).is_success
    else:
        ended = {**visit, "status": "cancelled"} if how == "PUT" else None
        assert clinic.ask(ROOT, how, f"/Appointment/{visit['id']}", ended).is_success
    assert until(lambda: line.at(entry)["status"] == "proposed")
    assert clinic.status(slot) == "busy-tentative"


@pytest.mark.parametrize("how", ["new", "opened"])
def test_places_that_staff_make_are_offered(clinic: Clinic, how: str) -> None:
    line = Line(clinic)
    slot = clinic.slot(line.schedule, status="busy-unavailable")
    _, entry = line.joined()
    if how == "new":
        slot = clinic.slot(line.schedule)
    else:
        clinic.put({**clinic.get(f"/Slot/{slot}"), "status": "free"})
    assert until(lambda: line.at(entry)["status"] == "proposed")
    assert clinic.status(slot) == "busy-tentative"


def test_nobody_books_past_the_queue(clinic: Clinic) -> None:
    line = Line(clinic)
    line.joined()
    slot = clinic.slot(line.schedule)
    for path in ("/Appointment/$book", "/Appointment/$hold"):
        refused(operate(clinic, person(clinic.patient()), path, slot=slot), 409, "slot-taken")


def test_staff_book_past_the_queue(clinic: Clinic) -> None:
    line = Line(clinic)
    slot, visit, _ = line.taken()
    line.joined()
    other = clinic.visit(clinic.patient(), slot)
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"request": {"method": "DELETE", "url": f"Appointment/{visit['id']}"}},
            {"resource": other, "request": {"method": "POST", "url": "Appointment"}},
        ],
    }
    # In between, the place is the queue's: what is offered is not free, for staff too.
    assert clinic.ask(staff(), "POST", "/", bundle).status_code == 409


@pytest.mark.parametrize(
    ("days", "minutes"),
    [
        (0.1, 30),  # too near to be answered: two hours for the offer, and one before it
        (30, 30),  # after the period
        (8, 2000),  # its end is
    ],
)
def test_what_does_not_fit_is_not_offered(clinic: Clinic, days: float, minutes: int) -> None:
    line = Line(clinic)
    slot, visit, _ = line.taken(days=days, minutes=minutes)
    soon = (clinic.clock.today + timedelta(days=9)).isoformat()
    _, entry = line.joined(requestedPeriod=[{"end": soon}])
    line.free(visit)
    assert clinic.status(slot) == "free"
    assert line.at(entry)["status"] == "waitlist"
    assert operate(clinic, person(clinic.patient()), "/Appointment/$book", slot=slot).is_success


@pytest.mark.parametrize("why", ["overlap", "block", "number"])
def test_who_cannot_come_is_passed_over(clinic: Clinic, why: str) -> None:
    rules = {**OPEN, "most_ahead": {"valueInteger": 1 if why == "number" else 9}}
    line = Line(clinic, rules=rules)
    slot, visit, _ = line.taken()
    (first, one), (_, two) = line.joined(), line.joined()
    if why == "block":
        _block(clinic, patient(first))
    elif why == "overlap":
        booked(clinic, first, clinic.slot(Line(clinic).schedule))
    else:
        _visit_of_staff(line, patient(first))
    line.free(visit)
    assert [line.at(each)["status"] for each in (one, two)] == ["waitlist", "proposed"]
    assert clinic.status(slot) == "busy-tentative"


def _visit_of_staff(line: Line, patient: str) -> None:
    clinic = line.clinic
    slot = clinic.slot(line.schedule, days=3, status="busy")
    visit = clinic.visit(patient, slot, specialty=[line.concept])
    assert clinic.ask(ROOT, "POST", "/Appointment", visit).is_success


def test_who_gave_a_place_up_is_not_offered_it(clinic: Clinic) -> None:
    line = Line(clinic)
    slot, visit, who = line.taken()
    entry = line.join(who)["id"]
    assert operate(clinic, who, f"/Appointment/{visit['id']}/$cancel").is_success
    assert (line.at(entry)["status"], clinic.status(slot)) == ("waitlist", "free")


# Whom a place is for -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waits", "actors", "is_offered"),
    [
        ("Practitioner/a", ["Practitioner/a"], True),
        ("Practitioner/a", ["Practitioner/b"], False),
        ("PractitionerRole/a1", ["PractitionerRole/a1"], True),
        ("PractitionerRole/a1", ["PractitionerRole/a2"], False),
        # The role's person, and the person's roles.
        ("Practitioner/a", ["PractitionerRole/a1"], True),
        ("PractitionerRole/a1", ["Practitioner/a"], True),
        # At another clinic.
        ("PractitionerRole/a1", ["Practitioner/a", "PractitionerRole/a2"], False),
        (None, ["Practitioner/b"], True),
    ],
)
def test_a_place_is_for_who_waits_for_its_doctor(
    clinic: Clinic, waits: str | None, actors: list[str], is_offered: bool
) -> None:
    for role in ("a1", "a2"):
        practitioner = {"reference": "Practitioner/a"}
        clinic.put(
            {"resourceType": "PractitionerRole", "id": role, "practitioner": practitioner}
        )
    line = Line(clinic)
    schedule = {**clinic.get(f"/Schedule/{line.schedule}")}
    clinic.put({**schedule, "actor": [{"reference": each} for each in actors]})
    _, visit, _ = line.taken()
    who = clinic.patient()
    entry = line.entry(who) if waits is None else line.for_doctor(who, waits)
    made = clinic.ask(ROOT, "POST", "/Appointment", entry).json()
    line.free(visit)
    assert line.at(made["id"])["status"] == ("proposed" if is_offered else "waitlist")
    line.free(made)  # doctors are shared between the rows


def test_the_speciality_may_be_the_slots_own(clinic: Clinic) -> None:
    line = Line(clinic)
    other = {"coding": [{"system": SYSTEM, "code": f"{line.code}-narrow"}]}
    _, visit, _ = line.taken(specialty=[other])
    _, entry = line.joined(specialty=[other])
    line.free(visit)
    assert line.at(entry)["status"] == "proposed"


# Answers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "door", ["AppointmentResponse", "Bundle", "$confirm", "PUT", "PATCH", "$book"]
)
def test_who_accepts_has_booked(clinic: Clinic, door: str) -> None:
    line = Line(clinic)
    who, entry, slot = line.offered()
    answer = _accepts(line, who, entry, door)
    assert answer.is_success, answer.text
    found = line.at(entry)
    assert (found["status"], clinic.status(slot)) == ("booked", "busy")
    assert {each["status"] for each in found["participant"]} == {"accepted"}
    assert "offerExpires" not in said(found)
    again = _accepts(line, who, entry, door)
    assert again.is_success, again.text
    assert (
        clinic.get(f"/Appointment?slot=Slot/{slot}&status=booked&_total=accurate")["total"] == 1
    )
    assert operate(clinic, who, f"/Appointment/{entry}/$cancel").is_success  # it is the own


def _accepts(line: Line, who: Principal, entry: str, door: str) -> httpx.Response:
    clinic, path = line.clinic, f"/Appointment/{entry}"
    match door:
        case "AppointmentResponse":
            return answered(clinic, who, entry)
        case "Bundle":
            request = {"method": "POST", "url": "AppointmentResponse"}
            rows = [{"resource": answer_of(who, entry), "request": request}]
            bundle = {"resourceType": "Bundle", "type": "transaction", "entry": rows}
            return clinic.ask(who, "POST", "/", bundle)
        case "$confirm":
            return operate(clinic, who, f"{path}/$confirm")
        case "$book":
            return operate(clinic, who, "/Appointment/$book", appointment_reference=entry)
        case "PUT":
            return clinic.ask(who, "PUT", path, {**line.at(entry), "status": "booked"})
        case _:
            patch = [{"op": "replace", "path": "/status", "value": "booked"}]
            kind = {"Content-Type": "application/json-patch+json"}
            return clinic.ask(who, "PATCH", path, patch, kind)


@pytest.mark.parametrize("door", ["AppointmentResponse", "PUT", "PATCH", "plain PUT"])
def test_who_declines_waits_on_and_the_next_is_asked(clinic: Clinic, door: str) -> None:
    line = Line(clinic)
    who, entry, slot = line.offered()
    created, (_, second) = line.at(entry)["created"], line.joined()
    answer = _declines(line, who, entry, door)
    assert answer.is_success, answer.text
    found = line.at(entry)
    assert found["status"] == "waitlist"
    assert not {"start", "end", "slot"} & found.keys()
    assert said(found) == {"target": "specialty", "offersMade": 1, "offersLimit": 3}
    assert found["created"] == created
    accepted = {"actor": {"reference": f"Patient/{who.patient}"}, "status": "accepted"}
    assert found["participant"] == [accepted]
    assert line.at(second)["slot"] == [{"reference": f"Slot/{slot}"}]
    assert clinic.status(slot) == "busy-tentative"


def _declines(line: Line, who: Principal, entry: str, door: str) -> httpx.Response:
    clinic, path = line.clinic, f"/Appointment/{entry}"
    match door:
        case "AppointmentResponse":
            return answered(clinic, who, entry, "declined")
        case "PUT":
            return clinic.ask(who, "PUT", path, {**line.at(entry), "status": "waitlist"})
        case "plain PUT":
            body = {**line.entry(patient(who)), "id": entry}
            return clinic.ask(who, "PUT", path, body)
        case _:
            patch = [{"op": "replace", "path": "/status", "value": "waitlist"}]
            kind = {"Content-Type": "application/json-patch+json"}
            return clinic.ask(who, "PATCH", path, patch, kind)


def test_who_declined_a_place_is_not_asked_again(clinic: Clinic) -> None:
    line = Line(clinic)
    who, entry, slot = line.offered()
    assert answered(clinic, who, entry, "declined").status_code == 201
    assert clinic.status(slot) == "free"
    booked(clinic, person(clinic.patient()), slot)  # nobody else waits
    assert line.at(entry)["status"] == "waitlist"


@pytest.mark.parametrize("door", ["AppointmentResponse", "PUT", "PATCH"])
def test_after_the_last_offer_one_is_out(clinic: Clinic, door: str) -> None:
    line = Line(clinic, rules={**OPEN, "offers": {"valueInteger": 2}})
    taken = [line.taken(days=days) for days in (7, 8)]
    who, entry = line.joined()
    for slot, visit, _ in taken:
        line.free(visit)
        assert line.at(entry)["slot"] == [{"reference": f"Slot/{slot}"}]
        answer = _declines(line, who, entry, door)
        assert answer.is_success, answer.text
    found = line.at(entry)
    assert found["status"] == "cancelled"
    assert found["cancelationReason"]["coding"][0]["code"] == EXHAUSTED
    assert said(found)["offersMade"] == 2
    assert clinic.status(taken[1][0]) == "free"


@pytest.mark.parametrize("answer", ["tentative", "needs-action"])
def test_what_is_no_answer_leaves_the_offer_open(clinic: Clinic, answer: str) -> None:
    line = Line(clinic)
    who, entry, _ = line.offered()
    assert answered(clinic, who, entry, answer).status_code == 201
    assert line.at(entry)["status"] == "proposed"
    made = answered(clinic, who, entry, answer).json()
    changed = {**made, "participantStatus": "accepted"}
    path = f"/AppointmentResponse/{made['id']}"
    assert clinic.ask(who, "PUT", path, changed).status_code == 200
    assert line.at(entry)["status"] == "booked"


def test_an_answer_that_is_kept_is_not_given_again(clinic: Clinic) -> None:
    line = Line(clinic)
    who, entry, _ = line.offered()
    old = answered(clinic, who, entry, "declined").json()
    line.free(line.kept(days=9)[1])
    assert line.at(entry)["status"] == "proposed"
    path = f"/AppointmentResponse/{old['id']}"
    assert clinic.ask(who, "PUT", path, {**old, "comment": "Sorry"}).status_code == 200
    assert line.at(entry)["status"] == "proposed"


def test_an_answer_to_an_earlier_offer_is_late(clinic: Clinic) -> None:
    line = Line(clinic)
    who, entry, _ = line.offered()
    start = line.at(entry)["start"]
    answered(clinic, who, entry, "declined")
    line.free(line.kept(days=9)[1])
    refused(answered(clinic, who, entry, start=start), 409, "offer-expired")
    assert line.at(entry)["status"] == "proposed"


@pytest.mark.parametrize("named", ["own", "other"])
def test_nobody_answers_for_another(clinic: Clinic, named: str) -> None:
    line = Line(clinic)
    owner, entry, _ = line.offered()
    who = person(clinic.patient())
    actor = {"reference": f"Patient/{(who if named == 'own' else owner).patient}"}
    answer = answered(clinic, who, entry, actor=actor)
    assert answer.status_code == (422 if named == "own" else 403)  # as of an unknown visit
    assert line.at(entry)["status"] == "proposed"


def test_an_app_that_may_answer_need_not_change_visits(clinic: Clinic) -> None:
    line = Line(clinic)
    who, entry, _ = line.offered()
    app = person(patient(who), "patient/AppointmentResponse.c patient/Appointment.rs")
    assert clinic.ask(app, "PUT", f"/Appointment/{entry}", line.at(entry)).status_code == 403
    assert answered(clinic, app, entry).status_code == 201
    assert line.at(entry)["status"] == "booked"


@pytest.mark.parametrize("door", ["AppointmentResponse", "$confirm", "PUT"])
def test_an_answer_that_comes_too_late(clinic: Clinic, door: str) -> None:
    line = Line(clinic)
    who, entry, slot = line.offered()
    before = line.at(entry)
    _, second = line.joined()
    clinic.clock.forward(2 * HOUR + MINUTE)
    if door == "PUT":
        body = {**before, "status": "booked"}
        answer = clinic.ask(who, "PUT", f"/Appointment/{entry}", body)
    else:
        answer = _accepts(line, who, entry, door)
    assert not answer.is_success
    assert code(answer) in {"offer-expired", "status-not-allowed"}, answer.text
    if door == "AppointmentResponse":
        refused(answer, 409, "offer-expired")
    assert until(lambda: line.at(second)["status"] == "proposed")
    found = line.at(entry)
    assert (found["status"], said(found)["offersMade"]) == ("waitlist", 1)
    assert line.at(second)["slot"] == [{"reference": f"Slot/{slot}"}]


@pytest.mark.parametrize("waits", ["waitlist", "proposed"])
def test_who_leaves_gives_the_place_to_the_next(clinic: Clinic, waits: str) -> None:
    line = Line(clinic)
    slot, visit, _ = line.taken()
    (who, entry), (_, second) = line.joined(), line.joined()
    if waits == "proposed":
        line.free(visit)
    answer = operate(clinic, who, f"/Appointment/{entry}/$cancel", reason="pat")
    assert answer.status_code == 200, answer.text
    assert line.at(entry)["status"] == "cancelled"
    if waits == "waitlist":
        line.free(visit)
    assert line.at(second)["slot"] == [{"reference": f"Slot/{slot}"}]


def test_a_slot_with_an_offer_is_not_freed_by_hand(clinic: Clinic) -> None:
    _, _, slot = Line(clinic).offered()
    free = {**clinic.get(f"/Slot/{slot}"), "status": "free"}
    refused(clinic.ask(ROOT, "PUT", f"/Slot/{slot}", free), 409, "slot-occupied")


# Staff -------------------------------------------------------------------------------------


def test_staff_offer_a_place_past_the_order(clinic: Clinic) -> None:
    line = Line(clinic)
    line.joined()
    who, second = line.joined()
    slot = clinic.slot(Line(clinic).schedule)
    path = f"/Appointment/{second}/$waitlist-offer"
    refused(operate(clinic, who, path, slot=slot), 422, "status-not-allowed")
    answer = operate(clinic, staff(), path, slot=slot)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["status"], clinic.status(slot)) == ("proposed", "busy-tentative")
    assert "offerExpires" in said(found)
    refused(operate(clinic, staff(), path, slot=slot), 422, "not-waiting")
    assert answered(clinic, who, second).status_code == 201
    assert (line.at(second)["status"], clinic.status(slot)) == ("booked", "busy")


def test_staff_offer_only_what_is_free(clinic: Clinic) -> None:
    line = Line(clinic)
    slot, _, _ = line.taken()
    _, entry = line.joined()
    path = f"/Appointment/{entry}/$waitlist-offer"
    refused(operate(clinic, staff(), path, slot=slot), 409, "slot-taken")
    refused(operate(clinic, staff(), path, slot="none"), 409, "slot-taken")


# $waitlist-status ----------------------------------------------------------------------------


def test_where_one_stands(clinic: Clinic) -> None:
    line = Line(clinic)
    _, visit, _ = line.taken()
    first, second = line.joined(), line.joined()
    assert [_stands(clinic, *each)["position"] for each in (first, second)] == [1, 2]
    assert _stands(clinic, *second) == {
        "position": 2,
        "ahead": 1,
        "offersMade": 0,
        "offersLimit": 3,
    }
    line.free(visit)
    assert _stands(clinic, *first)["position"] == 0
    assert "offerExpires" in _stands(clinic, *first)
    assert _stands(clinic, *second)["position"] == 1


def _stands(clinic: Clinic, who: Principal, entry: str) -> dict[str, Any]:
    answer = clinic.ask(who, "GET", f"/Appointment/{entry}/$waitlist-status")
    assert answer.status_code == 200, answer.text
    return {
        each["name"]: next(v for k, v in each.items() if k.startswith("value"))
        for each in answer.json()["parameter"]
    }


def test_others_do_not_see_where_one_stands(clinic: Clinic) -> None:
    line = Line(clinic)
    _, entry = line.joined()
    who = person(clinic.patient())
    found = clinic.ask(who, "GET", f"/Appointment/{entry}/$waitlist-status")
    absent = clinic.ask(who, "GET", "/Appointment/none/$waitlist-status")
    assert (found.status_code, absent.status_code) == (404, 404)


def test_a_visit_that_does_not_wait_stands_nowhere(clinic: Clinic) -> None:
    _, visit, who = Line(clinic).taken()
    answer = clinic.ask(who, "GET", f"/Appointment/{visit['id']}/$waitlist-status")
    refused(answer, 422, "not-waiting")


# Beside the queue ----------------------------------------------------------------------------


def test_a_person_does_not_keep_a_place_by_a_proposal(clinic: Clinic) -> None:
    slot, who = clinic.slot(clinic.schedule()), person(clinic.patient())
    visit = clinic.visit(patient(who), slot, status="proposed")
    refused(clinic.ask(who, "POST", "/Appointment", visit), 422, "use-hold")
    assert clinic.status(slot) == "free"


def test_a_forged_offer_is_none(clinic: Clinic) -> None:
    line, slot = Line(clinic), clinic.slot(clinic.schedule())
    who, entry = line.joined()
    offer = {**line.at(entry), **clinic.visit(patient(who), slot, status="proposed")}
    answer = clinic.ask(who, "PUT", f"/Appointment/{entry}", {**offer, "id": entry})
    refused(answer, 422, "status-not-allowed")
    assert clinic.status(slot) == "free"


def test_rules_may_stand_on_the_organization(clinic: Clinic) -> None:
    clinic.put({"resourceType": "Organization", "id": "open", "name": "O", **policy(**OPEN)})
    provider = {"reference": "Organization/open"}
    clinic.put({"resourceType": "HealthcareService", "id": "open", "providedBy": provider})
    line = Line(clinic, rules={})
    schedule = clinic.get(f"/Schedule/{line.schedule}")
    service = {"reference": "HealthcareService/open"}
    clinic.put({**schedule, "actor": [*schedule["actor"], service]})
    assert line.joined()
