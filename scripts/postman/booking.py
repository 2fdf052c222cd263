"""The folder in which a visit is found, held, booked, moved, waited for and given up.

A story that runs from its beginning and leaves nothing behind. It is told by a system, whom
the rules for persons do not bind: that is how an information system books.

https://profiles.ihe.net/ITI/Scheduling/
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from fhir_server.cabinet.booking.names import POLICY
from scripts.postman.requests import folder, keep, request, resource, status
from scripts.postman.samples import PATIENT, PRACTITIONER

JsonObject = dict[str, Any]

_SCHEDULE: Final = "Schedule/postman-booking"
_SECOND: Final = "Patient/postman-second"
_DAY: Final = "2031-03-03"
_CONCEPT: Final = {"coding": [{"system": "urn:postman", "code": "booking"}]}
_VISIT: Final = "pm.response.json().entry[0].resource"


def booking() -> JsonObject:
    """Every operation of booking."""
    return folder(
        "Booking",
        [
            folder("A calendar", [*_calendar()]),
            folder("A visit", [*_visit()]),
            folder("The waiting list", [*_waiting_list()]),
            folder("Nothing is left", [*_tidying()]),
        ],
        "Runs from its beginning: each request goes on where the one before it ended.",
    )


def _calendar() -> Iterator[JsonObject]:
    rules = [{"url": "waitlist", "valueBoolean": True}]
    schedule = {
        "resourceType": "Schedule",
        "id": "postman-booking",
        "extension": [{"url": POLICY, "extension": rules}],
        "actor": [{"reference": PRACTITIONER}],
        "specialty": [_CONCEPT],
    }
    yield request(
        "A schedule", "PUT", f"/{_SCHEDULE}", status(200, 201), resource("Schedule"),
        body=schedule,
    )  # fmt: skip
    second = {"resourceType": "Patient", "id": "postman-second", "name": [{"family": "Bondar"}]}
    yield request("Another patient", "PUT", f"/{_SECOND}", status(200, 201), body=second)
    hours = [
        {"name": "day", "valueCode": "mon"},
        {"name": "start", "valueTime": "09:00:00"},
        {"name": "end", "valueTime": "10:30:00"},
    ]
    length = {"value": 30, "code": "min", "system": "http://unitsofmeasure.org"}
    yield request(
        "$generate: three places on a Monday",
        "POST",
        "/Slot/$generate",
        status(200),
        "pm.test('three are made', () => pm.expect(pm.response.json().parameter.find("
        "p => p.name === 'created').valueInteger).to.eql(3));",
        body=_parameters(
            ("schedule", "Reference", {"reference": _SCHEDULE}),
            ("period", "Period", {"start": _DAY, "end": _DAY}),
            ("duration", "Duration", length),
            more=[{"name": "hours", "part": hours}],
        ),
    )
    yield request(
        "$find: the free places",
        "GET",
        "/Appointment/$find",
        status(200),
        "const found = pm.response.json();",
        "pm.test('three are proposed', () => pm.expect(found.total).to.eql(3));",
        "const slot = entry => entry.resource.slot[0].reference.split('/').pop();",
        *(keep(f"slot{n}", f"slot(found.entry[{n}])") for n in range(3)),
        query=[("schedule", _SCHEDULE), ("start", _DAY)],
    )
    yield request(
        "$bulk-publish: free places for everybody, where FHIR_PUBLISH_SLOTS opens it",
        "GET",
        "/$bulk-publish",
        status(200, 404),
        "if (pm.response.code === 200) pm.test('there are Slots', () => "
        "pm.expect(pm.response.json().output.map(o => o.type)).to.include('Slot'));",
    )


def _visit() -> Iterator[JsonObject]:
    yield request(
        "$hold",
        "POST",
        "/Appointment/$hold",
        status(201),
        _is(f"{_VISIT}.status", "pending"),
        keep("visit", f"{_VISIT}.id"),
        body=_parameters(("slot", "String", "{{slot0}}"), ("patient", "String", PATIENT)),
    )
    yield request(
        "$book what is held by another",
        "POST",
        "/Appointment/$book",
        status(409),
        _is("pm.response.json().issue[0].details.coding[0].code", "slot-taken"),
        body=_parameters(("slot", "String", "{{slot0}}"), ("patient", "String", _SECOND)),
    )
    yield request(
        "$book what was held",
        "POST",
        "/Appointment/$book",
        status(200),
        _is(f"{_VISIT}.status", "booked"),
        body=_parameters(("appointment-reference", "String", "{{visit}}")),
    )
    yield request(
        "The place is busy",
        "GET",
        "/Slot/{{slot0}}",
        status(200),
        _is("pm.response.json().status", "busy"),
    )
    yield request("$confirm", "POST", "/Appointment/{{visit}}/$confirm", status(200))
    yield request(
        "$reschedule",
        "POST",
        "/Appointment/{{visit}}/$reschedule",
        status(201),
        keep("moved", "pm.response.json().id"),
        body=_parameters(("slot", "String", "{{slot1}}")),
    )
    yield request(
        "The old visit is cancelled",
        "GET",
        "/Appointment/{{visit}}",
        status(200),
        _is("pm.response.json().status", "cancelled"),
    )
    yield request(
        "$book with an Idempotency-Key",
        "POST",
        "/Appointment/$book",
        status(201),
        keep("second", f"{_VISIT}.id"),
        body=_parameters(("slot", "String", "{{slot0}}"), ("patient", "String", _SECOND)),
        headers=[("Idempotency-Key", "{{$guid}}")],
    )
    for variable in ("moved", "second"):
        yield request(
            "$cancel",
            "POST",
            f"/Appointment/{{{{{variable}}}}}/$cancel",
            status(200),
            _is("pm.response.json().status", "cancelled"),
            body=_parameters(("reason", "Code", "pat")),
        )


def _waiting_list() -> Iterator[JsonObject]:
    # Another month: the server itself has no place to offer.
    period = {"start": "2031-04-01", "end": "2031-04-30"}
    yield request(
        "$waitlist-join",
        "POST",
        "/Appointment/$waitlist-join",
        status(201),
        _is("pm.response.json().status", "waitlist"),
        keep("entry", "pm.response.json().id"),
        body=_parameters(
            ("specialty", "CodeableConcept", _CONCEPT),
            ("period", "Period", period),
            ("patient", "String", _SECOND),
        ),
    )
    yield request(
        "$waitlist-status",
        "GET",
        "/Appointment/{{entry}}/$waitlist-status",
        status(200),
        "pm.test('is the first', () => pm.expect(pm.response.json().parameter.find("
        "p => p.name === 'position').valueUnsignedInt).to.eql(1));",
    )
    yield request(
        "$waitlist-offer",
        "POST",
        "/Appointment/{{entry}}/$waitlist-offer",
        status(200),
        _is("pm.response.json().status", "proposed"),
        body=_parameters(("slot", "String", "{{slot2}}")),
    )
    answer = {
        "resourceType": "AppointmentResponse",
        "appointment": {"reference": "Appointment/{{entry}}"},
        "actor": {"reference": _SECOND},
        "participantStatus": "accepted",
    }
    yield request(
        "The patient accepts", "POST", "/AppointmentResponse", status(201),
        keep("answer", "pm.response.json().id"), body=answer,
    )  # fmt: skip
    yield request(
        "It is booked",
        "GET",
        "/Appointment/{{entry}}",
        status(200),
        _is("pm.response.json().status", "booked"),
    )
    yield request("$cancel", "POST", "/Appointment/{{entry}}/$cancel", status(200))


def _tidying() -> Iterator[JsonObject]:
    visits = [f"Appointment/{{{{{each}}}}}" for each in ("visit", "moved", "second", "entry")]
    slots = [f"Slot/{{{{slot{n}}}}}" for n in range(3)]
    rest = ["AppointmentResponse/{{answer}}", *visits, *slots, _SCHEDULE, _SECOND]
    for each in rest:
        yield request(f"Delete {each}", "DELETE", f"/{each}", status(204))


def _parameters(*values: tuple[str, str, Any], more: Sequence[JsonObject] = ()) -> JsonObject:
    rows = [{"name": name, f"value{kind}": value} for name, kind, value in values]
    return {"resourceType": "Parameters", "parameter": [*rows, *more]}


def _is(expression: str, value: str) -> str:
    return f"pm.test('is {value}', () => pm.expect({expression}).to.eql('{value}'));"
