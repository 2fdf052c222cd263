"""Whether a reference may point where it points, and whether a `#fragment` arrives.

https://hl7.org/fhir/R4/references.html
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from fhir_server.core import references
from fhir_server.core.errors import Issue
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.fhirpath import Node
from fhir_server.spec.structures import RESOURCE_TYPES
from fhir_server.validation import texts

_TYPES: Final = frozenset(RESOURCE_TYPES)
_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_DEFINITIONS: Final = "http://hl7.org/fhir/StructureDefinition/"


def issues(
    value: JsonObject, allowed: tuple[str, ...], inside: Mapping[str, Node], path: str
) -> Iterator[Issue]:
    """What is wrong with a Reference; `inside` is what the resource contains, by id, "" being
    the container."""
    said = value.get("type")
    said = said.removeprefix(_DEFINITIONS) if isinstance(said, str) else None
    text = value.get("reference")
    found = _target(text, inside) if isinstance(text, str) else None
    if isinstance(text, str) and text.startswith("#") and len(text) > 1 and found is None:
        yield _issue("not-found", f"{path}.reference", texts.NOT_CONTAINED, id=text[1:])
    if isinstance(text, str) and found is None and not _leads(text):
        yield _issue("value", f"{path}.reference", texts.NO_REFERENCE, value=text[:200])
    if said in _TYPES and found is not None and said != found:
        yield _issue("value", f"{path}.type", texts.TYPE_DISAGREES, type=said, found=found)
    for name, kind in (("reference", found), ("type", said if found is None else None)):
        if allowed and kind in _TYPES and kind not in allowed:
            yield _issue(
                "value",
                f"{path}.{name}",
                texts.WRONG_TARGET,
                found=kind,
                allowed=", ".join(allowed),
            )


def _leads(text: str) -> bool:
    """Whether a text without a type of its own may lead anywhere: a URL, a urn, a fragment."""
    return text.startswith("#") or _ABSOLUTE.match(text) is not None


def _target(text: str, inside: Mapping[str, Node]) -> str | None:
    if text.startswith("#"):
        found = inside.get(text[1:])
        return None if found is None else str(found[0])
    parsed = references.parse(text)
    if parsed.type is not None:
        return parsed.type
    # A conditional reference, as transactions have it: `Patient?identifier=…`.
    kind, mark, _ = text.partition("?")
    return kind if mark and kind in _TYPES else None


def fragments(value: JsonObject) -> Iterator[str]:
    """Every string anywhere in `value` that is a fragment: `#`, `#med`."""
    waiting: list[Any] = [value]
    while waiting:
        each = waiting.pop()
        rows = each.values() if isinstance(each, dict) else each
        for row in rows:
            if isinstance(row, str):
                if row.startswith("#"):
                    yield row
            elif isinstance(row, (dict, list)):
                waiting.append(row)


def _issue(code: str, path: str, text: Text, **args: object) -> Issue:
    return Issue(code, text, args, expression=(path,))
