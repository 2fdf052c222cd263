"""From what the audit keeps to AuditEvents that a patient may read.

What a patient reads must not tell of others: staff's network addresses are masked, and so is
a query that may name other patients. The log keeps both.

https://profiles.ihe.net/ITI/BALP/
https://hl7.org/fhir/R4/auditevent.html
"""

import base64
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Final

from fhir_server.access.audit_codes import (
    BALP,
    DISCLOSURE,
    EMERGENCY,
    EMPLOYER,
    EVENTS,
    INTERACTIONS,
    Row,
    coding,
)
from fhir_server.access.audit_rows import Deed, Entry, Who, own_patient
from fhir_server.access.codings import ACT_REASON
from fhir_server.core.datetimes import format_instant
from fhir_server.core.paths import ID
from fhir_server.core.types import JsonObject

Names = Mapping[str, str]
"""What to call whom: by reference (`Practitioner/x`, `Device/<client id>`)."""

_ENTITY_TYPE: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_RESOURCE_TYPE: Final = "http://hl7.org/fhir/resource-types"
_ROLE: Final = "http://terminology.hl7.org/CodeSystem/object-role"
_MASKED: Final = {
    "extension": [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
            "valueCode": "masked",
        }
    ]
}
_WHOLE_RECORD: Final = "/$everything"
_FAILED: Final = 400
_BROKEN: Final = 500


def about(deed: Deed) -> tuple[str, ...]:
    """The patients of whom an event each is made; one empty id where there is none."""
    return deed.patients or ("",)


def readers(entry: Entry) -> set[str]:
    """The patients in whose record an event of `entry` stands."""
    found = {patient for deed in entry.deeds for patient in deed.patients}
    own = own_patient(entry.who)
    return found | {own} if own else found


def event_id(at: int, *place: object) -> str:
    """The id of the event at `place`: the same whoever makes it, and in the order of time as
    the ids of other resources are.

    https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7
    """
    digest = sha256("/".join(map(str, place)).encode()).digest()
    value = bytearray(at.to_bytes(6, "big") + digest[:10])
    value[6] = value[6] & 0x0F | 0x70
    value[8] = value[8] & 0x3F | 0x80
    text = value.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def audit_event(
    entry: Entry, deed: Deed, patient: str, id_: str, base_url: str, names: Names
) -> JsonObject:
    """The AuditEvent of one deed, for the record of `patient` (a logical id, or empty)."""
    row = INTERACTIONS.get(deed.code) or EVENTS[deed.code]
    at = format_instant(entry.at)
    succeeded = deed.status < _FAILED
    purpose = _purpose(entry.who, deed, patient)
    emergency = purpose == "BTG" and row.type["code"] == "rest"
    disclosure = succeeded and deed.query.partition("?")[0].endswith(_WHOLE_RECORD)
    also = [each for each, holds in ((EMERGENCY, emergency), (DISCLOSURE, disclosure)) if holds]
    event: JsonObject = {
        "resourceType": "AuditEvent",
        "id": id_,
        "meta": {"versionId": "1", "lastUpdated": at},
        "type": row.type,
        "subtype": [row.subtype, *also],
        "action": row.action,
        "recorded": at,
        "outcome": "0" if succeeded else "4" if deed.status < _BROKEN else "8",
    }
    if succeeded and row.profile:
        name = f"IHE.BasicAudit.{'Patient' if patient else ''}{row.profile}"
        event["meta"]["profile"] = [f"{BALP}StructureDefinition/{name}"]
    if deed.labels:  # what hides the resource hides what is told of it
        event["meta"]["security"] = _labels(deed)
    if deed.note:
        event["outcomeDesc"] = deed.note
    event["agent"] = list(_agents(entry, row, patient, base_url, names, purpose))
    event["source"] = {
        "observer": _server(base_url),
        "type": [
            coding(
                "http://terminology.hl7.org/CodeSystem/security-source-type",
                "4",
                "Application Server",
            )
        ],
    }
    event["entity"] = list(_entities(entry, deed, row, patient, names))
    if not event["entity"]:
        del event["entity"]
    return event


def _agents(
    entry: Entry, row: Row, patient: str, base_url: str, names: Names, purpose: str
) -> Iterator[JsonObject]:
    who = entry.who
    personal = bool(who.user or who.account)
    yield {
        "type": {"coding": [row.client]},
        "who": _client(who.client, names),
        "requestor": not personal,
        **({} if personal else _authority(who, purpose)),
        "network": _network(entry, patient),
    }
    yield {
        "type": {"coding": [row.server]},
        "who": _server(base_url),
        "requestor": False,
        "network": {"address": base_url, "type": "5"},
    }
    if personal:
        name = names.get(who.user, "")
        yield {
            "type": {"coding": [row.user]},
            "who": _person(who, name),
            **({"name": name} if name else {}),
            "requestor": True,
            **_authority(who, purpose),
        }
    for each in who.organizations:
        yield {
            "type": {"coding": [EMPLOYER]},
            "who": _reference(each, names.get(each, "")),
            "requestor": False,
        }


