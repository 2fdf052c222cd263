"""Quantities as FHIRPath computes with them: UCUM units and calendar durations.

https://hl7.org/fhirpath/N1/#quantity
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from typing_extensions import override

from fhir_server.core.quantities import canonical, comparable, convert

CALENDAR: Final = {
    "year": "year", "years": "year", "month": "month", "months": "month",
    "week": "week", "weeks": "week", "day": "day", "days": "day",
    "hour": "hour", "hours": "hour", "minute": "minute", "minutes": "minute",
    "second": "second", "seconds": "second",
    "millisecond": "millisecond", "milliseconds": "millisecond",
}  # fmt: skip
"""The words of a calendar duration, by any number."""

DEFINITE: Final = {
    "year": "a", "month": "mo", "week": "wk", "day": "d",
    "hour": "h", "minute": "min", "second": "s", "millisecond": "ms",
}  # fmt: skip
"""The UCUM unit that is about as long."""

_MAX_UNIT: Final = 100  # characters
_VAGUE: Final = ("year", "month")
_TEXT: Final = re.compile(r"([+-]?\d+(?:\.\d+)?)(?:\s*'([^']+)'|\s+([a-z]+)|\s*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A System.Quantity; `unit` is a UCUM code, or the singular word of a duration."""

    value: Decimal
    unit: str = "1"
    calendar: bool = False

    @override
    def __str__(self) -> str:
        number = f"{self.value:f}"
        return f"{number} {self.unit}" if self.calendar else f"{number} '{self.unit}'"

    @property
    def code(self) -> str:
        """The UCUM code it is computed in."""
        return DEFINITE[self.unit] if self.calendar else self.unit

    @property
    def canonical(self) -> tuple[Decimal, str] | None:
        return canonical(self.value, self.code)

    @property
    def fingerprint(self) -> tuple[object, ...]:
        """Equal for equal quantities."""
        return self.canonical or (self.value, self.unit)


def parse_quantity(text: str) -> Quantity | None:
    """The quantity a string stands for (`toQuantity`): `5`, `5 'mg'`, `5 days`."""
    found = _TEXT.fullmatch(text.strip())
    if found is None:
        return None
    number, unit, word = found.groups()
    if word is None:
        return Quantity(Decimal(number), unit or "1")
    return (
        Quantity(Decimal(number), CALENDAR[word], calendar=True) if word in CALENDAR else None
    )


def _mixed_vague(one: Quantity, two: Quantity) -> bool:
    """A calendar year or month beside a UCUM one: of no definite length."""
    return one.calendar != two.calendar and (
        (one.calendar and one.unit in _VAGUE) or (two.calendar and two.unit in _VAGUE)
    )


def compare(one: Quantity, two: Quantity) -> Decimal | None:
    """The difference's sign as a number; None where they cannot be compared."""
    if _mixed_vague(one, two):
        return None
    if one.code == two.code:
        return one.value - two.value
    left, right = one.canonical, two.canonical
    if left is None or right is None or left[1] != right[1]:
        return None
    return left[0] - right[0]


def equal(one: Quantity, two: Quantity) -> bool | None:
    """`=`: by value in common units; unknown where there are none."""
    difference = compare(one, two)
    return None if difference is None else not difference


def in_unit(quantity: Quantity, unit: str) -> Quantity | None:
    """`quantity` in UCUM `unit`."""
    value = convert(quantity.value, quantity.code, unit)
    return None if value is None else Quantity(value, unit)


def add(one: Quantity, two: Quantity, sign: int) -> Quantity | None:
    """Sum or difference, in the finer of both units; None where there is no common one."""
    if (one.unit, one.calendar) == (two.unit, two.calendar):
        return Quantity(one.value + sign * two.value, one.unit, one.calendar)
    left = convert(one.value, one.code, two.code)
    right = convert(two.value, two.code, one.code)
    if left is None or right is None or _mixed_vague(one, two):
        return None
    if abs(left) > abs(one.value):
        return Quantity(left + sign * two.value, two.code)
    return Quantity(one.value + sign * right, one.code)


def _of_unit(value: Decimal, unit: str) -> Quantity | None:
    """A quantity, unless its unit has grown beyond what UCUM codes are."""
    return Quantity(value, unit) if len(unit) <= _MAX_UNIT else None


def multiply(one: Quantity, two: Quantity) -> Quantity | None:
    """The product, its unit the product of both; None where that is too long."""
    value = one.value * two.value
    if two.unit == "1":
        return Quantity(value, one.unit, one.calendar)
    if one.unit == "1":
        return Quantity(value, two.unit, two.calendar)
    return _of_unit(value, f"({one.code}).({two.code})")


def divide(one: Quantity, two: Quantity) -> Quantity | None:
    """The quotient; None where `two` is zero, or the unit too long."""
    if not two.value:
        return None
    if two.unit == "1":
        return Quantity(one.value / two.value, one.unit, one.calendar)
    if comparable(one.code, two.code):
        same = convert(one.value, one.code, two.code)
        return None if same is None else Quantity(same / two.value)
    return _of_unit(one.value / two.value, f"({one.code})/({two.code})")
