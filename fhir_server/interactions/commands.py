"""Commands: what a request asks, whichever door it came through (design law 2).

HTTP, a Bundle entry, a seed file and an operation build the same records; each has one
interaction that performs it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from fhir_server.core.types import JsonObject

Pairs = tuple[tuple[str, str], ...]
"""A query as sent: decoded, in order, repeats kept."""

Change = Callable[[JsonObject], JsonObject]
"""A patch, ready to be applied; raises FhirError and leaves its argument alone."""


@dataclass(frozen=True, slots=True)
class Read:
    """https://hl7.org/fhir/R4/http.html#read."""

    type: str
    id: str
    if_none_match: str | None = None
    if_modified_since: str | None = None
    view: Pairs = ()
    """`_summary` and `_elements`; what else is here has no effect."""


@dataclass(frozen=True, slots=True)
class VRead:
    """https://hl7.org/fhir/R4/http.html#vread."""

    type: str
    id: str
    version: str
    if_none_match: str | None = None
    if_modified_since: str | None = None
    view: Pairs = ()


@dataclass(frozen=True, slots=True)
class Create:
    """https://hl7.org/fhir/R4/http.html#create and #ccreate."""

    type: str
    resource: JsonObject
    if_none_exist: Pairs | None = None
    id: str | None = None
    """The id to take where a transaction has already promised it."""


@dataclass(frozen=True, slots=True)
class Update:
    """https://hl7.org/fhir/R4/http.html#update."""

    type: str
    id: str
    resource: JsonObject
    if_match: str | None = None
    if_none_match: str | None = None


@dataclass(frozen=True, slots=True)
class ConditionalUpdate:
    """https://hl7.org/fhir/R4/http.html#cond-update."""

    type: str
    criteria: Pairs
    resource: JsonObject
    if_match: str | None = None
    id: str | None = None
    """The id to take when nothing matches and a transaction has already promised one."""


@dataclass(frozen=True, slots=True)
class Patch:
    """https://hl7.org/fhir/R4/http.html#patch."""

    type: str
    id: str
    change: Change
    if_match: str | None = None


@dataclass(frozen=True, slots=True)
class ConditionalPatch:
    """https://hl7.org/fhir/R4/http.html#patch, by search criteria."""

    type: str
    criteria: Pairs
    change: Change
    if_match: str | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """https://hl7.org/fhir/R4/http.html#delete."""

    type: str
    id: str
    if_match: str | None = None


@dataclass(frozen=True, slots=True)
class ConditionalDelete:
    """https://hl7.org/fhir/R4/http.html#3.1.0.7.1."""

    type: str
    criteria: Pairs
    if_match: str | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """https://hl7.org/fhir/R4/http.html#search; type None: the whole system."""

    type: str | None
    pairs: Pairs
    compartment: str | None = None
    """`Patient/p1` where the search is within one; type `*` is then None."""


@dataclass(frozen=True, slots=True)
class History:
    """https://hl7.org/fhir/R4/http.html#history."""

    type: str | None
    id: str | None
    pairs: Pairs


Write = (
    Create | Update | ConditionalUpdate | Patch | ConditionalPatch | Delete | ConditionalDelete
)
Command = Read | VRead | Search | History | Write
