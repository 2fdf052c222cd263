"""Who is told of a visit: the patient, who booked for the patient, the parents of a child.

Whether each of them may see the visit is not decided here.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from fhir_server.access.principal import Principal
from fhir_server.access.proxies import Represented
from fhir_server.cabinet.booking.visits import Visit
from fhir_server.cabinet.notices.addresses import email_of, number_of
from fhir_server.cabinet.notices.bearers import Bearers, of_patient
from fhir_server.cabinet.notices.kinds import Kind
from fhir_server.cabinet.notices.preferences import Way, ways
from fhir_server.core import references
from fhir_server.core.messages import Language
from fhir_server.core.types import JsonObject
from fhir_server.interactions.facts import Facts
from fhir_server.interactions.notices import find_language
from fhir_server.search.plan import Ids
from fhir_server.store.accounts import Account
from fhir_server.store.outgoing import WHOSE, Occasion

Acting = Callable[[Sequence[JsonObject]], Awaitable[Sequence[Represented]]]
"""What each of these RelatedPersons lets its person do now."""

_BY_LAW: Final = frozenset({"parent", "guardian"})
_USUAL: Final[tuple[Way, ...]] = ("email", "sms")
"""Of who said nothing: the first one that there is an address for."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who may be told."""

    principal: Principal
    account: Account | None
    profile: JsonObject | None
    """The own Patient or Person."""
    language: Language
    addresses: dict[Way, str]
    is_patient: bool

    @property
    def id(self) -> str:
        """Of the account; else the reference of the patient."""
        return self.principal.user or "" if self.account is None else self.account.id

    def chosen(self, kind: Kind) -> Sequence[tuple[Way, str]]:
        """Ways and addresses by which this person is told of `kind`."""
        said = ways(self.profile, kind)
        if said is not None:
            return [(way, self.addresses[way]) for way in said if way in self.addresses]
        return [(way, self.addresses[way]) for way in _USUAL if way in self.addresses][:1]


def is_meant(occasion: Occasion, reader: Reader) -> bool:
    """Whether `reader` is told of it: of what is told once more, the one to whom it was to go;
    a patient without an account may have one by now."""
    whose = occasion.facts.get(WHOSE)
    is_same = reader.is_patient and whose == f"Patient/{occasion.patient}"
    return whose is None or whose == reader.id or is_same


@dataclass(frozen=True, slots=True)
class Readers:
    """`async for reader in of(…)`."""

    bearers: Bearers | None
    """None: there are no accounts."""
    facts: Facts
    acting: Acting
    now: Callable[[], int]
    base: str
    of_record: bool
    """Whether addresses that the record alone knows are written to."""
    ways: frozenset[Way] = frozenset({"email"})
    """What this server can do."""

    async def of(self, visit: Visit | None, patient: JsonObject) -> AsyncIterator[Reader]:
        """Each once, the patient first; without a visit the patient alone."""
        found = False
        seen: set[str] = set()
        async for account in self._accounts(visit, patient):
            if account.id in seen or account.staff or account.standing != "active":
                continue
            seen.add(account.id)
            is_patient = account.patient == patient["id"]
            found |= is_patient
            if self.bearers is not None:
                yield await self._reader(self.bearers, account, is_patient=is_patient)
        if not found:
            yield self._without_account(patient)

    async def _accounts(
        self, visit: Visit | None, patient: JsonObject
    ) -> AsyncIterator[Account]:
        if self.bearers is None:
            return
        for each in await self.bearers.accounts.by_patient(patient["id"]):
            yield each
        if visit is None:
            return
        for each in await self._of_user(self.bearers, visit.booked_by or ""):
            # Who booked for somebody else of a group learns nothing of this patient.
            if patient["id"] in (await self.bearers.of_account(each)).represented:
                yield each
        for named in await self._parents(patient["id"]):
            for each in await self._of_user(self.bearers, named):
                yield each

    async def _of_user(self, bearers: Bearers, user: str) -> Sequence[Account]:
        named = references.parse(user, self.base)
        match named.type if named.kind == "local" else None:
            case "Patient":
                return await bearers.accounts.by_patient(named.id or "")
            case "Person":
                return await bearers.accounts.by_person(named.id or "")
            case _:
                return ()

    async def _parents(self, patient: str) -> Sequence[str]:
        """References of the Persons who act for the patient by law."""
        relations = await self.facts.referring(
            "RelatedPerson", "patient", (f"Patient/{patient}",)
        )
        acting = await self.acting(relations)
        named = tuple(each.relation for each in acting if each.basis in _BY_LAW)
        persons = await self.facts.referring("Person", "link", named)
        return [f"Person/{each['id']}" for each in persons]

    async def addresses(self, account: Account | None, patient: str) -> Collection[str]:
        """Where the person of `account` is reached now; without one the patient (logical
        id)."""
        if self.bearers is None:
            return ()
        if account is not None:
            profile = await self._profile(self.bearers, account)
            return self._addresses(account, profile).values()
        found = await self.bearers.records.patient(patient)
        return () if found is None else self._addresses(None, found).values()

    def _addresses(self, account: Account | None, profile: JsonObject | None) -> dict[Way, str]:
        found = self._recorded(profile) if self.of_record and profile is not None else {}
        if account is not None and account.email:
            found["email"] = account.email
        return found

    async def _reader(self, bearers: Bearers, account: Account, *, is_patient: bool) -> Reader:
        profile = await self._profile(bearers, account)
        addresses = self._addresses(account, profile)
        language = find_language(profile or {}) or account.language
        principal = await bearers.of_account(account)
        return Reader(principal, account, profile, language, addresses, is_patient)

    async def _profile(self, bearers: Bearers, account: Account) -> JsonObject | None:
        if account.patient is not None:
            return await bearers.records.patient(account.patient)
        if account.person is None:
            return None
        return next(iter(await self.facts.find("Person", Ids((account.person,)), 1)), None)

    def _without_account(self, patient: JsonObject) -> Reader:
        addresses = self._addresses(None, patient)
        principal = of_patient(patient["id"])
        language = find_language(patient) or "en"
        return Reader(principal, None, patient, language, addresses, is_patient=True)

    def _recorded(self, patient: JsonObject) -> dict[Way, str]:
        now = self.now()
        email, number = email_of(patient, now), number_of(patient, now)
        found: dict[Way, str] = {}
        if email is not None:
            found["email"] = email
        if number is not None and "sms" in self.ways:
            found["sms"] = number
        return found
