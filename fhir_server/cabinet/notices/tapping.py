"""A link that was sent: what it stands for now, and whether it still does.

The rights behind it are those of its person at this moment, of the one visit alone. A link is
over when it was used, when its time is, when the visit is not any more what it was, when its
person has another address, and when the account is closed or has another password; nobody is
told which of these it is.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fhir_server.access.algebra import every
from fhir_server.access.principal import Principal
from fhir_server.access.rights import narrowed
from fhir_server.cabinet.booking.policies import Policies
from fhir_server.cabinet.booking.slots import FREE, place_of
from fhir_server.cabinet.booking.visits import visit_of
from fhir_server.cabinet.notices.bearers import Bearers, of_patient
from fhir_server.cabinet.notices.details import Details, Reading
from fhir_server.cabinet.notices.links import sent_to, state
from fhir_server.cabinet.notices.rules import rules_of, schedules_of
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Services
from fhir_server.interactions.live_rights import Allowed
from fhir_server.search import keys
from fhir_server.search.begins import between
from fhir_server.search.plan import Everything, Ids, Keys, Node, Nothing, Search, SortKey
from fhir_server.smart.digests import digest
from fhir_server.spec.interactions import ScopeLetter
from fhir_server.store.accounts import Account
from fhir_server.store.links import Link, Links

_KIND: Final = "Appointment"
_ANSWER: Final = "AppointmentResponse"
_CREATES: Final = {"move": _KIND, "cancel": ""}
"""By action, where it is no answer."""
_AT_MOST: Final = 30
"""Free places that are shown."""
_AHEAD: Final = 90 * 86_400_000
_DIRECTORY: Final = frozenset({
    "HealthcareService", "Location", "Organization", "Practitioner", "PractitionerRole",
    "Schedule", "Slot",
})  # fmt: skip
_LONGEST: Final = 100
"""Characters of a token; ours are shorter."""


@dataclass(frozen=True, slots=True)
class Free:
    """A place to which a visit can be moved."""

    slot: str
    start: int


@dataclass(frozen=True, slots=True)
class Tap:
    """A link that holds."""

    link: Link
    principal: Principal
    allowed: Allowed
    """Of the one visit."""
    resource: JsonObject
    number: int
    """Of its version."""
    details: Details
    places: Sequence[Free] = ()
    """Of a link to move a visit of one Slot."""


@dataclass(frozen=True, slots=True)
class Taps:
    """`await taps.look(token)`."""

    services: Services
    bearers: Bearers
    rights: Callable[[Principal], Awaitable[Allowed]]
    policies: Policies
    links: Links
    addresses: Callable[[Account | None, str], Awaitable[Collection[str]]]
    """Where the person of an account, or a patient without one, is reached now."""

    async def look(self, token: str) -> Tap | None:
        """What a token stands for; None: it is over, or was never one of ours."""
        link = await self.links.find(digest(token)) if 0 < len(token) <= _LONGEST else None
        if link is None or link.used is not None or self.services.now() >= link.expires:
            return None
        principal = await self._principal(link, token)
        if principal is None:
            return None
        found = await self.rights(principal)
        rights = narrowed(found.rights, _only(link))
        allowed = Allowed(rights, found.withheld, applied=found.applied)
        stored = await self.services.store.read(_KIND, link.visit, within=rights.read)
        if stored is None or stored.deleted:
            return None
        resource = loads(stored.body, max_depth=self.services.limits.depth)
        visit = visit_of(resource, self.services.base_url)
        if state(visit) != link.state or link.patient not in visit.patients:
            return None
        schedules = await schedules_of(self.services, visit)
        rules = await rules_of(self.services, self.policies, schedules)
        details = await Reading(self.services).of(resource, visit, rules[0].zone)
        is_moved = link.action == "move" and len(visit.slots) == len(schedules) == 1
        places = await self._places(allowed, schedules[0]) if is_moved else ()
        return Tap(link, principal, allowed, resource, stored.number, details, places)

    async def _principal(self, link: Link, token: str) -> Principal | None:
        """Whose right it is, if the account is as it was, and its person reached there."""
        account = None
        if link.account is not None:
            account = await self.bearers.accounts.find(link.account)
            if account is None or account.standing != "active":
                return None
            if account.password_changed > link.made:
                return None
        reached = await self.addresses(account, link.patient)
        if link.sent_to not in {sent_to(token, each) for each in reached}:
            return None
        if account is None:
            return of_patient(link.patient)
        return await self.bearers.of_account(account)

    async def _places(self, allowed: Allowed, schedule: str) -> Sequence[Free]:
        """The next free places with the same doctor."""
        now = self.services.now()
        where = every(
            Keys("references", (keys.reference("schedule", f"Schedule/{schedule}"),)),
            Keys("tokens", (keys.token("status", None, FREE),)),
            between(now + 1, now + _AHEAD),
        )
        plan = Search("Slot", where, sort=_SOONEST, count=_AT_MOST)
        page = await self.services.store.search(plan, within=allowed.rights.search)
        depth = self.services.limits.depth
        found = [place_of({**loads(r.body, max_depth=depth), "id": r.id}) for r in page.rows]
        return [Free(each.id, each.start) for each in found]


_SOONEST: Final = (SortKey("chief-date", "asc"),)


def _only(link: Link) -> Mapping[ScopeLetter, Callable[[str], Node]]:
    """What is left of a person's rights: the visit, and what its action needs."""

    def read(kind: str) -> Node:
        if kind == _KIND:
            return Ids((link.visit,))
        return Everything() if kind in _DIRECTORY else Nothing()

    def update(kind: str) -> Node:
        return Ids((link.visit,)) if kind == _KIND else Nothing()

    def create(kind: str) -> Node:
        is_needed = kind == _CREATES.get(link.action, _ANSWER)
        return Everything() if is_needed else Nothing()

    def nothing(kind: str) -> Node:
        del kind
        return Nothing()

    return {"r": read, "s": read, "u": update, "c": create, "d": nothing}
