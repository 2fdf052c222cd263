"""What a clinic demands of who books is held at every door, and told by $find.

https://hl7.org/fhir/R4/appointment-definitions.html#Appointment.basedOn
https://www.rfc-editor.org/rfc/rfc9470
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from typing import Any, Final

import httpx
import pytest

from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.cabinet.booking.names import ENTERED, REQUIRES
from tests.spec.booking.conftest import Clinic, code, person
from tests.spec.booking.test_book import booked, operate, policy
from tests.support.fhir import JsonObject
from tests.support.worlds import ROOT

STAFF: Final = Principal(
    "desk", parse_scopes("user/*.cruds"), user="Practitioner/desk", staff=True
)
EYE: Final = {"coding": [{"system": "urn:specialty", "code": "eye"}]}
HEART: Final = {"coding": [{"system": "urn:specialty", "code": "heart"}]}
TERMS: Final = {"coding": [{"system": "urn:consents", "code": "terms"}], "text": "Paid visit"}
REFERRAL: Final = policy(referral={"valueBoolean": True})
ONCE: Final = policy(referral={"valueBoolean": True}, referral_once={"valueBoolean": True})
COVERAGE: Final = policy(coverage={"valueBoolean": True})
CONSENT: Final = policy(consent={"valueCodeableConcept": TERMS})
PHONE: Final = policy(verified_phone={"valueBoolean": True})
LEVEL: Final = policy(level={"valueInteger": 3})
NUMBER: Final = "+7 843 000-10-77"
_NUMBERS: Final = count(1)


def new_id(lead: str) -> str:
    return f"{lead}-{next(_NUMBERS)}"


def referral(clinic: Clinic, patient: str, **more: Any) -> str:
    """A reference to an order of the clinic's."""
    id_ = new_id("order")
    order = {"resourceType": "ServiceRequest", "id": id_, "status": "active", "intent": "order"}
    subject = {"reference": f"Patient/{patient}"}
    clinic.put({**order, "subject": subject, "performerType": EYE, **more})
    return f"ServiceRequest/{id_}"


def coverage(clinic: Clinic, patient: str, **more: Any) -> None:
    whose = {"reference": f"Patient/{patient}"}
    clinic.put({
        "resourceType": "Coverage",
        "id": new_id("policy"),
        "status": "active",
        "beneficiary": whose,
        "payor": [{"display": "Insurance"}],
        **more,
    })  # fmt: skip


def consent(clinic: Clinic, patient: str, **more: Any) -> None:
    clinic.put({
        "resourceType": "Consent",
        "id": new_id("consent"),
        "status": "active",
        "scope": {"coding": [{"system": "urn:scope", "code": "treatment"}]},
        "category": [{"coding": TERMS["coding"]}],
        "patient": {"reference": f"Patient/{patient}"},
        "policy": [{"uri": "urn:terms"}],
        **more,
    })  # fmt: skip


def phone(clinic: Clinic, patient: str, number: str = NUMBER) -> None:
    telecom = [{"system": "phone", "use": "mobile", "value": number}]
    name = [{"family": "Test"}]
    clinic.put({"resourceType": "Patient", "id": patient, "name": name, "telecom": telecom})


def verified(clinic: Clinic, patient: str, number: str = NUMBER, **more: Any) -> None:
    clinic.put({
        "resourceType": "VerificationResult",
        "id": new_id("check"),
        "status": "validated",
        "target": [{"reference": f"Patient/{patient}"}],
        "targetLocation": [f"Patient.telecom.where(value = '{number}')"],
        **more,
    })  # fmt: skip


def wish(clinic: Clinic, patient: str, slot: str, *based: str, **more: Any) -> JsonObject:
    named: dict[str, Any] = {}
    if based:
        named["basedOn"] = [{"reference": each} for each in based]
    return clinic.visit(patient, slot, **named, **more)


