"""A ticket as an iCalendar object that a phone's calendar takes. Pure.

Calendars are copied to other people and other companies: unless more is asked for, this one
says when and at what address, and neither to whom nor why.

https://www.rfc-editor.org/rfc/rfc5545
"""

from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from icalendar import Alarm, Calendar, Event

from fhir_server.cabinet.tickets import words
from fhir_server.cabinet.tickets.ticket import Ticket
from fhir_server.core.messages import Language, Text

TYPE: Final = "text/calendar"

_REMINDED: Final = timedelta(days=-1)
_MS: Final = 1000


def calendar_file(
    ticket: Ticket, base_url: str, now: int, language: Language, *, details: bool = False
) -> bytes:
    """The file, in UTF-8; `now` in milliseconds since 1970, `details`: with doctor,
    speciality, room and what to know beforehand.

    Times are UTC: the moment is the same wherever the calendar is opened. The UID is that of
    the Appointment, and SEQUENCE counts its versions, so that a calendar takes a newer file for
    the same visit.
    """

    def said(text: Text) -> str:
        return text.in_language(language, {})

    event = Event()
    event.add("uid", f"{ticket.id}@{urlsplit(base_url).hostname or 'localhost'}")
    event.add("sequence", ticket.version - 1)
    event.add("dtstamp", _utc(now))
    event.add("last-modified", _utc(ticket.changed))
    event.add("dtstart", _utc(ticket.start))
    event.add("dtend", _utc(ticket.end))
    event.add("status", "CONFIRMED" if ticket.state == "coming" else "CANCELLED")
    event.add("class", "PRIVATE")
    event.add("transp", "OPAQUE")
    event.add("summary", _summary(ticket, language, details=details))
    if ticket.places:
        event.add("location", _place(ticket, details=details))
    if details and ticket.instruction:
        event.add("description", ticket.instruction)
    event.add("url", f"{base_url}/Appointment/{ticket.id}")
    if ticket.state == "coming":
        event.add_component(_alarm(said(words.TOMORROW)))
    written: bytes = _calendar(event).to_ical()
    return written


def _calendar(event: Event) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", "-//fhir-server//ticket//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    return calendar


def _alarm(text: str) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("trigger", _REMINDED)
    alarm.add("description", text)
    return alarm


def _summary(ticket: Ticket, language: Language, *, details: bool) -> str:
    told = [words.VISIT.in_language(language, {})]
    if details and (ticket.doctors or ticket.services):
        told = [*ticket.specialities, *(ticket.doctors or ticket.services)]
    if ticket.number is not None:
        told.append(words.NUMBERED.in_language(language, {"number": ticket.number}))
    return ", ".join(told)


def _place(ticket: Ticket, *, details: bool) -> str:
    """A department's name says what for; its address does not."""
    first = ticket.places[0]
    if first.address and not details:
        return first.address
    return ", ".join(each for each in (first.name, first.address) if each)


def _utc(at: int) -> datetime:
    """RFC 5545 knows no fractions of a second."""
    return datetime.fromtimestamp(at // _MS, UTC)
