"""The clinic's records behind accounts, read and written as any other resource of the store.

The server itself asks here, for somebody who has not signed in yet; what it finds is compared
and never shown.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from fhir_server.access.principal import Principal
from fhir_server.access.required import Required
from fhir_server.access.rights import UNLIMITED
from fhir_server.cabinet.accounts import matching
from fhir_server.cabinet.accounts.encounters import AskRights, no_rights, visible
from fhir_server.cabinet.accounts.matching import Claim
from fhir_server.cabinet.accounts.people import linked, new_person, stands_for
from fhir_server.cabinet.accounts.ports import Encounter, Record
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.commands import Create, Update
from fhir_server.interactions.context import Context, Services
from fhir_server.interactions.create import create
from fhir_server.interactions.update import update
from fhir_server.search.plan import UNRESTRICTED
from fhir_server.store.accounts import Account
from fhir_server.store.port import Stored

Proxies = Callable[[Account], Awaitable[Sequence[str]]]
"""Logical ids of the patients whom a person represents now."""
Consents = Callable[[str], Awaitable[Sequence[Required]]]
"""The consents that a patient (logical id) has not given."""

_CANDIDATES: Final = 20
"""Patients of one address and date of birth that are compared."""


async def nobody(_: Account) -> Sequence[str]:
    """Where there are no rules for proxies."""
    return ()


async def nothing(_: str) -> Sequence[Required]:
    """Where no consent is asked for."""
    return ()


class FhirRecords:
    """`ports.Records`."""

    def __init__(
        self,
        services: Services,
        proxies: Proxies = nobody,
        consents: Consents = nothing,
        rights: AskRights = no_rights,
    ) -> None:
        self._ctx = Context(services, UNLIMITED)
        self._proxies = proxies
        self._consents = consents
        self._rights = rights

    async def matching(self, claim: Claim) -> Sequence[JsonObject]:
        """As the port says."""
        criteria = (("email", _escaped(claim.email)), ("birthdate", f"eq{claim.birth_date}"))
        found = await self._find("Patient", criteria)
        return [each for each in found if matching.matches(each, claim)][:2]

    async def identified(self, identifiers: Sequence[tuple[str, str]]) -> Sequence[JsonObject]:
        """As the port says."""
        tokens = [f"{_escaped(system)}|{_escaped(value)}" for system, value in identifiers]
        return await self._find("Patient", (("identifier", ",".join(tokens)),))

    async def patient(self, id_: str) -> JsonObject | None:
        """As the port says."""
        store = self._ctx.services.store
        found = await store.read("Patient", id_, within=UNRESTRICTED)
        return None if found is None or found.deleted else self._parsed(found)

    async def missing_consents(self, patient: str) -> Sequence[Required]:
        """As the port says."""
        return await self._consents(patient)

    async def encounters(self, who: Principal, id_: str | None = None) -> Sequence[Encounter]:
        """As the port says."""
        return await visible(self._ctx.services, self._rights, who, id_)

    async def person(self, patient: JsonObject, email: str, level: int) -> str:
        """As the port says."""
        target = f"Patient/{patient['id']}"
        found = await self._find("Person", (("patient", target),))
        known = next((each for each in found if stands_for(each, patient)), None)
        if known is None:
            id_ = self._ctx.services.new_id()
            made = new_person(patient, email, level)
            await create(self._ctx, Create("Person", made, id=id_))
            return id_
        changed = linked(known, target, level)
        if changed != known:
            await update(self._ctx, Update("Person", str(known["id"]), changed))
        return str(known["id"])

    async def of_account(self, account: Account) -> Sequence[Record]:
        """As the port says."""
        own = () if account.patient is None else (account.patient,)
        ids = dict.fromkeys((*own, *await self._proxies(account)))
        found = [(id_, await self.patient(id_)) for id_ in ids]
        return [
            Record(id_, matching.display(each), id_ in own)
            for id_, each in found
            if each is not None
        ]

    async def _find(
        self, kind: str, criteria: tuple[tuple[str, str], ...]
    ) -> Sequence[JsonObject]:
        services = self._ctx.services
        where = services.compiler.condition(kind, criteria)
        found = await services.store.find(kind, where, limit=_CANDIDATES, within=UNRESTRICTED)
        return [self._parsed(each) for each in found]

    def _parsed(self, stored: Stored) -> JsonObject:
        return loads(stored.body, max_depth=self._ctx.services.limits.depth)


def _escaped(text: str) -> str:
    r"""https://hl7.org/fhir/R4/search.html#escaping."""
    for each in ("\\", "$", ",", "|"):
        text = text.replace(each, f"\\{each}")
    return text