def send(clinic: Clinic, who: Principal, visit: JsonObject) -> httpx.Response:
    return clinic.ask(who, "POST", "/Appointment", visit)


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, code(answer)


# Referral


@pytest.mark.parametrize(
    ("more", "is_good"),
    [
        ({}, True),
        ({"performerType": HEART}, False),
        ({"status": "completed"}, False),
        ({"status": "draft"}, False),
        ({"intent": "proposal"}, False),
        ({"doNotPerform": True}, False),
        ({"subject": {"reference": "Patient/somebody"}}, False),
        ({"occurrencePeriod": {"end": "2020-01-01"}}, False),
        ({"occurrencePeriod": {"start": "2020-01-01"}}, True),
    ],
)
def test_a_referral_is_in_force_for_this_patient_and_speciality(
    clinic: Clinic, more: dict[str, Any], is_good: bool
) -> None:
    patient = clinic.patient()
    slot = clinic.slot(clinic.schedule(**REFERRAL, specialty=[EYE]))
    answer = send(
        clinic, person(patient), wish(clinic, patient, slot, referral(clinic, patient, **more))
    )
    expected = (201, "None") if is_good else (422, "referral-required")
    assert (answer.status_code, code(answer) if not is_good else "None") == expected


def test_what_a_person_says_a_visit_is_for_does_not_stretch_a_referral(clinic: Clinic) -> None:
    patient = clinic.patient()
    slot = clinic.slot(clinic.schedule(**REFERRAL, specialty=[HEART]))
    visit = wish(clinic, patient, slot, referral(clinic, patient), specialty=[EYE])
    assert refused(send(clinic, person(patient), visit)) == (422, "referral-required")


def test_a_code_of_the_service_is_compared_where_both_speak_a_system(clinic: Clinic) -> None:
    patient = clinic.patient()
    scan, test = (
        {"coding": [{"system": "urn:services", "code": each}]} for each in ("scan", "test")
    )
    schedule = clinic.schedule(**REFERRAL, serviceType=[scan])
    for ordered, status in ((test, 422), (scan, 201)):
        order = referral(clinic, patient, performerType=HEART, code=ordered)
        clinic.put({
            name: value
            for name, value in clinic.get(f"/{order}").items()
            if name not in ("performerType", "meta")
        })  # fmt: skip
        slot = clinic.slot(schedule)
        answer = send(clinic, person(patient), wish(clinic, patient, slot, order))
        assert answer.status_code == status


@pytest.mark.parametrize("once", [False, True])
def test_a_referral_is_used_once_where_the_clinic_says_so(clinic: Clinic, once: bool) -> None:
    rules = ONCE if once else REFERRAL
    schedule = clinic.schedule(**rules)
    patient = clinic.patient()
    who, order = person(patient), referral(clinic, patient)
    first, second = clinic.slot(schedule), clinic.slot(schedule, days=9)
    made = send(clinic, who, wish(clinic, patient, first, order)).json()
    again = send(clinic, who, wish(clinic, patient, second, order))
    assert again.status_code == (422 if once else 201)
    if once:
        assert code(again) == "referral-used"
        operate(clinic, who, f"/Appointment/{made['id']}/$cancel")
        assert send(clinic, who, wish(clinic, patient, second, order)).status_code == 201


def test_a_referral_stays_with_its_visit(clinic: Clinic) -> None:
    patient = clinic.patient()
    who, order = person(patient), referral(clinic, patient)
    slot = clinic.slot(clinic.schedule(**ONCE))
    made = send(clinic, who, wish(clinic, patient, slot, order)).json()
    bare = {name: value for name, value in made.items() if name != "basedOn"}
    answer = clinic.ask(who, "PUT", f"/Appointment/{made['id']}", bare)
    assert refused(answer) == (422, "use-reschedule")


