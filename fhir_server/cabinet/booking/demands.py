"""What a clinic demands of a person who books: a sign-in, a referral, an insurance, consents,
a telephone. `$find` tells of them; here they are held.

https://hl7.org/fhir/R4/appointment-definitions.html#Appointment.basedOn
https://www.rfc-editor.org/rfc/rfc9470
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from fhir_server.access.required import Required, missing
from fhir_server.access.step_up import Demand
from fhir_server.cabinet.booking import refusals
from fhir_server.cabinet.booking.evidence import (
    has_verified_phone,
    is_contract,
    is_insurance,
    is_referral,
)
from fhir_server.cabinet.booking.policy import BookingPolicy
from fhir_server.cabinet.booking.visits import Visit, visit_of
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Context
from fhir_server.interactions.step_up import InsufficientSignIn
from fhir_server.search import keys
from fhir_server.search.plan import UNRESTRICTED, And, Ids, Keys, Node
from fhir_server.store.port import Unit

_MOST: Final = 200
"""Of a type that are looked at, the first ones by id."""
_USING: Final = ("pending", "booked", "arrived", "checked-in", "fulfilled", "noshow")
"""Statuses of visits that use a referral up."""
_NOWHERE: Final = Text("", "", "")

Question = tuple[str, Node, int]


def check_level(ctx: Context, policy: BookingPolicy) -> None:
    """Raise InsufficientSignIn unless the caller has signed in as `policy` demands."""
    demand, principal = Demand(policy.level), ctx.principal
    if policy.level and principal is not None:
        if demand.is_met(principal, ctx.services.now()):
            return
        raise InsufficientSignIn(demand).coded("identity-not-verified")


@dataclass(frozen=True, slots=True)
class Demands:
    """A look at what `policy` demands beside the sign-in, of a `visit` of one patient."""

    ctx: Context
    unit: Unit
    policy: BookingPolicy
    visit: Visit
    but: Sequence[str] = ()
    """Logical ids of visits that use nothing up: one that is replaced."""

    async def check(self) -> None:
        """Raise the refusal of the first thing that is missing."""
        asked = list(self._questions())
        # The house's rules count what there is, not what this app may see.
        await self.unit.foresee(*asked, within=UNRESTRICTED)
        if self.policy.referral:
            await self._check_referral()
        if self.policy.coverage:
            await self._check_coverage()
        if self.policy.consent:
            await self._check_consents()
        if self.policy.verified_phone:
            await self._check_phone()

    def _questions(self) -> Iterator[Question]:
        """All that will be asked, so that it is asked at once."""
        policy, visit = self.policy, self.visit
        if policy.referral and visit.referrals:
            yield _named("ServiceRequest", visit.referrals)
            if policy.referral_once:
                yield _using(visit)
        if policy.coverage:
            yield _of_patient("Coverage", visit)
            if visit.contracts:
                yield _named("Contract", visit.contracts)
        if policy.consent:
            yield _of_patient("Consent", visit)
        if policy.verified_phone:
            yield _named("Patient", visit.patients)
            yield _verifying(visit)

    async def _check_referral(self) -> None:
        visit, base = self.visit, self.ctx.services.base_url
        found = await self._found(_named("ServiceRequest", visit.referrals))
        good = {each["id"] for each in found if is_referral(each, visit, base)}
        if not good:
            raise refusals.referral_required()
        if self.policy.referral_once and good <= await self._used():
            raise refusals.referral_used()

    async def _used(self) -> set[str]:
        """Those of its referrals that another visit is based on."""
        now, base = self.ctx.services.now(), self.ctx.services.base_url
        visits = [visit_of(each, base) for each in await self._found(_using(self.visit))]
        passed = {self.visit.id, *self.but}
        live = [each for each in visits if each.id not in passed and not each.is_expired(now)]
        return {id_ for each in live for id_ in each.referrals}

    async def _check_coverage(self) -> None:
        visit, base = self.visit, self.ctx.services.base_url
        insured = await self._found(_of_patient("Coverage", visit))
        if any(is_insurance(each, visit, base) for each in insured):
            return
        agreed = await self._found(_named("Contract", visit.contracts))
        if not any(is_contract(each, visit, base) for each in agreed):
            raise refusals.coverage_inactive()

    async def _check_consents(self) -> None:
        now, base = self.ctx.services.now(), self.ctx.services.base_url
        required = [
            Required(each.categories, Text(each.title, each.title, each.title), _NOWHERE)
            for each in self.policy.consent
        ]
        found = await self._found(_of_patient("Consent", self.visit))
        lacking = missing(required, found, self.visit.patients[0], now, base)
        if lacking:
            raise refusals.consent_missing(lacking[0].title.en)

    async def _check_phone(self) -> None:
        now, base = self.ctx.services.now(), self.ctx.services.base_url
        results = await self._found(_verifying(self.visit))
        patients = await self._found(_named("Patient", self.visit.patients))
        if not any(has_verified_phone(each, results, now, base) for each in patients):
            raise refusals.phone_not_verified()

    async def _found(self, question: Question) -> Sequence[JsonObject]:
        kind, where, limit = question
        if not limit:
            return ()
        rows = await self.unit.find(kind, where, limit=limit, within=UNRESTRICTED)
        depth = self.ctx.services.limits.depth
        return [loads(row.body, max_depth=depth) for row in rows]


def _named(kind: str, ids: Sequence[str]) -> Question:
    wanted = tuple(sorted(set(ids)))[:_MOST]
    return kind, Ids(wanted), len(wanted)


def _of_patient(kind: str, visit: Visit) -> Question:
    """What is active of the patient's."""
    return kind, And((_reference("patient", visit), _status("active"))), _MOST


def _verifying(visit: Visit) -> Question:
    return "VerificationResult", _reference("target", visit), _MOST


def _using(visit: Visit) -> Question:
    targets = sorted({f"ServiceRequest/{each}" for each in visit.referrals})[:_MOST]
    based = Keys("references", tuple(keys.reference("based-on", each) for each in targets))
    return "Appointment", And((based, _status(*_USING))), _MOST


def _reference(param: str, visit: Visit) -> Node:
    return Keys("references", (keys.reference(param, f"Patient/{visit.patients[0]}"),))


def _status(*codes: str) -> Node:
    return Keys("tokens", tuple(keys.token("status", None, each) for each in codes))
