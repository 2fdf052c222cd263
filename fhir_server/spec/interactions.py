"""The RESTful interactions, as one table.

Routes, Bundle entries, the CapabilityStatement, scope checks and audit events read it;
nothing else in the package names an interaction's verb or shape.

https://hl7.org/fhir/R4/http.html#summary
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Level = Literal["instance", "type", "system"]
ScopeLetter = Literal["c", "r", "u", "d", "s"]
Shape = Literal[
    "system",
    "system/_search",
    "system/_history",
    "metadata",
    "type",
    "type/_search",
    "type/_history",
    "instance",
    "instance/_history",
    "version",
    "compartment",
    "compartment/_search",
    "operation",
    "job",
]
"""What a URL names, before the verb says what to do with it."""


@dataclass(frozen=True, slots=True)
class Interaction:
    """One row: a CapabilityStatement code and everything derived from it."""

    code: str
    """`TypeRestfulInteraction` or `SystemRestfulInteraction` code, with `conditional-…`
    `capabilities` and those of the asynchronous pattern beside them."""
    level: Level
    method: str
    shape: Shape
    scope: ScopeLetter | None
    """SMART v2 permission letter; None where entries are checked one by one."""


INTERACTIONS: Final = (
    Interaction("read", "instance", "GET", "instance", "r"),
    Interaction("vread", "instance", "GET", "version", "r"),
    Interaction("update", "instance", "PUT", "instance", "u"),
    Interaction("patch", "instance", "PATCH", "instance", "u"),
    Interaction("delete", "instance", "DELETE", "instance", "d"),
    Interaction("history-instance", "instance", "GET", "instance/_history", "r"),
    Interaction("create", "type", "POST", "type", "c"),
    Interaction("conditional-update", "type", "PUT", "type", "u"),
    Interaction("conditional-patch", "type", "PATCH", "type", "u"),
    Interaction("conditional-delete", "type", "DELETE", "type", "d"),
    Interaction("search-type", "type", "GET", "type", "s"),
    Interaction("search-type", "type", "POST", "type/_search", "s"),
    Interaction("search-type", "type", "GET", "type/_search", "s"),
    Interaction("history-type", "type", "GET", "type/_history", "s"),
    Interaction("search-compartment", "instance", "GET", "compartment", "s"),
    Interaction("search-compartment", "instance", "POST", "compartment/_search", "s"),
    Interaction("capabilities", "system", "GET", "metadata", None),
    Interaction("transaction", "system", "POST", "system", None),
    Interaction("search-system", "system", "GET", "system", "s"),
    Interaction("search-system", "system", "POST", "system/_search", "s"),
    Interaction("search-system", "system", "GET", "system/_search", "s"),
    Interaction("history-system", "system", "GET", "system/_history", "s"),
    Interaction("operation", "system", "GET", "operation", None),
    Interaction("operation", "system", "POST", "operation", None),
    Interaction("job-status", "system", "GET", "job", None),
    Interaction("job-cancel", "system", "DELETE", "job", None),
)

BY_ROUTE: Final[Mapping[tuple[str, str], Interaction]] = {
    (row.method, row.shape): row for row in INTERACTIONS
}


def methods(shape: Shape) -> tuple[str, ...]:
    """The verbs `shape` answers, for Allow; HEAD goes with GET, OPTIONS with everything."""
    found = [row.method for row in INTERACTIONS if row.shape == shape]
    return (*found, *(["HEAD"] if "GET" in found else []), "OPTIONS")
