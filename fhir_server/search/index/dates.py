"""Index values of date parameters: half-open intervals in milliseconds.

https://hl7.org/fhir/R4/search.html#date
"""

from typing import Final

from fhir_server.core.datetimes import parse_interval
from fhir_server.core.errors import BadValue
from fhir_server.core.types import JsonObject
from fhir_server.search.index.rows import Row, Writer, by_type
from fhir_server.search.values import MAX_TIME, MIN_TIME, IndexValues, Interval, Ranged

_PRECISION: Final = 1  # ms


def _interval(text: str) -> tuple[float, float] | None:
    """None for what is no date: a value that validation let pass is not found by it."""
    try:
        return parse_interval(text)
    except BadValue:
        return None


def _date(values: IndexValues, row: Row, value: str) -> None:
    found = _interval(value)
    if found is not None:
        values.dates.append(Ranged(row.code, *found))


def _instant(values: IndexValues, row: Row, value: str) -> None:
    """A moment: "a fixed point in time with an interval smaller than the precision of the
    system"."""
    found = _interval(value)
    if found is not None:
        values.dates.append(Ranged(row.code, found[0], found[0] + _PRECISION))


def _outer(period: JsonObject) -> Interval | None:
    """From the start of `start` to the end of `end`; a missing bound is open."""
    start = _interval(period["start"]) if "start" in period else None
    end = _interval(period["end"]) if "end" in period else None
    if start is None and end is None:
        return None
    return Interval(start[0] if start else MIN_TIME, end[1] if end else MAX_TIME)


def _period(values: IndexValues, row: Row, value: JsonObject) -> None:
    found = _outer(value)
    if found is not None:
        values.dates.append(Ranged(row.code, *found))


def _timing(values: IndexValues, row: Row, value: JsonObject) -> None:
    """The outer limits of all events and bounds, as the standard has it.

    "The specified scheduling details are ignored and only the outer limits matter."
    """
    found = [each for event in value.get("event", ()) if event and (each := _interval(event))]
    bounds = _outer(value.get("repeat", {}).get("boundsPeriod", {}))
    if bounds is not None:
        found.append(bounds)
    if found:
        lo, hi = min(lo for lo, _ in found), max(hi for _, hi in found)
        values.dates.append(Ranged(row.code, lo, hi))


write_dates: Final[Writer] = by_type(
    {
        "date": _date,
        "dateTime": _date,
        "instant": _instant,
        "Period": _period,
        "Timing": _timing,
    }
)
