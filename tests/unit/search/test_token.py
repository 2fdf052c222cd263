"""https://hl7.org/fhir/R4/search.html#token"""

import pytest

from fhir_server.search.values import IndexValues
from tests.support.searching import matches, refusals, stored

GENDER = "http://hl7.org/fhir/administrative-gender"
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"


def concept(*codings: tuple[str | None, str], text: str | None = None) -> IndexValues:
    coded = [
        {
            "code": code,
            "display": f"The {code} itself",
            **({"system": system} if system else {}),
        }
        for system, code in codings
    ]
    value = {"coding": coded, **({"text": text} if text else {})}
    return stored("Condition", "code", "CodeableConcept", value)


# "If the underlying data type is string then the search is not case sensitive."
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("version=V1.0a", True),
        ("version=v1.0A", True),
        ("version:not=v1.0A", False),
        ("version=v1", False),
    ],
)
def test_a_string_is_compared_whatever_its_case(query: str, *, found: bool) -> None:
    value = stored("Questionnaire", "version", "string", "V1.0a")
    assert matches("Questionnaire", query, value) is found


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        # "irrespective of the value of the system property"
        ("ha125", True),
        ("http://acme.org|ha125", True),
        ("http://other.org|ha125", False),
        # "the Coding/Identifier has no system property"
        ("|ha125", False),
        ("|bare", True),
        ("bare", True),
        # a system alone is any of its codes
        ("http://acme.org|", True),
        ("http://acme.or|", False),
        ("http://acme|", False),
        ("ha12", False),
        ("x,ha125", True),
        ("x,y", False),
        ("|", False),
        # Marks of the index are not for the asking.
        ("~|ha125", False),
        ("~|", False),
    ],
)
def test_a_token_is_code_and_system(asked: str, *, found: bool) -> None:
    values = concept(("http://acme.org", "ha125"), (None, "bare"))
    assert matches("Condition", f"code={asked}", values) is found
    # "Reverse the code matching", also for resources without the element
    assert matches("Condition", f"code:not={asked}", values) is not found
    assert matches("Condition", f"code:not={asked}", IndexValues())


@pytest.mark.parametrize(
    ("asked", "found"),
    [("the ha", True), ("itself", True), ("sore head", True), ("head", True), ("foot", False)],
)
def test_text_searches_displays_and_texts(asked: str, *, found: bool) -> None:
    values = concept(("http://acme.org", "ha125"), text="A sore head")
    assert matches("Condition", f"code:text={asked}", values) is found


def test_an_escaped_separator_is_text() -> None:
    values = stored(
        "Patient", "identifier", "Identifier", {"system": "urn:x", "value": "a|b,c$"}
    )
    assert matches("Patient", "identifier=urn:x|a\\|b\\,c\\$", values)
    assert matches("Patient", "identifier=a\\|b\\,c\\$", values)
    assert not matches("Patient", "identifier=urn:x|a", values)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (f"identifier:of-type={TYPES}|MR|446053", True),
        (f"identifier:of-type={TYPES}|MR|446054", False),
        (f"identifier:of-type={TYPES}|XX|446053", False),
        ("identifier:of-type=urn:other|MR|446053", False),
        ("identifier=446053", True),
        ("identifier=|446053", True),
    ],
)
def test_an_identifier_is_found_by_its_type(query: str, *, found: bool) -> None:
    kind = {"coding": [{"system": TYPES, "code": "MR"}]}
    values = stored("Patient", "identifier", "Identifier", {"type": kind, "value": "446053"})
    assert matches("Patient", query, values) is found


# "All 3 parts must be present"
@pytest.mark.parametrize("asked", ["MR|1", "a|b|", "|b|c", "a||c", "1", "a|b|c|d"])
def test_a_type_without_all_parts_is_refused(asked: str) -> None:
    query = f"identifier:of-type={asked}"
    assert refusals("Patient", query) == [("value", "identifier:of-type")]


def test_too_many_separators_are_refused() -> None:
    assert refusals("Patient", "identifier=a|b|c") == [("value", "identifier")]


