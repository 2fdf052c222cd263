"""What a caller may do now: scopes and user, and what Consents and relations say today.

Nothing is believed for long. The store's epoch is asked with every request; what was read of
Consents and relations holds while it stays the same, for a second at most, and never past the
next moment at which a period or an age ends. So a withdrawal bites on the next request. After
the second it is read again, as the epoch does not cover dates of birth, periods of memberships
and a process that died before it raised it; rights are made again where it is not the same.

https://hl7.org/fhir/R4/consent.html
https://hl7.org/fhir/R4/relatedperson.html
"""

from asyncio import Lock
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from weakref import WeakValueDictionary

from fhir_server.access.algebra import every
from fhir_server.access.belonging import of_patients
from fhir_server.access.callers import caller_of
from fhir_server.access.closing import closed, closed_for
from fhir_server.access.consents import Consent, Reading, read_proxy
from fhir_server.access.decisions import Permitted, consent_nodes
from fhir_server.access.policy import AccessPolicy
from fhir_server.access.principal import Principal
from fhir_server.access.proxies import Represented
from fhir_server.access.required import Demanded, Required, demanded, missing, refusal
from fhir_server.access.rights import Rights, RightsTable, narrowed
from fhir_server.access.scopes import LETTERS
from fhir_server.access.visibility import seen
from fhir_server.access.voting import Request
from fhir_server.core.errors import Forbidden
from fhir_server.core.types import JsonObject
from fhir_server.interactions import representing
from fhir_server.interactions.context import Services
from fhir_server.interactions.directives import BELIEVED
from fhir_server.interactions.facts import Facts
from fhir_server.interactions.flowing import Basis, Flowing, flowing
from fhir_server.search.plan import Ids, Node
from fhir_server.spec.interactions import ScopeLetter

KEPT: Final = 4_096
"""Callers remembered a worker."""

Applied = Mapping[str, tuple[str, ...]]
"""By patient (logical id) the references of the Consents that decided."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a caller may do now."""

    rights: Rights
    withheld: Forbidden | None = None
    """Why less than the token says; it is the answer wherever a right is missing."""
    declared: tuple[str, ...] = ()
    """`Principal.declared`."""
    own: tuple[str, ...] = ()
    """`Principal.own`."""
    applied: Applied = field(default_factory=dict)
    """For the audit."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was made of what; `since` and `until` milliseconds since 1970."""

    epoch: int
    since: int
    until: int
    """Before it nothing has to be asked."""
    allowed: Allowed
    basis: Basis | None = None
    changes: int = 0
    """From then on `basis` means something else."""

    def holds(self, epoch: int, now: int) -> bool:
        """Whether it is still what the caller may do."""
        return self.epoch == epoch and self.since <= now < self.until


