"""Expressions taken apart: https://hl7.org/fhirpath/N1/#union-collections."""

import pytest

from fhir_server.search.index.arms import arms, element_of


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("Patient.name", ["Patient.name"]),
        # arms of other types select nothing
        ("Patient.name | Person.name", ["Patient.name"]),
        ("(Person.deceased as dateTime)", []),
        (
            "Resource.meta.tag | DomainResource.text",
            ["Resource.meta.tag", "DomainResource.text"],
        ),
        ("name | Patient.name.family", ["name", "Patient.name.family"]),
        # a bar inside parentheses or a string is no union of the top level
        ("Patient.where(a | b).c | d", ["Patient.where(a | b).c", "d"]),
        ("Patient.where(use='a|b').c|d", ["Patient.where(use='a|b').c", "d"]),
        (r"Patient.where(use='a\'|b').c", [r"Patient.where(use='a\'|b').c"]),
        ("`a|b`.c | d", ["`a|b`.c", "d"]),
        # what binds weaker than a union keeps it whole
        ("Patient.a | Patient.b = 1", ["Patient.a | Patient.b = 1"]),
        ("Patient.a | Patient.b and c", ["Patient.a | Patient.b and c"]),
        ("Person.a | Patient.b = 1", ["Person.a | Patient.b = 1"]),
        # contains is also a name
        ("a.contains.code | b", ["a.contains.code", "b"]),
        ("a.contains('x') | b", ["a.contains('x')", "b"]),
        # an erratum of R4
        ("value.as(DateTime) | value.as(Period)", ["value.as(dateTime)", "value.as(Period)"]),
    ],
)
def test_arms(expression: str, expected: list[str]) -> None:
    assert list(arms("Patient", expression)) == expected


@pytest.mark.parametrize(
    ("kind", "arm", "path"),
    [
        ("Patient", "Patient.gender", "Patient.gender"),
        ("Patient", "Patient.contact.gender", "Patient.contact.gender"),
        ("Patient", "Patient.telecom.use", "ContactPoint.use"),
        ("DocumentReference.relatesTo", "code", "DocumentReference.relatesTo.code"),
        ("Patient", "Patient.gender.first()", None),
        ("Patient", "Patient.nothing", None),
        ("Patient", "Patient.gender.nothing", None),
        ("Patient", "Patient", None),
    ],
)
def test_element_of(kind: str, arm: str, path: str | None) -> None:
    found = element_of(kind, arm)
    assert (found.path if found else None) == path
