"""Partial dates, dateTimes and times, with comparison in three values.

https://hl7.org/fhirpath/N1/#datetime
https://hl7.org/fhirpath/N1/#comparison
"""

import re
from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, Literal

from typing_extensions import override

from fhir_server.fhirpath.quantity import CALENDAR, Quantity

Family = Literal["Date", "DateTime", "Time"]

YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, MILLISECOND = range(1, 8)
"""Precisions of a date or dateTime, counted in parts; a time starts at its hour."""

_CLOCK: Final = r"(\d{2})(?::(\d{2})(?::(\d{2})(?:\.(\d+))?)?)?"
_DATE: Final = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
_DATE_TIME: Final = re.compile(
    rf"(\d{{4}})(?:-(\d{{2}})(?:-(\d{{2}})(?:T{_CLOCK}(Z|[+-]\d{{2}}:\d{{2}})?)?)?)?", re.ASCII
)
_TIME: Final = re.compile(_CLOCK, re.ASCII)
_LIMITS: Final = ((1, 9999), (1, 12), (1, 31), (0, 23), (0, 59), (0, 60), (0, 999))
_MINUTES_OF_DAY: Final = 1_440
_MAX_OFFSET: Final = 14 * 60
_TIME_OFFSET: Final = 3  # parts a time lacks before its hour


