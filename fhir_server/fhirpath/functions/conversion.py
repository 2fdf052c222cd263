"""Conversion between System types, and `iif`.

https://hl7.org/fhirpath/N1/#conversion
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from fhir_server.core.messages import Text
from fhir_server.fhirpath.calls import Call, Function, Table, misfit
from fhir_server.fhirpath.code import NOTHING, Code, Many, computed, value_of
from fhir_server.fhirpath.environment import Environment
from fhir_server.fhirpath.errors import SEVERAL, EvaluationFault, SemanticFault
from fhir_server.fhirpath.functions.filtering import joined_kinds
from fhir_server.fhirpath.model import SYSTEM_TYPES, Item
from fhir_server.fhirpath.quantity import Quantity, parse_quantity
from fhir_server.fhirpath.quantity import in_unit as in_unit_of
from fhir_server.fhirpath.temporal import Temporal, parse_date, parse_date_time, parse_time

NOT_A_CONDITION: Final = Text(
    "FHIRPath: the criterion of iif() is not a boolean.",
    "FHIRPath: условие iif() не логическое.",
    "FHIRPath: умова iif() не логічна.",
)

Converter = Callable[[Item], Item]

_INTEGER: Final = re.compile(r"[+-]?\d+", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_MAX_DIGITS: Final = 60
_TRUE: Final = frozenset({"true", "t", "yes", "y", "1", "1.0"})
_FALSE: Final = frozenset({"false", "f", "no", "n", "0", "0.0"})


def _to_boolean(value: Item) -> Item:
    match value:
        case bool():
            return value
        case int() | Decimal():
            return bool(value) if value in (0, 1) else None
        case str() if value.lower() in _TRUE:
            return True
        case str() if value.lower() in _FALSE:
            return False
        case _:
            return None


def _to_integer(value: Item) -> Item:
    match value:
        case int():
            return int(value)
        case str() if _INTEGER.fullmatch(value) and len(value) <= _MAX_DIGITS:
            return int(value)
        case _:
            return None


def _to_decimal(value: Item) -> Item:
    match value:
        case bool():
            return Decimal("1.0") if value else Decimal("0.0")
        case int() | Decimal():
            return Decimal(value)
        case str() if _DECIMAL.fullmatch(value) and len(value) <= _MAX_DIGITS:
            return Decimal(value)
        case _:
            return None


def to_text(value: Item) -> str | None:
    """A System value as `toString` writes it."""
    match value:
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value:f}"
        case str() | int() | Temporal() | Quantity():
            return str(value)
        case _:
            return None


def _to_date(value: Item) -> Item:
    match value:
        case Temporal("Date"):
            return value
        case Temporal("DateTime", parts):
            return Temporal("Date", parts[:3])
        case str():
            return parse_date(value)
        case _:
            return None


def _to_date_time(value: Item) -> Item:
    match value:
        case Temporal("DateTime"):
            return value
        case Temporal("Date", parts):
            return Temporal("DateTime", parts)
        case str():
            return parse_date_time(value)
        case _:
            return None


def _to_time(value: Item) -> Item:
    match value:
        case Temporal("Time"):
            return value
        case str():
            return parse_time(value)
        case _:
            return None


def _to_quantity(value: Item) -> Item:
    match value:
        case Quantity():
            return value
        case bool():
            return Quantity(Decimal("1.0") if value else Decimal("0.0"))
        case int() | Decimal():
            return Quantity(Decimal(value))
        case str() if len(value) <= _MAX_DIGITS:
            return parse_quantity(value)
        case _:
            return None


def _to(convert: Converter, kind: str) -> Function:
    def build(call: Call) -> Code:
        of = value_of(call.of, call.name)

        def scalar(item: Item, env: Environment) -> Item:
            value = of(item, env)
            return None if value is None else convert(value)

        return computed(scalar, f"System.{kind}")

    return Function(build)


def _converts(convert: Converter) -> Function:
    def build(call: Call) -> Code:
        of = value_of(call.of, call.name)

        def scalar(item: Item, env: Environment) -> Item:
            value = of(item, env)
            return None if value is None else convert(value) is not None

        return computed(scalar, "System.Boolean")

    return Function(build)


def _quantity(*, asked: bool) -> Function:
    """ToQuantity and convertsToQuantity, with the unit that is wanted."""

    def build(call: Call) -> Code:
        of = value_of(call.of, call.name)
        unit = value_of(call.outer(0), call.name) if call.args else None

        def scalar(item: Item, env: Environment) -> Item:
            value = of(item, env)
            if value is None:
                return None
            found = _to_quantity(value)
            wanted = unit(item, env) if unit else None
            if found is not None and wanted is not None:
                found = _in_unit(found, wanted, call.name)
            return found is not None if asked else found

        return computed(scalar, "System.Boolean" if asked else "System.Quantity")

    return Function(build, 0, 1)


def _in_unit(found: Quantity, wanted: Item, what: str) -> Quantity | None:
    if type(wanted) is not str:
        raise misfit(wanted, what)
    target = parse_quantity(f"1 {wanted}")
    if target is None or not target.calendar:
        return in_unit_of(found, wanted.strip("'"))
    if found == Quantity(found.value, target.unit, calendar=True):
        return found
    converted = in_unit_of(found, target.code)
    return converted and Quantity(converted.value, target.unit, calendar=True)


def _iif(call: Call) -> Code:
    """`iif(criterion, true-result, otherwise-result)`: only the branch taken is evaluated."""
    of, criterion = call.of.run, call.each(0)
    if criterion.kinds and criterion.kinds <= _NO_CONDITION:
        raise SemanticFault(NOT_A_CONDITION)
    truth = criterion.truth
    then, otherwise = call.each(1), call.each(2) if len(call.args) > 2 else NOTHING  # noqa: PLR2004 # the third argument

    def run(item: Item, env: Environment) -> list[Item]:
        items = of(item, env)
        if len(items) > 1:
            raise EvaluationFault(SEVERAL, what="iif()", count=len(items))
        focus = items[0] if items else Many()
        return (then if truth(focus, env) else otherwise).run(focus, env)

    return Code(run, joined_kinds(then, otherwise), one=then.one and otherwise.one)


_NO_CONDITION: Final = frozenset(f"System.{name}" for name in SYSTEM_TYPES - {"Boolean"})

_CONVERTERS: Final[dict[str, Converter]] = {
    "Boolean": _to_boolean,
    "Integer": _to_integer,
    "Decimal": _to_decimal,
    "String": to_text,
    "Date": _to_date,
    "DateTime": _to_date_time,
    "Time": _to_time,
}

TABLE: Final[Table] = {
    **{f"to{name}": _to(convert, name) for name, convert in _CONVERTERS.items()},
    **{f"convertsTo{name}": _converts(convert) for name, convert in _CONVERTERS.items()},
    "toQuantity": _quantity(asked=False),
    "convertsToQuantity": _quantity(asked=True),
    "iif": Function(_iif, 2, 3),
}
