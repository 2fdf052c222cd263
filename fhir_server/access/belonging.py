"""Whose Consents a resource is under, as predicates.

`audience` says what belongs to a patient; here it is said of many at once, and of none.

https://hl7.org/fhir/R4/compartmentdefinition-patient.html
"""

from collections.abc import Sequence
from typing import Final

from fhir_server.access import audience
from fhir_server.access.algebra import either
from fhir_server.search import keys
from fhir_server.search.index.security_context import CODE
from fhir_server.search.patients import single_patient_parameters
from fhir_server.search.plan import (
    Compartment,
    Everything,
    Keys,
    Node,
    Not,
    Nothing,
    Patient,
    Prefix,
)

_CONTEXT: Final = Not(Prefix("references", f"{CODE}|Patient/"))
"""A Binary that is a part of another resource flows with that one: its chain carries the
Restriction of the other type."""


def is_about_one(kind: str) -> bool:
    """Whether a resource of `kind` is about one patient, and the index says which."""
    if kind == "Patient":
        return True
    return bool(single_patient_parameters(kind)) and audience.of_patients(
        kind, ("x",)
    ) == Patient("x")


def about_nobody(kind: str) -> Node:
    """Those of `kind` that no patient's Consent governs."""
    if kind == "Binary":
        return _CONTEXT
    if isinstance(audience.of_patients(kind, ("x",)), Nothing):
        return Everything()
    of_others = audience.OWN_RULES.get(kind)
    if of_others is not None:
        return Not(Prefix("references", f"{of_others}|Patient/"))
    return audience.directory(kind)


def of_patients(kind: str, ids: Sequence[str]) -> Node:
    """Those of `kind` that belong to any of these patients."""
    if kind == "Binary":
        return Compartment(tuple(f"Patient/{each}" for each in ids)) if ids else Nothing()
    if len(ids) < 2 or kind == "Patient" or not is_about_one(kind):  # noqa: PLR2004  # one
        return either(audience.of_patients(kind, ids))
    found = tuple(keys.reference("patient", f"Patient/{each}") for each in ids)
    return Keys("references", found)
