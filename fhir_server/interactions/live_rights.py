"""What a caller may do now: scopes and user, and what Consents and relations say today.

Nothing is believed for long. The store's epoch is asked with every request; what was read of
Consents and relations holds while it stays the same, for a second at most, and never past the
next moment at which a period or an age ends. So a withdrawal bites on the next request.

https://hl7.org/fhir/R4/consent.html
https://hl7.org/fhir/R4/relatedperson.html
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from fhir_server.access.algebra import every
from fhir_server.access.belonging import of_patients
from fhir_server.access.callers import Caller, caller_of
from fhir_server.access.closing import closed, closed_for
from fhir_server.access.consents import (
    Consent,
    Reading,
    applying,
    next_change,
    read_consent,
    read_proxy,
    to_follow,
)
from fhir_server.access.decisions import Permitted, Request, Urgent, consent_nodes
from fhir_server.access.emergencies import LETTERS as URGENT
from fhir_server.access.emergencies import NEVER_MADE, Declaration, is_staff
from fhir_server.access.policy import AccessPolicy
from fhir_server.access.principal import Principal
from fhir_server.access.proxies import Represented
from fhir_server.access.required import Demanded, Required, demanded, missing, refusal
from fhir_server.access.rights import Rights, RightsTable, narrowed
from fhir_server.access.scopes import LETTERS
from fhir_server.core.errors import Forbidden
from fhir_server.core.types import JsonObject
from fhir_server.interactions import representing
from fhir_server.interactions.context import Services
from fhir_server.interactions.facts import Facts
from fhir_server.search.plan import Ids, Node
from fhir_server.spec.interactions import ScopeLetter

BELIEVED: Final = 1_000  # milliseconds; see store.mongo.epochs
KEPT: Final = 4_096
"""Callers remembered a worker."""

MOST_NAMED: Final = 5
"""Consents in force that the audit names of one patient: all of them, but for an oddity."""

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
    applied: Applied = field(default_factory=dict)
    """For the audit."""


@dataclass(frozen=True, slots=True)
class _Kept:
    epoch: int
    until: int
    allowed: Allowed


class LiveRights:
    """`await of(principal)`: asked with every request."""

    def __init__(self, services: Services, policy: AccessPolicy) -> None:
        registry = services.registry
        self._services = services
        self._policy = policy
        self._table = RightsTable(services.compiler.condition, lambda: registry.version)
        self._facts = Facts(services)
        self._reading = Reading(bases=(services.base_url,))
        self._kept: OrderedDict[Principal, _Kept] = OrderedDict()

    async def of(self, principal: Principal) -> Allowed:
        """What `principal` may do now.

        Raises:
            FhirError: the rights cannot be told; nothing is allowed then.
        """
        if not self._depends(principal):
            return Allowed(self._table.of(principal))
        epoch, now = await self._services.store.epoch(), self._services.now()
        kept = self._kept.get(principal)
        if kept is not None and kept.epoch == epoch and now < kept.until:
            return kept.allowed
        allowed, until = await self._judged(principal, now)
        self._kept[principal] = _Kept(epoch, min(until, now + BELIEVED), allowed)
        self._kept.move_to_end(principal)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return allowed

    def _depends(self, principal: Principal) -> bool:
        """Whether anything but the token decides."""
        if _is_system(principal):
            return self._policy.systems == "bound"
        if principal.staff or self._policy.required:
            return True
        own = (None, (principal.user or "").removeprefix("Patient/"))
        return not {principal.patient, *principal.represented} <= {*own}

    async def _judged(self, principal: Principal, now: int) -> tuple[Allowed, int]:
        if principal.staff or _is_system(principal):
            return await self._of_others(principal, now)
        return await self._of_a_person(principal, now)

    async def _of_others(self, principal: Principal, now: int) -> tuple[Allowed, int]:
        """Staff and backend services: what the patients' Consents let flow."""
        bound = _bound(principal)
        found = await self._facts.consents(bound)
        read = [each for each in (read_consent(c, self._reading) for c in found) if each]
        by_patient: dict[str, list[Consent]] = {}
        for each in read:
            by_patient.setdefault(each.patient, []).append(each)
        memberships = await self._facts.memberships(principal)
        caller = caller_of(principal, memberships=memberships)
        held = await self._declared(principal, bound, now)
        declared = tuple(sorted({each.patient for each in held}))
        inside = caller_of(replace(principal, purpose="BTG"), memberships=memberships)
        urgent = Urgent(inside, frozenset(declared)) if held else None
        referred = await self._facts.referred(to_follow(read))
        permitted = {
            letter: consent_nodes(
                by_patient,
                Request(caller, letter, now, _of_letter(urgent, letter)),
                self._policy.consents,
                referred,
            )
            for letter in LETTERS
        }
        changes = [next_change(read, now), *(each.ends for each in held)]
        until = min((each for each in changes if each is not None), default=now + BELIEVED)
        rights = narrowed(self._table.of(principal), permitted)
        return Allowed(
            rights, declared=declared, applied=_applied(by_patient, caller, now)
        ), until

    async def _declared(
        self, principal: Principal, bound: tuple[str, ...] | None, now: int
    ) -> Sequence[Declaration]:
        """The emergencies that the user has declared in this app, and that still hold."""
        emergencies, account = self._services.emergencies, principal.account
        if emergencies is None or account is None or not is_staff(principal):
            return ()
        register = emergencies.register
        found = await register.held(account, principal.client, now)
        if not found or not await register.may_declare(account, principal.client):
            return ()
        return [each for each in found if bound is None or each.patient in bound]

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
        judged = narrowed(rights, closing.by)
        return Allowed(judged, closing.withheld, applied=applied), until

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


def _applied(
    by_patient: Mapping[str, Sequence[Consent]], caller: Caller, now: int
) -> dict[str, tuple[str, ...]]:
    found = {
        patient: applying(patient, theirs, caller, now)[:MOST_NAMED]
        for patient, theirs in by_patient.items()
    }
    return {p: tuple(f"Consent/{each.id}" for each in c) for p, c in found.items() if c}


def _of_letter(urgent: Urgent | None, letter: ScopeLetter) -> Urgent | None:
    """What the emergencies mean for one permission."""
    if urgent is None or letter not in URGENT:
        return None
    return replace(urgent, closed=NEVER_MADE) if letter == "c" else urgent


def _bound(principal: Principal) -> tuple[str, ...] | None:
    """The patients that every scope of the token is about; None: any."""
    if principal.patient is None or any(s.level != "patient" for s in principal.scopes):
        return None
    return (principal.patient,)


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
