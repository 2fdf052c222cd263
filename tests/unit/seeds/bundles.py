"""The committed seed bundles, read once, and ways to walk them."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from fhir_server.core import wire
from fhir_server.core.types import JsonObject
from fhir_server.spec.structures import TYPES

FOLDER: Final = Path(__file__).resolve().parents[3] / "seed_bundles"
_DEPTH: Final = 50


@cache
def bundles() -> dict[str, JsonObject]:
    """By file name, in loading order."""
    return {
        path.name: wire.loads(path.read_bytes(), max_depth=_DEPTH)
        for path in sorted(FOLDER.glob("*.json"))
    }


def entries() -> Iterator[JsonObject]:
    return (entry for bundle in bundles().values() for entry in bundle["entry"])


def resources(kind: str | None = None) -> Iterator[JsonObject]:
    for entry in entries():
        if kind in {None, entry["resource"]["resourceType"]}:
            yield entry["resource"]


def numbers(kind: str, system: str) -> Iterator[tuple[JsonObject, str]]:
    """Resources of a type with their identifier of `system`."""
    for each in resources(kind):
        for found in each.get("identifier", ()):
            if found["system"] == system:
                yield each, found["value"]


def references(resource: JsonObject) -> Iterator[str]:
    """What `resource` and those it contains refer to, in the order of its elements."""
    return _references(resource, resource["resourceType"])


def _references(value: JsonObject, kind: str) -> Iterator[str]:
    if kind == "Reference" and "reference" in value:
        yield value["reference"]
    properties = TYPES[kind].properties
    for name, child in value.items():
        if name in properties:
            code = properties[name].type.code
            for each in child if isinstance(child, list) else [child]:
                yield from _within(each, code)


def _within(value: Any, code: str) -> Iterator[str]:
    if isinstance(value, dict):
        yield from _references(value, value.get("resourceType", code))
