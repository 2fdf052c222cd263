"""The rules of contained resources: dom-2 to dom-5.

https://hl7.org/fhir/R4/references.html#contained
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from fhir_server.core.errors import Issue
from fhir_server.core.types import JsonObject
from fhir_server.fhirpath import Node
from fhir_server.validation import texts
from fhir_server.validation.targets import fragments

Inside = Mapping[str, Node]
"""The contained resources by id."""


def inside(resource: JsonObject) -> Inside:
    """What `resource` contains, as far as it has id and type; "" is the container. Made once
    for a resource."""
    own: Inside = {}
    if "resourceType" in resource:
        own = {"": (str(resource["resourceType"]), resource, None)}
    if "contained" not in resource:
        return own
    return {
        **own,
        **{
            each["id"]: (str(each["resourceType"]), each, None)
            for each in _rows(resource)
            if isinstance(each.get("id"), str) and "resourceType" in each
        },
    }


def are_sound(resource: JsonObject) -> bool:
    """Whether the contained resources surely obey and every fragment arrives; in one walk."""
    rows = _rows(resource)
    used = set(fragments(resource))
    known = {f"#{row.get('id')}" for row in rows}
    if used - {"#"} != known or len(known) < len(rows):
        return False
    return not any("contained" in row or "meta" in row for row in rows)


def issues(resource: JsonObject, path: str) -> Iterator[Issue]:
    """What is wrong with the contained resources as such; their content is not looked at."""
    rows = _rows(resource)
    used = set(fragments({k: v for k, v in resource.items() if k != "contained"}))
    used.update(each for row in rows for each in fragments(row))
    counted = Counter(row["id"] for row in rows if isinstance(row.get("id"), str))
    for place, row in enumerate(rows):
        at = f"{path}.contained[{place}]"
        yield from _identity(row, used, counted, at)
        yield from _content(row, at)


def _identity(
    row: JsonObject, used: set[str], counted: Counter[str], at: str
) -> Iterator[Issue]:
    name = row.get("id")
    if name is None:
        # It may still be met where it refers to its container (`#`).
        if "#" not in set(fragments(row)):
            yield Issue("invariant", texts.CONTAINED_WITHOUT_ID, {}, expression=(at,))
        return
    if not isinstance(name, str):
        return
    if counted[name] > 1:
        yield Issue(
            "duplicate", texts.SAME_CONTAINED_ID, {"id": name}, expression=(f"{at}.id",)
        )
    if f"#{name}" not in used and "#" not in set(fragments(row)):
        yield Issue("invariant", texts.UNREFERENCED, {"id": name}, expression=(at,))


def _content(row: JsonObject, at: str) -> Iterator[Issue]:
    if "contained" in row:
        yield Issue("invariant", texts.NESTED_CONTAINED, {}, expression=(f"{at}.contained",))
    meta = row.get("meta")
    if not isinstance(meta, dict):
        return
    if "versionId" in meta or "lastUpdated" in meta:
        yield Issue("invariant", texts.CONTAINED_VERSION, {}, expression=(f"{at}.meta",))
    if "security" in meta:
        yield Issue("invariant", texts.CONTAINED_SECURITY, {}, expression=(f"{at}.meta",))


def _rows(resource: JsonObject) -> list[dict[str, Any]]:
    rows = resource.get("contained")
    return [each for each in rows if isinstance(each, dict)] if isinstance(rows, list) else []
