"""Whose a Provenance is: R5 has an element for it, R4 the same as an extension.

R4's own parameter `patient` knows a Provenance about the Patient alone, so that the one about
an Observation would be in nobody's record.

https://hl7.org/fhir/R5/provenance-definitions.html#Provenance.patient
"""

from typing import Final

from fhir_server.core.references import parse
from fhir_server.core.types import JsonObject
from fhir_server.search.values import IndexValues

EXTENSION: Final = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Provenance.patient"
_PATIENT: Final = "Patient/"


def write_provenance_patient(
    values: IndexValues, resource: JsonObject, bases: tuple[str, ...]
) -> None:
    """Note the Patient that the extension refers to as `patient`."""
    for each in resource.get("extension", ()):
        if each.get("url") == EXTENSION:
            target = parse(each.get("valueReference", {}).get("reference", ""), *bases).target
            key = f"patient|{target}"
            if target.startswith(_PATIENT) and key not in values.references:
                values.references.append(key)