@pytest.mark.parametrize(
    ("query", "code", "found"),
    [
        ("gender:in=http://hl7.org/fhir/ValueSet/administrative-gender", "male", True),
        ("gender:in=http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1", "male", True),
        ("gender:in=http://hl7.org/fhir/ValueSet/administrative-gender", "robot", False),
        ("gender:not-in=http://hl7.org/fhir/ValueSet/administrative-gender", "robot", True),
        ("gender:not-in=http://hl7.org/fhir/ValueSet/administrative-gender", "male", False),
    ],
)
def test_a_value_set_is_expanded(query: str, code: str, *, found: bool) -> None:
    assert matches("Patient", query, stored("Patient", "gender", "code", code)) is found


@pytest.mark.parametrize("modifier", ["in", "not-in"])
def test_a_value_set_that_cannot_be_listed_is_refused(modifier: str) -> None:
    query = f"gender:{modifier}=http://nowhere.org/vs"
    assert refusals("Patient", query) == [("not-supported", f"gender:{modifier}")]


@pytest.mark.parametrize(
    ("query", "code", "found"),
    [
        # "this includes the coding itself"
        (f"code:below={ACT}|_ActCoverageTypeCode", "_ActCoverageTypeCode", True),
        (f"code:below={ACT}|_ActCoverageTypeCode", "EHCPOL", True),
        (f"code:below={ACT}|EHCPOL", "_ActCoverageTypeCode", False),
        (f"code:above={ACT}|EHCPOL", "_ActCoverageTypeCode", True),
        (f"code:above={ACT}|EHCPOL", "EHCPOL", True),
        (f"code:above={ACT}|_ActCoverageTypeCode", "EHCPOL", False),
    ],
)
def test_a_hierarchy_is_followed(query: str, code: str, *, found: bool) -> None:
    assert matches("Condition", query, concept((ACT, code))) is found


@pytest.mark.parametrize("modifier", ["below", "above"])
def test_a_hierarchy_needs_its_system(modifier: str) -> None:
    query = f"code:{modifier}=126851005&code:{modifier}=~|x"
    assert refusals("Condition", query) == [("value", f"code:{modifier}")] * 2


# https://hl7.org/fhir/R4/search.html#mimetype
@pytest.mark.parametrize(
    ("query", "stored_type", "found"),
    [
        ("contenttype=text/xml", "text/xml; charset=UTF-8", False),
        ("contenttype:below=text/xml", "text/xml; charset=UTF-8", True),
        ("contenttype:below=text/xml", "text/xml", True),
        ("contenttype:below=text/xml", "text/xmlish", False),
        ("contenttype:below=image", "image/png", True),
        ("contenttype:below=image", "imagery/png", False),
    ],
)
def test_a_mime_type_may_have_parameters(query: str, stored_type: str, *, found: bool) -> None:
    values = stored("DocumentReference", "contenttype", "code", stored_type)
    assert matches("DocumentReference", query, values) is found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("active=true", True),
        ("active=false", False),
        ("active:not=true", False),
        ("active:missing=false", True),
        ("active:missing=true", False),
    ],
)
def test_a_boolean_is_a_token(query: str, *, found: bool) -> None:
    assert matches("Patient", query, stored("Patient", "active", "boolean", True)) is found


def test_ids_are_exact() -> None:
    assert matches("Patient", "_id=x", IndexValues())
    assert matches("Patient", "_id=a,x", IndexValues())
    assert not matches("Patient", "_id=X", IndexValues())
    assert not matches("Patient", "_id=a b", IndexValues())
    assert not matches("Patient", "_id:not=x", IndexValues())


# A contact "may use special handling, such as ignoring punctuation".
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("phone=%2B7 (921) 123-45-67", True),
        ("phone=%2B79211234567", True),
        ("phone=%2B7 921 1234567", True),
        ("phone=9211234567", False),
        ("phone=-", False),
        ("telecom=%2B7-921-123-45-67", True),
    ],
)
def test_a_number_is_found_however_it_is_grouped(query: str, *, found: bool) -> None:
    code = query.partition("=")[0]
    value = {"system": "phone", "value": "+7 (921) 123-45-67"}
    assert matches("Patient", query, stored("Patient", code, "ContactPoint", value)) is found


def test_an_address_is_found_in_either_case() -> None:
    value = {"system": "email", "value": "Eve@Example.org"}
    values = stored("Patient", "email", "ContactPoint", value)
    assert matches("Patient", "email=eve@example.ORG", values)
