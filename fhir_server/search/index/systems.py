"""The code system that an element of type `code` implies.

"For code … the system is implicit": it is the one its required value set draws from. Where a
value set draws from several, a code alone does not tell, and none is implied.

https://hl7.org/fhir/R4/search.html#token
"""

from collections.abc import Mapping
from functools import cache

from fhir_server.search.index.arms import element_of
from fhir_server.spec.tables import load


def implicit_system(kind: str, expression: str) -> str | None:
    """The system of the codes that `expression` over `kind` selects; a plain path only."""
    element = element_of(kind, expression)
    if element is None or element.types[0].code != "code" or element.binding is None:
        return None
    if element.binding.strength != "required":
        return None
    return _systems().get(element.binding.value_set or "")


@cache
def _systems() -> Mapping[str, str]:
    """Value set -> its only code system."""
    return {
        row["url"]: include[0]["system"]
        for row in load("value_sets")
        if len(include := row.get("compose", {}).get("include", ())) == 1
        and "system" in include[0]
    }
