"""International Patient Access: what this server claims, and what the claim rests on.

https://hl7.org/fhir/uv/ipa/STU1/CapabilityStatement-ipa-server.html
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

SERVER: Final = "http://hl7.org/fhir/uv/ipa/CapabilityStatement/ipa-server"

_PROFILES: Final = "http://hl7.org/fhir/uv/ipa/StructureDefinition/"
_VITAL_SIGNS: Final = "http://hl7.org/fhir/StructureDefinition/vitalsigns"


class Row(NamedTuple):
    """A type: its profiles, and the search parameters that a server SHALL have for it."""

    profiles: tuple[str, ...]
    parameters: tuple[str, ...] = ()
    """Without one, reading is enough."""

    @property
    def interactions(self) -> tuple[str, ...]:
        """What a server SHALL do with the type."""
        return ("read", "search-type") if self.parameters else ("read",)


def _row(*names: str, search: str = "") -> Row:
    return Row(tuple(f"{_PROFILES}ipa-{each}" for each in names), tuple(search.split()))


PATIENT: Final = "Patient"
TYPES: Final[Mapping[str, Row]] = {
    PATIENT: _row("patient", search="_id identifier"),
    "AllergyIntolerance": _row("allergyintolerance", search="patient"),
    "Condition": _row("condition", "problem-list-item", search="patient"),
    "DocumentReference": _row("documentreference", search="_id patient category type date"),
    "Immunization": _row("immunization", search="patient"),
    "Medication": _row("medication"),
    "MedicationRequest": _row("medicationrequest", search="patient"),
    "MedicationStatement": _row("medicationstatement", search="patient"),
    "Observation": Row(
        (f"{_PROFILES}ipa-observation", _VITAL_SIGNS),
        ("patient", "category", "code", "date"),
    ),
    "Practitioner": _row("practitioner"),
    "PractitionerRole": _row("practitionerrole"),
}


def lacking(offered: Mapping[str, tuple[AbstractSet[str], AbstractSet[str]]]) -> Iterator[str]:
    """What keeps a server that offers these interactions and search parameters, by type, from
    being one of IPA. It need not have every type, but Patient and another one.

    https://hl7.org/fhir/uv/ipa/STU1/general.html
    """
    if PATIENT not in offered or len(offered.keys() & TYPES.keys()) == 1:
        yield "Patient and one more type"
    for kind, row in TYPES.items():
        if kind in offered:
            interactions, parameters = offered[kind]
            for name in (*row.interactions, *row.parameters):
                if name not in interactions | parameters:
                    yield f"{kind}/{name}"
