"""https://hl7.org/fhir/R4/search.html#reference"""

import pytest

from fhir_server.search.plan import Keys, Patient
from fhir_server.search.values import IndexValues
from tests.support.searching import BASE, matches, refusals, stored, where

OTHER = "https://other.org/fhir"


def performer(reference: str, **more: object) -> IndexValues:
    value = {"reference": reference, **more}
    return stored("Observation", "performer", "Reference", value)


@pytest.mark.parametrize(
    ("query", "reference", "found"),
    [
        ("performer=23", "Practitioner/23", True),
        ("performer=23", "Organization/23", True),
        ("performer=23", "Practitioner/2", False),
        ("performer=Practitioner/23", "Practitioner/23", True),
        ("performer=Practitioner/23", "Organization/23", False),
        # "A relative reference resolving to the same value as a specified absolute URL,
        # or vice versa, qualifies as a match."
        (f"performer={BASE}/Practitioner/23", "Practitioner/23", True),
        ("performer=Practitioner/23", f"{BASE}/Practitioner/23", True),
        ("performer=Practitioner/23", f"{OTHER}/Practitioner/23", False),
        (f"performer={OTHER}/Practitioner/23", f"{OTHER}/Practitioner/23", True),
        (f"performer={OTHER}/Practitioner/23", "Practitioner/23", False),
        ("performer=Practitioner/23", "Practitioner/23/_history/4", True),
        ("performer=Practitioner/23/_history/1", "Practitioner/23", True),
        ("performer:Practitioner=23", "Practitioner/23", True),
        ("performer:Practitioner=23", "Organization/23", False),
        ("performer:Practitioner=Practitioner/23", "Practitioner/23", True),
        ("performer:Practitioner=Organization/23", "Organization/23", False),
        ("performer=1,Practitioner/23", "Practitioner/23", True),
        ("performer=urn:uuid:1", "urn:uuid:1", True),
        ("performer:missing=false", "Practitioner/23", True),
        ("performer:missing=true", "Practitioner/23", False),
        ("performer:missing=true", "#p1", False),
    ],
)
def test_a_reference_is_an_id_a_relative_or_an_absolute_url(
    query: str, reference: str, *, found: bool
) -> None:
    assert matches("Observation", query, performer(reference)) is found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("performer:identifier=http://acme.org/mrn|123456", True),
        ("performer:identifier=123456", True),
        ("performer:identifier=http://acme.org/other|123456", False),
        ("performer:identifier=1", False),
        ("performer:missing=false", True),
        ("performer=123456", False),
    ],
)
def test_a_logical_reference_is_found_by_its_identifier(query: str, *, found: bool) -> None:
    identifier = {"system": "http://acme.org/mrn", "value": "123456"}
    values = stored("Observation", "performer", "Reference", {"identifier": identifier})
    assert matches("Observation", query, values) is found


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("performer=%23p1", ("value", "performer")),
        ("performer=a b", ("value", "performer")),
        ("performer:Practitioner=a/b", ("value", "performer:Practitioner")),
        ("performer:Location=1", ("not-supported", "performer:Location")),
        ("performer:Nonsense=1", ("not-supported", "performer:Nonsense")),
        ("performer:exact=1", ("not-supported", "performer:exact")),
    ],
)
def test_what_names_no_target_is_refused(query: str, problem: tuple[str, str]) -> None:
    assert refusals("Observation", query) == [problem]


# https://hl7.org/fhir/R4/search.html#versions
@pytest.mark.parametrize(
    ("query", "value", "found"),
    [
        ("questionnaire=http://acme.org/q", "http://acme.org/q", True),
        ("questionnaire=http://acme.org/q", "http://acme.org/q|1.0", True),
        ("questionnaire=http://acme.org/q|1.0", "http://acme.org/q|1.0", True),
        ("questionnaire=http://acme.org/q|1.0", "http://acme.org/q|1.1", False),
        ("questionnaire:below=http://acme.org/q", "http://acme.org/q|2.0", True),
        ("questionnaire:below=http://acme.org/q|1", "http://acme.org/q|1.1", True),
        ("questionnaire:below=http://acme.org/q|1", "http://acme.org/q|1", True),
        ("questionnaire:below=http://acme.org/q|1", "http://acme.org/q|10", False),
        ("questionnaire:below=http://acme.org/q|1", "http://acme.org/q|2.0", False),
        ("questionnaire:missing=false", "http://acme.org/q", True),
    ],
)
def test_a_canonical_may_ask_for_a_version(query: str, value: str, *, found: bool) -> None:
    values = stored("QuestionnaireResponse", "questionnaire", "canonical", value)
    assert matches("QuestionnaireResponse", query, values) is found


# Where one element says the patient, the index has a field of its own for it.
@pytest.mark.parametrize(
    ("kind", "query"),
    [
        ("Observation", "patient=p1"),
        ("Observation", "patient=Patient/p1"),
        ("Observation", "subject=Patient/p1"),
        ("Observation", "subject:Patient=p1"),
        ("Observation", f"subject={BASE}/Patient/p1"),
        ("Coverage", "beneficiary=Patient/p1"),
        ("Coverage", "patient=p1"),
        ("Task", "patient=p1"),
    ],
)
def test_the_one_patient_is_asked_for_directly(kind: str, query: str) -> None:
    assert where(kind, query) == Patient("p1")


@pytest.mark.parametrize(
    ("kind", "query"),
    [
        ("Observation", "subject=p1"),  # may be a Group
        ("Observation", "subject=Group/p1"),
        ("Observation", "performer=Patient/p1"),
        ("Appointment", "patient=p1"),  # may have several
        ("Provenance", "patient=p1"),
        ("Person", "patient=p1"),
        ("Patient", "link=Patient/p1"),
    ],
)
def test_other_references_are_keys(kind: str, query: str) -> None:
    assert isinstance(where(kind, query), Keys)
