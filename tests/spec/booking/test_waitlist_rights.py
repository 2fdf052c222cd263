"""Operations of the queue show no system what its scopes do not; people see all directories.

https://hl7.org/fhir/R4/appointment.html#statuses
"""

from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from tests.spec.booking.conftest import Clinic, code
from tests.spec.booking.test_book import operate
from tests.spec.booking.waiting import Line
from tests.support.fhir import JsonObject


def test_a_slot_out_of_reach_is_not_offered(clinic: Clinic) -> None:
    line = Line(clinic)
    _, entry = line.joined()
    slot = clinic.slot(Line(clinic).schedule)
    scopes = "system/Appointment.cruds system/Slot.r?status=busy"
    who = Principal("mis", parse_scopes(scopes))
    answer = operate(clinic, who, f"/Appointment/{entry}/$waitlist-offer", slot=slot)
    assert (answer.status_code, code(answer)) == (409, "slot-taken")


def test_a_schedule_out_of_reach_lends_no_speciality(clinic: Clinic) -> None:
    line = Line(clinic)
    scopes = "system/Appointment.cruds system/Patient.r system/Schedule.r?active=true"
    body: JsonObject = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "patient", "valueId": clinic.patient()},
            {"name": "practitioner", "valueReference": {"reference": line.doctor}},
        ],
    }
    who = Principal("mis", parse_scopes(scopes))
    answer = clinic.ask(who, "POST", "/Appointment/$waitlist-join", body)
    assert answer.status_code == 201, answer.text
    assert "specialty" not in answer.json()
