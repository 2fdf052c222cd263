"""The seeds have what International Patient Access demands: every mandatory element, and each
element that a client must be able to show at least once.

https://hl7.org/fhir/uv/ipa/STU1/
"""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from fhir_server.core.types import JsonObject
from tests.unit.seeds.bundles import resources

ABSENT: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
MANDATORY: Final = {
    "AllergyIntolerance": ("code", "patient"),
    "Condition": ("code", "subject"),
    "DocumentReference": ("status", "type", "subject", "content.attachment"),
    "Immunization": ("status", "vaccineCode", "patient", "occurrence[x]"),
    "Medication": ("code",),
    "MedicationRequest": ("status", "intent", "medication[x]", "subject"),
    "MedicationStatement": ("status", "medication[x]", "subject", "effective[x]"),
    "Observation": ("status", "code", "subject"),
    "Patient": ("identifier.value", "name"),
    "Practitioner": ("name",),
    "PractitionerRole": ("practitioner",),
}
SUPPORTED: Final = {
    "AllergyIntolerance": ("clinicalStatus", "verificationStatus"),
    "Condition": ("clinicalStatus", "verificationStatus", "category"),
    "DocumentReference": (
        *("category", "date", "author", "content.attachment.contentType"),
        *("content.attachment.data", "content.attachment.url", "content.format"),
        *("context.encounter", "context.period"),
    ),
    "Immunization": ("statusReason",),
    "MedicationRequest": (
        *("reported[x]", "encounter", "authoredOn", "requester", "dosageInstruction.text"),
    ),
    "MedicationStatement": (*("statusReason", "context", "informationSource", "dosage.text"),),
    "Observation": ("category", "effective[x]", "value[x]", "dataAbsentReason"),
    "Patient": ("active", "gender", "birthDate", "link"),
}


def values(value: Any, path: str) -> Iterator[Any]:
    """What stands at `path`; `[x]` is any type, and what is absent with a reason is there."""
    name, _, rest = path.partition(".")
    for each in value if isinstance(value, list) else [value]:
        for found in _named(each, name):
            yield from values(found, rest) if rest else [found]


def _named(value: JsonObject, name: str) -> Iterator[Any]:
    for each, found in value.items():
        plain = each.removeprefix("_")
        if plain == name or (name.endswith("[x]") and plain.startswith(name[:-3])):
            yield found


@pytest.mark.parametrize("kind", MANDATORY)
def test_ipa_22_ipa_24_mandatory_elements_are_there(kind: str) -> None:
    missing = [
        (each["id"], path)
        for each in resources(kind)
        for path in MANDATORY[kind]
        if not any(values(each, path))
    ]
    assert missing == []


@pytest.mark.parametrize(
    ("kind", "path"), [(kind, path) for kind, paths in SUPPORTED.items() for path in paths]
)
def test_ipa_24_elements_that_must_be_supported_are_seen(kind: str, path: str) -> None:
    assert any(any(True for _ in values(each, path)) for each in resources(kind))


def test_ipa_24_an_observation_has_a_value_or_says_why_not() -> None:
    silent = [
        each["id"]
        for each in resources("Observation")
        if not any(
            any(True for _ in values(each, path))
            for path in ("value[x]", "dataAbsentReason", "component", "hasMember")
        )
    ]
    assert silent == []


def test_ipa_24_a_problem_is_on_the_list_of_problems() -> None:
    codes = {
        coding["code"]
        for each in resources("Condition")
        for coding in values(each, "category.coding")
        for coding in (coding if isinstance(coding, list) else [coding])
    }
    assert "problem-list-item" in codes


def test_ipa_22_who_was_born_when_nobody_knows() -> None:
    unknown = [each for each in resources("Patient") if "birthDate" not in each]
    assert unknown
    for each in unknown:
        (reason,) = each["_birthDate"]["extension"]
        assert (reason["url"], reason["valueCode"]) == (ABSENT, "unknown")
