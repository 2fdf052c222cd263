"""What the server itself says in a resource, whatever a client wrote there.

https://hl7.org/fhir/R4/extensibility.html
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from fhir_server.core.types import JsonObject

Extensions: TypeAlias = Mapping[str, JsonObject | None]
"""By URL: the whole extension; None: there is none."""


@dataclass(frozen=True, slots=True)
class Said:
    """Nothing, unless more is told."""

    extensions: Extensions = field(default_factory=dict)
    elements: Mapping[str, Any] = field(default_factory=dict)
    """By name: the whole element."""

    def __or__(self, other: "Said") -> "Said":
        """Both; of what both say `other` is right."""
        return Said(
            {**self.extensions, **other.extensions}, {**self.elements, **other.elements}
        )

    def __bool__(self) -> bool:
        return bool(self.extensions or self.elements)


def with_said(resource: JsonObject, said: Said) -> JsonObject:
    """`resource` with what is said; the rest of it stays."""
    return with_extensions({**resource, **said.elements}, said.extensions)


def with_extensions(resource: JsonObject, said: Extensions) -> JsonObject:
    """`resource` with these extensions, or without where they are None; others stay."""
    given: Iterable[JsonObject] = resource.get("extension", ())
    kept = [each for each in given if each.get("url") not in said]
    kept += [each for each in said.values() if each is not None]
    if kept:
        return {**resource, "extension": kept}  # in its place, where it had one
    return {name: value for name, value in resource.items() if name != "extension"}
