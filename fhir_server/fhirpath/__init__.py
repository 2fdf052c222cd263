"""FHIRPath: expressions over FHIR resources, compiled to closures.

https://hl7.org/fhirpath/N1/
"""

from fhir_server.fhirpath.environment import Environment
from fhir_server.fhirpath.errors import (
    EvaluationFault,
    FhirPathError,
    SemanticFault,
    SyntaxFault,
)
from fhir_server.fhirpath.expression import Expression, compile  # noqa: A004 # re.compile's word
from fhir_server.fhirpath.model import Item, Node
from fhir_server.fhirpath.quantity import Quantity
from fhir_server.fhirpath.selectors import Selected, Selector, around, selector
from fhir_server.fhirpath.temporal import Temporal

__all__ = [
    "Environment",
    "EvaluationFault",
    "Expression",
    "FhirPathError",
    "Item",
    "Node",
    "Quantity",
    "Selected",
    "Selector",
    "SemanticFault",
    "SyntaxFault",
    "Temporal",
    "around",
    "compile",
    "selector",
]
