"""Whose a Binary is: no search parameter says it, and access depends on it.

"This element identifies another resource that can be used as a proxy of the security
sensitivity to use when deciding and enforcing access control rules for the Binary resource."

https://hl7.org/fhir/R4/binary.html#security
"""

from typing import Final

from fhir_server.core.references import parse
from fhir_server.core.types import JsonObject
from fhir_server.search.values import IndexValues

CODE: Final = "-security-context"
"""Leads its reference keys; a search parameter's code never begins so."""


def write_security_context(
    values: IndexValues, resource: JsonObject, bases: tuple[str, ...]
) -> None:
    """Note what `Binary.securityContext` refers to."""
    target = resource.get("securityContext", {}).get("reference")
    if target is not None:
        values.references.append(f"{CODE}|{parse(target, *bases).target}")
