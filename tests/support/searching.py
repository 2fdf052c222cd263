"""Searches answered in memory, so that a row says what is stored, what is asked, and whether
it matches."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from fhir_server.core.errors import FhirError
from fhir_server.search.compile import CompiledSearch, Compiler
from fhir_server.search.evaluate import Record, Resources, satisfies
from fhir_server.search.index.dates import write_dates
from fhir_server.search.index.quantities import write_quantities
from fhir_server.search.index.references import write_references, write_uris
from fhir_server.search.index.rows import Row, Writer
from fhir_server.search.index.strings import write_strings
from fhir_server.search.index.tokens import write_tokens
from fhir_server.search.limits import SearchLimits
from fhir_server.search.patients import patient_of
from fhir_server.search.plan import UNRESTRICTED, Node
from fhir_server.search.registry import Registry
from fhir_server.search.values import IndexValues
from fhir_server.spec.search_parameters import SearchType, of_type
from fhir_server.terminology.terminology import Terminology

BASE: Final = "http://example.org/fhir"
NOW: Final = 1_700_000_000_000  # 2023-11-14T22:13:20Z

TERMINOLOGY: Final = Terminology()

_WRITERS: Final[Mapping[SearchType, Writer]] = {
    "token": write_tokens,
    "string": write_strings,
    "date": write_dates,
    "number": write_quantities,
    "quantity": write_quantities,
    "reference": write_references,
    "uri": write_uris,
}


def compiler(registry: Registry | None = None, **limits: int) -> Compiler:
    return Compiler(
        registry or Registry(),
        TERMINOLOGY,
        BASE,
        now=lambda: NOW,
        limits=SearchLimits(**limits),
    )


COMPILER: Final = compiler()


def pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)


def search(kind: str, query: str, *, lenient: bool = False) -> CompiledSearch:
    return COMPILER.search((kind,), pairs(query), lenient=lenient)


def where(kind: str, query: str) -> Node:
    return search(kind, query).where[0][1]


def stored(kind: str, code: str, fhir_type: str, *values: Any) -> IndexValues:
    """What the index keeps of `values` for the parameter `code` of `kind`."""
    found = IndexValues()
    selected = [(fhir_type, value, None) for value in values]
    _WRITERS[of_type(kind)[code].type](found, Row(code, bases=(BASE,)), selected)
    found.patient = patient_of(kind, "x", found.references)
    return found


def matches(kind: str, query: str, values: IndexValues, *, at: int = NOW) -> bool:
    record = Record(kind, "x", at, values)
    return satisfies(Resources.of([record], UNRESTRICTED), record, where(kind, query))


def refusals(kind: str, query: str, *, lenient: bool = False) -> list[tuple[str, str]]:
    """(issue code, parameter) of every problem; empty when the search is taken."""
    try:
        search(kind, query, lenient=lenient)
    except FhirError as error:
        return [(issue.code, issue.expression[0]) for issue in error.issues]
    return []
