"""The one place that writes an OperationOutcome.

https://hl7.org/fhir/R4/operationoutcome.html
"""

from collections.abc import Iterable

from fhir_server.core.errors import Issue
from fhir_server.core.messages import Language
from fhir_server.core.types import JsonObject


def operation_outcome(issues: Iterable[Issue], language: Language = "en") -> JsonObject:
    """Write `issues` as a resource, in their order; an empty expression is left out."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [_issue(issue, language) for issue in issues],
    }


def _issue(issue: Issue, language: Language) -> JsonObject:
    details: JsonObject = {"text": issue.in_language(language)}
    if issue.coding is not None:
        system, code = issue.coding
        details = {"coding": [{"system": system, "code": code}], **details}
    written: JsonObject = {
        "severity": issue.severity,
        "code": issue.code,
        "details": details,
        "diagnostics": issue.in_language("en"),
    }
    if issue.expression:
        written["expression"] = list(issue.expression)
    return written
