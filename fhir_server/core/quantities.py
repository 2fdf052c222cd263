"""UCUM quantities in base units, so that 1 g and 1000 mg are one value.

A unit code is read once into a fraction, an offset and base units; a value then costs a
multiplication and a division, correctly rounded to 28 digits.

https://ucum.org/ucum
https://hl7.org/fhir/R4/search.html#quantity
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final, NamedTuple

from fhir_server.core.ucum import BASE_UNITS, OFFSETS, OWN_DIMENSIONS, PREFIXES, UNITS

_EXACT: Final = Context(prec=80, Emax=MAX_EMAX, Emin=MIN_EMIN)
_ROUNDED: Final = Context(prec=28, Emax=MAX_EMAX, Emin=MIN_EMIN)

_TOKEN: Final = re.compile(
    r"""
    (?P<annotation> \{ [\x21-\x7a|~]* \} )
    | (?P<atom> 10[*^] | (?: \[ [\x21-\x5a\x5c\x5e-\x7a|~]* \] | [^\[\]{}()./\d+\-="\s] )+ )
      (?P<exponent> [+-]? \d+ )?
    | (?P<factor> \d+ )
    | (?P<sign> [./()] )
    """,
    re.VERBOSE | re.ASCII,
)
_MAX_CODE: Final = 128  # characters; the longest code of HL7's common units has 29
_MAX_EXPONENT: Final = 99
_MAX_NESTING: Final = 8


class _Unknown(ValueError):
    """Not a code of UCUM."""


class _Token(NamedTuple):
    kind: str
    text: str
    exponent: int


@dataclass(frozen=True, slots=True)
class _Scale:
    """What one of a unit is: `factor` of the product of `powers`, from `zero` on."""

    factor: Fraction
    powers: Mapping[str, int]
    zero: Fraction = Fraction(0)

    def times(self, other: "_Scale", sign: int = 1) -> "_Scale":
        if self.zero or other.zero:
            raise _Unknown  # degrees have no products (UCUM section 21)
        powers = dict(self.powers)
        for unit, power in other.powers.items():
            powers[unit] = powers.get(unit, 0) + sign * power
        factor = self.factor * other.factor**sign
        return _Scale(factor, {unit: power for unit, power in powers.items() if power})

    def to_the(self, exponent: int) -> "_Scale":
        if self.zero and exponent != 1:
            raise _Unknown
        powers = {unit: power * exponent for unit, power in self.powers.items()}
        return _Scale(self.factor**exponent, powers, self.zero)


_ONE: Final = _Scale(Fraction(1), {})


@dataclass(frozen=True, slots=True)
class _Code:
    """A compiled unit code."""

    numerator: Decimal
    denominator: Decimal
    zero: Decimal
    base: str
    """Canonical code in base units, `g.m-3`; `1` without any."""


def canonical(value: Decimal, code: str) -> tuple[Decimal, str] | None:
    """`value` in base units, and those; None where UCUM does not know `code`.

    Two quantities are comparable where the base units are the same text.
    """
    unit = _compiled(code)
    return None if unit is None else (_to_base(value, unit), unit.base)


def comparable(code: str, other: str) -> bool:
    """Whether both codes are known and measure the same dimension."""
    one, two = _compiled(code), _compiled(other)
    return one is not None and two is not None and one.base == two.base


def convert(value: Decimal, source: str, target: str) -> Decimal | None:
    """`value` of `source` units in `target` units; None where they are not comparable."""
    if source == target:
        return value
    one, two = _compiled(source), _compiled(target)
    if one is None or two is None or one.base != two.base:
        return None
    numerator = _EXACT.multiply(one.numerator, two.denominator)
    denominator = _EXACT.multiply(one.denominator, two.numerator)
    shift = _EXACT.subtract(one.zero, two.zero)
    scaled = _EXACT.multiply(value, numerator)
    if shift:
        scaled = _EXACT.add(
            scaled, _EXACT.multiply(_EXACT.multiply(shift, two.denominator), one.denominator)
        )
    return _ROUNDED.divide(scaled, denominator)


def _to_base(value: Decimal, unit: _Code) -> Decimal:
    scaled = _ROUNDED.divide(_EXACT.multiply(value, unit.numerator), unit.denominator)
    return _ROUNDED.add(scaled, unit.zero) if unit.zero else scaled


# A laboratory uses some hundred codes; codes come from clients, so the cache has an end.
@lru_cache(maxsize=2_048)
def _compiled(code: str) -> _Code | None:
    if not code or len(code) > _MAX_CODE:
        return None
    try:
        scale = _parse(code)
    except _Unknown:
        return None
    zero = scale.zero
    return _Code(
        Decimal(scale.factor.numerator),
        Decimal(scale.factor.denominator),
        _EXACT.divide(Decimal(zero.numerator), Decimal(zero.denominator)),
        _written(scale.powers),
    )


def _written(powers: Mapping[str, int]) -> str:
    parts = (f"{unit}{'' if power == 1 else power}" for unit, power in sorted(powers.items()))
    return ".".join(parts) or "1"


def _parse(code: str) -> _Scale:
    tokens = list(_tokens(code))
    scale, end = _term(tokens, 0, _MAX_NESTING)
    if end != len(tokens):
        raise _Unknown
    return scale


def _tokens(code: str) -> Iterator[_Token]:
    position = 0
    while position < len(code):
        found = _TOKEN.match(code, position)
        if found is None:
            raise _Unknown
        kind = str(found.lastgroup)
        exponent = int(found["exponent"] or 1)
        if abs(exponent) > _MAX_EXPONENT:
            raise _Unknown
        if kind == "exponent":
            kind = "atom"
        yield _Token(kind, found[kind], exponent)
        position = found.end()


def _term(tokens: list[_Token], at: int, depth: int) -> tuple[_Scale, int]:
    """Read components joined by `.` and `/`, left to right, from `at` on."""
    sign = 1
    if at < len(tokens) and tokens[at].text == "/":
        sign, at = -1, at + 1
    scale, at = _component(tokens, at, depth)
    total = scale if sign == 1 else _ONE.times(scale, -1)
    while at < len(tokens) and tokens[at].text in (".", "/"):
        sign = 1 if tokens[at].text == "." else -1
        scale, at = _component(tokens, at + 1, depth)
        total = total.times(scale, sign)
    return total, at


def _component(tokens: list[_Token], at: int, depth: int) -> tuple[_Scale, int]:
    if at >= len(tokens) or depth == 0:
        raise _Unknown
    token = tokens[at]
    if token.kind == "annotation":
        return _ONE, at + 1
    if token.text == "(":
        scale, at = _term(tokens, at + 1, depth - 1)
        if at >= len(tokens) or tokens[at].text != ")":
            raise _Unknown
    elif token.kind == "factor":
        scale = _Scale(_positive(token.text), {})
    elif token.kind == "atom":
        scale = _unit(token.text).to_the(token.exponent)
    else:
        raise _Unknown
    at += 1
    if at < len(tokens) and tokens[at].kind == "annotation":
        at += 1
    return scale, at


def _positive(digits: str) -> Fraction:
    number = Fraction(digits)
    if not number:
        raise _Unknown
    return number


def _unit(text: str) -> _Scale:
    found = _atom(text)
    if found is not None:
        return found[0]
    for length in (1, 2):
        prefix, atom = text[:length], text[length:]
        found = _atom(atom)
        if prefix in PREFIXES and found is not None and found[1]:
            scale = found[0]
            return _Scale(scale.factor * Fraction(PREFIXES[prefix]), scale.powers, scale.zero)
    raise _Unknown


@lru_cache(maxsize=512)
def _atom(text: str) -> tuple[_Scale, bool] | None:
    """The unit without a prefix, and whether it takes one."""
    if text in BASE_UNITS:
        return _Scale(Fraction(1), {text: 1}), True
    if text in OWN_DIMENSIONS:
        return _Scale(Fraction(1), {text: 1}), OWN_DIMENSIONS[text]
    if text in OFFSETS:
        kelvins, zero = OFFSETS[text]
        return _Scale(Fraction(kelvins), {"K": 1}, Fraction(zero)), text == "Cel"
    if text not in UNITS:
        return None
    unit = UNITS[text]
    simpler = _parse(unit.unit)
    return _Scale(Fraction(unit.value) * simpler.factor, simpler.powers), unit.metric
