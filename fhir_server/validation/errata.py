"""Invariants of R4 that are wrong as HL7 published them, and what is asked instead.

An invariant whose result is empty is not obeyed, as HL7's own validator has it; where HL7 did
not mean that, the invariant stands here.

https://hl7.org/fhir/R4/conformance-rules.html#constraints
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from fhir_server.spec.structures import Constraint


@dataclass(frozen=True, slots=True)
class Erratum:
    """One correction."""

    key: str
    published: str
    """The expression as HL7 has it; keys are not unique (`inv-1` is given three times)."""
    expression: str
    """What is asked instead."""
    reason: str


_UNKNOWN_ORDER: Final = (
    "of different precision or units the order may be unknown, which is no violation"
)
_ABSENT: Final = "a value that is absent, with an extension that says why, is not negative"

ERRATA: Final = (
    Erratum(
        "app-4",
        "Appointment.cancelationReason.exists() implies (Appointment.status='no-show' or "
        "Appointment.status='cancelled')",
        "cancelationReason.exists() implies (status = 'no-show' or status = 'noshow' or "
        "status = 'cancelled')",
        "the invariant says `no-show`, the code is `noshow`: both are accepted",
    ),
    Erratum(
        "per-1",
        "start.hasValue().not() or end.hasValue().not() or (start <= end)",
        "start.hasValue().not() or end.hasValue().not() or (start <= end) or "
        "(start <= end).empty()",
        _UNKNOWN_ORDER,
    ),
    Erratum(
        "rng-2",
        "low.empty() or high.empty() or (low <= high)",
        "low.value.hasValue().not() or high.value.hasValue().not() or (low <= high) or "
        "(low <= high).empty()",
        _UNKNOWN_ORDER,
    ),
    Erratum(
        "tim-4",
        "duration.exists() implies duration >= 0",
        "duration.hasValue() implies duration >= 0",
        _ABSENT,
    ),
    Erratum(
        "tim-5",
        "period.exists() implies period >= 0",
        "period.hasValue() implies period >= 0",
        _ABSENT,
    ),
    Erratum(
        "mdd-1",
        "whenHandedOver.empty() or whenPrepared.empty() or whenHandedOver >= whenPrepared",
        "whenHandedOver.hasValue().not() or whenPrepared.hasValue().not() or "
        "whenHandedOver >= whenPrepared or (whenHandedOver >= whenPrepared).empty()",
        _UNKNOWN_ORDER,
    ),
    Erratum(
        "inv-1",
        "lastModified.exists().not() or authoredOn.exists().not() or "
        "lastModified >= authoredOn",
        "lastModified.hasValue().not() or authoredOn.hasValue().not() or "
        "lastModified >= authoredOn or (lastModified >= authoredOn).empty()",
        _UNKNOWN_ORDER,
    ),
    Erratum(
        "bdl-8",
        "fullUrl.contains('/_history/').not()",
        "fullUrl.empty() or fullUrl.contains('/_history/').not()",
        "an entry without a fullUrl breaks nothing",
    ),
    Erratum(
        "md-1",
        "max='*' or (max.toInteger() > 0)",
        "max.empty() or max = '*' or max.toInteger() > 0",
        "a focus without a max breaks nothing",
    ),
    Erratum(
        "que-7",
        "operator = 'exists' implies (answer is Boolean)",
        "operator = 'exists' implies (answer is boolean)",
        "the answer is a FHIR boolean; `Boolean` is FHIRPath's System.Boolean",
    ),
    Erratum(
        "ras-2",
        "probability is decimal implies (probability as decimal) <= 100",
        "probability.hasValue().not() or (probability is decimal implies "
        "(probability as decimal) <= 100)",
        "without a probability the result is empty, and HL7's own example has none",
    ),
    Erratum(
        "tim-9",
        "offset.empty() or (when.exists() and ((when in ('C' | 'CM' | 'CD' | 'CV')).not()))",
        "offset.empty() or (when.exists() and when.where($this = 'C' or $this = 'CM' or "
        "$this = 'CD' or $this = 'CV').empty())",
        "`when` repeats, and the left side of `in` may have one item only",
    ),
)

_NAME: Final = "name.matches('[A-Z]([A-Za-z0-9_]){0,254}')"
"""Forty warnings (adf-0, csd-0, …) on names for programs; one that is absent breaks none."""

_BY_EXPRESSION: Final[Mapping[str, str]] = {
    _NAME: f"name.empty() or {_NAME}",
    **{each.published: each.expression for each in ERRATA},
}


def corrected(each: Constraint) -> Constraint:
    """The invariant as this server asks it."""
    expression = _BY_EXPRESSION.get(each.expression or "")
    return replace(each, expression=expression) if expression else each
