"""Every parameter of R4 finds the element it is defined on.

For each arm of each expression a resource is made that has just this element, with a sample
value of its data type; the parameter must then have an index value.

https://hl7.org/fhir/R4/searchparameter-registry.html
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from fhir_server.search.evaluate import Record, Resources, satisfies
from fhir_server.search.index.arms import arms
from fhir_server.search.indexing import Indexer
from fhir_server.search.nodes import presence
from fhir_server.search.plan import UNRESTRICTED
from fhir_server.search.registry import Registry
from fhir_server.spec.search_parameters import SearchParameter
from fhir_server.spec.structures import RESOURCE_TYPES, TYPES, Property

REGISTRY = Registry()
INDEXER = Indexer(REGISTRY)
NOWHERE = Resources.of((), UNRESTRICTED)

QUANTITY = {"value": Decimal(5), "unit": "mg"}
SAMPLES: dict[str, Any] = {
    "string": "Text",
    "uri": "http://x.example/1",
    "code": "a",
    "boolean": True,
    "integer": 3,
    "decimal": Decimal("1.5"),
    "date": "2024-05-01",
    "dateTime": "2024-05-01",
    "instant": "2024-05-01T10:00:00Z",
    "Period": {"start": "2024"},
    "Timing": {"event": ["2024"]},
    "Quantity": QUANTITY,
    "Range": {"low": QUANTITY},
    "Money": {"value": 5},
    "SampledData": {"origin": QUANTITY, "data": "1 2"},
    "Identifier": {"value": "1"},
    "Coding": {"code": "a"},
    "CodeableConcept": {"coding": [{"code": "a"}], "text": "Text"},
    "ContactPoint": {"value": "1"},
    "HumanName": {"family": "Text"},
    "Address": {"city": "Text"},
    "Reference": {"reference": "Patient/1"},
    "Resource": {"resourceType": "Basic", "id": "1"},
    "UsageContext": {"code": {"code": "a"}, "valueQuantity": QUANTITY},
}
FITS = {
    "date": ("dateTime", "Period", "Timing", "date", "instant"),
    "token": ("CodeableConcept", "Identifier", "code", "boolean", "Coding"),
    "reference": ("Reference", "canonical", "uri"),
    "string": ("string",),
    "quantity": ("Quantity",),
    "number": ("decimal", "integer"),
}
STEP = re.compile(r"(?:[^.()]|\((?:[^()]|\([^()]*\))*\))+")
CAST = re.compile(r"^\((.+) as (\w+)\)(.*)$")


def sample(kind: str) -> Any:
    """A value of a data type: its own, or its nearest ancestor's."""
    name: str | None = kind
    while name is not None and name not in SAMPLES:
        name = TYPES[name].base
    return SAMPLES[name or "string"]


def made(kind: str, arm: str, parameter: SearchParameter) -> dict[str, Any]:
    """A `kind` with the one element that `arm` selects."""
    cast = CAST.match(arm)
    steps = STEP.findall(f"{cast[1]}.as({cast[2]}){cast[3]}" if cast else arm)
    start = 1 if steps[0] in (kind, "Resource", "DomainResource") else 0
    return {**grown(kind, steps[start:], parameter)}


def grown(kind: str, steps: list[str], parameter: SearchParameter) -> Any:
    """A JSON value of type `kind` in which `steps` end at a sample."""
    if not steps:
        return sample(kind)
    name = steps[0].removesuffix("[0]")
    if name.startswith("extension("):
        return extended(name, parameter)
    following, conditions, cast = steps[1:], [], None
    while following and (call := re.match(r"(as|ofType|where)\((.*)\)", following[0])):
        if call[1] == "where":
            conditions.append(call[2])
        else:
            cast = call[2]
        following = following[1:]
    found = chosen(kind, name, cast, parameter, following)
    value = grown(found.type.code, following, parameter)
    for condition in conditions:
        value = conditioned(value, condition)
    return {found.name: [value] if found.element.many else value}


def chosen(
    kind: str, name: str, cast: str | None, parameter: SearchParameter, following: list[str]
) -> Property:
    options = [p for p in TYPES[kind].properties.values() if p.element.name == name]
    if cast is not None:
        return next(p for p in options if p.type.code == cast)
    if len(options) == 1 or following:
        return options[0]
    return next(p for wish in FITS[parameter.type] for p in options if p.type.code == wish)


def conditioned(value: Any, condition: str) -> Any:
    """`value` so that it meets a `where(…)`."""
    if condition.startswith("resolve() is "):
        return {"reference": f"{condition.removeprefix('resolve() is ')}/1"}
    if condition.startswith("hasExtension("):
        url = re.findall(r"'(.*)'", condition)[0]
        return {**value, "extension": [{"url": url, "valueBoolean": True}]}
    name, _, text = condition.partition("=")
    return {**value, name: text.strip("'")}


def extended(step: str, parameter: SearchParameter) -> dict[str, Any]:
    url = step.removeprefix("extension('").removesuffix("')")
    values = {
        "string": {"valueString": "Text"},
        "token": {"valueCode": "a"},
        "reference": {"valueReference": SAMPLES["Reference"]},
    }
    return {"extension": [{"url": url, **values[parameter.type]}]}


def rows(kind: str) -> Iterator[tuple[SearchParameter, str]]:
    for parameter in REGISTRY.all(kind).values():
        simple = parameter.type not in ("composite", "special")
        if parameter.expression and simple and parameter.code not in ("_id", "_lastUpdated"):
            for arm in arms(kind, parameter.expression):
                yield parameter, arm


@pytest.mark.parametrize("kind", RESOURCE_TYPES)
def test_each_arm_of_each_parameter_finds_its_element(kind: str) -> None:
    for parameter, arm in rows(kind):
        if "exists()" in arm or ".extension.where(" in arm:
            continue
        resource = {**made(kind, arm, parameter), "resourceType": kind, "id": "1"}
        record = Record(kind, "1", 0, INDEXER.values(resource))
        has_value = satisfies(NOWHERE, record, presence(parameter))
        assert has_value, (parameter.code, arm, resource)


def test_the_arms_are_all_there() -> None:
    every = [row for kind in RESOURCE_TYPES for row in rows(kind)]
    codes = {parameter.url for parameter, _ in every}
    assert len(codes) > 1_300
