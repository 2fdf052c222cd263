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
    Chain,
    Compartment,
    Everything,
    Keys,
    Node,
    Not,
    Nothing,
    Or,
    Patient,
    Prefix,
)
from fhir_server.spec.interactions import ScopeLetter
from fhir_server.spec.structures import RESOURCE_TYPES

IN_RECORD: Final = Prefix("references", f"{CODE}|Patient/")
"""A Binary that names a patient as its context: it flows as that record does."""

_OF_RECORDS: Final = tuple(
    Prefix("references", f"{CODE}|{kind}/")
    for kind in RESOURCE_TYPES
    if audience.reach(kind) in ("patient", "both")
)
_CONTENT: Final = Or(
    (
        Not(Or(_OF_RECORDS)),
        *(Chain(CODE, kind, Everything()) for kind in audience.WITH_CONTENT),
    )
)
"""A Binary that is a part of another resource flows with that one: the chain carries the
Restriction of its type. One of no record is nobody's."""


def is_about_one(kind: str) -> bool:
    """Whether a resource of `kind` is about one patient, and the index says which."""
    if kind == "Patient":
        return True
    return bool(single_patient_parameters(kind)) and audience.of_patients(
        kind, ("x",)
    ) == Patient("x")


def wholly_about(kind: str, patient: str) -> Node:
    """Those of `kind`, belonging to `patient`, of which it is sure that they are about nobody
    else; where any may be about several (Appointment), none is."""
    if is_about_one(kind):
        return Everything()
    if kind == "Binary":  # which has one context
        return of_patients(kind, (patient,))
    return Patient(patient) if single_patient_parameters(kind) else Nothing()


def about_nobody(kind: str, letter: ScopeLetter) -> Node:
    """Those of `kind` that no patient's Consent governs, or that another's Restriction does."""
    if kind == "Binary":
        # A new one is judged by itself, and what it is a part of may not be there yet.
        return Not(IN_RECORD) if letter == "c" else _CONTENT
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