class LiveRights:
    """`await of(principal)`: asked with every request."""

    def __init__(self, services: Services, policy: AccessPolicy) -> None:
        registry = services.registry
        self._services = services
        self._policy = policy
        self._table = RightsTable(services.compiler.condition, lambda: registry.version)
        self._facts = Facts(services)
        self._flowing = Flowing(services, self._facts)
        self._reading = Reading(bases=(services.base_url,))
        self._kept: OrderedDict[Principal, _Kept] = OrderedDict()
        self._locks: WeakValueDictionary[Principal, Lock] = WeakValueDictionary()

    async def of(self, principal: Principal) -> Allowed:
        """What `principal` may do now.

        Raises:
            FhirError: the rights cannot be told; nothing is allowed then.
        """
        if not self._depends(principal):
            return Allowed(self._table.of(principal))
        epoch, now = await self._services.store.epoch(), self._services.now()
        kept = self._kept.get(principal)
        if kept is not None and kept.holds(epoch, now):
            return kept.allowed
        # One of those who ask at once asks the store; `epoch` is from before that.
        async with self._locks.setdefault(principal, Lock()):
            kept = self._kept.get(principal)
            if kept is None or not kept.holds(epoch, now):
                kept = await self._judged(principal, epoch, now, kept)
                self._keep(principal, kept)
            return kept.allowed

    def _keep(self, principal: Principal, made: _Kept) -> None:
        self._kept[principal] = made
        self._kept.move_to_end(principal)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    def _depends(self, principal: Principal) -> bool:
        """Whether anything but the token decides."""
        if _is_system(principal):
            return self._policy.systems == "bound"
        if principal.staff or self._policy.required or self._policy.visits.by_channel:
            return True
        own = (None, (principal.user or "").removeprefix("Patient/"))
        return not {principal.patient, *principal.represented} <= {*own}

    async def _judged(
        self, principal: Principal, epoch: int, now: int, before: _Kept | None
    ) -> _Kept:
        if principal.staff or _is_system(principal):
            return await self._of_others(principal, epoch, now, before)
        allowed, until = await self._of_a_person(principal, now)
        return _Kept(epoch, now, min(until, now + BELIEVED), allowed)

    async def _of_others(
        self, principal: Principal, epoch: int, now: int, before: _Kept | None
    ) -> _Kept:
        """Staff and backend services: what the patients' Consents let flow."""
        basis, at = await self._flowing.basis(principal, epoch, now)
        if (
            before is not None
            and before.basis == basis
            and before.since <= now < before.changes
        ):
            until = min(before.changes, at + BELIEVED)
            return replace(before, epoch=epoch, until=until)
        token = self._table.of(principal)
        rights, applied = flowing(token, principal, basis, self._policy.consents, now)
        changes = basis.changes(now)
        until = min(changes, at + BELIEVED)
        allowed = Allowed(rights, declared=basis.declared, applied=applied)
        return _Kept(epoch, now, until, allowed, basis, changes)

    async def _of_a_person(self, principal: Principal, now: int) -> tuple[Allowed, int]:
        """Patients and those who act for them: own records are open, others by relation."""
        own = await self._facts.own(principal)
        others = {principal.patient, *principal.represented} - {None, *own}
        acting = await self._represented(principal.user or "", now) if others else ()
        allowed = {each.patient for each in acting} | own
        still = replace(
            principal,
            patient=principal.patient if principal.patient in allowed else None,
            represented=tuple(p for p in principal.represented if p in allowed),
        )
        rights = self._table.of(still)
        if acting:
            rights = await self._as_proxy(still, rights, acting, own, now)
        until = min((each.until for each in acting if each.until), default=now + BELIEVED)
        closing = await self._closing(still)
        applied = {
            each.patient: (f"Consent/{each.consent}",) for each in acting if each.consent
        }
        visits = seen(self._policy.visits, principal, own)
        judged = narrowed(narrowed(rights, closing.by), visits)
        linked = tuple(sorted(own)) if (principal.user or "").startswith("Person/") else ()
        return Allowed(judged, closing.withheld, own=linked, applied=applied), until

    async def _closing(self, principal: Principal) -> "_Closing":
        """What required consents that are missing take away of the records in reach."""
        reached = _reached(principal)
        if not self._policy.required or not reached:
            return _Closing({})
        consents = await self._facts.consents(reached)
        lacking = {each: found for each in reached if (found := self._lacking(consents, each))}
        if principal.patient in lacking:
            return _Closing(closed(), refusal(lacking[principal.patient]))
        if len(lacking) == len(reached):
            of_any = (each for found in lacking.values() for each in found)
            return _Closing(closed(), refusal(tuple(dict.fromkeys(of_any))))
        return _Closing(closed_for(tuple(lacking)) if lacking else {})

    def _lacking(self, consents: Sequence[JsonObject], patient: str) -> tuple[Required, ...]:
        now, base = self._services.now(), self._services.base_url
        return missing(self._policy.required, consents, patient, now, base)

    async def _as_proxy(
        self,
        principal: Principal,
        rights: Rights,
        acting: Sequence[Represented],
        own: frozenset[str],
        now: int,
    ) -> Rights:
        """What relations permit: writing by some only, and what a proxy Consent names."""
        by_id = {each.id: each for each in await self._proxy_consents(acting)}
        proxies: dict[str, Consent | None] = {}
        for each in acting:
            consent = None if each.consent is None else by_id.get(each.consent)
            if each.consent is None or each.patient not in proxies:
                proxies[each.patient] = consent
        caller = caller_of(
            principal, memberships=(each.relation for each in acting), own=sorted(own)
        )
        writable = {e.patient for e in acting if e.may_write} | own
        by_law = {e.patient for e in acting if e.may_write and e.consent is None} | own
        written = _written(own, by_law, writable)
        return narrowed(
            rights,
            {
                letter: _both(
                    consent_nodes(
                        {}, Request(caller, letter, now), self._policy.consents, {}, proxies
                    ),
                    None if letter in ("r", "s") else written,
                )
                for letter in LETTERS
            },
        )

    async def _proxy_consents(self, acting: Sequence[Represented]) -> list[Consent]:
        ids = tuple(each.consent for each in acting if each.consent is not None)
        found = await self._facts.find("Consent", Ids(ids), len(ids)) if ids else []
        return [each for each in (read_proxy(c, self._reading) for c in found) if each]

    async def represented(self, user: str) -> tuple[Represented, ...]:
        """The patients for whom `user` (a reference) may act now."""
        return await self._represented(user, self._services.now())

    async def missing(self, patient: str) -> tuple[Required, ...]:
        """The consents that keep the cabinet of `patient` (a logical id) closed."""
        return tuple(each.required for each in await self.demanded(patient) if not each.given)

    async def demanded(self, patient: str) -> tuple[Demanded, ...]:
        """Every consent that the cabinet of `patient` (a logical id) demands."""
        if not self._policy.required:
            return ()
        found = await self._facts.consents((patient,))
        now, base = self._services.now(), self._services.base_url
        return demanded(self._policy.required, found, patient, now, base)

    async def acting(self, relations: Sequence[JsonObject]) -> tuple[Represented, ...]:
        """What each of `relations` (RelatedPersons) lets its person do now."""
        now, base = self._services.now(), self._services.base_url
        return await representing.acting(self._facts, self._policy, relations, now, base)

    async def _represented(self, user: str, now: int) -> tuple[Represented, ...]:
        relations = await self._facts.relations(user)
        base = self._services.base_url
        return await representing.acting(self._facts, self._policy, relations, now, base)


