"""Mathematics, and the boundaries and precision of what is known only so far.

https://hl7.org/fhirpath/N1/#math
https://build.fhir.org/ig/HL7/FHIRPath/#lowboundaryprecision-integer-decimal--date--datetime--time
"""

from collections.abc import Callable
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DecimalException,
)
from typing import Final

from fhir_server.core.quantities import comparable
from fhir_server.fhirpath import temporal as temporals
from fhir_server.fhirpath.calls import Call, Function, Table, expect, misfit, number
from fhir_server.fhirpath.code import Code, computed, value_of
from fhir_server.fhirpath.environment import Environment
from fhir_server.fhirpath.model import Item
from fhir_server.fhirpath.quantity import Quantity
from fhir_server.fhirpath.temporal import Temporal
from fhir_server.fhirpath.values import as_quantity

_WIDE: Final = Context(prec=50)
_DIGITS: Final = Context(prec=28)
"""A Decimal has "28 digits of precision"."""
_MAX_PLACES: Final = 31
_PLACES: Final = 8
_MAX_WHOLE: Final = 40  # digits; an integer result longer than that is refused as none


def _numeric(apply: Callable[..., Item], kind: str, args: int = 0, least: int = 0) -> Function:
    """A function of numbers; empty where it is not defined for them."""

    def build(call: Call) -> Code:
        of, rest = value_of(call.of, call.name), call.scalars()

        def scalar(item: Item, env: Environment) -> Item:
            values = [of(item, env), *(each(item, env) for each in rest)]
            if None in values:
                return None
            for value in values:
                number(value, call.name)
            try:
                found = apply(*values)
            except DecimalException:
                return None
            return None if isinstance(found, Decimal) and not found.is_finite() else found

        return computed(scalar, *([f"System.{kind}"] if kind else []))

    return Function(build, least, args)


def _on_magnitude(apply: Callable[[Item], Item]) -> Function:
    """A function of a number, or of a quantity's value."""

    def build(call: Call) -> Code:
        of = value_of(call.of, call.name)

        def scalar(item: Item, env: Environment) -> Item:
            value = of(item, env)
            if isinstance(value, Quantity):
                return Quantity(apply(value.value), value.unit, value.calendar)
            return None if value is None else apply(number(value, call.name))

        return computed(scalar)

    return Function(build)


def _to_whole(rounding: str) -> Callable[[Item], int]:
    return lambda value: int(Decimal(value).to_integral_value(rounding))


def _whole(apply: Callable[[Item], int]) -> Callable[[Item], int | None]:
    def limited(value: Item) -> int | None:
        return apply(value) if Decimal(value).adjusted() < _MAX_WHOLE else None

    return limited


def _round(value: Item, places: int = 0) -> Item:
    if places < 0 or places > _MAX_PLACES or not isinstance(places, int):
        raise misfit(places, "round")
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return int(rounded) if isinstance(value, int) and not places else rounded


def _exp(value: Item) -> Decimal:
    return _DIGITS.plus(_WIDE.exp(Decimal(value)))


def _ln(value: Item) -> Decimal:
    return _DIGITS.plus(_WIDE.ln(Decimal(value)))


def _log(value: Item, base: Item) -> Decimal:
    quotient = _DIGITS.plus(_WIDE.divide(_WIDE.ln(Decimal(value)), _WIDE.ln(Decimal(base))))
    return quotient.quantize(1) if quotient == quotient.to_integral_value() else quotient


def _power(value: Item, exponent: Item) -> Item:
    result = _DIGITS.plus(_WIDE.power(Decimal(value), Decimal(exponent)))
    whole = isinstance(value, int) and isinstance(exponent, int) and exponent >= 0
    return int(result) if whole and result.adjusted() < _DIGITS.prec else result


def _sqrt(value: Item) -> Decimal:
    return _DIGITS.plus(_WIDE.sqrt(Decimal(value)))


# --- boundaries


def _decimal_boundary(value: Decimal, places: int | None, *, low: bool) -> Decimal | None:
    """`value` half a unit of its last digit lower or higher, to `places`."""
    places = _PLACES if places is None else places
    if not 0 <= places <= _MAX_PLACES:
        return None
    exponent = value.as_tuple().exponent
    half = Decimal(5).scaleb((exponent if isinstance(exponent, int) else 0) - 1)
    away = (value < 0) == low
    edge = abs(value) + half if away else abs(value) - half
    rounding = ROUND_HALF_UP if away else ROUND_DOWN
    try:
        rounded = edge.quantize(Decimal(1).scaleb(-places), rounding, _WIDE)
    except DecimalException:
        return None
    return rounded.copy_negate() if value < 0 else rounded


def _boundary(*, low: bool) -> Function:
    def build(call: Call) -> Code:
        of, rest = value_of(call.of, call.name), call.scalars()

        def scalar(item: Item, env: Environment) -> Item:
            value = of(item, env)
            places = rest[0](item, env) if rest else None
            if places is not None:
                expect(places, int, call.name)
            if value is None:
                return None
            if isinstance(value, Temporal):
                return temporals.boundary(value, places, low=low)
            if isinstance(value, Quantity):
                edge = _decimal_boundary(value.value, places, low=low)
                return None if edge is None else Quantity(edge, value.unit, value.calendar)
            return _decimal_boundary(Decimal(number(value, call.name)), places, low=low)

        return computed(scalar)

    return Function(build, 0, 1)


def _precision(call: Call) -> Code:
    of = value_of(call.of, call.name)

    def scalar(item: Item, env: Environment) -> Item:
        value = of(item, env)
        if isinstance(value, Temporal):
            return temporals.precision(value)
        if value is None:
            return None
        exponent = Decimal(number(value, call.name)).as_tuple().exponent
        return max(0, -exponent) if isinstance(exponent, int) else None

    return computed(scalar, "System.Integer")


def _comparable(call: Call) -> Code:
    of, (other,) = value_of(call.of, call.name), call.scalars()

    def scalar(item: Item, env: Environment) -> Item:
        values = of(item, env), other(item, env)
        one, two = (as_quantity(value) for value in values)
        if None in values:
            return None
        if one is None or two is None:
            raise misfit(values[one is not None], call.name)
        return one.code == two.code or comparable(one.code, two.code)

    return computed(scalar, "System.Boolean")


TABLE: Final[Table] = {
    "abs": _on_magnitude(abs),
    "ceiling": _numeric(_whole(_to_whole(ROUND_CEILING)), "Integer"),
    "floor": _numeric(_whole(_to_whole(ROUND_FLOOR)), "Integer"),
    "truncate": _numeric(_whole(_to_whole(ROUND_DOWN)), "Integer"),
    "exp": _numeric(_exp, "Decimal"),
    "ln": _numeric(_ln, "Decimal"),
    "log": _numeric(_log, "Decimal", 1, 1),
    "power": _numeric(_power, "", 1, 1),
    "round": _numeric(_round, "", 1, 0),
    "sqrt": _numeric(_sqrt, "Decimal"),
    "lowBoundary": _boundary(low=True),
    "highBoundary": _boundary(low=False),
    "precision": Function(_precision),
    "comparable": Function(_comparable, 1, 1),
}
