"""A Flag that stops a patient from booking: the clinic's to set and to lift.

https://hl7.org/fhir/R4/flag.html
"""

from fhir_server.cabinet.booking import refusals
from fhir_server.cabinet.booking.actors import actor_of
from fhir_server.cabinet.booking.names import BLOCKED, FLAGS
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Context, Intent


def is_block(flag: JsonObject) -> bool:
    """Whether a Flag, whatever its status, is one that blocks."""
    codes = flag.get("code", {}).get("coding", ())
    return any((c.get("system"), c.get("code")) == (FLAGS, BLOCKED) for c in codes)


async def guard_flag(ctx: Context, intent: Intent) -> None:
    """The guard of Flag: no person sets, changes or deletes a block.

    Raises:
        Forbidden: `booking-blocked`.
    """
    if actor_of(ctx.principal) != "person":
        return
    depth = ctx.services.limits.depth
    before = None if intent.before is None else loads(intent.before.body, max_depth=depth)
    if any(is_block(each) for each in (before, intent.after) if each is not None):
        raise refusals.not_lifted()