@dataclass(frozen=True, slots=True)
class _Closing:
    by: Mapping[ScopeLetter, Permitted]
    withheld: Forbidden | None = None


def _is_system(principal: Principal) -> bool:
    """A backend service: nobody signed in."""
    return principal.user is None and principal.account is None


def _reached(principal: Principal) -> tuple[str, ...]:
    """The patients whose record a person's scopes are about."""
    levels = {each.level for each in principal.scopes}
    own = () if principal.patient is None else (principal.patient,)
    return tuple(dict.fromkeys((*own, *(principal.represented if "user" in levels else ()))))


def _written(own: Iterable[str], by_law: Iterable[str], writable: Iterable[str]) -> Permitted:
    """Of whom a proxy may write a type. Who a person is, and who acts for that person, no
    proxy changes: a later birth date would make the right last longer."""
    of_own, of_law, of_all = (tuple(sorted(each)) for each in (own, by_law, writable))

    def permitted(kind: str) -> Node:
        if kind in ("Patient", "RelatedPerson"):
            return of_patients(kind, of_own)
        return of_patients(kind, of_law if kind == "Consent" else of_all)

    return permitted


def _both(one: Permitted, other: Permitted | None) -> Permitted:
    if other is None:
        return one

    def both(kind: str) -> Node:
        return every(one(kind), other(kind))

    return both
