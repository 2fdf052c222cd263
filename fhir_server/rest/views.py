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
from fhir_server.interactions.results import Result
from fhir_server.search.request import Summary
from fhir_server.search.subset import Subset

BAD_SUMMARY: Final = Text(
    "`_summary` of one resource is true, text, data or false, not `{value}`.",
    "`_summary` одного ресурса — true, text, data или false, а не `{value}`.",
    "`_summary` одного ресурсу — true, text, data або false, а не `{value}`.",
)

_CODES: Final = frozenset({"read", "vread"})
_SUMMARIES: Final[Mapping[str, Summary]] = {
    "true": "true",
    "text": "text",
    "data": "data",
    "false": "false",
}


def viewed(result: Result, code: str, pairs: Pairs, depth: int) -> Result:
    """`result` of the interaction `code`, cut to what its query asks to see.

    Raises:
        BadValue: `_summary` has no such value.
    """
    if not pairs or code not in _CODES or result.version is None:
        return result
    subset = _subset(pairs)
    if not subset or not result.version.body:
        return result
    part = dumps(subset.of(loads(result.version.body, max_depth=depth)))
    return replace(result, version=replace(result.version, body=part))


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
