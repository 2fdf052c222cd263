"""Which invariants are asked of a type or an element.

https://hl7.org/fhir/R4/conformance-rules.html#constraints
"""

from functools import cache
from typing import Final

from fhir_server.spec.structures import TYPES, Constraint
from fhir_server.validation.errata import corrected

#: Judged without FHIRPath: by the walker, by `contained`, `targets` and `narrative`.
NATIVE: Final = frozenset(
    {"ele-1", "ext-1", "ref-1", "dom-2", "dom-3", "dom-4", "dom-5", "txt-1", "txt-2"}
)

SIMPLE_QUANTITY: Final = "http://hl7.org/fhir/StructureDefinition/SimpleQuantity"
"""The one profile that types of the base standard ask for."""

COMPARATOR: Final = Constraint(
    "sqty-1", "error", "The comparator is not used on a SimpleQuantity", "comparator.empty()"
)


@cache
def of(name: str) -> tuple[Constraint, ...]:
    """The invariants FHIRPath answers, of a type (`Period`, `Patient.contact`) or, by its
    path, of an element (`Organization.telecom`); corrected where HL7's are wrong."""
    kind = TYPES.get(name)
    if kind is not None and kind.kind != "backbone":
        rows = kind.constraints
    else:
        # The invariants of a backbone element stand on the element, not on its type.
        rows = _on_elements().get(name, ())
    kept = [corrected(each) for each in rows if each.key not in NATIVE]
    return tuple(each for each in kept if each.expression)


def errors_of(name: str) -> tuple[Constraint, ...]:
    """Those of `of` that a resource may not break."""
    return tuple(each for each in of(name) if each.severity == "error")


@cache
def _on_elements() -> dict[str, tuple[Constraint, ...]]:
    return {
        element.path: element.constraints
        for each in TYPES.values()
        for element in each.elements
        if element.constraints
    }
