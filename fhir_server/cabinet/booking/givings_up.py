"""How often one place is taken and given up again: who holds it without end, by turns of ten
minutes, keeps it from others without ever booking it.

What was given up is there to be counted: holds that are over, and visits that were cancelled.

https://hl7.org/fhir/R4/appointment.html
"""

from collections import Counter
from typing import Final

from fhir_server.cabinet.booking import refusals
from fhir_server.cabinet.booking.policy import DAY, BookingPolicy
from fhir_server.cabinet.booking.visits import Visit, visit_of
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Context
from fhir_server.search import keys
from fhir_server.search.plan import UNRESTRICTED, And, Keys, Node
from fhir_server.store.port import Unit

_GIVEN_UP: Final = frozenset({"cancelled", "pending"})
_MOST: Final = 200
"""Of the places of one visit that are looked at; with more, it is not taken."""


async def check_takes(
    ctx: Context, unit: Unit, visit: Visit, user: str | None, policy: BookingPolicy
) -> None:
    """Whether `user` may take the places of `visit`, of one patient, once more.

    Raises:
        BusinessRule: one of them was given up too often.
    """
    if not policy.most_takes:
        return
    kind, where, limit = question(visit, user)
    rows = await unit.find(kind, where, limit=limit, within=UNRESTRICTED)
    now, depth = ctx.services.now(), ctx.services.limits.depth
    given_up: Counter[str] = Counter()
    for row in rows:
        found = visit_of(loads(row.body, max_depth=depth), ctx.services.base_url)
        # Of one that is over and was not ended yet nobody has written when it was.
        ended = found.expires if found.is_expired(now) else row.at
        if (
            found.status in _GIVEN_UP
            and found.holds(now) == "none"
            and (ended or 0) > now - DAY
        ):
            given_up.update(found.slots)
    too_often = any(given_up[each] >= policy.most_takes for each in visit.slots)
    if too_often or len(rows) == limit:
        raise refusals.taken_too_often()


def question(visit: Visit, user: str | None) -> tuple[str, Node, int]:
    """What `check_takes` asks: type, predicate, limit."""
    slots = tuple(keys.reference("slot", f"Slot/{each}") for each in sorted(visit.slots))
    whose = [keys.reference("patient", f"Patient/{each}") for each in visit.patients]
    if user is not None:
        whose.append(keys.reference("booked-by", user))
    # Without the status: with a third index to choose, plans are what the time goes to.
    parts = Keys("references", slots), Keys("references", tuple(whose))
    return "Appointment", And(parts), _MOST
