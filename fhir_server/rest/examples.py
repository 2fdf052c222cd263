"""Bodies and values to try, as the documentation shows them."""

from collections.abc import Mapping
from typing import Final

from fhir_server.core.types import JsonObject

_TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"
_PATIENT: Final = {"reference": "Patient/example"}

EXAMPLES: Final[Mapping[str, JsonObject]] = {
    "Patient": {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:oid:1.2.643.100.3", "value": "112-233-445 95"}],
        "name": [{"family": "Коваленко", "given": ["Олена", "Іванівна"]}],
        "gender": "female",
        "birthDate": "1984-04-01",
    },
    "Consent": {
        "resourceType": "Consent",
        "status": "active",
        "scope": {
            "coding": [{"system": f"{_TERMINOLOGY}/consentscope", "code": "patient-privacy"}]
        },
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": _PATIENT,
        "dateTime": "2026-01-10T10:00:00Z",
        "policyRule": {"coding": [{"system": f"{_TERMINOLOGY}/v3-ActCode", "code": "OPTIN"}]},
        "provision": {"type": "permit"},
    },
    "Appointment": {
        "resourceType": "Appointment",
        "status": "booked",
        "start": "2030-01-07T09:00:00Z",
        "end": "2030-01-07T09:30:00Z",
        "participant": [{"actor": _PATIENT, "status": "accepted"}],
    },
    "Slot": {
        "resourceType": "Slot",
        "schedule": {"reference": "Schedule/example"},
        "status": "free",
        "start": "2030-01-07T09:00:00Z",
        "end": "2030-01-07T09:30:00Z",
    },
    "MedicationRequest": {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {
            "coding": [{"system": "http://www.whocc.no/atc", "code": "C07AB02"}]
        },
        "subject": _PATIENT,
    },
    "Observation": {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "15074-8"}]},
        "subject": _PATIENT,
        "effectiveDateTime": "2026-03-04T07:30:00Z",
        "valueQuantity": {
            "value": 6.3,
            "unit": "mmol/L",
            "system": "http://unitsofmeasure.org",
            "code": "mmol/L",
        },
    },
    "Communication": {
        "resourceType": "Communication",
        "status": "completed",
        "subject": _PATIENT,
        "payload": [{"contentString": "Your results have come."}],
    },
}

BUNDLE: Final[JsonObject] = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [
        {
            "fullUrl": "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a",
            "resource": EXAMPLES["Patient"],
            "request": {"method": "POST", "url": "Patient"},
        },
        {
            "resource": EXAMPLES["Observation"]
            | {
                "subject": {"reference": "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"},
            },
            "request": {"method": "POST", "url": "Observation"},
        },
    ],
}

JSON_PATCH: Final = [{"op": "replace", "path": "/language", "value": "uk"}]

OUTCOME: Final[JsonObject] = {
    "resourceType": "OperationOutcome",
    "issue": [
        {
            "severity": "error",
            "code": "not-found",
            "details": {"text": "There is no Patient with the id `example`."},
        }
    ],
}

SEARCH_VALUES: Final[Mapping[str, str]] = {
    "string": "kovalenko",
    "token": "http://loinc.org|15074-8",
    "date": "ge2026-01-01",
    "reference": "Patient/example",
    "quantity": "gt5|http://unitsofmeasure.org|mmol/L",
    "number": "gt0.5",
    "uri": "http://example.org/",
    "composite": "15074-8$gt5",
    "special": "49.84|24.03|10|km",
}
