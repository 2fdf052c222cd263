"""The five compartments: which parameters of a type put it into one.

https://hl7.org/fhir/R4/compartmentdefinition.html
"""

from collections.abc import Mapping
from typing import Final

from fhir_server.spec.tables import load

COMPARTMENTS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    name: {kind: tuple(codes) for kind, codes in rows.items()}
    for name, rows in load("compartments").items()
}
"""Compartment type -> resource type -> search parameter codes, e.g.
`COMPARTMENTS["Patient"]["Observation"] == ("subject", "performer")`. A resource type that
is missing is never in that compartment."""
