"""An evaluation keeps its state to itself, so that threads evaluate beside each other.

https://hl7.org/fhirpath/N1/#environment-variables
"""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest

from fhir_server.core.types import JsonObject
from fhir_server.fhirpath import compile  # noqa: A004 # re.compile's word
from fhir_server.search.indexing import Indexer
from fhir_server.search.registry import Registry
from fhir_server.search.values import IndexValues
from fhir_server.validation.validator import Validator

THREADS: Final = 4
TURNS: Final = 5


@pytest.fixture(autouse=True)
def _hurry() -> Iterator[None]:
    """Threads change places a thousand times as often as they do otherwise."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(usual / 1000)
    yield
    sys.setswitchinterval(usual)


def at_once(work: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, range(THREADS * TURNS)))


def patient(names: int) -> JsonObject:
    given = [{"family": f"F{n}", "given": [f"G{n}"]} for n in range(names)]
    links = [{"other": {"reference": f"Patient/{n}"}, "type": "seealso"} for n in range(names)]
    return {"resourceType": "Patient", "id": f"p{names}", "name": given, "link": links}


@pytest.mark.parametrize(
    "text",
    [
        "name.where($index > 100).family",
        "name.given.aggregate($total + 1, 0)",
        "name.select(family & %resource.id)",
        "name.all(family.startsWith(%resource.name.first().family.substring(0, 1)))",
        "name.defineVariable('n', family).select(%n.count())",
        "descendants().family",
    ],
)
def test_an_expression_gives_the_same_in_several_threads(text: str) -> None:
    expression = compile(text, type="Patient")
    bodies = [patient(200 + n) for n in range(THREADS * TURNS)]
    expected = [expression(body) for body in bodies]
    assert at_once(lambda n: expression(bodies[n])) == expected


def observation(components: int) -> JsonObject:
    rows = [
        {
            "code": {"coding": [{"system": "http://loinc.org", "code": f"{n}-{components}"}]},
            "valueQuantity": {"value": n, "unit": "mm", "system": "http://unitsofmeasure.org"},
        }
        for n in range(components)
    ]
    return {
        "resourceType": "Observation",
        "id": f"o{components}",
        "status": "final",
        "code": {"text": "x"},
        "contained": [{"resourceType": "Patient", "id": f"p{components}"}],
        "subject": {"reference": f"#p{components}"},
        "component": rows,
    }


def test_index_values_are_the_same_in_several_threads() -> None:
    known, fresh = Indexer(Registry()), Indexer(Registry())
    bodies = [observation(50 + n) for n in range(THREADS * TURNS)]
    expected: list[IndexValues] = [known.values(body) for body in bodies]
    # The first use compiles: threads meet there too.
    assert at_once(lambda n: fresh.values(bodies[n])) == expected


def questionnaire(*, broken: bool) -> JsonObject:
    items = [
        {"linkId": f"g{n}", "type": "group", "item": [leaf("0" if broken else str(n))]}
        for n in range(20)
    ]
    return {"resourceType": "Questionnaire", "status": "draft", "item": items}


def leaf(name: str) -> JsonObject:
    return {"linkId": name, "type": "display", "text": "x"}


def test_a_verdict_is_the_same_in_several_threads() -> None:
    validator = Validator()
    bodies = [questionnaire(broken=n % 3 == 0) for n in range(THREADS * TURNS)]
    found = at_once(lambda n: validator.validate(bodies[n], "Questionnaire"))
    errors = [[i.args["key"] for i in row if i.severity == "error"] for row in found]
    assert errors == [["que-2"] if n % 3 == 0 else [] for n in range(THREADS * TURNS)]
