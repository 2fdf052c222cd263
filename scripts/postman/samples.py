"""One well-filled resource of each core type: what the collection creates and searches.

References go to resources of fixed ids that the collection puts first.
"""

from typing import Any, Final

JsonObject = dict[str, Any]

PATIENT: Final = "Patient/postman-patient"
PRACTITIONER: Final = "Practitioner/postman-practitioner"
ORGANIZATION: Final = "Organization/postman-organization"
ENCOUNTER: Final = "Encounter/postman-encounter"
SCHEDULE: Final = "Schedule/postman-schedule"
SLOT: Final = "Slot/postman-slot"
LOCATION: Final = "Location/postman-location"

_HL7: Final = "http://terminology.hl7.org/CodeSystem/"
_ACTS: Final = f"{_HL7}v3-ActCode"


def _reference(target: str) -> JsonObject:
    return {"reference": target}


def _concept(system: str, code: str, display: str) -> JsonObject:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


def _identifier(value: str) -> JsonObject:
    return {"system": "https://fhir-server.example/postman", "value": value}


#: Put before everything else, so that the references of the samples lead somewhere.
NEIGHBOURS: Final[tuple[JsonObject, ...]] = (
    {
        "resourceType": "Organization",
        "id": "postman-organization",
        "active": True,
        "name": "Postman clinic",
    },
    {
        "resourceType": "Practitioner",
        "id": "postman-practitioner",
        "name": [{"family": "Petrenko", "given": ["Oksana"]}],
    },
    {
        "resourceType": "Patient",
        "id": "postman-patient",
        "name": [{"family": "Kovalenko", "given": ["Olena"]}],
        "gender": "female",
        "birthDate": "1984-04-01",
    },
    {"resourceType": "Location", "id": "postman-location", "name": "Room 7"},
    {
        "resourceType": "Schedule",
        "id": "postman-schedule",
        "actor": [_reference(PRACTITIONER)],
    },
    {
        "resourceType": "Slot",
        "id": "postman-slot",
        "schedule": _reference(SCHEDULE),
        "status": "free",
        "start": "2030-01-07T09:00:00Z",
        "end": "2030-01-07T09:30:00Z",
    },
    {
        "resourceType": "Encounter",
        "id": "postman-encounter",
        "status": "finished",
        "class": {"system": _ACTS, "code": "AMB"},
        "subject": _reference(PATIENT),
    },
)

