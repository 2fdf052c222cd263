"""One wish, several doors: the requests by which a visit is booked, moved, answered, ended.

https://hl7.org/fhir/R4/http.html
"""

from typing import Any, Final
from uuid import uuid4

from fhir_server.access.principal import Principal
from fhir_server.cabinet.booking.names import REPLACES
from tests.spec.booking.abreast import Request
from tests.spec.booking.test_book import parameters
from tests.spec.booking.waiting import answer_of
from tests.support.fhir import JsonObject

_PATCH: Final = (("Content-Type", "application/json-patch+json"),)

MAKING: Final = ("POST", "conditional", "transaction", "batch")
"""Doors of plain FHIR by which an Appointment is made."""
TO_BOOK: Final = ("$book", *MAKING)
TO_HOLD: Final = ("$hold", *MAKING)
TO_CONFIRM: Final = ("$book", "$confirm", "PATCH", "PUT", "transaction")
TO_ACCEPT: Final = ("AppointmentResponse", "answer in a batch", *TO_CONFIRM)
TO_DECLINE: Final = ("AppointmentResponse", "PATCH", "PUT", "transaction")
TO_CANCEL: Final = ("$cancel", "$book", "PATCH", "PUT", "conditional", "transaction")
TO_MOVE: Final = ("$reschedule", "$book", *MAKING)
TO_JOIN: Final = ("$waitlist-join", *MAKING)


def bundled(kind: str, request: Request) -> Request:
    """`request` as the only entry of a batch or transaction."""
    entry: JsonObject = {"request": {"method": request.method, "url": request.path[1:]}}
    for name, value in request.headers:
        if name == "If-Match":
            entry["request"]["ifMatch"] = value
    entry["resource"] = request.body
    bundle = {"resourceType": "Bundle", "type": kind, "entry": [entry]}
    return Request(request.who, "POST", "/", bundle)


def made(who: Principal, door: str, visit: JsonObject) -> Request:
    """`visit` is made by a plain door."""
    unless = (("If-None-Exist", f"identifier=urn:test|{uuid4()}"),)
    found = Request(who, "POST", "/Appointment", visit, unless if door == "conditional" else ())
    return bundled(door, found) if door in {"transaction", "batch"} else found


def operated(who: Principal, path: str, **values: Any) -> Request:
    return Request(who, "POST", path, parameters(**values))


def book(who: Principal, door: str, visit: JsonObject) -> Request:
    """A new booking, or with `pending` a hold."""
    if door in MAKING:
        return made(who, door, visit)
    slots = [each["reference"] for each in visit["slot"]]
    patient = visit["participant"][0]["actor"]["reference"]
    return operated(who, f"/Appointment/{door}", slot=slots, patient=patient)


def move(who: Principal, door: str, id_: str, visit: JsonObject) -> Request:
    """`visit` takes the place of the one with `id_`."""
    slots = [each["reference"] for each in visit["slot"]]
    if door == "$reschedule":
        return operated(who, f"/Appointment/{id_}/$reschedule", slot=slots)
    if door == "$book":
        path = "/Appointment/$book"
        return operated(who, path, slot=slots, cancelled_appt_id=id_)
    reference = {"reference": f"Appointment/{id_}"}
    extension = {"url": REPLACES, "valueReference": reference}
    return made(who, door, {**visit, "extension": [extension]})


def changed(who: Principal, door: str, visit: JsonObject, status: str) -> Request:
    """`visit`, as it was read, gets another status by a plain door."""
    path = f"/Appointment/{visit['id']}"
    if door == "PATCH":
        patch = [{"op": "replace", "path": "/status", "value": status}]
        return Request(who, "PATCH", path, patch, _PATCH)
    body = {**visit, "status": status}
    match = (("If-Match", f'W/"{visit["meta"]["versionId"]}"'),)
    if door == "conditional":
        return Request(who, "PUT", f"/Appointment?_id={visit['id']}", body, match)
    found = Request(who, "PUT", path, body, match)
    return bundled("transaction", found) if door == "transaction" else found


def confirm(who: Principal, door: str, visit: JsonObject) -> Request:
    """A hold or an offer becomes a booking."""
    match door:
        case "$book":
            path = "/Appointment/$book"
            return operated(who, path, appointment_reference=f"Appointment/{visit['id']}")
        case "$confirm":
            return operated(who, f"/Appointment/{visit['id']}/$confirm")
        case "AppointmentResponse" | "answer in a batch":
            return _answered(who, door, visit["id"], "accepted")
        case _:
            return changed(who, door, visit, "booked")


def decline(who: Principal, door: str, visit: JsonObject) -> Request:
    if door == "AppointmentResponse":
        return _answered(who, door, visit["id"], "declined")
    return changed(who, door, visit, "waitlist")


def cancel(who: Principal, door: str, visit: JsonObject) -> Request:
    if door == "$cancel":
        return operated(who, f"/Appointment/{visit['id']}/$cancel", reason="pat")
    if door == "$book":
        return operated(who, "/Appointment/$book", cancelled_appt_id=visit["id"])
    return changed(who, door, visit, "cancelled")


def join(who: Principal, door: str, entry: JsonObject) -> Request:
    if door in MAKING:
        return made(who, door, entry)
    values: dict[str, Any] = {}
    for each in entry["participant"][1:]:
        values["practitioner"] = each["actor"]["reference"]
    rows = parameters(**values)
    named = {"name": "specialty", "valueCodeableConcept": entry["specialty"][0]}
    rows["parameter"] = [*rows.get("parameter", ()), named]
    return Request(who, "POST", "/Appointment/$waitlist-join", rows)


def _answered(who: Principal, door: str, entry: str, status: str) -> Request:
    found = Request(who, "POST", "/AppointmentResponse", answer_of(who, entry, status))
    return bundled("batch", found) if "batch" in door else found


def id_of(answer: Any) -> str:
    """The id of the Appointment that was made, however it was asked for."""
    body = answer.json()
    if body["resourceType"] == "Appointment":
        return str(body["id"])
    (entry,) = body["entry"]
    if "resource" in entry:
        return str(entry["resource"]["id"])
    return str(entry["response"]["location"].split("/")[-3])


def status_of(answer: Any) -> int:
    """The HTTP status, of a batch that of its only entry."""
    body = answer.json() if answer.content else {}
    if answer.status_code == 200 and body.get("type") == "batch-response":
        return int(body["entry"][0]["response"]["status"][:3])
    return int(answer.status_code)


def has_code(answer: Any) -> bool:
    """Whether a refusal is one of the cabinet."""
    body = answer.json()
    if body.get("resourceType") == "Bundle":
        body = body["entry"][0]["response"]["outcome"]
    return any("coding" in each.get("details", {}) for each in body["issue"])
