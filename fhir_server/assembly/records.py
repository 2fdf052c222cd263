"""What the authorization server asks of the FHIR store: whether a launch context is about
anything."""

from fhir_server.access.audience import of_patients
from fhir_server.search.nodes import intersection
from fhir_server.search.plan import UNRESTRICTED, Ids, Node
from fhir_server.store.port import Reads


class StoredRecords:
    """`smart.ports.Records` over the store. The server asks for itself; who may see what it
    finds is decided at each request."""

    def __init__(self, store: Reads) -> None:
        self._store = store

    async def has(self, patient: str, encounter: str | None) -> bool:
        """Whether the patient exists, and the encounter is one of theirs."""
        if not await self._any("Patient", Ids((patient,))):
            return False
        if encounter is None:
            return True
        theirs = of_patients("Encounter", (patient,))
        return await self._any("Encounter", intersection((Ids((encounter,)), theirs)))

    async def _any(self, kind: str, where: Node) -> bool:
        return await self._store.count(kind, where, within=UNRESTRICTED) > 0
