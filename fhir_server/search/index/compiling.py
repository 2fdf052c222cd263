"""What is compiled for a resource type: the arms of its parameters' expressions.

Each distinct arm runs once for all parameters that read it.
"""

from collections.abc import Iterable

from fhir_server.core.types import JsonObject
from fhir_server.fhirpath import EvaluationFault, Selected, Selector, selector
from fhir_server.search.index.arms import arms
from fhir_server.search.index.rows import Row, Writer
from fhir_server.search.index.systems import implicit_system
from fhir_server.search.index.writers import WRITERS
from fhir_server.spec.search_parameters import BY_URL, SearchParameter

Rows = tuple[tuple[Selector, tuple[tuple[Writer, Row], ...]], ...]


def rows(kind: str, parameters: Iterable[SearchParameter], bases: tuple[str, ...]) -> Rows:
    """The arms of all simple parameters of `kind`, and who writes what each selects."""
    by_arm: dict[str, list[tuple[Writer, Row]]] = {}
    standard = set()
    for parameter in parameters:
        if parameter.type == "composite":
            continue
        for arm in arms(kind, parameter.expression or ""):
            row = Row(parameter.code, implicit_system(kind, arm), bases)
            by_arm.setdefault(arm, []).append((WRITERS[parameter.type], row))
            if parameter.url in BY_URL:
                standard.add(arm)
    return tuple(
        (selector(arm, kind) if arm in standard else _added(arm, kind), tuple(writers))
        for arm, writers in by_arm.items()
    )


def _added(arm: str, kind: str) -> Selector:
    """The selector of a parameter that was posted: it must not keep a resource from being
    written. Where its expression breaks a rule of FHIRPath, it selects nothing."""
    select = selector(arm, kind)

    def selected(resource: JsonObject) -> list[Selected]:
        try:
            return select(resource)
        except EvaluationFault:
            return []

    return selected
