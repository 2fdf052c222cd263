"""Which resources a person who is a patient may reach, type by type.

Three tables: what belongs to a patient, what is a directory that everybody who signed in may
read, and everything else, which patients do not reach at all. A type in no table is in the
last one.

https://hl7.org/fhir/R4/compartmentdefinition-patient.html
"""

from collections.abc import Iterator, Sequence
from typing import Final

from fhir_server.search.index.security_context import CODE
from fhir_server.search.nodes import intersection, union
from fhir_server.search.patients import single_patient_parameters
from fhir_server.search.plan import (
    And,
    Chain,
    Compartment,
    Everything,
    Ids,
    Keys,
    Node,
    Not,
    Nothing,
    Only,
    Or,
    Patient,
    Prefix,
)
from fhir_server.spec.compartments import COMPARTMENTS
from fhir_server.spec.structures import RESOURCE_TYPES

OWN_RULES: Final = {"Contract": "patient", "VerificationResult": "target"}
"""Types outside the compartment that are about a patient all the same: the reference
parameter that says about whom. Those about at most one (Task, Device) need no row: the index
knows their patient."""

READ_ONLY: Final = frozenset({
    "AuditEvent", "CodeSystem", "Person", "PractitionerRole", "Provenance", "SearchParameter",
    "ValueSet", "VerificationResult",
})  # fmt: skip
"""What no person writes, staff neither: evidence of what others did or verified, who is who and
works where, and what the server itself follows (parameters and codes of searches). Who could
link an account to a patient, verify a relation, or take a role at an organization that a
Consent names, would open that record to themselves, past every Consent."""

_ADDRESSED: Final = frozenset({"Communication", "CommunicationRequest"})
"""About a patient, or about nobody and from or to one."""

_ACCOUNTS: Final = frozenset({"Person"})
"""In several compartments at once: a parent's account names the children. It is read as the
user's own resource and not as a patient's."""

DIRECTORY: Final = frozenset({
    "ActivityDefinition", "CapabilityStatement", "CatalogEntry", "ChargeItemDefinition",
    "CodeSystem", "CompartmentDefinition", "ConceptMap", "Device", "DeviceDefinition",
    "Endpoint", "EventDefinition", "GraphDefinition", "HealthcareService",
    "ImplementationGuide", "InsurancePlan", "Library", "Location", "Measure", "Medication",
    "MedicationKnowledge", "MessageDefinition", "NamingSystem", "ObservationDefinition",
    "OperationDefinition", "Organization", "OrganizationAffiliation", "PlanDefinition",
    "Practitioner", "PractitionerRole", "Questionnaire", "Schedule", "SearchParameter", "Slot",
    "SpecimenDefinition", "StructureDefinition", "StructureMap", "Substance",
    "TerminologyCapabilities", "ValueSet",
})  # fmt: skip
"""Of a clinic and not of a patient; readable with any patient's or user's scope."""

WITH_CONTENT: Final = ("DocumentReference", "DiagnosticReport", "Media", "Communication")
"""What a Binary may name as its security context besides the patient."""

_PUBLIC_PART: Final[dict[str, Node]] = {
    "Device": Not(Prefix("references", "patient|")),
    "Schedule": Not(Prefix("references", "actor|Patient/")),
}
"""Directory types of which some are a patient's: only what is nobody's is for everybody."""


def of_patients(kind: str, ids: Sequence[str]) -> Node:
    """Those of `kind` that belong to one of the patients `ids`, and to nobody else.

    An Observation that one patient made of another is about the other: it is not in here.
    """
    if not ids or kind in _ACCOUNTS:
        return Nothing()
    if kind == "Patient":
        return Ids(tuple(ids))
    names = tuple(f"Patient/{id_}" for id_ in ids)
    if single_patient_parameters(kind):
        about = union(Patient(id_) for id_ in ids)
        if kind not in _ADDRESSED:
            return about
        nobody = Not(Prefix("references", "patient|Patient/"))
        return union((about, And((Compartment(names), nobody))))
    if kind == "Binary":
        return Or((Compartment(names), *_content_of(ids)))
    if kind in COMPARTMENTS["Patient"]:
        return Compartment(names)
    code = OWN_RULES.get(kind)
    if code is None:
        return Nothing()
    return Keys("references", tuple(f"{code}|{name}" for name in names))


def of_patients_alone(kind: str, ids: Sequence[str]) -> Node:
    """The part of `of_patients` that is about no other patient: what they may write.

    Who is among the participants of an Appointment may read it; if that were enough to write,
    anybody could put an appointment, a bill or a message into a stranger's record.
    """
    names = tuple(f"Patient/{id_}" for id_ in ids)
    alone = (
        Only(f"{code}|Patient/", tuple(f"{code}|{name}" for name in names))
        for code in _SHARED.get(kind, ())
    )
    found = of_patients(kind, ids)
    return found if isinstance(found, Nothing) else intersection((found, *alone))


def _shared() -> Iterator[tuple[str, tuple[str, ...]]]:
    for kind in RESOURCE_TYPES:
        codes = COMPARTMENTS["Patient"].get(kind, ())
        if kind in OWN_RULES:
            yield kind, (OWN_RULES[kind],)
        elif kind in _ADDRESSED or (codes and not single_patient_parameters(kind)):
            yield kind, tuple(codes)


_SHARED: Final = {kind: codes for kind, codes in _shared() if kind != "Patient"}
"""Types that can be about several patients, and the reference parameters that name them. Of a
Patient the compartment's are links, which make it nobody else's."""


def _content_of(ids: Sequence[str]) -> Iterator[Node]:
    """The Binaries that say that they are a part of what belongs to the patients."""
    for kind in WITH_CONTENT:
        yield Chain(CODE, kind, of_patients(kind, ids))


def directory(kind: str) -> Node:
    """Those of `kind` that everybody who signed in may read."""
    if kind not in DIRECTORY:
        return Nothing()
    return _PUBLIC_PART.get(kind, Everything())


def reach(kind: str) -> str:
    """`patient`, `directory`, `both` or `none`: the row of `kind`, for documents and tests."""
    belongs = not isinstance(of_patients(kind, ("x",)), Nothing)
    is_listed = kind in DIRECTORY
    if belongs and is_listed:
        return "both"
    return "patient" if belongs else "directory" if is_listed else "none"


TYPES: Final = tuple((kind, reach(kind)) for kind in RESOURCE_TYPES)
"""Every type of R4 with its row."""
