"""The compartments a resource is in, from its reference index values.

https://hl7.org/fhir/R4/compartmentdefinition.html
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

from fhir_server.search.index.security_context import CODE
from fhir_server.spec.compartments import COMPARTMENTS

_ITSELF: Final = frozenset(COMPARTMENTS)
"""A patient is in the compartment of this patient, and so on."""


@cache
def _parameters(kind: str) -> Mapping[str, frozenset[str]]:
    """Search parameter of `kind` -> the compartments its targets put a resource into."""
    if kind == "Binary":  # "a proxy of the security sensitivity" of what it refers to
        return {CODE: frozenset(COMPARTMENTS)}
    codes = {code for rows in COMPARTMENTS.values() for code in rows.get(kind, ())}
    return {
        code: frozenset(
            name for name, rows in COMPARTMENTS.items() if code in rows.get(kind, ())
        )
        for code in codes
    }


def compartments_of(kind: str, id_: str | None, references: Iterable[str]) -> list[str]:
    """`Patient/p1`, `Encounter/e1`, …: the compartments a resource with these keys is in.

    The keys are those of `search.keys.reference`; other servers' open no compartment here.
    """
    found = {f"{kind}/{id_}": None} if kind in _ITSELF and id_ is not None else {}
    parameters = _parameters(kind)
    for key in references:
        code, _, target = key.partition("|")
        names = parameters.get(code)
        if names is not None and target.partition("/")[0] in names:
            found[target] = None
    return list(found)