def test_a_visit_is_moved_with_its_referral(clinic: Clinic) -> None:
    patient = clinic.patient()
    who, order = person(patient), referral(clinic, patient)
    schedule = clinic.schedule(**ONCE)
    first, second = clinic.slot(schedule), clinic.slot(schedule, days=9)
    made = send(clinic, who, wish(clinic, patient, first, order)).json()
    moved = operate(clinic, who, f"/Appointment/{made['id']}/$reschedule", slot=second)
    assert moved.status_code == 201, moved.text
    assert moved.json()["basedOn"] == [{"reference": order}]


def test_parallel_bookings_use_a_referral_once(clinic: Clinic) -> None:
    patient = clinic.patient()
    who, order = person(patient), referral(clinic, patient)
    schedule = clinic.schedule(**ONCE)
    visits = [wish(clinic, patient, clinic.slot(schedule, days=7 + n), order) for n in range(6)]
    with ThreadPoolExecutor(len(visits)) as pool:
        answers = list(pool.map(lambda visit: send(clinic, who, visit), visits))
    assert sorted(each.status_code for each in answers) == [201, *[422] * 5]


@pytest.mark.parametrize("kind", ["ServiceRequest", "Coverage"])
def test_what_a_person_wrote_counts_when_staff_confirm_it(clinic: Clinic, kind: str) -> None:
    patient = clinic.patient()
    who, whose = person(patient), {"reference": f"Patient/{patient}"}
    known: dict[str, tuple[JsonObject, JsonObject]] = {
        "ServiceRequest": (REFERRAL, {"intent": "order", "subject": whose}),
        "Coverage": (COVERAGE, {"beneficiary": whose, "payor": [{"display": "I"}]}),
    }
    rules, body = known[kind]
    own = {"resourceType": kind, "status": "active", **body}
    made = clinic.ask(who, "POST", f"/{kind}", own).json()
    assert [each["url"] for each in made["extension"]] == [ENTERED]
    slot = clinic.slot(clinic.schedule(**rules))
    visit = wish(clinic, patient, slot, *([f"{kind}/{made['id']}"] if "intent" in body else ()))
    assert send(clinic, who, visit).status_code == 422
    confirmed = {name: value for name, value in made.items() if name != "extension"}
    path = f"/{kind}/{made['id']}"
    assert clinic.ask(STAFF, "PUT", path, confirmed).is_success
    assert "extension" not in clinic.get(path)
    assert send(clinic, who, visit).status_code == 201


def test_a_change_by_a_person_takes_the_clinics_word_away(clinic: Clinic) -> None:
    patient = clinic.patient()
    who, order = person(patient), referral(clinic, patient, performerType=HEART)
    forged = {**clinic.get(f"/{order}"), "performerType": EYE}
    assert clinic.ask(who, "PUT", f"/{order}", forged).is_success
    slot = clinic.slot(clinic.schedule(**REFERRAL, specialty=[EYE]))
    visit = wish(clinic, patient, slot, order)
    assert refused(send(clinic, who, visit)) == (422, "referral-required")


# Insurance


@pytest.mark.parametrize(
    ("more", "is_good"),
    [
        ({}, True),
        ({"period": {"start": "2020-01-01", "end": "2020-12-31"}}, False),
        ({"period": {"start": "2090-01-01"}}, False),
        ({"status": "cancelled"}, False),
        ({"beneficiary": {"reference": "Patient/somebody"}}, False),
    ],
)
def test_an_insurance_is_in_force_on_the_day(
    clinic: Clinic, more: dict[str, Any], is_good: bool
) -> None:
    patient = clinic.patient()
    coverage(clinic, patient, **more)
    slot = clinic.slot(clinic.schedule(**COVERAGE))
    answer = operate(clinic, person(patient), "/Appointment/$book", slot=slot)
    if is_good:
        assert answer.status_code == 201
    else:
        assert refused(answer) == (422, "coverage-inactive")


