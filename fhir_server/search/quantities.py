"""Quantity values: `[prefix]number|system|code`; a UCUM unit finds every comparable one.

https://hl7.org/fhir/R4/search.html#quantity
"""

from decimal import Decimal
from typing import Final

from fhir_server.core.errors import BadValue
from fhir_server.core.messages import Text
from fhir_server.core.quantities import canonical
from fhir_server.search import keys
from fhir_server.search.escapes import split, unescape
from fhir_server.search.numbers import bounds, interval
from fhir_server.search.plan import Node, Nothing, Range
from fhir_server.search.prefixes import NUMBER_ARMS, split_prefix

BAD_QUANTITY: Final = Text(
    "`{value}` is not a quantity: expected [prefix]number, [prefix]number|system|code or "
    "[prefix]number||code.",
    "`{value}` — не величина: ожидается [префикс]число, [префикс]число|система|код или "
    "[префикс]число||код.",
    "`{value}` — не величина: очікується [префікс]число, [префікс]число|система|код або "
    "[префікс]число||код.",
)

UCUM: Final = "http://unitsofmeasure.org"
_CANONICAL_MARK: Final = "="  # `search.keys.canonical_quantity` writes it in a system's place
_SHOWN: Final = 64  # characters of a refused value that its message repeats
_PARTS: Final = (1, 3)


def quantity(code: str, text: str) -> Node:
    """`code` compared with one value.

    Raises:
        BadValue: it is no quantity.
    """
    prefix, written = split_prefix(text)
    parts = [unescape(part) for part in split(written, "|")]
    if len(parts) not in _PARTS:
        raise BadValue(BAD_QUANTITY, value=text[:_SHOWN])
    lo, hi = bounds(prefix, parts[0])
    system, unit = (parts[1], parts[2]) if len(parts) > 1 else ("", "")
    if system and not unit:
        raise BadValue(BAD_QUANTITY, value=text[:_SHOWN])
    if system == _CANONICAL_MARK:
        return Nothing()
    key, lo, hi = _in_unit(code, system, unit, lo, hi)
    return Range("quantities", key, interval(lo, hi), NUMBER_ARMS[prefix])


def _in_unit(
    code: str, system: str, unit: str, lo: Decimal, hi: Decimal
) -> tuple[str, Decimal, Decimal]:
    """The key to look under, and the bounds in its unit; the precision converts with them."""
    if not unit:
        return keys.any_quantity(code), lo, hi
    if system == UCUM:
        low, high = canonical(lo, unit), canonical(hi, unit)
        if low is not None and high is not None:
            return keys.canonical_quantity(code, low[1]), low[0], high[0]
    return keys.quantity(code, system, unit), lo, hi
