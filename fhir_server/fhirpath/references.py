"""What a reference says of its target without fetching it.

https://hl7.org/fhir/R4/references.html#literal
"""

import re
from typing import Final

from fhir_server.core.types import JsonObject
from fhir_server.fhirpath.model import Node
from fhir_server.spec.structures import RESOURCE_NAMES

# "the reference is to a RESTful service": [base/]Type/id[/_history/version]
_RESTFUL: Final = re.compile(
    r"(?:.*/)?([A-Z][A-Za-z]+)/[A-Za-z0-9.-]{1,64}(?:/_history/[A-Za-z0-9.-]{1,64})?", re.DOTALL
)


def by_text(reference: JsonObject) -> Node | None:
    """The target as a node of its type, without content; None where the type is not said.

    The type is that of the URL, else of the element `type`.
    """
    text = reference.get("reference")
    found = _RESTFUL.fullmatch(text) if type(text) is str else None
    name = found[1] if found else None
    if name not in RESOURCE_NAMES:
        name = reference.get("type")
    return (name, {}, None) if type(name) is str and name in RESOURCE_NAMES else None