@pytest.mark.parametrize(("status", "expected"), [("executed", 201), ("offered", 422)])
def test_a_contract_will_do(clinic: Clinic, status: str, expected: int) -> None:
    patient, id_ = clinic.patient(), new_id("contract")
    subject = [{"reference": f"Patient/{patient}"}]
    clinic.put({"resourceType": "Contract", "id": id_, "status": status, "subject": subject})
    slot = clinic.slot(clinic.schedule(**COVERAGE))
    named = [{"reference": f"Contract/{id_}"}]
    visit = wish(clinic, patient, slot, supportingInformation=named)
    assert send(clinic, person(patient), visit).status_code == expected


# Consents and telephone


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, 201),
        ({"status": "inactive"}, 403),
        ({"provision": {"period": {"end": "2020-01-01"}}}, 403),
        ({"provision": {"type": "deny"}}, 403),
    ],
)
def test_a_consent_of_the_service_is_given(
    clinic: Clinic, more: dict[str, Any], expected: int
) -> None:
    patient = clinic.patient()
    consent(clinic, patient, **more)
    slot = clinic.slot(clinic.schedule(**CONSENT))
    answer = operate(clinic, person(patient), "/Appointment/$book", slot=slot)
    assert answer.status_code == expected
    if expected != 201:
        assert code(answer) == "consent-missing"
        assert "Paid visit" in answer.json()["issue"][0]["details"]["text"]


@pytest.mark.parametrize(
    ("number", "more", "expected"),
    [
        (NUMBER, {}, 201),
        ("8430001077", {}, 422),
        (NUMBER, {"status": "in-process"}, 422),
        (NUMBER, {"nextScheduled": "2020-01-01"}, 422),
    ],
)
def test_a_number_is_verified(
    clinic: Clinic, number: str, more: dict[str, Any], expected: int
) -> None:
    patient = clinic.patient()
    phone(clinic, patient)
    verified(clinic, patient, number, **more)
    slot = clinic.slot(clinic.schedule(**PHONE))
    answer = operate(clinic, person(patient), "/Appointment/$book", slot=slot)
    assert answer.status_code == expected


def test_a_number_that_was_changed_is_not_verified(clinic: Clinic) -> None:
    patient = clinic.patient()
    phone(clinic, patient)
    verified(clinic, patient)
    phone(clinic, patient, "+7 843 000-10-78")
    slot = clinic.slot(clinic.schedule(**PHONE))
    answer = operate(clinic, person(patient), "/Appointment/$book", slot=slot)
    assert refused(answer) == (422, "phone-not-verified")


@pytest.mark.parametrize("scope", ["patient/*.cruds", "user/*.cruds"])
def test_no_person_verifies_a_number(clinic: Clinic, scope: str) -> None:
    patient = clinic.patient()
    body = {
        "resourceType": "VerificationResult",
        "status": "validated",
        "target": [{"reference": f"Patient/{patient}"}],
    }
    answer = clinic.ask(person(patient, scope), "POST", "/VerificationResult", body)
    assert answer.status_code == 403


# The sign-in


@pytest.mark.parametrize("operation", ["$hold", "$book"])
def test_a_weak_sign_in_is_asked_for_a_stronger_one(clinic: Clinic, operation: str) -> None:
    patient, slot = clinic.patient(), clinic.slot(clinic.schedule(**LEVEL))
    answer = operate(clinic, person(patient, level=1), f"/Appointment/{operation}", slot=slot)
    assert refused(answer) == (401, "identity-not-verified")
    challenge = answer.headers["www-authenticate"]
    assert 'error="insufficient_user_authentication"' in challenge
    assert 'acr_values="3"' in challenge
    assert clinic.status(slot) == "free"
    assert booked(clinic, person(patient, level=3), slot)["status"] == "booked"


def test_who_waits_has_signed_in_as_well(clinic: Clinic) -> None:
    speciality = {"coding": [{"system": "urn:specialty", "code": new_id("waiting")}]}
    rules = policy(level={"valueInteger": 2}, waitlist={"valueBoolean": True})
    clinic.schedule(**rules, specialty=[speciality])
    patient = clinic.patient()
    entry = clinic.visit(patient, status="waitlist", specialty=[speciality])
    assert refused(send(clinic, person(patient, level=1), entry))[0] == 401
    assert send(clinic, person(patient, level=2), entry).status_code == 201


