"""Periods as half-open intervals of milliseconds, open where they have no edge.

https://hl7.org/fhir/R4/datatypes.html#Period
"""

from collections.abc import Mapping
from typing import Any, Final

from fhir_server.core.datetimes import parse_interval
from fhir_server.core.errors import BadValue
from fhir_server.search.values import MAX_TIME, MIN_TIME, Interval

ALWAYS: Final = Interval(MIN_TIME, MAX_TIME)
_KNOWN: Final = frozenset({"id", "extension", "start", "end"})


def interval(text: str) -> Interval | None:
    """The date `text`; None where it is none."""
    try:
        return Interval(*parse_interval(text))
    except BadValue:
        return None


def period(value: Mapping[str, Any] | None) -> Interval | None:
    """A Period, `end` to the last instant of its precision; ALWAYS where there is none.

    None where it cannot be read, which is for the caller to judge.
    """
    if value is None:
        return ALWAYS
    if not _KNOWN.issuperset(value):
        return None
    start = interval(value["start"]) if "start" in value else ALWAYS
    end = interval(value["end"]) if "end" in value else ALWAYS
    return None if start is None or end is None else Interval(start.lo, end.hi)
