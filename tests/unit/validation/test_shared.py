"""The validator on data made by others: HL7's examples and definitions, Synthea's patients."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_server.core.errors import FhirError
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.validation import remainder
from fhir_server.validation.validator import Validator

#: HL7's examples that break R4's own rules.
BROKEN_EXAMPLES = {
    "Questionnaire-qs1.json": "a nested item has no linkId, which is 1..1",
    "DeviceUseStatement-example.json": "reasonReference is to a Procedure",
    "MedicationRequest-medrx0301.json": "dispenseRequest.performer is to a Practitioner",
    "DeviceMetric-example.json": "parent is to a DeviceDefinition, R4 says Device",
}

LONG = "questionnaireresponse-extensions-QuestionnaireResponse-item-subject"

#: HL7's definitions that break R4's own rules.
BROKEN_DEFINITIONS = {
    **{
        f"SearchParameter-{kind}-extensions-{name}-{code}.json": "`base` is 1..* and missing"
        for kind, name in (("codesystem", "CodeSystem"), ("valueset", "ValueSet"))
        for code in ("author", "effective", "end", "keyword", "workflow")
    },
    f"SearchParameter-{LONG}.json": "its id has more than 64 characters",
    "CodeSystem-v2-0550.json": "four codes end in a no-break space",
    **{
        f"StructureDefinition-{name}.json": "sdf-4: not abstract, and without a baseDefinition"
        for name in ("Definition", "Event", "FiveWs", "Request")
    },
}


def complaints(validator: Validator, resource: JsonObject) -> list[tuple[str, str]]:
    try:
        validator.check(resource, resource["resourceType"])
    except FhirError as error:
        return [(each.code, each.expression[0]) for each in error.issues]
    return []


def resources(folder: Path) -> Iterator[tuple[str, JsonObject]]:
    for path in sorted(folder.glob("*.json")):
        body = loads(path.read_bytes(), max_depth=100)
        if "resourceType" in body:
            yield path.name, body


def test_hl7s_examples_are_valid_but_for_the_broken(validator: Validator, shared: Path) -> None:
    found = {
        name
        for name, resource in resources(shared / "examples")
        if complaints(validator, resource)
    }
    assert found == BROKEN_EXAMPLES.keys()


def test_syntheas_resources_are_valid(validator: Validator, shared: Path) -> None:
    entries = [
        entry["resource"]
        for _, bundle in resources(shared / "synthea")
        for entry in bundle["entry"]
    ]
    assert len(entries) > 7000
    assert [each["id"] for each in entries if complaints(validator, each)] == []


def test_syntheas_resources_take_the_quick_way(shared: Path) -> None:
    """The walker costs fifty times as much; what is common and valid must not need it."""
    _, bundle = next(resources(shared / "synthea"))
    entries = [entry["resource"] for entry in bundle["entry"]]
    assert all(remainder.accepts(each, each["resourceType"]) for each in entries)


def test_hl7s_definitions_are_valid_but_for_the_broken(validator: Validator) -> None:
    """With FHIR_R4_PACKAGE: the folder of `hl7.fhir.r4.core`, unpacked; see build_spec.py."""
    folder = os.environ.get("FHIR_R4_PACKAGE")
    if folder is None:
        pytest.skip("FHIR_R4_PACKAGE is not set")
    found = {name for name, each in resources(Path(folder)) if complaints(validator, each)}
    assert found == BROKEN_DEFINITIONS.keys()
