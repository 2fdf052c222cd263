"""Whether what is to be told is still so: between the change and the message there is time.

A notice that came about in vain says nothing: what became of the visit since has, or will
have, a notice of its own.
"""

from collections.abc import Mapping
from typing import Any, assert_never

from fhir_server.cabinet.booking.visits import Visit
from fhir_server.cabinet.notices.kinds import Row


def is_true(
    row: Row, facts: Mapping[str, Any], current: Visit | None, patient: str, now: int
) -> bool:
    """`current` is the visit as it is at `now` (milliseconds since 1970); None: there is
    none. `facts` are those of the occasion."""
    is_theirs = current is not None and patient in current.patients
    if row.state == "over":
        return not is_theirs or (current is not None and current.status in _OVER)
    if current is None or not is_theirs:
        return False
    if row.state == "waiting":
        return current.status == "waitlist"
    if current.start != facts["start"] or (current.start or 0) <= now:
        return False
    match row.state:
        case "booked":
            return current.status == "booked"
        case "offered":
            return current.is_offer and not current.is_expired(now)
        case _:
            assert_never(row.state)


_OVER = frozenset({"cancelled", "entered-in-error"})
