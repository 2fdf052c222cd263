"""Selectors of parameters that were posted: they keep no resource from being written.

https://hl7.org/fhir/R4/searchparameter.html
"""

from fhir_server.core.types import JsonObject
from fhir_server.fhirpath import Environment, EvaluationFault, Selected, Selector


def added(select: Selector) -> Selector:
    """`select`, which selects nothing where its expression breaks a rule of FHIRPath."""

    def selected(resource: JsonObject, env: Environment) -> list[Selected]:
        try:
            return select(resource, env)
        except EvaluationFault:
            return []

    return selected