# Every door


def doors(clinic: Clinic, patient: str, slot: str) -> dict[str, tuple[str, str, Any]]:
    visit = clinic.visit(patient, slot)
    entry = {"resource": visit, "request": {"method": "POST", "url": "Appointment"}}
    named = {"name": "slot", "valueString": slot}
    return {
        "$book": ("POST", "/Appointment/$book",
                  {"resourceType": "Parameters", "parameter": [named]}),
        "POST": ("POST", "/Appointment", visit),
        "transaction": ("POST", "",
                        {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}),
    }  # fmt: skip


@pytest.mark.parametrize("door", ["$book", "POST", "transaction"])
@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (REFERRAL, (422, "referral-required")),
        (COVERAGE, (422, "coverage-inactive")),
        (CONSENT, (403, "consent-missing")),
        (PHONE, (422, "phone-not-verified")),
        (LEVEL, (401, "identity-not-verified")),
    ],
    ids=["referral", "coverage", "consent", "phone", "level"],
)
def test_a_demand_is_held_at_every_door(
    clinic: Clinic, door: str, rules: JsonObject, expected: tuple[int, str]
) -> None:
    patient, slot = clinic.patient(), clinic.slot(clinic.schedule(**rules))
    method, path, body = doors(clinic, patient, slot)[door]
    answer = clinic.ask(person(patient, level=2), method, path, body)
    assert refused(answer) == expected
    assert clinic.status(slot) == "free"


@pytest.mark.parametrize("door", ["$confirm", "PUT", "PATCH"])
def test_a_hold_is_not_booked_past_a_demand(clinic: Clinic, door: str) -> None:
    patient, slot = clinic.patient(), clinic.slot(clinic.schedule(**REFERRAL))
    who = person(patient)
    held = operate(clinic, who, "/Appointment/$hold", slot=slot).json()["entry"][0]["resource"]
    path = f"/Appointment/{held['id']}"
    patch = [{"op": "replace", "path": "/status", "value": "booked"}]
    content = {"Content-Type": "application/json-patch+json"}
    answer = {
        "$confirm": lambda: operate(clinic, who, f"{path}/$confirm"),
        "PUT": lambda: clinic.ask(who, "PUT", path, {**held, "status": "booked"}),
        "PATCH": lambda: clinic.ask(who, "PATCH", path, patch, content),
    }[door]()
    assert refused(answer) == (422, "referral-required")
    with_order = {
        **held,
        "status": "booked",
        "basedOn": [{"reference": referral(clinic, patient)}],
    }
    assert clinic.ask(who, "PUT", path, with_order).status_code == 200


@pytest.mark.parametrize("dialect", ["appointment-resource", "appt-resource"])
def test_the_papers_come_with_the_booking_of_a_hold(clinic: Clinic, dialect: str) -> None:
    patient, slot = clinic.patient(), clinic.slot(clinic.schedule(**REFERRAL))
    who, order = person(patient), referral(clinic, patient)
    held = operate(clinic, who, "/Appointment/$hold", slot=slot).json()["entry"][0]["resource"]
    resource = {**held, "basedOn": [{"reference": order}]}
    answer = operate(clinic, who, "/Appointment/$book", **{dialect.replace("-", "_"): resource})
    assert answer.is_success, answer.text
    stored = clinic.get(f"/Appointment/{held['id']}")
    assert (stored["status"], stored["basedOn"]) == ("booked", [{"reference": order}])


