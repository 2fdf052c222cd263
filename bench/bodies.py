"""What the writing operations send."""

import json
from typing import Final
from uuid import UUID

from bench import data
from fhir_server.core.types import JsonObject

UPDATED_ID: Final = data.written_id(0)
VISITS: Final = 9
OBSERVATIONS: Final = 90
"""With the patient and the visits, 100 entries."""


def created(number: int) -> JsonObject:
    """An observation about a patient that no search meets."""
    resource = data.observation("", "Patient/w0500", "Encounter/e1", data.MEASURED[0], number)
    del resource["id"]
    return resource


def updated(number: int) -> JsonObject:
    """The next version of a patient; `multipleBirthInteger` is to be its number."""
    resource = data.patient(data.written_id(number), 10_000_000 + number)
    return resource | {"multipleBirthInteger": 2}


def transaction(number: int) -> JsonObject:
    """One patient with visits and observations that refer to each other: 100 entries."""
    subject, *urls = (_urn(number, each) for each in range(1 + VISITS + OBSERVATIONS))
    visits = urls[:VISITS]
    resources = [
        data.patient("", 20_000_000 + number),
        *(data.encounter("", subject) for _ in visits),
        *(
            data.observation("", subject, visits[i % VISITS], data.MEASURED[i % 10], i)
            for i in range(OBSERVATIONS)
        ),
    ]
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": url,
                "resource": {name: value for name, value in each.items() if name != "id"},
                "request": {"method": "POST", "url": each["resourceType"]},
            }
            for url, each in zip((subject, *urls), resources, strict=True)
        ],
    }


def _urn(bundle: int, entry: int) -> str:
    return f"urn:uuid:{UUID(int=(bundle << 32) + entry)}"


def linked(bundle: JsonObject) -> list[JsonObject]:
    """The resources of `bundle` with ids, and their links as a server leaves them."""
    names = {
        each["fullUrl"]: f"{each['resource']['resourceType']}/{data.made_id(4, i)}"
        for i, each in enumerate(bundle["entry"])
    }
    text = json.dumps([each["resource"] for each in bundle["entry"]])
    for url, name in names.items():
        text = text.replace(url, name)
    resources: list[JsonObject] = json.loads(text)
    ids = (name.partition("/")[2] for name in names.values())
    return [each | {"id": id_} for each, id_ in zip(resources, ids, strict=True)]
