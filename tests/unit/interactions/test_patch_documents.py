"""The forms in which a patch arrives: https://hl7.org/fhir/R4/http.html#patch."""

from base64 import b64encode

import pytest

from fhir_server.core.errors import FhirError, UnsupportedMediaType
from fhir_server.core.types import JsonObject
from fhir_server.interactions.patching.documents import (
    JSON_PATCH,
    XML_PATCH,
    of_document,
    of_entry,
    of_parameters,
    without_empty,
)

BEFORE: JsonObject = {"resourceType": "Patient", "name": [{"text": "a"}], "active": True}
AFTER: JsonObject = {"resourceType": "Patient", "active": True}
JSON = b'[{"op":"remove","path":"/name/0"}]'
XML = b'<diff xmlns="http://hl7.org/fhir"><remove sel="Patient/name"/></diff>'
PARAMETERS: JsonObject = {
    "resourceType": "Parameters",
    "parameter": [
        {
            "name": "operation",
            "part": [
                {"name": "type", "valueCode": "delete"},
                {"name": "path", "valueString": "Patient.name.text"},
            ],
        }
    ],
}


def binary(content_type: str, data: bytes) -> JsonObject:
    text = b64encode(data).decode()
    return {"resourceType": "Binary", "contentType": content_type, "data": text}


def test_each_form_says_the_same() -> None:
    for change in (
        of_document(JSON_PATCH, JSON),
        of_document(XML_PATCH, XML),
        of_parameters(PARAMETERS),
        of_entry(PARAMETERS),
        of_entry(binary(JSON_PATCH, JSON)),
        of_entry(binary(XML_PATCH + "; charset=utf-8", XML)),
    ):
        assert change(BEFORE) == AFTER


@pytest.mark.parametrize(
    "entry",
    [
        None,
        {},
        {"resourceType": "Patient"},
        {"resourceType": "Binary"},
        binary("text/plain", JSON),
        binary(JSON_PATCH, b"{}"),
        binary(XML_PATCH, JSON),
        {"resourceType": "Binary", "contentType": JSON_PATCH, "data": "*"},
    ],
)
def test_what_is_no_patch(entry: JsonObject | None) -> None:
    with pytest.raises(FhirError):
        of_entry(entry)


def test_another_document_is_415() -> None:
    with pytest.raises(UnsupportedMediaType):
        of_document("application/merge-patch+json", b"{}")


def test_nothing_empty_is_left() -> None:
    assert without_empty(
        {"a": [], "b": {}, "c": [{}, {"d": []}], "e": [None, 0, False, ""], "f": [[1], []]}
    ) == {"e": [None, 0, False, ""], "f": [[1]]}
    gaps: JsonObject = {"given": ["a", "b"], "_given": [{}, {"id": "b"}], "_x": [{}, None]}
    assert without_empty(gaps) == {"given": ["a", "b"], "_given": [None, {"id": "b"}]}
