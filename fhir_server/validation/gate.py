"""The fast yes: JSON Schemas that accept only what is surely valid.

A refusal proves nothing; the walker judges what is refused here. What the schemas leave open
(`residual` invariants, narrative, nested resources) is the second pass's.

https://json-schema.org/draft/2020-12
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

import jsonschema_rs

from fhir_server.core.types import JsonObject
from fhir_server.spec.tables import load
from fhir_server.validation import extensions

Gate = Callable[[JsonObject], bool]

_PREFIX: Final = "#/$defs/"
_FRAGMENT: Final = r"^(?:#[A-Za-z0-9\-.]{1,64}|"


class _Whole:
    """The keyword `whole`: JSON Schema calls 1.0 an integer, FHIR does not."""

    def __init__(self, parent: object, value: object, path: object) -> None:
        """Called by jsonschema-rs for each use of the keyword; there is nothing to keep."""

    def validate(self, instance: object) -> None:
        """Raise where the number has a fraction, were it zero."""
        if not isinstance(instance, int):
            raise TypeError(instance)


class _Defined:
    """The keyword `defined`: an extension of R4's obeys its definition."""

    def __init__(self, parent: object, value: object, path: object) -> None:
        """As for `_Whole`."""

    def validate(self, instance: object) -> None:
        """Raise where it does not, or may not."""
        if isinstance(instance, dict) and not extensions.is_sound(instance):
            raise ValueError(instance)


@cache
def gate(kind: str, *, fragments: bool = False) -> Gate:
    """Whether a resource of type `kind` is surely valid in all that a schema can say.

    `fragments` lets references point into the resource (`#med`), as those of a resource that
    contains others do; whether they arrive is then still to be seen.
    """
    definitions = load("schemas")["defs"]
    names = _reachable(kind, definitions)
    schemas = {name: definitions[name] for name in sorted(names)}
    schemas["Extension"] = definitions["Extension"] | {"defined": True}
    if fragments:
        schemas = {name: _with_fragments(name, each) for name, each in schemas.items()}
    return jsonschema_rs.Draft202012Validator(
        {"$ref": f"{_PREFIX}{kind}", "$defs": schemas},
        pattern_options=jsonschema_rs.RegexOptions(),
        keywords={"whole": _Whole, "defined": _Defined},
        offline=True,
    ).is_valid


def residual(name: str) -> frozenset[str]:
    """The keys of the invariants of a type or element that its schema does not check."""
    return frozenset(load("schemas")["residual"].get(name, ()))


def _reachable(kind: str, definitions: JsonObject) -> set[str]:
    seen: set[str] = set()
    waiting = [kind]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(_references(definitions[name]))
    return seen


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            if key == "$ref":
                yield each.removeprefix(_PREFIX)
            else:
                yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)


def _with_fragments(name: str, schema: JsonObject) -> JsonObject:
    if name.partition(".")[0] != "Reference" or "reference" not in schema["properties"]:
        return schema
    text = schema["properties"]["reference"]
    if "pattern" not in text:
        return schema
    pattern = text["pattern"].replace("^(?:", _FRAGMENT, 1)
    properties = schema["properties"] | {"reference": text | {"pattern": pattern}}
    return schema | {"properties": properties}
