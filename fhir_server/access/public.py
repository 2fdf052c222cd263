"""The directory that an operator opens to everybody: what may be read without a token.

The rights are a predicate like all others: reading and searching, of the types that were
named, and of those only what is nobody's and not labelled above normal. Chains, `_has` and
includes end where these types end.

https://hl7.org/fhir/R4/security.html#http
"""

from collections.abc import Iterable
from typing import Final

from fhir_server.access.algebra import every, without
from fhir_server.access.audience import DIRECTORY, directory
from fhir_server.access.confidentiality import at_most
from fhir_server.access.principal import Principal
from fhir_server.access.rights import Rights
from fhir_server.search import keys
from fhir_server.search.plan import Everything, Keys, Node, Restriction

OPENABLE: Final = DIRECTORY - {"Device", "SearchParameter"}
"""A device that nobody's record names may lie in somebody all the same; what search parameters
there are is told by the statement."""

ANYBODY: Final = Principal("*", ())
"""Who asks without a token, where that is open: a caller like others, whom no scope and no
client's id can name; nobody at all would be the server itself."""

INTERACTIONS: Final = frozenset({"read", "search-type"})
"""No past: what was withdrawn stays withdrawn. No Bundles and operations."""

_PART: Final[dict[str, Node]] = {
    # "Patient's residence": somebody's home
    "Location": without(Keys("tokens", (keys.token("type", None, "PTRES"),))),
}


class ClosedTypeError(Exception):
    """A type that is not to be opened; the text names it and what could be."""


def public_rights(types: Iterable[str]) -> Rights:
    """What everybody may do where `types` are open.

    Raises:
        ClosedTypeError: one of them is none of the directory, or a patient's.
    """
    closed = sorted(set(types) - OPENABLE)
    if closed:
        raise ClosedTypeError(
            f"FHIR_PUBLIC_DIRECTORY: {', '.join(closed)} cannot be opened. What can: "
            f"{', '.join(sorted(OPENABLE))}."
        )
    none, open_ = Restriction(), Restriction({each: _open(each) for each in types})
    return Rights(none, open_, none, none, open_)


def _open(kind: str) -> Node:
    node = every(directory(kind), at_most("N", unlabelled="N"))
    return every(node, _PART.get(kind, Everything()))