@dataclass(frozen=True, slots=True)
class Temporal:
    """A value of one of the three families, to the precision of its parts."""

    family: Family
    parts: tuple[int, ...]
    """year, month, day, hour, minute, second, millisecond, as far as known; a time's three
    first parts are zero."""
    zone: str = ""
    """`Z`, `+03:00` or nothing."""

    @override
    def __str__(self) -> str:
        year, month, day, hour, minute, second, milli = (*self.parts, 0, 0, 0, 0, 0, 0)[:7]
        known = len(self.parts)
        if self.family == "Time":
            text = ""
        else:
            text = f"{year:04}-{month:02}-{day:02}"[: (4, 7, 10)[min(known, DAY) - 1]]
        clock = f"{hour:02}:{minute:02}:{second:02}.{milli:03}"
        if known >= HOUR:
            text += ("" if self.family == "Time" else "T") + clock[
                : (2, 5, 8, 12)[known - HOUR]
            ]
        return text + self.zone

    @staticmethod
    def literal(text: str) -> "Temporal | None":
        """What `@text` stands for; None where no calendar has it."""
        if text.startswith("T"):
            return parse_time(text[1:])
        if "T" in text:
            return parse_date_time(text.removesuffix("T"))
        return parse_date(text)

    @property
    def offset(self) -> int | None:
        """Minutes east of UTC; None where no zone is given."""
        if not self.zone:
            return None
        if self.zone == "Z":
            return 0
        minutes = int(self.zone[1:3]) * 60 + int(self.zone[4:6])
        return -minutes if self.zone[0] == "-" else minutes

    def in_utc(self) -> tuple[int, ...]:
        """The parts moved to UTC, where a zone is given."""
        offset = self.offset
        if not offset or len(self.parts) < HOUR:
            return self.parts
        hour, minute = self.parts[3], self.parts[4] if len(self.parts) >= MINUTE else 0
        days, rest = divmod(hour * 60 + minute - offset, _MINUTES_OF_DAY)
        day = _shifted(self.parts[:3], days) or self.parts[:3]
        moved = (*day, rest // 60, rest % 60, *self.parts[5:])
        return moved if len(self.parts) >= MINUTE else moved[:4]

    @property
    def fingerprint(self) -> tuple[object, ...]:
        """Equal for values that are surely equal."""
        return (self.family == "Time", _comparable(self), self.offset is None)


def _read(family: Family, found: re.Match[str] | None) -> Temporal | None:
    if found is None:
        return None
    *numbers, zone = (*found.groups(), "") if family != "DateTime" else found.groups()
    parts = [0] * _TIME_OFFSET if family == "Time" else []
    for place, digits in enumerate(numbers, len(parts)):
        if digits is None:
            break
        number = int(digits[:3].ljust(3, "0") if place == SECOND else digits)
        low, high = _LIMITS[place]
        if not low <= number <= high:
            return None
        parts.append(number)
    if family != "Time" and len(parts) >= DAY and parts[2] > monthrange(parts[0], parts[1])[1]:
        return None
    value = Temporal(family, tuple(parts), zone or "")
    return None if abs(value.offset or 0) > _MAX_OFFSET else value


# Birth dates and timestamps repeat within a request; a row costs about 300 bytes.
@lru_cache(maxsize=4_096)
def parse_date(text: str) -> Temporal | None:
    """A Date of `YYYY`, `YYYY-MM` or `YYYY-MM-DD`."""
    return _read("Date", _DATE.fullmatch(text))


@lru_cache(maxsize=4_096)
def parse_date_time(text: str) -> Temporal | None:
    """A DateTime of any precision, without the `T` that ends a partial literal."""
    return _read("DateTime", _DATE_TIME.fullmatch(text))


@lru_cache(maxsize=1_024)
def parse_time(text: str) -> Temporal | None:
    """A Time of `hh`, `hh:mm`, `hh:mm:ss` or `hh:mm:ss.fff`."""
    return _read("Time", _TIME.fullmatch(text))


def _comparable(value: Temporal) -> tuple[int, ...]:
    """Parts in UTC, with "seconds and milliseconds … as a single precision"."""
    parts = value.in_utc()
    if len(parts) < SECOND:
        return parts
    milli = parts[6] if len(parts) >= MILLISECOND else 0
    return (*parts[:5], parts[5] * 1000 + milli)


def compare(one: Temporal, two: Temporal) -> int | None:
    """-1, 0 or 1; None where the precisions, or zones, leave it open.

    Both are times, or neither.
    """
    timed = len(one.parts) >= HOUR and len(two.parts) >= HOUR
    if timed and bool(one.zone) != bool(two.zone):
        return None
    left, right = (
        (_comparable(one), _comparable(two)) if timed else (one.parts[:DAY], two.parts[:DAY])
    )
    for mine, other in zip(left, right, strict=False):
        if mine != other:
            return -1 if mine < other else 1
    whole = len(left) == len(right) and (len(one.parts) >= HOUR) == (len(two.parts) >= HOUR)
    return 0 if whole else None


def same_family(one: Temporal, two: Temporal) -> bool:
    """Whether they may be compared: a Date is "implicitly converted" to a DateTime."""
    return (one.family == "Time") == (two.family == "Time")


def equal(one: Temporal, two: Temporal) -> bool | None:
    """`=`; a time never equals a date."""
    if not same_family(one, two):
        return False
    order = compare(one, two)
    return None if order is None else order == 0


_STEPS: Final = {
    "year": YEAR, "month": MONTH, "week": DAY, "day": DAY, "d": DAY, "wk": DAY,
    "hour": HOUR, "h": HOUR, "minute": MINUTE, "min": MINUTE,
    "second": SECOND, "s": SECOND, "millisecond": MILLISECOND, "ms": MILLISECOND,
}  # fmt: skip
_DAYS: Final = {"week": 7, "wk": 7}
_MILLISECONDS: Final = {HOUR: 3_600_000, MINUTE: 60_000, SECOND: 1_000, MILLISECOND: 1}
_DAY_MS: Final = 86_400_000


def is_duration(quantity: Quantity) -> bool:
    """Whether it can be added to a date: calendar words, and UCUM units up to the week."""
    return _unit(quantity) in _STEPS


def _unit(quantity: Quantity) -> str:
    """Calendar words are taken in quotes too."""
    return CALENDAR.get(quantity.unit, quantity.unit)


def shifted(value: Temporal, quantity: Quantity, sign: int) -> Temporal | None:
    """`value` plus or minus a duration, its precision kept; None outside the calendar.

    "The decimal portion of the time-valued quantity is ignored", and a unit finer than the
    value's precision is first converted to that precision.
    """
    amount = sign * int(quantity.value)
    unit = _unit(quantity)
    step = _STEPS[unit]
    if step <= MONTH:
        if value.family == "Time":
            return None
        return _by_months(value, amount * (12 if step == YEAR else 1))
    if step == DAY:
        return _by_days(value, amount * _DAYS.get(unit, 1))
    return _by_milliseconds(value, amount * _MILLISECONDS[step])


def _by_months(value: Temporal, months: int) -> Temporal | None:
    year, *rest = value.parts
    if not rest:
        return _checked(replace(value, parts=(year + _whole(months, 12),)))
    years, month = divmod(year * 12 + rest[0] - 1 + months, 12)
    if not 1 <= years <= _LIMITS[0][1]:
        return None
    parts = (years, month + 1, *rest[1:])
    if len(rest) > 1:
        last = monthrange(years, month + 1)[1]
        parts = (years, month + 1, min(rest[1], last), *rest[2:])
    return replace(value, parts=parts)


def _by_days(value: Temporal, days: int) -> Temporal | None:
    if value.family == "Time":
        return value
    if len(value.parts) == YEAR:
        return _by_months(value, 12 * _whole(days, 365))
    if len(value.parts) == MONTH:
        return _by_months(value, _whole(days, 30))
    day = _shifted(value.parts[:3], days)
    return None if day is None else replace(value, parts=(*day, *value.parts[3:]))


def _by_milliseconds(value: Temporal, amount: int) -> Temporal | None:
    known = len(value.parts)
    if known < HOUR:
        return _by_days(value, _whole(amount, _DAY_MS))
    hour, minute, second, milli = (*value.parts[3:], 0, 0, 0)[:4]
    clock = ((hour * 60 + minute) * 60 + second) * 1000 + milli
    unit = _MILLISECONDS[known]
    days, rest = divmod(clock + _whole(amount, unit) * unit, _DAY_MS)
    parts = (rest // 3_600_000, rest // 60_000 % 60, rest // 1000 % 60, rest % 1000)
    clocked = replace(value, parts=(*value.parts[:3], *parts[: known - DAY]))
    return clocked if value.family == "Time" else _by_days(clocked, days)


def _whole(amount: int, unit: int) -> int:
    """`amount / unit` towards zero."""
    return amount // unit if amount >= 0 else -(-amount // unit)


def _shifted(day: tuple[int, ...], days: int) -> tuple[int, ...] | None:
    try:
        moved = date(*day) + timedelta(days=days)
    except OverflowError:
        return None
    return (moved.year, moved.month, moved.day)


def _checked(value: Temporal) -> Temporal | None:
    return value if 1 <= value.parts[0] <= _LIMITS[0][1] else None


_DIGITS: Final = (4, 6, 8, 10, 12, 14, 17)
_LEAST: Final = (1, 1, 1, 0, 0, 0, 0)
_GREATEST: Final = (9999, 12, 31, 23, 59, 59, 999)


def precision(value: Temporal) -> int:
    """Digits it is known to: 4 for a year, 17 for a millisecond, 9 for a time's."""
    return _DIGITS[len(value.parts) - 1] - (_DIGITS[DAY - 1] if value.family == "Time" else 0)


def boundary(value: Temporal, digits: int | None, *, low: bool) -> Temporal | None:
    """The least or greatest value it may be, to `digits`; None where no precision has them."""
    levels = _DIGITS[:DAY] if value.family == "Date" else _DIGITS
    if value.family == "Time":
        levels = tuple(each - _DIGITS[DAY - 1] for each in _DIGITS)
    if digits is None:
        digits = levels[-1]
    if digits not in levels or digits <= 0:
        return None
    known = levels.index(digits) + 1
    parts = value.parts
    # A FHIR dateTime with hours has minutes; an hour alone stands for its first minute.
    if value.family == "DateTime" and len(parts) == HOUR:
        parts = (*parts, 0)
    filled = [*parts, *(_LEAST if low else _GREATEST)[len(parts) :]][:known]
    if not low and len(parts) < DAY <= known:
        filled[2] = monthrange(filled[0], filled[1])[1]
    zone = value.zone
    if known < HOUR or value.family == "Time":
        zone = ""
    elif not zone:
        zone = "+14:00" if low else "-12:00"
    return replace(value, parts=tuple(filled), zone=zone)
