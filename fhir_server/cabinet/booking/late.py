"""Who cancels late may not book for a while, where the clinic wants it so: a Flag says it, and
staff lift it.

https://hl7.org/fhir/R4/flag.html
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from fhir_server.access.rights import UNLIMITED
from fhir_server.cabinet.booking.names import BLOCKED, FLAGS
from fhir_server.cabinet.booking.policy import BookingPolicy
from fhir_server.cabinet.booking.visits import Visit
from fhir_server.core.datetimes import format_instant
from fhir_server.core.types import JsonObject
from fhir_server.interactions.context import Context
from fhir_server.interactions.versions import first_version
from fhir_server.store.port import Unit

_ADMIN: Final = {
    "coding": [
        {"system": "http://terminology.hl7.org/CodeSystem/flag-category", "code": "admin"}
    ]
}


async def block_late(
    ctx: Context,
    unit: Unit,
    before: Visit | None,
    after: Visit | None,
    policies: Iterable[BookingPolicy],
) -> None:
    """Write the Flag of a booked visit of one patient that is cancelled late; `policies` are
    those of its places, of which the longest block holds."""
    now = ctx.services.now()
    if before is None or after is None or before.start is None:
        return
    if (before.status, after.status) != ("booked", "cancelled") or len(before.patients) != 1:
        return
    late = [each for each in policies if now >= before.start - each.late_cancel]
    block = max((each.late_block for each in late), default=0)
    if not block:
        return
    flag = _flag(before.patients[0], before.id, now, now + block)
    ctx.services.validator.check(flag, "Flag")
    own = replace(ctx, rights=UNLIMITED, principal=None, trail=None)
    await unit.insert([first_version(own, "Flag", ctx.services.new_id(), flag, "POST")])


def _flag(patient: str, visit: str, begin: int, end: int) -> JsonObject:
    return {
        "resourceType": "Flag",
        "status": "active",
        "category": [_ADMIN],
        "code": {
            "coding": [{"system": FLAGS, "code": BLOCKED}],
            "text": f"Appointment/{visit} was cancelled late",
        },
        "subject": {"reference": f"Patient/{patient}"},
        "period": {"start": format_instant(begin), "end": format_instant(end)},
    }