def _purpose(who: Who, deed: Deed, patient: str) -> str:
    """What it was done for: of the patients for whom an emergency was declared, break-glass;
    of others on the same page, what the token says."""
    declares = deed.code in ("break-glass", "break-glass-end") and deed.status < _FAILED
    return "BTG" if patient and (declares or patient in who.declared) else who.purpose


def _authority(who: Who, purpose: str) -> JsonObject:
    """By which token, and what for."""
    found: JsonObject = {}
    if who.token:
        found["policy"] = [f"urn:ietf:params:oauth:jti:{who.token}"]
    if purpose:
        found["purposeOfUse"] = [{"coding": [coding(ACT_REASON, purpose)]}]
    return found


def _network(entry: Entry, patient: str) -> JsonObject:
    """Where the request came from: a person's own is shown to that person alone."""
    own = own_patient(entry.who)
    mine = {"", own} if own else {*entry.who.own}
    is_theirs = entry.who.is_personal and patient in mine
    if is_theirs and entry.address:
        return {"address": entry.address, "type": "2"}
    return {"_address": _MASKED, "type": "2"}


def _client(id_: str, names: Names) -> JsonObject:
    if not id_:
        return {"display": "unknown"}
    found = _reference(f"Device/{id_}", names.get(f"Device/{id_}", "")) if _is_id(id_) else {}
    return {**found, "identifier": {"value": id_}}


def _person(who: Who, name: str) -> JsonObject:
    if who.user:
        return _reference(who.user, name)
    return {"identifier": {"value": who.account}}


def _server(base_url: str) -> JsonObject:
    return {"identifier": {"system": "urn:ietf:rfc:3986", "value": base_url}}


def _reference(reference: str, name: str) -> JsonObject:
    return {"reference": reference, **({"display": name} if name else {})}


def _is_id(text: str) -> bool:
    return ID.fullmatch(text) is not None


def _entities(
    entry: Entry, deed: Deed, row: Row, patient: str, names: Names
) -> Iterator[JsonObject]:
    if patient:
        reference = f"Patient/{patient}"
        yield {
            "what": _reference(reference, names.get(reference, "")),
            "type": coding(_ENTITY_TYPE, "1", "Person"),
            "role": coding(_ROLE, "1", "Patient"),
        }
    if deed.query or row.profile == "Query":
        yield _query(entry, deed, patient) | _labelled(deed)
    elif deed.target:
        yield _data(deed.target) | _labelled(deed)
    if entry.request and row.profile != "Delete":  # whose profile is closed
        kind = coding(f"{BALP}CodeSystem/BasicAuditEntityType", "XrequestId")
        yield {"what": {"identifier": {"value": entry.request}}, "type": kind}
    # As `entity[consent]` of the pattern AuthZconsent; a Delete's profile is closed.
    for each in deed.consents_of(patient) if row.profile != "Delete" else ():
        yield {"what": {"reference": each}, "type": coding(_RESOURCE_TYPE, "Consent")}


def _labelled(deed: Deed) -> JsonObject:
    return {"securityLabel": _labels(deed)} if deed.labels else {}


def _labels(deed: Deed) -> list[JsonObject]:
    return [each._asdict() for each in deed.labels]


def _data(target: str) -> JsonObject:
    is_instance = "/" in target
    return {
        **({"what": {"reference": target}} if is_instance else {"name": target}),
        "type": coding(_ENTITY_TYPE, "2", "System Object"),
        "role": coding(_ROLE, "4", "Domain Resource"),
    }


def _query(entry: Entry, deed: Deed, patient: str) -> JsonObject:
    path, _, parameters = deed.query.partition("?")
    names = [each.partition("=")[0] for each in parameters.split("&") if each]
    asked = "&".join(dict.fromkeys(names))
    shown = _may_show(entry.who, patient)
    encoded = base64.b64encode(deed.query.encode()).decode()
    return {
        "type": coding(_ENTITY_TYPE, "2", "System Object"),
        "role": coding(_ROLE, "24", "Query"),
        "description": f"{path}?{asked}" if asked else path,
        **({"query": encoded} if shown else {"_query": _MASKED}),
    }


def _may_show(who: Who, patient: str) -> bool:
    """Whether the text of a query can name nobody but `patient`, or is read by its author
    alone."""
    named = {*who.represented, own_patient(who)} - {""}
    return who.is_personal and (not patient or named <= {patient})