SAMPLES: Final[tuple[JsonObject, ...]] = (
    {
        "resourceType": "Patient",
        "active": True,
        "identifier": [_identifier("patient-1")],
        "name": [{"use": "official", "family": "Ёлкина", "given": ["Мария", "Петровна"]}],
        "telecom": [
            {"system": "phone", "value": "+380441234567"},
            {"system": "email", "value": "maria@example.org"},
        ],
        "gender": "female",
        "birthDate": "1990-05-17",
        "deceasedBoolean": False,
        "address": [
            {
                "use": "home",
                "line": ["вул. Городоцька, 1"],
                "city": "Львів",
                "state": "Львівська область",
                "postalCode": "79000",
                "country": "UA",
            }
        ],
        "communication": [{"language": _concept("urn:ietf:bcp:47", "uk", "Ukrainian")}],
        "generalPractitioner": [_reference(PRACTITIONER)],
        "managingOrganization": _reference(ORGANIZATION),
        "link": [{"other": _reference(PATIENT), "type": "seealso"}],
    },
    {
        "resourceType": "Consent",
        "identifier": [_identifier("consent-1")],
        "status": "active",
        "scope": _concept(f"{_HL7}consentscope", "patient-privacy", "Privacy Consent"),
        "category": [_concept("http://loinc.org", "59284-0", "Consent Document")],
        "patient": _reference(PATIENT),
        "dateTime": "2026-01-10T10:00:00Z",
        "performer": [_reference(PATIENT)],
        "organization": [_reference(ORGANIZATION)],
        "sourceReference": _reference("DocumentReference/postman-document"),
        "policyRule": _concept(_ACTS, "OPTIN", "opt-in"),
        "provision": {
            "type": "permit",
            "period": {"start": "2026-01-10", "end": "2030-01-10"},
            "actor": [
                {
                    "role": _concept(f"{_HL7}v3-ParticipationType", "PRCP", "recipient"),
                    "reference": _reference(PRACTITIONER),
                }
            ],
            "action": [_concept(f"{_HL7}consentaction", "access", "Access")],
            "securityLabel": [{"system": f"{_HL7}v3-Confidentiality", "code": "N"}],
            "purpose": [{"system": f"{_HL7}v3-ActReason", "code": "TREAT"}],
            "data": [{"meaning": "related", "reference": _reference(ENCOUNTER)}],
        },
    },
    {
        "resourceType": "Appointment",
        "identifier": [_identifier("appointment-1")],
        "status": "booked",
        "serviceCategory": [_concept(f"{_HL7}service-category", "17", "General Practice")],
        "serviceType": [_concept(f"{_HL7}service-type", "124", "General Practice")],
        "specialty": [_concept("http://snomed.info/sct", "394814009", "General practice")],
        "appointmentType": _concept(f"{_HL7}v2-0276", "FOLLOWUP", "A follow up visit"),
        "reasonCode": [_concept("http://snomed.info/sct", "25064002", "Headache")],
        "reasonReference": [_reference("Condition/postman-condition")],
        "supportingInformation": [_reference(ENCOUNTER)],
        "start": "2030-01-07T09:00:00Z",
        "end": "2030-01-07T09:30:00Z",
        "slot": [_reference(SLOT)],
        "basedOn": [_reference("ServiceRequest/postman-request")],
        "participant": [
            {"actor": _reference(PATIENT), "status": "accepted"},
            {"actor": _reference(PRACTITIONER), "status": "accepted"},
            {"actor": _reference(LOCATION), "status": "accepted"},
        ],
    },
    {
        "resourceType": "Slot",
        "identifier": [_identifier("slot-1")],
        "serviceCategory": [_concept(f"{_HL7}service-category", "17", "General Practice")],
        "serviceType": [_concept(f"{_HL7}service-type", "124", "General Practice")],
        "specialty": [_concept("http://snomed.info/sct", "394814009", "General practice")],
        "appointmentType": _concept(f"{_HL7}v2-0276", "ROUTINE", "Routine appointment"),
        "schedule": _reference(SCHEDULE),
        "status": "free",
        "start": "2030-01-08T09:00:00Z",
        "end": "2030-01-08T09:30:00Z",
    },
    {
        "resourceType": "MedicationRequest",
        "identifier": [_identifier("medication-request-1")],
        "status": "active",
        "intent": "order",
        "category": [_concept(f"{_HL7}medicationrequest-category", "outpatient", "Outpatient")],
        "priority": "routine",
        "medicationCodeableConcept": _concept(
            "http://www.whocc.no/atc", "C07AB02", "Metoprolol"
        ),
        "subject": _reference(PATIENT),
        "encounter": _reference(ENCOUNTER),
        "authoredOn": "2026-02-01T10:00:00Z",
        "requester": _reference(PRACTITIONER),
        "performer": _reference(ORGANIZATION),
        "performerType": _concept("http://snomed.info/sct", "106292003", "Nurse"),
        "dosageInstruction": [
            {"text": "1 tablet a day", "timing": {"event": ["2026-02-02T08:00:00Z"]}}
        ],
        "dispenseRequest": {"performer": _reference(ORGANIZATION)},
    },
    {
        "resourceType": "Observation",
        "identifier": [_identifier("observation-1")],
        "basedOn": [_reference("ServiceRequest/postman-request")],
        "partOf": [_reference("Procedure/postman-procedure")],
        "status": "final",
        "category": [_concept(f"{_HL7}observation-category", "laboratory", "Laboratory")],
        "code": _concept("http://loinc.org", "15074-8", "Glucose"),
        "subject": _reference(PATIENT),
        "focus": [_reference(PATIENT)],
        "encounter": _reference(ENCOUNTER),
        "effectiveDateTime": "2026-03-04T07:30:00Z",
        "performer": [_reference(PRACTITIONER)],
        "valueQuantity": {
            "value": 6.3,
            "unit": "mmol/L",
            "system": "http://unitsofmeasure.org",
            "code": "mmol/L",
        },
        "method": _concept("http://snomed.info/sct", "702675006", "Probe"),
        "specimen": _reference("Specimen/postman-specimen"),
        "device": _reference("Device/postman-device"),
        "hasMember": [_reference("Observation/postman-member")],
        "derivedFrom": [_reference("Observation/postman-source")],
    },
    {
        "resourceType": "Communication",
        "identifier": [_identifier("communication-1")],
        "instantiatesCanonical": ["https://fhir-server.example/PlanDefinition/messages"],
        "instantiatesUri": ["https://fhir-server.example/messages"],
        "basedOn": [_reference("ServiceRequest/postman-request")],
        "partOf": [_reference("Communication/postman-thread")],
        "status": "completed",
        "category": [_concept(f"{_HL7}communication-category", "reminder", "Reminder")],
        "medium": [_concept(f"{_HL7}v3-ParticipationMode", "WRITTEN", "written")],
        "subject": _reference(PATIENT),
        "encounter": _reference(ENCOUNTER),
        "sent": "2026-04-05T12:00:00Z",
        "received": "2026-04-05T12:05:00Z",
        "recipient": [_reference(PATIENT)],
        "sender": _reference(PRACTITIONER),
        "payload": [{"contentString": "Your results have come."}],
    },
)
