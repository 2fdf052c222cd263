"""A grant of an app as a Consent, and back.

https://hl7.org/fhir/R5/consent-example-smartonfhir.html
"""

from dataclasses import replace
from typing import Any

import pytest

from fhir_server.access.scopes import parse_scopes
from fhir_server.access.smart_grants import (
    GRANTED_SCOPES,
    SmartGrant,
    grant_consent,
    grant_of,
    is_withdrawn,
    withdrawn_grants,
)
from fhir_server.core.datetimes import parse_interval
from fhir_server.core.types import JsonObject
from fhir_server.validation.validator import Validator
from tests.support.consenting import consent, observation, read, record

AT = parse_interval("2023-06-01T12:00:00Z").lo
HOUR = 3_600_000
GRANT = SmartGrant(
    "g1",
    "app",
    "My Health",
    "p1",
    "RelatedPerson/r1",
    parse_scopes("patient/Observation.rs?category=laboratory patient/*.r patient/Task.cruds"),
    AT,
    AT + HOUR,
    "Organization/c1",
)


@pytest.mark.parametrize("grant", [GRANT, replace(GRANT, until=None, organization=None)])
@pytest.mark.parametrize("withdrawn", [False, True])
def test_the_record_is_valid_and_knows_its_grant(grant: SmartGrant, withdrawn: bool) -> None:
    found = grant_consent(grant, withdrawn=withdrawn)
    issues = Validator().validate(found, "Consent")
    assert [each for each in issues if each.severity == "error"] == []
    assert grant_of(found) == "g1"
    assert is_withdrawn(found, AT) is withdrawn


def test_the_record_says_what_was_granted() -> None:
    found = grant_consent(GRANT)
    provision = found["provision"]
    assert [each.get("class", [{}])[0].get("code") for each in provision["provision"]] == [
        "Observation", None, "Task",
    ]  # fmt: skip
    actions = [each["coding"][0]["code"] for each in provision["provision"][2]["action"]]
    assert sorted(actions) == ["access", "collect", "correct"]
    assert provision["period"]["end"] == "2023-06-01T13:00:00.000Z"
    assert found["performer"] == [{"reference": "RelatedPerson/r1"}]
    scopes = found["extension"][0]
    assert scopes["url"] == GRANTED_SCOPES
    assert parse_scopes(scopes["valueString"]) == GRANT.scopes


def test_the_record_is_found_by_its_category_and_is_no_directive() -> None:
    found = {**grant_consent(GRANT), "id": "c1"}
    assert any(each.endswith("|smart-grant") for each in record(found).values.tokens)
    assert read(found) == []


@pytest.mark.parametrize(
    ("elements", "now", "expected"),
    [
        ({}, AT, False),
        ({}, AT + HOUR, False),  # the last millisecond of the period
        ({}, AT + HOUR + 1, True),
        ({"status": "inactive"}, AT, True),
        ({"status": "entered-in-error"}, AT, True),
        ({"provision": {"period": {"end": "?"}}}, AT, True),
    ],
)
def test_a_grant_is_over_when_its_record_says_so(
    elements: JsonObject, now: int, expected: bool
) -> None:
    found = {**grant_consent(GRANT), **elements}
    assert is_withdrawn(found, now) is expected
    assert withdrawn_grants([found, consent()], now) == ({"g1"} if expected else set())


@pytest.mark.parametrize(
    "other", [consent(), {**grant_consent(GRANT), "identifier": []}, observation()]
)
def test_another_resource_records_no_grant(other: dict[str, Any]) -> None:
    assert grant_of(other) is None
