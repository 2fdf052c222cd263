"""By which way an Appointment was booked, and by whom: access depends on it.

The keys are those of parameters `booking-channel` (token) and `booked-by` (reference). They
are written whether such parameters are defined or not: what a caller may see does not hang on
a definition that an operator can take away.

https://hl7.org/fhir/R4/appointment.html
"""

from typing import Final

from fhir_server.core.references import parse
from fhir_server.core.types import JsonObject
from fhir_server.search import keys
from fhir_server.search.values import IndexValues

_DEFINITION: Final = "https://fhir-server.example/StructureDefinition/"
CHANNEL: Final = f"{_DEFINITION}booking-channel"
"""valueCode."""
BOOKED_BY: Final = f"{_DEFINITION}booked-by"
"""valueReference."""


def write_booking(values: IndexValues, resource: JsonObject, bases: tuple[str, ...]) -> None:
    """Note the channel and the user of a booking."""
    for each in resource.get("extension", ()):
        code, named = each.get("valueCode"), each.get("valueReference", {}).get("reference")
        if each.get("url") == CHANNEL and code is not None:
            for system in ("", None):
                _add(values.tokens, keys.token("booking-channel", system, code))
        elif each.get("url") == BOOKED_BY and named is not None:
            key = keys.reference("booked-by", parse(named, *bases).target)
            _add(values.references, key)


def _add(known: list[str], key: str) -> None:
    if key not in known:
        known.append(key)
