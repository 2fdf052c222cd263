"""One table for `IndexValues.patient`, and for the searches that may use it.

https://hl7.org/fhir/R4/compartmentdefinition-patient.html
"""

import pytest

from fhir_server.search.patients import patient_of, single_patient_parameters
from tests.support.searching import matches, stored


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        ("Observation", {"patient", "subject"}),
        ("Coverage", {"patient", "beneficiary"}),
        ("Immunization", {"patient"}),
        ("Task", {"patient", "subject"}),
        ("AppointmentResponse", {"actor", "patient", "location", "practitioner"}),
        ("Appointment", set()),
        ("AuditEvent", set()),
        ("Provenance", set()),
        ("Patient", set()),
        ("Practitioner", set()),
    ],
)
def test_the_codes_read_one_element(kind: str, codes: set[str]) -> None:
    assert single_patient_parameters(kind) >= (codes & {"patient", "subject", "beneficiary"})
    assert bool(single_patient_parameters(kind)) is bool(codes)


@pytest.mark.parametrize(
    ("kind", "references", "patient"),
    [
        ("Observation", ["subject|Patient/p1", "patient|Patient/p1"], "p1"),
        ("Observation", ["subject|Group/g1", "performer|Patient/p1"], None),
        ("Observation", ["patient|https://other.org/Patient/p1"], None),
        ("Appointment", ["patient|Patient/p1"], None),
        ("Patient", [], "x"),
        ("Organization", [], None),
    ],
)
def test_the_patient_comes_from_that_element(
    kind: str, references: list[str], patient: str | None
) -> None:
    assert patient_of(kind, "x", references) == patient


@pytest.mark.parametrize("query", ["subject=Patient/p1", "subject:Patient=p1"])
def test_index_and_search_agree(query: str) -> None:
    value = {"reference": "Patient/p1"}
    values = stored("Observation", "subject", "Reference", value)
    values.patient = patient_of("Observation", "x", ["patient|Patient/p1"])
    assert matches("Observation", query, values)
