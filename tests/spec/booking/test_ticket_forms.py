"""Appointment/[id]/$ticket: Parameters, iCalendar, PDF.

https://www.rfc-editor.org/rfc/rfc5545
"""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import httpx
import pytest
from icalendar import Calendar
from pypdf import PdfReader
from reportlab.lib.utils import simpleSplit

from fhir_server.access.principal import Principal
from fhir_server.cabinet.tickets import sheet
from tests.spec.booking.conftest import Clinic, code, person
from tests.spec.booking.test_book import booked, operate, policy
from tests.support.fhir import JsonObject
from tests.support.worlds import ROOT

ZONE = "Asia/Vladivostok"  # +10, without summer time
START = datetime(2031, 3, 4, 23, 30, tzinfo=UTC)
HEART = {"text": "Кардиология"}


class Visit:
    """A booked one at a clinic in Vladivostok, with a doctor and a room."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic
        self.patient = clinic.patient()
        address = {"line": ["Светланская ул., 5"], "city": "Владивосток"}
        room = {"resourceType": "Location", "id": "room-214", "name": "Кардиология, 214"}
        clinic.put({**room, "address": address})
        actor = [
            {"reference": "Practitioner/dr", "display": "Соколова Анна Сергеевна"},
            {"reference": "Location/room-214"},
        ]
        rules = policy(zone={"valueString": ZONE})
        schedule = clinic.schedule(**rules, specialty=[HEART], actor=actor)
        end = START + timedelta(minutes=30)
        times: dict[str, Any] = {"start": START.isoformat(), "end": end.isoformat()}
        self.slot = clinic.slot(schedule, **times)
        self.who = person(self.patient)
        self.id = str(booked(clinic, self.who, self.slot)["id"])

    def ticket(
        self,
        query: str = "",
        accept: str = "application/fhir+json",
        language: str = "en",
        who: Principal | None = None,
    ) -> httpx.Response:
        headers = {"Accept": accept, "Accept-Language": language}
        path = f"/Appointment/{self.id}/$ticket{query}"
        return self.clinic.ask(who or self.who, "GET", path, headers=headers)

    def event(self, query: str = "") -> Any:
        answer = self.ticket(query, "text/calendar", "ru")
        assert answer.status_code == 200, answer.text
        calendar = Calendar.from_ical(answer.content)
        (event,) = calendar.walk("VEVENT")
        return event


@pytest.fixture
def visit(clinic: Clinic) -> Visit:
    return Visit(clinic)


def told(answer: httpx.Response) -> JsonObject:
    assert answer.status_code == 200, answer.text
    return {
        row["name"]: next((v for k, v in row.items() if k.startswith("value")), row.get("part"))
        for row in answer.json()["parameter"]
    }


def test_parameters_tell_the_clinics_time(visit: Visit) -> None:
    found = told(visit.ticket())
    assert found["number"] == "1"
    assert found["start"] == "2031-03-05T09:30:00+10:00"
    assert (found["end"], found["zone"]) == ("2031-03-05T10:00:00+10:00", ZONE)
    assert found["practitioner"] == "Соколова Анна Сергеевна"
    assert found["location"] == [
        {"name": "name", "valueString": "Кардиология, 214"},
        {"name": "address", "valueString": "Светланская ул., 5, Владивосток"},
    ]
    assert found["cancelled"] is False


@pytest.mark.parametrize(
    ("written", "start", "zone"),
    [
        ("2031-03-05T08:30:00+03:00", "2031-03-05T08:30:00+03:00", "UTC+03:00"),
        ("2031-03-05T05:30:00Z", "2031-03-05T05:30:00+00:00", "UTC"),
    ],
)
def test_without_a_zone_it_is_the_offset_that_the_clinic_wrote(
    clinic: Clinic, written: str, start: str, zone: str
) -> None:
    patient = clinic.patient()
    end = (datetime.fromisoformat(written) + timedelta(minutes=30)).isoformat()
    slot = clinic.slot(clinic.schedule(), start=written, end=end)
    made = booked(clinic, person(patient), slot)
    answer = clinic.ask(person(patient), "GET", f"/Appointment/{made['id']}/$ticket")
    found = told(answer)
    assert (found["start"], found["zone"]) == (start, zone)


def test_a_calendar_entry_says_when_and_where_and_not_why(visit: Visit) -> None:
    answer = visit.ticket("", "text/calendar", "ru")
    assert answer.headers["content-type"].startswith("text/calendar; charset=utf-8")
    lines = answer.content.decode().replace("\r\n ", "").split("\r\n")
    assert {
        "METHOD:PUBLISH",
        f"UID:{visit.id}@test",
        "DTSTART:20310304T233000Z",
        "DTEND:20310305T000000Z",
        "STATUS:CONFIRMED",
        "SEQUENCE:0",
        r"SUMMARY:Приём в клинике\, талон 1",
        r"LOCATION:Светланская ул.\, 5\, Владивосток",
        "TRIGGER:-P1D",
    } <= set(lines)
    assert max(len(each.encode()) for each in answer.content.decode().split("\r\n")) <= 75
    for word in ("Кардиология", "Соколова"):
        assert word not in answer.content.decode().replace("\r\n ", "")


def test_details_are_for_who_wants_them(visit: Visit) -> None:
    event = visit.event("?details=true")
    assert event["SUMMARY"] == "Кардиология, Соколова Анна Сергеевна, талон 1"
    assert str(event["LOCATION"]).startswith("Кардиология, 214")


def test_a_cancelled_visit_leaves_the_calendar(visit: Visit) -> None:
    before = visit.event()
    operate(visit.clinic, visit.who, f"/Appointment/{visit.id}/$cancel")
    after = visit.event()
    assert (before["UID"], before["SEQUENCE"]) == (after["UID"], after["SEQUENCE"] - 1)
    assert (after["STATUS"], after.walk("VALARM")) == ("CANCELLED", [])


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["Ticket", "March 5, 2031", "Doctor"]),
        ("ru", ["Талон", "5 марта 2031", "Врач"]),
        ("uk", ["Талон", "5 березня 2031", "Лікар"]),
    ],
)
def test_a_pdf_is_one_small_page(visit: Visit, language: str, words: list[str]) -> None:
    answer = visit.ticket("", "application/pdf", language)
    assert answer.headers["content-type"] == "application/pdf"
    (page,) = PdfReader(BytesIO(answer.content)).pages
    text = page.extract_text()
    for each in [*words, "09:30", "10:00", "Соколова Анна Сергеевна", "Кардиология, 214"]:
        assert each in text
    assert (round(page.mediabox.width), round(page.mediabox.height)) == (298, 420)


def test_the_fonts_are_in_the_pdf(visit: Visit) -> None:
    answer = visit.ticket("?_format=pdf")
    (page,) = PdfReader(BytesIO(answer.content)).pages
    resources: Any = page["/Resources"]
    fonts = [each.get_object() for each in resources["/Font"].values()]
    own = [each for each in fonts if "NotoSans" in each["/BaseFont"]]
    assert own
    assert all("/FontFile2" in each["/FontDescriptor"] for each in own)


@pytest.mark.parametrize(
    ("query", "accept", "expected"),
    [
        ("", "*/*", "application/fhir+json"),
        ("", "application/fhir+xml", "application/fhir+xml"),
        ("", "text/html,application/xhtml+xml,*/*;q=0.8", "application/fhir+json"),
        ("", "application/pdf, */*", "application/pdf"),
        ("", "text/calendar;q=0.5, application/fhir+json", "application/fhir+json"),
        ("", "text/calendar, application/pdf;q=0.9", "text/calendar"),
        ("", "text/calendar;q=0, application/pdf;q=0.1", "application/pdf"),
        ("?_format=ics", "application/pdf", "text/calendar"),
        ("?_format=application/pdf", "", "application/pdf"),
        ("?_format=json", "application/pdf", "application/fhir+json"),
    ],
)
def test_the_type_that_is_named_is_answered(
    visit: Visit, query: str, accept: str, expected: str
) -> None:
    found = visit.ticket(query, accept).headers["content-type"]
    assert found.partition(";")[0] == expected


@pytest.mark.parametrize("query", ["", "?_format=text/plain"])
def test_another_type_is_406(visit: Visit, query: str) -> None:
    answer = visit.ticket(query, "text/plain")
    assert answer.status_code == 406
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_other_operations_have_no_such_types(visit: Visit) -> None:
    answer = visit.clinic.ask(
        visit.who, "GET", "/Appointment/$find", headers={"Accept": "application/pdf"}
    )
    assert answer.status_code == 406


@pytest.mark.parametrize(
    "accept", ["application/fhir+json", "text/calendar", "application/pdf"]
)
def test_the_ticket_of_another_patient_is_not_there(visit: Visit, accept: str) -> None:
    other = person(visit.clinic.patient())
    answer = visit.ticket(accept=accept, who=other)
    assert answer.status_code == 404
    missing = visit.clinic.ask(
        other, "GET", "/Appointment/none/$ticket", headers={"Accept": accept}
    )
    told_apart = answer.text.replace(visit.id, "none")
    assert told_apart == missing.text


def test_a_ticket_needs_the_right_to_read(visit: Visit) -> None:
    who = person(visit.patient, "patient/Appointment.s patient/Slot.rs")
    assert visit.ticket(who=who).status_code == 403


def test_names_are_those_that_the_caller_may_read(visit: Visit) -> None:
    who = person(visit.patient, "patient/Appointment.r")
    found = told(visit.ticket(who=who))
    assert found["zone"] == ZONE  # the clinic's rules hold for all
    assert "patient" not in found
    assert "practitioner" in found  # the Appointment says it


@pytest.mark.parametrize("status", ["pending", "waitlist"])
def test_what_is_not_booked_has_no_ticket(clinic: Clinic, status: str) -> None:
    patient = clinic.patient()
    slots = () if status == "waitlist" else (clinic.slot(clinic.schedule()),)
    wish = clinic.visit(patient, *slots, status=status, specialty=[HEART])
    made = clinic.ask(ROOT, "POST", "/Appointment", wish).json()
    headers = {"Accept": "application/pdf"}
    path = f"/Appointment/{made['id']}/$ticket"
    answer = clinic.ask(person(patient), "GET", path, headers=headers)
    assert (answer.status_code, code(answer)) == (422, "no-ticket")


@pytest.mark.parametrize("form", ["json", "ics", "pdf"])
@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_visit_at_the_end_of_the_calendar_has_no_ticket(
    clinic: Clinic, at: str, form: str
) -> None:
    patient = clinic.patient()
    told_of = clinic.visit(patient, status="fulfilled", start=at, end=at)
    made = clinic.ask(ROOT, "POST", "/Appointment", told_of).json()
    path = f"/Appointment/{made['id']}/$ticket?_format={form}"
    answer = clinic.ask(person(patient), "GET", path)
    assert (answer.status_code, code(answer)) == (422, "no-ticket")


def test_a_text_of_any_length_is_measured_as_far_as_it_fits(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Measuring a text is what a PDF costs, and some are long."""
    measured: list[int] = []

    def split(text: str, *more: Any) -> Any:
        measured.append(len(text))
        return simpleSplit(text, *more)

    monkeypatch.setattr(sheet, "simpleSplit", split)
    patch = [
        {"op": "add", "path": "/patientInstruction", "value": "word " * 20_000},
        {"op": "add", "path": "/specialty", "value": [{"text": f"s{n}"} for n in range(500)]},
    ]
    headers = {"Content-Type": "application/json-patch+json"}
    path = f"/Appointment/{visit.id}"
    assert visit.clinic.ask(ROOT, "PATCH", path, patch, headers).is_success
    assert visit.ticket(accept="application/pdf").status_code == 200
    assert max(measured) <= 4_000
    assert len(measured) < 50


def test_in_a_batch_it_is_parameters(visit: Visit) -> None:
    entry = {"request": {"method": "GET", "url": f"Appointment/{visit.id}/$ticket"}}
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": [entry]}
    answer = visit.clinic.ask(visit.who, "POST", "", bundle)
    assert answer.json()["entry"][0]["resource"]["resourceType"] == "Parameters"
