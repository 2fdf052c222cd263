"""Which properties an expression needs: only those arms run that can select something."""

import pytest

from fhir_server.search.index.arms import arms
from fhir_server.search.index.roots import roots
from fhir_server.search.registry import Registry
from fhir_server.spec.structures import RESOURCE_TYPES


@pytest.mark.parametrize(
    ("kind", "expression", "expected"),
    [
        ("Patient", "Patient.birthDate", {"birthDate", "_birthDate"}),
        ("Patient", "Patient.name.family", {"name", "_name"}),
        ("Patient", "Resource.meta.tag", {"meta", "_meta"}),
        ("Patient", "Patient.telecom.where(system='email')", {"telecom", "_telecom"}),
        ("Observation", "(Observation.value as Quantity)", {"valueQuantity", "_valueQuantity"}),
        (
            "Observation",
            "(Observation.value as CodeableConcept).text",
            {"valueCodeableConcept", "_valueCodeableConcept"},
        ),
        (
            "Observation",
            "Observation.subject.where(resolve() is Patient)",
            {"subject", "_subject"},
        ),
        ("Observation", "Observation.extension('http://x')", {"extension", "_extension"}),
        ("Patient", "Patient.deceased.exists() and Patient.deceased != false", None),
        ("Patient", "Patient.deceased.exists()", None),
        ("Patient", "descendants()", None),
    ],
)
def test_the_properties_a_path_starts_from(
    kind: str, expression: str, expected: set[str] | None
) -> None:
    assert roots(kind, expression) == (None if expected is None else frozenset(expected))


def test_a_choice_without_a_cast_needs_any_of_its_forms() -> None:
    found = roots("Observation", "Observation.effective")
    assert found is not None
    assert {"effectiveDateTime", "effectivePeriod", "effectiveTiming"} <= found


def test_nearly_every_arm_of_the_standard_is_understood() -> None:
    registry = Registry()
    unknown = {
        (kind, arm)
        for kind in RESOURCE_TYPES
        for parameter in registry.indexed(kind).values()
        if parameter.expression is not None and parameter.type != "composite"
        for arm in arms(kind, parameter.expression)
        if roots(kind, arm) is None
    }
    assert len(unknown) <= 3, unknown
