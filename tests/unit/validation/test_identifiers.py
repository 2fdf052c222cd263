"""What an operator makes of national numbers that cannot be right."""

from typing import Any

import pytest

from fhir_server.core.errors import Severity, Unprocessable
from fhir_server.validation.validator import Validator

WRONG: dict[str, Any] = {
    "resourceType": "Patient",
    "identifier": [
        {"system": "urn:mrn", "value": "1"},
        {"system": "urn:oid:1.2.643.100.3", "value": "112-233-445 96"},
    ],
}


def test_by_default_nothing_is_asked() -> None:
    Validator().check(WRONG, "Patient")


def test_an_error_refuses() -> None:
    with pytest.raises(Unprocessable) as refused:
        Validator(numbers="error").check(WRONG, "Patient")
    (issue,) = refused.value.issues
    assert issue.expression == ("Patient.identifier[1].value",)
    assert issue.detail == "identifier-invalid"


def test_a_warning_is_told_by_validate_alone() -> None:
    validator = Validator(numbers="warning")
    validator.check(WRONG, "Patient")
    told = [i for i in validator.validate(WRONG, "Patient") if i.detail]
    assert [(i.severity, i.expression) for i in told] == [
        ("warning", ("Patient.identifier[1].value",))
    ]


# A single Identifier, and what has not R4's shape: that is another check's to tell.
@pytest.mark.parametrize(
    ("resource", "count"),
    [
        ({"identifier": {"system": "urn:identity:snils:", "value": "1"}}, 1),
        ({"identifier": {"system": "urn:identity:snils:"}}, 0),
        ({"identifier": "urn:identity:snils:"}, 0),
        ({"identifier": [{"system": ["urn:identity:snils:"], "value": 1}, None]}, 0),
        ({"contained": [{"identifier": [{"system": "urn:identity:snils:", "value": "1"}]}]}, 1),
        ({"contained": {"identifier": 1}}, 0),
        ({"contained": [None]}, 0),
        ({}, 0),
    ],
)
@pytest.mark.parametrize("severity", ["error", "warning"])
def test_shapes(resource: dict[str, Any], count: int, severity: Severity) -> None:
    from_us = Validator(numbers=severity).validate(
        {"resourceType": "QuestionnaireResponse"} | resource, "QuestionnaireResponse"
    )
    assert len([i for i in from_us if i.detail == "identifier-invalid"]) == count
