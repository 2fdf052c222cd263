"""Paths, literals, types and variables.

https://hl7.org/fhirpath/N1/#path-selection
https://hl7.org/fhirpath/N1/#lexical-elements
https://hl7.org/fhir/R4/fhirpath.html
"""

from decimal import Decimal
from typing import Any

import pytest

from fhir_server.fhirpath import (
    Environment,
    EvaluationFault,
    FhirPathError,
    Node,
    SemanticFault,
    SyntaxFault,
    compile,  # noqa: A004 # re.compile's word
)
from fhir_server.fhirpath.parser import MAX_DEPTH

from .conftest import OBSERVATION, PATIENT, Evaluate

PATHS = [
    ("Patient.name.given", ["Peter", "James", "Jim", "Peter", "James"]),
    ("name.given", ["Peter", "James", "Jim", "Peter", "James"]),
    ("Resource.id", ["p1"]),
    ("DomainResource.id", ["p1"]),
    ("$this.id", ["p1"]),
    ("Patient.contact.name.family", ["du Marché"]),
    ("photo.title", []),
    ("deceased", [False]),
    ("Patient.deceased = false", [True]),
    ("birthDate.extension.value", ["late"]),
    ("birthDate.extension('http://example.org/time').exists()", [True]),
    ("birthDate.extension('http://example.org/other').exists()", [False]),
    ("birthDate.hasExtension('http://example.org/time')", [True]),
    ("gender.extension('x')", []),
    ("birthDate.value", []),
    ("contained.name", ["Acme"]),
    ("contained.id", ["o1"]),
    ("multipleBirth = 1", []),
    ("maritalStatus.text = 'x'", []),
    ("maritalStatus.text.exists()", [False]),
    ("(name | photo).exists()", [True]),
    ("'a'.extension('x')", []),
    ("1.children()", []),
    ("(gender | {}).first()", ["male"]),
    ("contained.select(Organization.name)", ["Acme"]),
    ("contained.select(Patient.name)", []),
    ("`name`.`given`.first()", ["Peter"]),
]
LITERALS = [
    ("1", [1]), ("1.50", [Decimal("1.50")]), ("true", [True]), ("{}", []),
    (r"'it\'s \"\\ \/\`\r\n\t\fé'", ["it's \"\\ /`\r\n\t\fé"]), ("''", [""]),
    ("@2015", ["@2015"]), ("@2015-02", ["@2015-02"]), ("@2015-02-04", ["@2015-02-04"]),
    ("@2015T", ["@2015"]), ("@2015-02T", ["@2015-02"]), ("@2015-02-04T", ["@2015-02-04"]),
    ("@2015-02-04T14", ["@2015-02-04T14"]), ("@2015-02-04T14:34Z", ["@2015-02-04T14:34Z"]),
    ("@2015-02-04T14:34:28.123456+10:00", ["@2015-02-04T14:34:28.123+10:00"]),
    ("@T14", ["@14"]), ("@T14:34:28.1", ["@14:34:28.100"]), ("10 'mg'", ["10 'mg'"]),
    ("4 days", ["4 day"]), ("1 // comment\n + 1", [2]), ("1 + /* a // b \n */ 1", [2]),
]  # fmt: skip
TYPES = [
    ("gender.is(code)", [True]), ("gender.is(string)", [True]), ("gender.is(id)", [False]),
    ("gender is FHIR.code", [True]), ("gender is System.String", [False]),
    ("active.is(Boolean)", [False]), ("active is boolean", [True]), ("photo is string", []),
    ("true is Boolean", [True]), ("true is boolean", [False]), ("1 is System.Integer", [True]),
    ("1.0 is Decimal", [True]), ("'a' is String", [True]), ("@2015 is Date", [True]),
    ("@2015T is DateTime", [True]), ("@T10 is Time", [True]), ("1 'mg' is Quantity", [True]),
    ("1 is Quantity", [False]), ("Patient.is(Patient)", [True]),
    ("Patient is Resource", [True]),
    ("Patient is System.Patient", [False]), ("Patient.is(FHIR.`Patient`)", [True]),
    ("gender as code", ["male"]), ("gender as id", []), ("gender.as(string)", ["male"]),
    ("name.given.ofType(string).count()", [5]), ("name.given.as(string).count()", [5]),
    ("('a' | 1).ofType(String)", ["a"]), ("('a' | 1).ofType(System.Integer)", [1]),
    ("deceased.ofType(boolean)", [False]), ("deceased.ofType(dateTime)", []),
    ("(deceased as boolean).exists()", [True]), ("contained.ofType(Organization).id", ["o1"]),
    ("1.type().name", ["Integer"]), ("1.type().namespace", ["System"]),
    ("gender.type().name", ["code"]), ("gender.type().namespace", ["FHIR"]),
    ("contact.type().name", ["BackboneElement"]), ("(1 'mg').type().name", ["Quantity"]),
    ("Patient.type().name", ["Patient"]), ("contained.type().name", ["Organization"]),
]  # fmt: skip
VARIABLES = [
    ("%ucum", ["http://unitsofmeasure.org"]), ("%loinc", ["http://loinc.org"]),
    ("%sct", ["http://snomed.info/sct"]),
    ("%`vs-administrative-gender`", ["http://hl7.org/fhir/ValueSet/administrative-gender"]),
    ("%'ext-patient-birthTime'", ["http://hl7.org/fhir/StructureDefinition/patient-birthTime"]),
    ("name.first().select(%resource.id | %context.id | %rootResource.id)", ["p1"]),
    ("defineVariable('v', 'x').select(%v)", ["x"]),
    ("name.first().defineVariable('n').given.first().select(%n.family)", ["Chalmers"]),
    ("name.defineVariable('n', first()).last().select(%n.family)", ["Chalmers"]),
    ("name.select(defineVariable('f', family).select(%f))", ["Chalmers", "Windsor"]),
    (
        "id.replace(defineVariable('a', 'p').select(%a), defineVariable('a', 'q').select(%a))",
        ["q1"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "expected"), [*PATHS, *LITERALS, *TYPES, *VARIABLES])
def test_an_expression_gives(evaluate: Evaluate, expression: str, expected: list[Any]) -> None:
    found = evaluate(expression)
    assert found == expected
    assert [type(each) for each in found] == [type(each) for each in expected]


CHOICES = [
    ("Observation.value.unit", ["lbs"]),
    ("Observation.value.ofType(Quantity).unit", ["lbs"]),
    ("(Observation.value as Quantity).unit", ["lbs"]),
    ("Observation.value.as(Period).start", []),
    ("Observation.value is Quantity", [True]),
    ("Observation.value.exists()", [True]),
    # Several items: R4's own search parameters cast them, so nothing is refused.
    ("(Observation.component.value as Quantity).value", [1, 2]),
    ("component.value.ofType(string)", ["some"]),
    ("Observation.value > 100 '[lb_av]'", [True]),
    ("Observation.value = 185 '[lb_av]'", [True]),
    ("component.value.first() = 1 'mg'", [True]),
    ("component.where(value is string).exists()", [True]),
]


@pytest.mark.parametrize(("expression", "expected"), CHOICES)
def test_a_choice_is_one_element(
    evaluate: Evaluate, expression: str, expected: list[Any]
) -> None:
    assert evaluate(expression, "Observation") == expected


# "valueQuantity" is how JSON writes it, not its name.
UNKNOWN_NAMES = [
    ("Observation", "Observation.valueQuantity"),
    ("Observation", "(Observation.value as Period).unit"),
    ("Patient", "name.given1"),
    ("Patient", "Encounter.name"),
    ("Patient", "name.where(foo = 1)"),
    ("Patient", "'a'.foo"),
    ("Patient", "children().skip(1)"),
    ("Patient", "descendants()[0]"),
]


@pytest.mark.parametrize(("kind", "expression"), UNKNOWN_NAMES)
def test_a_name_without_meaning_is_refused_when_strict(
    evaluate: Evaluate, kind: str, expression: str
) -> None:
    with pytest.raises(SemanticFault):
        evaluate(expression, kind)
    evaluate(expression, kind, strict=False)


@pytest.mark.parametrize(
    "expression",
    [
        "", "2 + 2 /", "1 1", "(1", "1)", "a.", ".a", "a..b", "a[", "a[]", "{1}", "f(", "f(1,)",
        "'a", "`a", "'\\q'", "@2015-02-30", "@2015-13", "@20", "@T25", "@T14:34:28Z", "@T10:60",
        "@2015-01-01T10:00+15:00", "1 /* open", "and", "a and", "1 is", "1 is 2", "#", "%",
        "$that",
        "1..2", "9" * 41, "1.0e5", "a as 'b'", "- ",
    ],
)  # fmt: skip
def test_anything_outside_the_grammar_is_a_syntax_fault(expression: str) -> None:
    with pytest.raises(SyntaxFault):
        compile(expression)


BOMBS = [
    "(" * 5_000 + "1" + ")" * 5_000,
    "-" * 5_000 + "1",
    "a" + ".a" * 4_000,
    "1" + "+1" * 4_000,
    "a[" * 2_000 + "0" + "]" * 2_000,
    "iif(true," * 900 + "1" + ")" * 900,
    "a" * 10_001,
]


@pytest.mark.parametrize("expression", BOMBS)
def test_a_deep_or_long_expression_is_a_syntax_fault(expression: str) -> None:
    with pytest.raises(SyntaxFault):
        compile(expression)


@pytest.mark.parametrize(
    ("opening", "closing"),
    [("(", ")"), ("1.where(", ")"), ("iif(true,", ")"), ("name.exists(", ")"), ("-", "")],
)
def test_the_deepest_expression_that_is_read_also_runs(opening: str, closing: str) -> None:
    levels = MAX_DEPTH - 2
    inner = "true" if opening != "-" else "1"
    compile(opening * levels + inner + closing * levels, strict=False)(PATIENT)


COSTLY = [
    "1.repeat($this + 1)",
    "'a'.repeat($this & $this)",
    "(1 | 2).select($this.combine($this))" + ".select($this.combine($this))" * 40,
    "(1|2|3|4|5|6|7|8|9)" + ".all((1|2|3|4|5|6|7|8|9)" * 7 + ".all(true)" + ")" * 7,
    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'.matches('^(a|aa)+$')",
    "'a'.matches('((a{1000}){1000}){1000}')",
    "'a'.replace('', 'aaaaaaaaaa')" + ".replace('', 'aaaaaaaaaa')" * 20,
]


@pytest.mark.parametrize("expression", COSTLY)
def test_an_evaluation_without_end_is_a_fault(evaluate: Evaluate, expression: str) -> None:
    with pytest.raises(EvaluationFault):
        evaluate(expression)


def test_quantities_and_numbers_do_not_grow_without_end(evaluate: Evaluate) -> None:
    assert evaluate("2.repeat($this * $this).count() < 10") == [True]
    assert evaluate("1 'm'.repeat($this * $this).count() < 10") == [True]
    assert evaluate("2.repeat($this / 1 'm').count() < 50") == [True]


VARIABLE_FAULTS = [
    "%unknown",
    "defineVariable('n', 1).active | defineVariable('m', 2).select(%n)",
    "defineVariable('n').defineVariable('n')",
    "defineVariable('ucum', 1)",
    "defineVariable('resource', 1)",
    "defineVariable(id, 1)",
]


@pytest.mark.parametrize("expression", VARIABLE_FAULTS)
def test_a_variable_is_known_only_where_it_is_defined(
    evaluate: Evaluate, expression: str
) -> None:
    with pytest.raises(FhirPathError):
        evaluate(expression)


def test_variables_of_the_environment_are_collections_or_items() -> None:
    env = Environment(variables={"many": [1, 2], "one": "x"})
    assert compile("%many | %one")(PATIENT, env) == [1, 2, "x"]


def test_without_a_clock_there_is_no_now() -> None:
    with pytest.raises(EvaluationFault):
        compile("now()")(PATIENT)


def test_a_trace_goes_to_the_environment() -> None:
    seen: list[tuple[str, list[Any]]] = []
    env = Environment(trace=lambda name, items: seen.append((name, items)))
    compile("name.given.first().trace('x').trace('y', length())")(PATIENT, env)
    assert seen == [("x", [("string", "Peter", None)]), ("y", [5])]


def test_a_type_that_does_not_exist_is_refused() -> None:
    with pytest.raises(SemanticFault):
        compile("id", type="Foo")


@pytest.mark.parametrize("kind", ["Patient", None])
def test_an_expression_means_the_same_without_a_static_type(kind: str | None) -> None:
    for text, _ in PATHS + TYPES:
        typed = compile(text, type="Patient")(PATIENT)
        assert compile(text, type=kind, strict=False)(PATIENT) == typed


def test_nodes_tell_type_value_and_sibling() -> None:
    assert compile("birthDate", type="Patient")(PATIENT) == [
        ("date", "1974-12-25", PATIENT["_birthDate"])
    ]
    node: Node = ("Quantity", OBSERVATION["valueQuantity"], None)
    assert compile("value", type="Quantity")(node) == [("decimal", Decimal("185.0"), None)]


def test_a_gap_in_a_repeated_primitive_has_only_its_extension() -> None:
    extension = {"extension": [{"url": "x", "valueCode": "masked"}]}
    name = {"given": [None, "B", None], "_given": [extension, None, None]}
    node: Node = ("HumanName", name, None)
    assert compile("given", type="HumanName")(node) == [
        ("string", None, extension),
        ("string", "B", None),
    ]
    assert compile("given.select(hasValue())", type="HumanName")(node) == [False, True]
    assert compile("given.where($this = 'B').count()", type="HumanName")(node) == [1]
    assert compile("given.extension('x').value", type="HumanName")(node) == [
        ("code", "masked", None)
    ]


def test_a_quantity_without_a_plain_value_is_not_compared() -> None:
    below = {"value": 5, "comparator": "<", "code": "mg", "system": "http://unitsofmeasure.org"}
    for value in (below, {"code": "mg"}, {"value": "5"}):
        node: Node = ("Observation", {"valueQuantity": value}, None)
        assert compile("value = 5 'mg'", type="Observation")(node) == [False]
    weeks: Node = ("Observation", {"valueQuantity": {"value": 2, "unit": "weeks"}}, None)
    assert compile("value = 14 days", type="Observation")(weeks) == [True]


def test_items_without_value_are_distinct_by_their_extensions() -> None:
    one, two = ({"extension": [{"url": url}]} for url in "ab")
    node: Node = ("HumanName", {"_given": [one, one, two]}, None)
    assert len(compile("given.distinct()", type="HumanName")(node)) == 2
    assert compile("given.first() and true", type="HumanName")(node) == []
    with pytest.raises(EvaluationFault):
        compile("given.allTrue()", type="HumanName")(node)


def test_a_system_value_can_be_the_focus() -> None:
    assert compile("$this + 1")(1) == [2]
    assert compile("'#x'.resolve()")("a") == []
    assert compile("name", type="Patient")("a") == []
    assert compile("name.exists() or gender.exists()", type="Patient")("a") == [False]
    assert compile("id = 'x'", type="Patient")("a") == []


def test_malformed_json_is_no_crash() -> None:
    odd: dict[str, Any] = {
        "resourceType": "Patient",
        "name": "x",
        "contact": {},
        "gender": ["a"],
    }
    for text in ("name.given", "contact.name.family", "gender = 'a'", "descendants().count()"):
        compile(text, type="Patient")(odd)
