"""The invariants of R4's definitions.

https://hl7.org/fhir/R4/conformance-rules.html#constraints
"""

import timeit
from collections.abc import Iterator
from typing import Any

import pytest

from fhir_server.fhirpath import Environment, EvaluationFault, Node, compile  # noqa: A004 # re.compile's word
from fhir_server.spec.structures import TYPES, Constraint


def constraints() -> Iterator[tuple[str, Constraint]]:
    for kind in TYPES.values():
        yield from ((kind.name, each) for each in kind.constraints)
        for element in kind.elements:
            for of in element.types:
                yield from ((of.code, each) for each in element.constraints)


def expression_of(key: str) -> str:
    return next(str(each.expression) for _, each in constraints() if each.key == key)


def test_every_invariant_compiles_for_every_type_that_has_it() -> None:
    found = {(kind, each.expression) for kind, each in constraints() if each.expression}
    assert len({expression for _, expression in found}) > 190
    for kind, expression in found:
        compile(expression, type=kind, strict=False)


ROWS: list[tuple[str, str, Any, bool]] = [
    ("pat-1", "Patient.contact", {"name": {"text": "a"}}, True),
    ("pat-1", "Patient.contact", {"gender": "male"}, False),
    ("ext-1", "Extension", {"url": "x", "valueString": "a"}, True),
    ("ext-1", "Extension", {"url": "x", "extension": [{"url": "y"}]}, True),
    ("ext-1", "Extension", {"url": "x"}, False),
    ("ext-1", "Extension", {"url": "x", "valueString": "a", "extension": [{}]}, False),
    ("ele-1", "HumanName", {"family": "a"}, True),
    ("ele-1", "HumanName", {"id": "a"}, False),
    ("ele-1", "string", "a", True),
    ("qty-3", "Quantity", {"code": "g", "system": "http://unitsofmeasure.org"}, True),
    ("qty-3", "Quantity", {"code": "g"}, False),
    ("per-1", "Period", {"start": "2012-01-01", "end": "2012-01-02"}, True),
    ("per-1", "Period", {"start": "2012-01-02", "end": "2012-01-01"}, False),
    ("per-1", "Period", {"start": "2012"}, True),
    ("obs-6", "Observation", {"valueString": "a", "dataAbsentReason": {}}, True),
    ("obs-6", "Observation", {"valueString": "a", "dataAbsentReason": {"text": "a"}}, False),
    ("tim-4", "Timing.repeat", {"duration": -1}, False),
    ("tim-9", "Timing.repeat", {"offset": 1, "when": ["HS"]}, True),
    ("tim-9", "Timing.repeat", {"offset": 1, "when": ["C"]}, False),
    ("rng-2", "Range", {"low": {"value": 1}, "high": {"value": 2}}, True),
    ("rng-2", "Range", {"low": {"value": 3}, "high": {"value": 2}}, False),
    ("rat-1", "Ratio", {"numerator": {"value": 1}, "denominator": {"value": 1}}, True),
    ("rat-1", "Ratio", {"numerator": {"value": 1}}, False),
    ("que-2", "Questionnaire", {"item": [{"linkId": "1"}, {"linkId": "2"}]}, True),
    ("que-2", "Questionnaire", {"item": [{"linkId": "1", "item": [{"linkId": "1"}]}]}, False),
    ("app-3", "Appointment", {"status": "proposed"}, True),
    ("app-3", "Appointment", {"status": "booked"}, False),
    ("bdl-1", "Bundle", {"type": "searchset", "total": 1}, True),
    ("bdl-1", "Bundle", {"type": "batch", "total": 1}, False),
    ("bdl-7", "Bundle", {"entry": [{"fullUrl": "a", "resource": {}}] * 2}, False),
    ("vsd-0", "ValueSet", {"name": "Abc_1"}, True),
    ("vsd-0", "ValueSet", {"name": "1bc"}, False),
    ("eld-19", "ElementDefinition", {"path": "A.b[x]"}, True),
    ("eld-19", "ElementDefinition", {"path": "?"}, False),
    ("dom-2", "Patient", {"contained": [{"resourceType": "Patient"}]}, True),
    (
        "dom-2", "Patient",
        {"contained": [{"resourceType": "Patient", "contained": [{"resourceType": "Group"}]}]},
        False,
    ),
    (
        "dom-3", "Patient",
        {
            "contained": [{"resourceType": "Group", "id": "g"}],
            "managingOrganization": {"reference": "#g"},
        },
        True,
    ),
    ("dom-3", "Patient", {"contained": [{"resourceType": "Group", "id": "g"}]}, False),
    ("ref-1", "Reference", {"reference": "Patient/1"}, True),
    ("ref-1", "Reference", {"reference": "#x"}, False),
]  # fmt: skip


@pytest.mark.parametrize(("key", "kind", "value", "good"), ROWS)
def test_an_invariant_holds_or_not(key: str, kind: str, value: Any, *, good: bool) -> None:
    node: Node = (kind, value, None)
    expression = compile(expression_of(key), type=kind, strict=False)
    assert expression.holds(node, Environment(node)) is good


def test_an_empty_result_is_known_as_such_and_does_not_hold() -> None:
    node: Node = ("Period", {"start": "2012", "end": "2012-05"}, None)
    expression = compile("start <= end", type="Period")
    assert expression.truth(node) is None
    assert not expression.holds(node)


def test_a_result_that_is_no_condition_is_a_fault() -> None:
    node: Node = ("HumanName", {"given": ["a", "b"]}, None)
    with pytest.raises(EvaluationFault):
        compile("given", type="HumanName").holds(node)


def test_a_common_invariant_takes_microseconds() -> None:
    """The bound is twenty times what an idle machine needs: bench/fhirpath.py measures."""
    node: Node = ("Quantity", {"value": 1, "code": "g", "system": "x"}, None)
    expression = compile("code.empty() or system.exists()", type="Quantity")
    runs = timeit.repeat(lambda: expression.holds(node), number=1_000, repeat=5)
    assert min(runs) / 1_000 < 10e-6
