"""https://hl7.org/fhir/R4/search.html#modifiers"""

import pytest

from fhir_server.search.values import IndexValues
from fhir_server.spec.search_parameters import BY_URL, of_type
from fhir_server.spec.structures import RESOURCE_TYPES
from tests.support.searching import COMPILER, matches, refusals, stored

NOTHING = IndexValues()


@pytest.mark.parametrize(
    ("kind", "code", "fhir_type", "value"),
    [
        ("Patient", "gender", "code", "male"),
        ("Patient", "birthdate", "date", "2000"),
        ("Patient", "name", "HumanName", {"family": "x"}),
        ("Patient", "organization", "Reference", {"reference": "Organization/1"}),
        ("RiskAssessment", "probability", "decimal", 1),
        ("Observation", "value-quantity", "Quantity", {"value": 1}),
        ("ValueSet", "url", "uri", "http://a"),
        ("Condition", "code", "CodeableConcept", {"text": "only a text"}),
    ],
)
def test_missing_tells_whether_there_is_a_value(
    kind: str, code: str, fhir_type: str, value: object
) -> None:
    present = stored(kind, code, fhir_type, value)
    assert matches(kind, f"{code}:missing=false", present)
    assert not matches(kind, f"{code}:missing=true", present)
    assert matches(kind, f"{code}:missing=true", NOTHING)
    assert not matches(kind, f"{code}:missing=false", NOTHING)


def test_every_resource_has_an_id_and_a_time() -> None:
    assert matches("Patient", "_id:missing=false&_lastUpdated:missing=false", NOTHING)
    assert not matches("Patient", "_id:missing=true", NOTHING)


def test_missing_is_true_or_false() -> None:
    assert refusals("Patient", "gender:missing=yes") == [("value", "gender:missing")]


def test_a_canonical_has_no_identifier() -> None:
    # "not supported on canonical elements since they do not have an identifier"
    key = "questionnaire:identifier"
    assert refusals("QuestionnaireResponse", f"{key}=1") == [("not-supported", key)]


# "Server SHALL reject any search request that … is suffixed by a modifier that the server
# does not support for that parameter."
@pytest.mark.parametrize(
    "key",
    [
        "name:foo", "name:", "name:not", "name:text", "birthdate:exact", "gender:contains",
        "gender:identifier", "_id:exact", "_lastUpdated:not", "organization:in", "name:EXACT",
        "identifier:ofType", "gender:of-type", "active:of-type",
        "link:Group", "near", "nonsense", "Name", "", "name:exact:exact",
    ],
)  # fmt: skip
def test_what_is_unknown_is_refused_by_name(key: str) -> None:
    assert refusals("Patient", f"{key}=1") == [("not-supported", key)]


def test_every_problem_is_told_at_once() -> None:
    query = "foo=1&name:foo=1&birthdate=x&_count=-1&_sort=bar&_include=baz&gender=male"
    assert refusals("Patient", query) == [
        ("value", "_count"),
        ("value", "_include"),
        ("not-supported", "foo"),
        ("not-supported", "name:foo"),
        ("value", "birthdate"),
        ("not-supported", "_sort"),
    ]


_MEANT = {"_query", "_filter"}


@pytest.mark.parametrize("kind", RESOURCE_TYPES)
def test_every_parameter_of_every_type_compiles(kind: str) -> None:
    sample = {
        "number": "1", "date": "2024", "string": "a", "token": "a|b", "reference": "1",
        "quantity": "1", "uri": "http://a", "special": "1|1",
    }  # fmt: skip
    for code, parameter in of_type(kind).items():
        if code in _MEANT or parameter.expression is None:
            continue
        parts = [sample[BY_URL[each.definition].type] for each in parameter.components]
        value = sample.get(parameter.type) or "$".join(parts)
        assert COMPILER.condition(kind, [(code, value)]) is not None, code
