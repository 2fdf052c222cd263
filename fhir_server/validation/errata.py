"""Invariants of R4 that are wrong as HL7 published them, and what is asked instead.

https://hl7.org/fhir/R4/conformance-rules.html#constraints
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from fhir_server.spec.structures import Constraint


@dataclass(frozen=True, slots=True)
class Erratum:
    """One correction."""

    expression: str | None
    """What is asked instead; None: the invariant is not asked at all."""
    reason: str


ERRATA: Final[Mapping[str, Erratum]] = {
    "app-4": Erratum(
        "cancelationReason.exists() implies (status = 'no-show' or status = 'noshow'"
        " or status = 'cancelled')",
        "the invariant says `no-show`, the code is `noshow`: both are accepted",
    ),
    "que-7": Erratum(
        "operator = 'exists' implies (answer is boolean)",
        "the answer is a FHIR boolean; `Boolean` would be FHIRPath's System.Boolean",
    ),
    "tim-9": Erratum(
        "offset.empty() or (when.exists() and when.where($this = 'C' or $this = 'CM'"
        " or $this = 'CD' or $this = 'CV').empty())",
        "`when` repeats, and the left side of `in` may have one item only",
    ),
}


def corrected(each: Constraint) -> Constraint:
    """The invariant as this server asks it."""
    erratum = ERRATA.get(each.key)
    return replace(each, expression=erratum.expression) if erratum else each
