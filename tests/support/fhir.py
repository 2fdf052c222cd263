"""Small resources and requests that many tests make; each has identifiers of its own."""

from typing import Any
from uuid import uuid4

import httpx

JsonObject = dict[str, Any]


def new_id() -> str:
    return str(uuid4())


def identifier(value: str | None = None) -> JsonObject:
    return {"system": "urn:oid:1.2.3.4", "value": value or new_id()}


def patient(*, family: str = "Row", identifier: JsonObject | None = None) -> JsonObject:
    body: JsonObject = {"resourceType": "Patient", "name": [{"family": family}]}
    return body | ({"identifier": [identifier]} if identifier else {})


def observation(subject: str, **more: Any) -> JsonObject:
    code = {"coding": [{"system": "http://loinc.org", "code": "15074-8"}]}
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": code,
        "subject": {"reference": subject},
        **more,
    }


def create(fhir: httpx.Client, resource: JsonObject) -> JsonObject:
    answer = fhir.post(f"/{resource['resourceType']}", json=resource)
    assert answer.status_code == 201, answer.text
    made: JsonObject = answer.json()
    return made


def ids(bundle: JsonObject) -> list[str]:
    return [each["resource"]["id"] for each in bundle.get("entry", ())]
