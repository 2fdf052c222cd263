"""R4's search parameters and this server's own, by resource type and code.

https://hl7.org/fhir/R4/searchparameter-registry.html
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

from fhir_server.spec.structures import lineage
from fhir_server.spec.tables import load

SearchType = Literal[
    "number", "date", "string", "token", "reference", "composite", "quantity", "uri", "special"
]


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a composite parameter."""

    definition: str
    """Canonical of the part's own parameter."""
    expression: str
    """FHIRPath relative to what the composite's expression selects."""


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """One search parameter; the same object for every type it is defined on."""

    url: str
    code: str
    type: SearchType
    base: tuple[str, ...]
    expression: str | None
    """FHIRPath over the resource; None where the meaning stands in prose only."""
    targets: tuple[str, ...] = ()
    """Of a reference: the types it may point to."""
    components: tuple[Component, ...] = ()


def read(row: Mapping[str, Any]) -> SearchParameter:
    """A SearchParameter resource as the record the search works with."""
    return SearchParameter(
        url=row["url"],
        code=row["code"],
        type=row["type"],
        base=tuple(row["base"]),
        expression=row.get("expression"),
        targets=tuple(row.get("target", ())),
        components=tuple(
            Component(each["definition"], each["expression"])
            for each in row.get("component", ())
        ),
    )


#: The package carries two examples among the definitions; one would shadow `_id`.
_EXAMPLES: Final = "http://hl7.org/fhir/SearchParameter/example"

_CHANNEL: Final = "https://fhir-server.example/StructureDefinition/booking-channel"
_OWN: Final = (
    SearchParameter(
        url="https://fhir-server.example/SearchParameter/booking-channel",
        code="booking-channel",
        type="token",
        base=("Appointment", "Slot"),
        expression=" | ".join(
            f"{kind}.extension.where(url = '{_CHANNEL}').value"
            for kind in ("Appointment", "Slot")
        ),
    ),
)
"""This server's own, beside R4's."""

ALL: Final = (
    *(read(row) for row in load("search_parameters") if not row["url"].startswith(_EXAMPLES)),
    *_OWN,
)
BY_URL: Final[Mapping[str, SearchParameter]] = {each.url: each for each in ALL}


@cache
def _by_base() -> Mapping[str, Mapping[int, SearchParameter]]:
    """The parameters by each type that they name, and by their places in `ALL`."""
    found: defaultdict[str, dict[int, SearchParameter]] = defaultdict(dict)
    for place, each in enumerate(ALL):
        for base in each.base:
            found[base][place] = each
    return found


@cache
def of_type(name: str) -> Mapping[str, SearchParameter]:
    """The parameters of resource type `name` by code, those of all resources included."""
    found: dict[int, SearchParameter] = {}
    for base in lineage(name):
        found.update(_by_base().get(base, {}))
    return {found[place].code: found[place] for place in sorted(found)}
