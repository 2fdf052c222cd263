"""The terminology of this moment: HL7's own, and what is stored on the server by now.

https://hl7.org/fhir/R4/terminology-module.html
"""

from collections.abc import Iterable

from fhir_server.core.types import JsonObject
from fhir_server.terminology.expansions import Expansion
from fhir_server.terminology.terminology import Terminology


class CurrentTerminology:
    """Stands for a Terminology that is replaced as a whole when resources change."""

    def __init__(self, standard: Terminology) -> None:
        self._standard = standard
        self._current = standard

    def learn(self, resources: Iterable[JsonObject]) -> None:
        """Know exactly these CodeSystems and ValueSets beside the standard's."""
        self._current = self._standard.with_resources(resources)

    def expand(self, value_set: str) -> Expansion:
        """As `Terminology.expand`."""
        return self._current.expand(value_set)

    def ancestors(self, system: str, code: str) -> frozenset[str]:
        """As `Terminology.ancestors`."""
        return self._current.ancestors(system, code)

    def descendants(self, system: str, code: str) -> frozenset[str]:
        """As `Terminology.descendants`."""
        return self._current.descendants(system, code)
