"""Operators: equality, comparison, boolean logic, arithmetic, membership.

https://hl7.org/fhirpath/N1/#operations
"""

from collections.abc import Callable, Mapping
from decimal import Context, Decimal, DecimalException
from typing import Final

from fhir_server.core.messages import Text
from fhir_server.fhirpath import quantity as quantities
from fhir_server.fhirpath import temporal as temporals
from fhir_server.fhirpath.code import Code, Scalar, Truth, computed, condition, value_of
from fhir_server.fhirpath.environment import Environment
from fhir_server.fhirpath.errors import MISFIT, SEVERAL, EvaluationFault
from fhir_server.fhirpath.functions.conversion import to_text
from fhir_server.fhirpath.functions.filtering import joined_kinds
from fhir_server.fhirpath.functions.strings import limited
from fhir_server.fhirpath.model import Item
from fhir_server.fhirpath.quantity import Quantity
from fhir_server.fhirpath.temporal import Temporal
from fhir_server.fhirpath.values import (
    all_equal,
    all_equivalent,
    as_quantity,
    described,
    distinct,
    equal,
    is_number,
    key,
    order,
)

NOT_A_DURATION: Final = Text(
    "FHIRPath: `{unit}` is not a duration that can be added to a date.",
    "FHIRPath: `{unit}` — не длительность, которую можно прибавить к дате.",
    "FHIRPath: `{unit}` — не тривалість, яку можна додати до дати.",
)

Binary = Callable[[Code, Code], Code]

_DECIMAL: Final = Context(prec=28)
_MAX_BITS: Final = 128
_MAX_DIGITS: Final = 38


# --- equality and order


def _equals(left: Code, right: Code) -> Code:
    """`=`, with a shorter way where both sides are single values."""
    if left.scalar is not None and right.scalar is not None:
        if type(right.constant) is str:
            return condition(_equals_text(left.scalar, right.constant))
        return condition(_equal_scalars(left.scalar, right.scalar))
    one, two = left.run, right.run
    return condition(lambda item, env: all_equal(one(item, env), two(item, env)))


def _equals_text(left: Scalar, text: str) -> Truth:
    def truth(item: Item, env: Environment) -> bool | None:
        value = left(item, env)
        return None if value is None else value == text

    return truth


def _equal_scalars(left: Scalar, right: Scalar) -> Truth:
    return lambda item, env: equal(left(item, env), right(item, env))


def _negated(of: Truth) -> Truth:
    def truth(item: Item, env: Environment) -> bool | None:
        value = of(item, env)
        return None if value is None else not value

    return truth


def _differs(left: Code, right: Code) -> Code:
    return condition(_negated(_equals(left, right).truth))


def _is_equivalent(left: Code, right: Code) -> Code:
    one, two = left.run, right.run
    return condition(lambda item, env: all_equivalent(one(item, env), two(item, env)))


def _not_equivalent(left: Code, right: Code) -> Code:
    return condition(_negated(_is_equivalent(left, right).truth))


def _ordered(sign: str, judge: Callable[[int | Decimal], bool]) -> Binary:
    def build(left: Code, right: Code) -> Code:
        one, two = value_of(left, sign), value_of(right, sign)

        def truth(item: Item, env: Environment) -> bool | None:
            difference = order(one(item, env), two(item, env), sign)
            return None if difference is None else judge(difference)

        return condition(truth)

    return build


# --- boolean logic, in three values


def _and(left: Code, right: Code) -> Code:
    one, two = left.truth, right.truth

    def truth(item: Item, env: Environment) -> bool | None:
        first = one(item, env)
        if first is False:
            return False
        second = two(item, env)
        if second is False:
            return False
        return None if first is None else second

    return condition(truth)


def _or(left: Code, right: Code) -> Code:
    one, two = left.truth, right.truth

    def truth(item: Item, env: Environment) -> bool | None:
        first = one(item, env)
        if first:
            return True
        second = two(item, env)
        if second:
            return True
        return None if first is None else second

    return condition(truth)


def _xor(left: Code, right: Code) -> Code:
    one, two = left.truth, right.truth

    def truth(item: Item, env: Environment) -> bool | None:
        first, second = one(item, env), two(item, env)
        return None if first is None or second is None else first is not second

    return condition(truth)


def _implies(left: Code, right: Code) -> Code:
    one, two = left.truth, right.truth

    def truth(item: Item, env: Environment) -> bool | None:
        first = one(item, env)
        if first is False:
            return True
        second = two(item, env)
        if first or second:
            return second
        return None

    return condition(truth)


# --- membership


def _in(left: Code, right: Code) -> Code:
    one, two = left.run, right.run
    known = right.constant

    def truth(item: Item, env: Environment) -> bool | None:
        items = one(item, env)
        if not items:
            return None
        if len(items) > 1:
            raise EvaluationFault(SEVERAL, what="in", count=len(items))
        if type(known) is frozenset:
            return key(items[0]) in known
        wanted = key(items[0])
        return any(key(each) == wanted for each in two(item, env))

    return condition(truth)


def union(arms: list[Code]) -> Code:
    """`a | b | c`: duplicates merged. Of constants, the keys are known beforehand."""
    live = [arm for arm in arms if not arm.never]
    if len(live) == 1:
        return _alone(live[0])
    runs = [arm.run for arm in live]
    presents = [arm.present for arm in live]
    constants = [arm.constant for arm in live]

    def run(item: Item, env: Environment) -> list[Item]:
        found = [one for each in runs for one in each(item, env)]
        return distinct(found) if len(found) > 1 else found

    def present(item: Item, env: Environment) -> bool:
        return any(each(item, env) for each in presents)

    known = None if None in constants else frozenset(map(key, constants))
    return Code(run, joined_kinds(*live), present_=present, constant=known)


