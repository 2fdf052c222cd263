"""The one place that writes an OperationOutcome.

https://hl7.org/fhir/R4/operationoutcome.html
"""

from collections.abc import Iterable
from typing import Final

from fhir_server.core.errors import Issue
from fhir_server.core.messages import Language
from fhir_server.core.types import JsonObject

CABINET_ERROR: Final = "https://fhir-server.example/CodeSystem/cabinet-error"
"""Rules of the cabinet, in `issue.details.coding`."""


def operation_outcome(issues: Iterable[Issue], language: Language = "en") -> JsonObject:
    """Write `issues` as a resource, in their order; an empty expression is left out."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [_issue(issue, language) for issue in issues],
    }


def _issue(issue: Issue, language: Language) -> JsonObject:
    written: JsonObject = {
        "severity": issue.severity,
        "code": issue.code,
        "details": {"text": issue.in_language(language)},
        "diagnostics": issue.in_language("en"),
    }
    if issue.detail:
        written["details"]["coding"] = [{"system": CABINET_ERROR, "code": issue.detail}]
    if issue.expression:
        written["expression"] = list(issue.expression)
    return written
