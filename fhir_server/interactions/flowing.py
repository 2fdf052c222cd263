"""What flows to staff and backend services: their rights, and what they are made of.

Facts are asked again every second, as the epoch does not cover them all; rights are made again
only where the facts are others, or at the edge of a period. What Consents permit of a type is
worked out when it is asked for.

https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from fhir_server.access.callers import Caller, caller_of
from fhir_server.access.consents import Consent, applying, next_change, to_follow
from fhir_server.access.decisions import Permitted, Policy, consent_nodes
from fhir_server.access.emergencies import LETTERS as URGENT
from fhir_server.access.emergencies import NEVER_MADE, Declaration, is_staff
from fhir_server.access.late import Late
from fhir_server.access.principal import Principal
from fhir_server.access.rights import Rights, narrowed
from fhir_server.access.scopes import LETTERS
from fhir_server.access.voting import Request, Urgent
from fhir_server.interactions.context import Services
from fhir_server.interactions.directives import OnFile
from fhir_server.interactions.facts import Facts
from fhir_server.search.plan import Node
from fhir_server.search.values import MAX_TIME
from fhir_server.spec.interactions import ScopeLetter

MOST_NAMED: Final = 5
"""Consents in force that the audit names of one patient: all of them, but for an oddity."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What the rights of one caller are made of, besides its token and the time."""

    consents: tuple[Consent, ...]
    memberships: tuple[str, ...]
    above: tuple[str, ...]
    """What the organizations among them and in the token are parts of."""
    held: tuple[Declaration, ...]
    referred: Mapping[str, frozenset[str]]
    parameters: int
    """The version of the search parameters that scopes filter by."""

    def changes(self, now: int) -> int:
        """The next instant at which it means something else, by time alone."""
        edge = next_change(self.consents, now)
        ends = (each.ends for each in self.held)
        return min((*ends, int(MAX_TIME) if edge is None else edge))

    @property
    def declared(self) -> tuple[str, ...]:
        """The patients for whom an emergency was declared."""
        return tuple(sorted({each.patient for each in self.held}))


class Flowing:
    """The facts about staff and systems."""

    def __init__(self, services: Services, facts: Facts) -> None:
        self._services = services
        self._facts = facts
        self._on_file = OnFile(services, facts)

    async def basis(self, principal: Principal, epoch: int, now: int) -> tuple[Basis, int]:
        """What decides about `principal`, and when that was read; `epoch` was asked before."""
        bound = _bound(principal)
        found = await self._on_file.of(bound, epoch, now)
        memberships = await self._facts.memberships(principal)
        above = await self._facts.above((*memberships, *principal.organizations))
        held = await self._declared(principal, bound, now)
        referred = await self._facts.referred(to_follow(found.consents))
        parameters = self._services.registry.version
        basis = Basis(
            found.consents, tuple(memberships), tuple(above), tuple(held), referred, parameters
        )
        return basis, found.at

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


def flowing(
    rights: Rights, principal: Principal, basis: Basis, policy: Policy, now: int
) -> tuple[Rights, Mapping[str, tuple[str, ...]]]:
    """`rights` of the token as the Consents narrow them; by patient the references of the
    Consents that decide."""
    by_patient = _by_patient(basis.consents)
    caller = caller_of(principal, memberships=basis.memberships, above=basis.above)
    urgently = replace(principal, purpose="BTG")
    inside = caller_of(urgently, memberships=basis.memberships, above=basis.above)
    urgent = Urgent(inside, frozenset(basis.declared)) if basis.held else None

    def permitted(letter: ScopeLetter) -> Permitted:
        request = Request(caller, letter, now, _of_letter(urgent, letter))
        return _late(lambda: consent_nodes(by_patient, request, policy, basis.referred))

    applied = _applied(by_patient, caller, now)
    return narrowed(rights, {each: permitted(each) for each in LETTERS}), applied


def _late(make: Callable[[], Permitted]) -> Permitted:
    made = cache(make)

    def permitted(kind: str) -> Node:
        return made()(kind)

    return permitted


def _by_patient(consents: Sequence[Consent]) -> Mapping[str, Sequence[Consent]]:
    found: dict[str, list[Consent]] = {}
    for each in consents:
        found.setdefault(each.patient, []).append(each)
    return found


def _applied(
    by_patient: Mapping[str, Sequence[Consent]], caller: Caller, now: int
) -> Mapping[str, tuple[str, ...]]:
    def references(patient: str) -> tuple[str, ...]:
        found = applying(patient, by_patient[patient], caller, now)[:MOST_NAMED]
        return tuple(f"Consent/{each.id}" for each in found)

    return Late(by_patient.keys(), references)


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
