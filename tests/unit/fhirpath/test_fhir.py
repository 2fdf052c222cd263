"""What FHIR adds: references, hooks to terminology and profiles, narrative.

https://hl7.org/fhir/R4/fhirpath.html#functions
"""

from typing import Any

import pytest

from fhir_server.core.types import JsonObject
from fhir_server.fhirpath import Environment, EvaluationFault, Node, compile  # noqa: A004 # re.compile's word
from fhir_server.fhirpath.narrative import is_narrative

from .conftest import PATIENT, Evaluate

BASE = "http://hl7.org/fhir/StructureDefinition/"
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'


def test_a_fragment_leads_to_the_contained_resource(evaluate: Evaluate) -> None:
    assert evaluate("managingOrganization.resolve().name") == ["Acme"]
    assert evaluate("managingOrganization.resolve() is Organization") == [True]
    assert evaluate("'#o1'.resolve().name") == ["Acme"]
    assert evaluate("'#x'.resolve()") == []


def test_a_hash_alone_is_the_container() -> None:
    inner: Node = ("Organization", PATIENT["contained"][0], None)
    env = Environment(inner, root_resource=("Patient", PATIENT, None))
    assert compile("'#'.resolve().id")(inner, env) == [("id", "p1", None)]
    assert compile("'#o1'.resolve().name")(inner, env) == [("string", "Acme", None)]


def test_a_reference_within_a_bundle_leads_to_its_entry() -> None:
    bundle: JsonObject = {
        "resourceType": "Bundle",
        "entry": [
            {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Patient", "id": "a"}},
            {
                "fullUrl": "http://x/Patient/b",
                "resource": {"resourceType": "Patient", "id": "b"},
            },
            {"request": {"url": "Patient"}},
        ],
    }
    for text, expected in [
        ("urn:uuid:1", "a"),
        ("Patient/b", "b"),
        ("http://x/Patient/b", "b"),
    ]:
        assert compile(f"'{text}'.resolve().id", type="Bundle")(bundle) == [
            ("id", expected, None)
        ]
    assert compile("'Patient/c'.resolve()", type="Bundle")(bundle) == []


def test_any_other_reference_is_for_the_environment_to_resolve() -> None:
    target: Node = ("Practitioner", {"id": "1"}, None)

    def resolve(reference: JsonObject) -> Node | None:
        return target if reference.get("reference") == "Practitioner/1" else None

    env = Environment(("Patient", PATIENT, None), resolve=resolve)
    assert compile("generalPractitioner.resolve()", type="Patient")(PATIENT, env) == [target]
    assert compile("'Practitioner/1'.resolve()")(PATIENT, env) == [target]
    assert compile("generalPractitioner.resolve()", type="Patient")(PATIENT) == []


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (f"conformsTo('{BASE}Patient')", [True]),
        (f"conformsTo('{BASE}Resource')", [True]),
        (f"conformsTo('{BASE}Person')", [False]),
        (f"name.first().conformsTo('{BASE}HumanName')", [True]),
        (f"photo.conformsTo('{BASE}Attachment')", []),
        ("conformsTo({})", []),
    ],
)
def test_a_base_definition_is_the_type(
    evaluate: Evaluate, expression: str, expected: list[Any]
) -> None:
    assert evaluate(expression) == expected


def test_profiles_and_value_sets_are_for_the_environment_to_know() -> None:
    env = Environment(
        conforms_to=lambda url, node: node[0] == "Patient" if url == "http://p" else None,
        member_of=lambda url, node: node[1] == "male" if url == "http://vs" else None,
    )
    assert compile("conformsTo('http://p')", type="Patient")(PATIENT, env) == [True]
    assert compile("gender.memberOf('http://vs')", type="Patient")(PATIENT, env) == [True]
    assert compile("'x'.memberOf('http://vs')", type="Patient")(PATIENT, env) == [False]


def test_subsumption_is_for_the_environment_to_know() -> None:
    env = Environment(subsumes=lambda above, below: (above[1], below[1]) == ("a", "b"))
    for text, expected in [
        ("'a'.subsumes('b')", [True]),
        ("'b'.subsumes('a')", [False]),
        ("'b'.subsumedBy('a')", [True]),
        ("gender.subsumes('b')", [False]),
        ("{}.subsumes('b')", []),
    ]:
        assert compile(text, type="Patient")(PATIENT, env) == expected
    assert compile("'a'.subsumes('b')")(PATIENT) == []


def test_a_modifier_that_nobody_knows_is_a_fault() -> None:
    contact = {"modifierExtension": [{"url": "http://m", "valueBoolean": True}]}
    node: Node = ("Patient.contact", contact, None)
    assert compile("checkModifiers('http://m').count()")(node) == [1]
    with pytest.raises(EvaluationFault):
        compile("checkModifiers('http://other')")(node)


@pytest.mark.parametrize(
    "expression",
    [
        "conformsTo('http://trash')",
        "gender.memberOf('http://trash')",
        "gender.memberOf(1)",
        "name.memberOf('http://trash')",
    ],
)
def test_what_nobody_knows_is_a_fault(evaluate: Evaluate, expression: str) -> None:
    with pytest.raises(EvaluationFault):
        evaluate(expression)


NARRATIVES = [
    (DIV.format("text"), True),
    (DIV.format("<p>a<br/><b class='x'>b</b>&nbsp;</p>"), True),
    (DIV.format("<img src='a.png' alt='x'/>"), True),
    (DIV.format("<!-- comment -->x"), True),
    (DIV.format(" <p> </p> "), False),
    (DIV.format("<script>1</script>"), False),
    (DIV.format("<p onclick='x'>a</p>"), False),
    (DIV.format("<a href=' JavaScript:x'>a</a>"), False),
    (DIV.format("<p>"), False),
    (DIV.format("&unknown;"), False),
    (DIV.format("<?php x?>a"), False),
    ("<p xmlns='http://www.w3.org/1999/xhtml'>a</p>", False),
    ("<!DOCTYPE div [<!ENTITY a 'b'>]>" + DIV.format("&a;"), False),
    ("text", False),
    (None, False),
]


@pytest.mark.parametrize(("text", "good"), NARRATIVES)
def test_html_checks(text: str | None, *, good: bool) -> None:
    assert is_narrative(text) is good
    node: Node = ("Narrative", {"div": text}, None)
    expected = [] if text is None else [good]
    assert compile("`div`.htmlChecks()", type="Narrative")(node) == expected