def test_an_offer_is_not_taken_past_a_demand(clinic: Clinic) -> None:
    patient, slot = clinic.patient(), clinic.slot(clinic.schedule(**REFERRAL))
    entry = send(clinic, ROOT, clinic.visit(patient, status="waitlist", specialty=[EYE])).json()
    path = f"/Appointment/{entry['id']}"
    assert operate(clinic, ROOT, f"{path}/$waitlist-offer", slot=f"Slot/{slot}").is_success
    answer = {
        "resourceType": "AppointmentResponse",
        "appointment": {"reference": f"Appointment/{entry['id']}"},
        "actor": {"reference": f"Patient/{patient}"},
        "participantStatus": "accepted",
    }
    told = clinic.ask(person(patient), "POST", "/AppointmentResponse", answer)
    assert refused(told) == (422, "referral-required")
    assert clinic.get(path)["status"] == "proposed"


def test_the_strictest_of_several_schedules_holds(clinic: Clinic) -> None:
    patient = clinic.patient()
    start = clinic.clock.today + timedelta(days=7)
    middle, end = start + timedelta(minutes=30), start + timedelta(minutes=60)
    lenient = clinic.slot(clinic.schedule(), start=start.isoformat(), end=middle.isoformat())
    strict = clinic.slot(
        clinic.schedule(**REFERRAL), start=middle.isoformat(), end=end.isoformat()
    )
    answer = operate(clinic, person(patient), "/Appointment/$book", slot=[lenient, strict])
    assert refused(answer) == (422, "referral-required")


@pytest.mark.parametrize("who", [STAFF, ROOT], ids=["staff", "system"])
def test_staff_and_systems_are_not_bound(clinic: Clinic, who: Principal) -> None:
    rules = policy(
        referral={"valueBoolean": True},
        coverage={"valueBoolean": True},
        verified_phone={"valueBoolean": True},
        consent={"valueCodeableConcept": TERMS},
        level={"valueInteger": 3},
    )
    slot = clinic.slot(clinic.schedule(**rules))
    assert send(clinic, who, clinic.visit(clinic.patient(), slot)).status_code == 201


def test_find_tells_what_is_demanded(clinic: Clinic) -> None:
    rules = policy(
        consent={"valueCodeableConcept": TERMS},
        verified_phone={"valueBoolean": True},
        level={"valueInteger": 2},
    )
    schedule = clinic.schedule(**rules)
    clinic.slot(schedule)
    path = f"/Appointment/$find?schedule={schedule}"
    (entry,) = clinic.ask(person(clinic.patient()), "GET", path).json()["entry"]
    told = {e["valueCode"] for e in entry["resource"]["extension"] if e["url"] == REQUIRES}
    assert told == {"level-2", "consent", "verified-phone"}


@pytest.mark.parametrize(
    "part",
    [
        {"level": {"valueInteger": 4}},
        {"consent": {"valueCodeableConcept": {"text": "no code"}}},
        {"consent": {"valueCodeableConcept": {"coding": TERMS["coding"]}}},
    ],
)
def test_demands_that_cannot_be_followed_are_not_stored(
    clinic: Clinic, part: dict[str, JsonObject]
) -> None:
    actor = [{"reference": "Practitioner/dr"}]
    resource = {"resourceType": "Schedule", "actor": actor, **policy(**part)}
    assert refused(clinic.ask(ROOT, "POST", "/Schedule", resource)) == (422, "bad-policy")


# Limits count by what the places are for


def test_a_limit_is_not_passed_by_leaving_the_speciality_out(clinic: Clinic) -> None:
    speciality = {"coding": [{"system": "urn:specialty", "code": new_id("limited")}]}
    schedule = clinic.schedule(**policy(most_ahead={"valueInteger": 1}), specialty=[speciality])
    patient = clinic.patient()
    who = person(patient)
    first, second = clinic.slot(schedule), clinic.slot(schedule, days=9)
    made = send(clinic, who, clinic.visit(patient, first))
    assert made.json()["specialty"] == [speciality]
    others: list[JsonObject] = [{}, {"specialty": [EYE]}]
    for more in others:
        answer = send(clinic, who, clinic.visit(patient, second, **more))
        assert refused(answer) == (422, "too-many-bookings")