def _alone(arm: Code) -> Code:
    if arm.one:
        return arm
    source = arm.run

    def run(item: Item, env: Environment) -> list[Item]:
        found = source(item, env)
        return distinct(found) if len(found) > 1 else found

    return Code(run, arm.kinds, present_=arm.present)


# --- arithmetic


def _misfit(sign: str, one: Item, two: Item) -> EvaluationFault:
    kind = f"{described(one)}, {described(two)}"
    return EvaluationFault(MISFIT, what=f"`{sign}`", kind=kind)


def _arithmetic(sign: str, apply: Callable[[Item, Item], Item]) -> Binary:
    def build(left: Code, right: Code) -> Code:
        first, second = value_of(left, sign), value_of(right, sign)

        def scalar(item: Item, env: Environment) -> Item:
            one, two = first(item, env), second(item, env)
            if one is None or two is None:
                return None
            try:
                found = apply(one, two)
            except DecimalException:
                return None
            if type(found) is str:
                env.spend_text(len(found))
            return found

        return computed(scalar)

    return build


def _shift(sign: str, moment: Temporal, by: Quantity) -> Temporal | None:
    if not temporals.is_duration(by):
        raise EvaluationFault(NOT_A_DURATION, unit=by.unit)
    return temporals.shifted(moment, by, 1 if sign == "+" else -1)


def _sum(sign: str) -> Callable[[Item, Item], Item]:
    factor = 1 if sign == "+" else -1

    def apply(one: Item, two: Item) -> Item:
        if is_number(one) and is_number(two):
            return one + factor * two
        if isinstance(one, Temporal) and isinstance(two, Quantity):
            return _shift(sign, one, two)
        if sign == "+" and isinstance(one, str) and isinstance(two, str):
            return limited(one + two)
        # "Integer and Decimal are implicitly converted": 1 'm' + 1 has no common unit.
        first, second = as_quantity(one), as_quantity(two)
        if first is None or second is None:
            raise _misfit(sign, one, two)
        return quantities.add(first, second, factor)

    return apply


def _times(one: Item, two: Item) -> Item:
    if is_number(one) and is_number(two):
        return _bounded(one * two)
    first, second = as_quantity(one), as_quantity(two)
    if first is None or second is None:
        raise _misfit("*", one, two)
    return quantities.multiply(first, second)


def _over(one: Item, two: Item) -> Item:
    if is_number(one) and is_number(two):
        return _DECIMAL.divide(Decimal(one), Decimal(two)) if two else None
    first, second = as_quantity(one), as_quantity(two)
    if first is None or second is None:
        raise _misfit("/", one, two)
    return quantities.divide(first, second)


def _bounded(value: Item) -> Item:
    """An integer of a size one can go on computing with; "overflow … is empty"."""
    return None if isinstance(value, int) and value.bit_length() > _MAX_BITS else value


def _whole_over(one: Item, two: Item) -> Item:
    if not is_number(one) or not is_number(two):
        raise _misfit("div", one, two)
    quotient = Decimal(one) / Decimal(two) if two else None
    return int(quotient) if quotient is not None and quotient.adjusted() < _MAX_DIGITS else None


def _modulo(one: Item, two: Item) -> Item:
    if not is_number(one) or not is_number(two):
        raise _misfit("mod", one, two)
    if not two:
        return None
    rest = Decimal(one) % Decimal(two)
    return rest if Decimal in (type(one), type(two)) else int(rest)


def _concatenated(left: Code, right: Code) -> Code:
    """`&`: an empty side is an empty string."""
    first, second = value_of(left, "&"), value_of(right, "&")

    def scalar(item: Item, env: Environment) -> Item:
        parts = [first(item, env), second(item, env)]
        texts = ["" if part is None else part for part in parts]
        for each in texts:
            if type(each) is not str and not isinstance(each, (int, Decimal, Temporal)):
                raise _misfit("&", parts[0], parts[1])
        found = limited("".join(to_text(each) or "" for each in texts))
        env.spend_text(len(found))
        return found

    return computed(scalar, "System.String")


def signed(sign: str, of: Code) -> Code:
    """Unary plus and minus."""
    source = value_of(of, sign)

    def scalar(item: Item, env: Environment) -> Item:
        value = source(item, env)
        if value is None:
            return None
        if isinstance(value, Quantity):
            number = value.value if sign == "+" else value.value.copy_negate()
            return Quantity(number, value.unit, value.calendar)
        if not is_number(value):
            raise EvaluationFault(MISFIT, what=f"`{sign}`", kind=described(value))
        return value if sign == "+" else -value

    return computed(scalar, *(of.kinds or ()))


OPERATORS: Final[Mapping[str, Binary]] = {
    "=": _equals,
    "!=": _differs,
    "~": _is_equivalent,
    "!~": _not_equivalent,
    "<": _ordered("<", lambda difference: difference < 0),
    "<=": _ordered("<=", lambda difference: difference <= 0),
    ">": _ordered(">", lambda difference: difference > 0),
    ">=": _ordered(">=", lambda difference: difference >= 0),
    "and": _and,
    "or": _or,
    "xor": _xor,
    "implies": _implies,
    "in": _in,
    "contains": lambda left, right: _in(right, left),
    "+": _arithmetic("+", _sum("+")),
    "-": _arithmetic("-", _sum("-")),
    "*": _arithmetic("*", _times),
    "/": _arithmetic("/", _over),
    "div": _arithmetic("div", _whole_over),
    "mod": _arithmetic("mod", _modulo),
    "&": _concatenated,
}
