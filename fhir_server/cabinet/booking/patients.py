"""What may stand against a visit of a patient: a block, another visit, too many of them.

https://hl7.org/fhir/R4/appointment.html
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from fhir_server.cabinet.booking import refusals
from fhir_server.cabinet.booking.blocks import is_block
from fhir_server.cabinet.booking.deadlines import told
from fhir_server.cabinet.booking.policy import DAY, HOUR, BookingPolicy
from fhir_server.cabinet.booking.visits import AHEAD, Visit, moment, visit_of
from fhir_server.core.errors import FhirError
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Context
from fhir_server.search import keys
from fhir_server.search.plan import UNRESTRICTED, And, Compare, Keys, Node, Range, Restriction
from fhir_server.search.values import Interval
from fhir_server.store.port import Stored

_MOST: Final = 200
"""Coming visits of a patient that are looked at; with more, nothing is booked."""
_LONGEST: Final = DAY
"""Of a visit."""


class Finds(Protocol):
    """What is asked of storage here: a unit, or what remembers answers."""

    async def find(
        self, kind: str, where: Node, *, limit: int, within: Restriction
    ) -> Sequence[Stored]:
        """As `port.Reads.find`."""


@dataclass(frozen=True, slots=True)
class Plans:
    """A look at what a patient has, under the rules of a place."""

    ctx: Context
    unit: Finds
    policy: BookingPolicy

    async def check(
        self, visit: Visit, *, but: Collection[str] = (), user: str | None = None
    ) -> None:
        """Raise what stands against `visit`, of one patient, for which `user` asks; the
        visits `but` (logical ids) do not count."""
        await self.check_block(visit.patients[0])
        coming = await self._coming(visit, {visit.id, *but})
        _check_overlap(visit, coming)
        self._check_number(visit, coming, user)

    async def allow(self, visit: Visit) -> bool:
        """Whether nothing stands against `visit`."""
        try:
            await self.check(visit)
        except FhirError as error:
            if error.status >= _FAULTS:
                raise
            return False
        return True

    async def check_block(self, patient: str) -> None:
        """Raise Forbidden while a Flag stops the patient from booking."""
        now = self.ctx.services.now()
        for flag in await self._found("Flag", _of(patient)):
            until = _blocked_until(flag, now)
            if until is not None:
                raise refusals.blocked(told(until, self.policy) if until else "—")

    async def in_queue(self, patient: str) -> Sequence[JsonObject]:
        """The patient's Appointments that wait for a place, or for an answer to an offer."""
        where = And((_of(patient), _in_status(("waitlist", "proposed"))))
        return await self._found("Appointment", where)

    async def _coming(self, visit: Visit, but: Collection[str]) -> Sequence[Visit]:
        """What else the patient is going to, holds included."""
        now = self.ctx.services.now()
        where = _ahead(visit, now)
        base = self.ctx.services.base_url
        found = [visit_of(each, base) for each in await self._found("Appointment", where)]
        return [each for each in found if each.id not in but and not each.is_expired(now)]

    def _check_number(self, visit: Visit, coming: Sequence[Visit], user: str | None) -> None:
        most = self.policy.most_ahead
        alike = [e for e in coming if e.slots and e.specialities & visit.specialities]
        if most and len(alike) >= most:
            raise refusals.too_many(most)
        held = [e for e in coming if e.status == "pending" and e.booked_by == user]
        if visit.status == "pending" and len(held) >= self.policy.most_holds:
            raise refusals.too_many(self.policy.most_holds)

    async def _found(self, kind: str, where: Node) -> Sequence[JsonObject]:
        # The house's rules count what there is, not what this app may see.
        rows = await self.unit.find(kind, where, limit=_MOST + 1, within=UNRESTRICTED)
        if len(rows) > _MOST:
            raise refusals.too_many(_MOST)
        depth = self.ctx.services.limits.depth
        return [loads(row.body, max_depth=depth) for row in rows]


_FAULTS: Final = 500


def questions(visit: Visit, now: int) -> Sequence[tuple[str, Node, int]]:
    """What `Plans.check` will ask about the patient of `visit`: type, predicate, limit."""
    return (
        ("Flag", _of(visit.patients[0]), _MOST + 1),
        ("Appointment", _ahead(visit, now), _MOST + 1),
    )


def _of(patient: str) -> Node:
    return Keys("references", (keys.reference("patient", f"Patient/{patient}"),))


def _in_status(codes: Collection[str]) -> Node:
    return Keys("tokens", tuple(keys.token("status", None, each) for each in sorted(codes)))


def _ahead(visit: Visit, now: int) -> Node:
    first = min(now, visit.start or now) - _LONGEST
    first -= first % HOUR  # asked twice, a moment apart, it is one question
    ahead = Range("dates", "date", Interval(first, first), ((Compare("hi", ">", "lo"),),))
    return And((_of(visit.patients[0]), _in_status(AHEAD), ahead))


def _blocked_until(flag: JsonObject, now: int) -> int | None:
    """When a Flag that blocks now ends; 0: not by itself."""
    if not is_block(flag) or flag.get("status") != "active":
        return None
    period = flag.get("period", {})
    start, end = moment(period.get("start")), moment(period.get("end"))
    if (start is not None and now < start) or (end is not None and now >= end):
        return None
    return end or 0


def _check_overlap(visit: Visit, coming: Sequence[Visit]) -> None:
    for each in coming:
        if each.slots and _meets(each, visit):
            raise refusals.overlap()


def _meets(one: Visit, other: Visit) -> bool:
    ends = (one.end or one.start or 0, other.end or other.start or 0)
    return (one.start or 0) < ends[1] and (other.start or 0) < ends[0]
