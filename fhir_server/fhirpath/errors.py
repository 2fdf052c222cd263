"""What can be wrong with a FHIRPath expression, or with evaluating it.

* FhirPathError    400, a BadValue
  - SyntaxFault       outside the grammar, or beyond a limit of this server
  - SemanticFault     names an element, type or function that does not exist
  - EvaluationFault   meets values an operation is not defined for

https://hl7.org/fhirpath/N1/
"""

from typing import Final

from fhir_server.core.errors import BadValue
from fhir_server.core.messages import Text


class FhirPathError(BadValue):
    """Base of the three."""


class SyntaxFault(FhirPathError):
    """The text is not FHIRPath."""


class SemanticFault(FhirPathError):
    """The expression cannot mean anything for the type it is compiled for."""


class EvaluationFault(FhirPathError):
    """The values met break a rule of the operation."""


SEVERAL: Final = Text(
    "FHIRPath: {what} expects one item, got {count}.",
    "FHIRPath: {what} ожидает один элемент, получено {count}.",
    "FHIRPath: {what} очікує один елемент, отримано {count}.",
)
MISFIT: Final = Text(
    "FHIRPath: {what} is not defined for {kind}.",
    "FHIRPath: {what} не определено для {kind}.",
    "FHIRPath: {what} не визначено для {kind}.",
)
