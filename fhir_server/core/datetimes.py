"""FHIR partial dates as half-open intervals of UTC milliseconds, and their calendar.

A date of any precision is an interval, never an instant: `2024` is
[2024-01-01T00:00Z, 2025-01-01T00:00Z). Search compares intervals only.

https://hl7.org/fhir/R4/datatypes.html#dateTime
https://hl7.org/fhir/R4/search.html#date
"""

import re
from calendar import monthrange
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from fhir_server.core.errors import BadValue
from fhir_server.core.messages import Text

NOT_A_DATE: Final = Text(
    "`{value}` is not a date: expected YYYY, YYYY-MM, YYYY-MM-DD or "
    "YYYY-MM-DDThh:mm:ss with a time zone.",
    "`{value}` — не дата: ожидается ГГГГ, ГГГГ-ММ, ГГГГ-ММ-ДД или "
    "ГГГГ-ММ-ДДTчч:мм:сс с часовым поясом.",
    "`{value}` — не дата: очікується РРРР, РРРР-ММ, РРРР-ММ-ДД або "
    "РРРР-ММ-ДДTгг:хх:сс з часовим поясом.",
)
NO_SUCH_DATE: Final = Text(
    "`{value}` is not in the calendar.",
    "Даты `{value}` нет в календаре.",
    "Дати `{value}` немає в календарі.",
)

_DATE: Final = r"(?!0000)(\d{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01])"
_CLOCK: Final = r"([01]\d|2[0-3]):([0-5]\d)"
_SECONDS: Final = r":([0-5]\d|60)(\.\d+)?"
_ZONE: Final = r"(Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))"

_DAY: Final = re.compile(_DATE + ")?)?", re.ASCII)
_DATE_TIME: Final = re.compile(f"{_DATE}(?:T{_CLOCK}{_SECONDS}{_ZONE})?)?)?", re.ASCII)
_INSTANT: Final = re.compile(
    rf"(?!0000)(\d{{4}})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T{_CLOCK}{_SECONDS}{_ZONE}",
    re.ASCII,
)
_TIME: Final = re.compile(_CLOCK + _SECONDS, re.ASCII)
# Seconds and zone are optional here: a search value may stop at minutes (search.html#date),
# "where a timezone is not specified, the server's is used", and ours is UTC. A space is the
# `+` of a client that has not percent-encoded it.
_SEARCHED: Final = re.compile(
    f"{_DATE}(?:T{_CLOCK}(?:{_SECONDS})?{_ZONE.replace('[+-]', '[ +-]')}?)?)?)?", re.ASCII
)

_SECOND: Final = 1_000
_MINUTE: Final = 60 * _SECOND
_DAY_MS: Final = 86_400 * _SECOND
_EPOCH: Final = date(1970, 1, 1).toordinal()
_SHOWN: Final = 64  # characters of a refused value that its message repeats


class Interval(NamedTuple):
    """Half-open, in milliseconds since 1970-01-01T00:00Z: `lo` is in, `hi` is out."""

    lo: int
    hi: int


# A page of birth dates and a day of timestamps repeat; a row costs about 200 bytes.
@lru_cache(maxsize=16_384)
def parse_interval(text: str) -> Interval:
    """Read `text` as the instants it may mean; without a zone, in UTC.

    A fraction of a second names its millisecond; further digits are dropped.

    Raises:
        BadValue: `text` is not a date of FHIR's grammar, or not in the calendar.
    """
    found = _SEARCHED.fullmatch(text)
    if found is None:
        raise BadValue(NOT_A_DATE, value=text[:_SHOWN])
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        if hour is None:
            return _of_days(int(year), month, day)
        midnight = date(int(year), int(month), int(day)).toordinal() - _EPOCH
    except ValueError:
        raise BadValue(NO_SUCH_DATE, value=text) from None
    lo = midnight * _DAY_MS + (int(hour) * 60 + int(minute)) * _MINUTE - _offset(zone)
    if second is None:
        return Interval(lo, lo + _MINUTE)
    lo += int(second) * _SECOND
    if fraction is None:
        return Interval(lo, lo + _SECOND)
    lo += int(fraction[1:4].ljust(3, "0"))
    return Interval(lo, lo + 1)


def _of_days(year: int, month: str | None, day: str | None) -> Interval:
    if month is None:
        lo = date(year, 1, 1).toordinal()
        return _days(lo, date(year, 12, 31).toordinal() + 1)
    if day is None:
        lo = date(year, int(month), 1).toordinal()
        return _days(lo, lo + monthrange(year, int(month))[1])
    lo = date(year, int(month), int(day)).toordinal()
    return _days(lo, lo + 1)


def _days(lo: int, hi: int) -> Interval:
    return Interval((lo - _EPOCH) * _DAY_MS, (hi - _EPOCH) * _DAY_MS)


def _offset(zone: str | None) -> int:
    """Milliseconds east of UTC."""
    if zone is None or zone == "Z":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[4:6])
    return (-minutes if zone[0] == "-" else minutes) * _MINUTE


def format_instant(ms: int) -> str:
    """`ms` since 1970 as `meta.lastUpdated` writes it: `2024-05-01T08:30:00.000Z`."""
    days, rest = divmod(ms, _DAY_MS)
    seconds, thousandths = divmod(rest, _SECOND)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    day = date.fromordinal(days + _EPOCH).isoformat()
    return f"{day}T{hour:02}:{minute:02}:{second:02}.{thousandths:03}Z"


def is_date(text: str) -> bool:
    """Whether `text` is a FHIR `date` that the calendar has."""
    return _in_calendar(_DAY.fullmatch(text))


def is_date_time(text: str) -> bool:
    """Whether `text` is a FHIR `dateTime` that the calendar has."""
    return _in_calendar(_DATE_TIME.fullmatch(text))


def is_instant(text: str) -> bool:
    """Whether `text` is a FHIR `instant` that the calendar has."""
    return _in_calendar(_INSTANT.fullmatch(text))


def is_time(text: str) -> bool:
    """Whether `text` is a FHIR `time`."""
    return _TIME.fullmatch(text) is not None


def _in_calendar(found: re.Match[str] | None) -> bool:
    if found is None:
        return False
    year, month, day = found.group(1, 2, 3)
    return day is None or int(day) <= monthrange(int(year), int(month))[1]
