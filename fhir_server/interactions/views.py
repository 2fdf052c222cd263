"""`_summary` and `_elements` on a single resource.

https://hl7.org/fhir/R4/search.html#summary
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from fhir_server.core.errors import BadValue
from fhir_server.core.messages import Text
from fhir_server.core.wire import dumps, loads
from fhir_server.interactions.commands import Pairs
from fhir_server.search.request import Summary
from fhir_server.search.subset import Subset
from fhir_server.store.port import Stored

BAD_SUMMARY: Final = Text(
    "`_summary` of one resource is true, text, data or false, not `{value}`.",
    "`_summary` одного ресурса — true, text, data или false, а не `{value}`.",
    "`_summary` одного ресурсу — true, text, data або false, а не `{value}`.",
)

_SUMMARIES: Final[Mapping[str, Summary]] = {
    "true": "true",
    "text": "text",
    "data": "data",
    "false": "false",
}


def viewed(version: Stored, pairs: Pairs, depth: int) -> Stored:
    """`version`, its body cut to what the query `pairs` asks to see.

    Raises:
        BadValue: `_summary` has no such value.
    """
    body = part(version.body, pairs, depth)
    return version if body is version.body else replace(version, body=body)


def part(body: bytes, pairs: Pairs, depth: int) -> bytes:
    """What the query `pairs` asks to see of the resource `body`; without a wish, `body`.

    Raises:
        BadValue: `_summary` has no such value.
    """
    subset = _subset(pairs) if pairs else None
    return dumps(subset.of(loads(body, max_depth=depth))) if subset else body


def _subset(pairs: Pairs) -> Subset:
    summary: Summary = "false"
    elements: list[str] = []
    for name, value in pairs:
        if name == "_summary" and value:
            if value not in _SUMMARIES:
                raise BadValue(BAD_SUMMARY, value=value[:40], expression="_summary")
            summary = _SUMMARIES[value]
        elif name == "_elements":
            elements += [each.strip() for each in value.split(",") if each.strip()]
    return Subset(summary, tuple(elements))
