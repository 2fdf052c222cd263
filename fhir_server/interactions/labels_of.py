"""The security labels of stored versions, for what is told of these elsewhere.

Who may not see a resource for its labels should not learn from its Provenance, or from the
audit, that there is one.

https://hl7.org/fhir/R4/security-labels.html
"""

from collections.abc import Iterable
from typing import Final

from fhir_server.access.codings import Coding, codings
from fhir_server.core.wire import loads
from fhir_server.store.port import Stored

_SECURITY: Final = b'"security"'
_UNBOUNDED: Final = 10_000  # levels; what is stored has passed the limit when it came in


def labels_of(versions: Iterable[Stored]) -> tuple[Coding, ...]:
    """Of all of them together, each once; of a deletion none."""
    found: dict[Coding, None] = {}
    for each in versions:
        if has_labels(each):
            meta = loads(each.body, max_depth=_UNBOUNDED)["meta"]
            found |= dict.fromkeys(codings({"coding": meta.get("security", ())}))
    return tuple(found)


def has_labels(version: Stored) -> bool:
    """Whether security labels may stand in the version's `meta`."""
    return _SECURITY in version.body
