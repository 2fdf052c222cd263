"""What the server itself says in a resource: extensions that are its alone, whatever a client
wrote there.

https://hl7.org/fhir/R4/extensibility.html
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from fhir_server.core.types import JsonObject

Said: TypeAlias = Mapping[str, JsonObject | None]
"""By URL: the whole extension; None: there is none."""


def with_said(resource: JsonObject, said: Said) -> JsonObject:
    """`resource` with these extensions, or without where they are None; others stay."""
    given: Iterable[JsonObject] = resource.get("extension", ())
    kept = [each for each in given if each.get("url") not in said]
    kept += [each for each in said.values() if each is not None]
    if kept:
        return {**resource, "extension": kept}  # in its place, where it had one
    return {name: value for name, value in resource.items() if name != "extension"}
