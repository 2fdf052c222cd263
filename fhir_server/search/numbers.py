"""Number values: a decimal's digits say how far around it the search reaches.

https://hl7.org/fhir/R4/search.html#number
"""

import re
from decimal import Decimal
from typing import Final

from fhir_server.core.errors import BadValue
from fhir_server.core.messages import Text
from fhir_server.search import keys
from fhir_server.search.plan import Node, Range
from fhir_server.search.prefixes import APPROXIMATION, NUMBER_ARMS, Prefix, split_prefix
from fhir_server.search.values import Interval

NOT_A_NUMBER: Final = Text(
    "`{value}` is not a number.",
    "`{value}` — не число.",
    "`{value}` — не число.",
)

#: Longer ones have no place in a double; the bound keeps arithmetic on them short.
_NUMBER: Final = re.compile(
    r"[+-]?(?P<digits>\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?P<exponent>[eE][+-]?\d{1,3})?",
    re.ASCII,
)
_SHOWN: Final = 64  # characters of a refused value that its message repeats
_HALF: Final = Decimal("0.5")
_PERCENT: Final = 100


def bounds(prefix: Prefix, text: str) -> tuple[Decimal, Decimal]:
    """The range that `text` after `prefix` means.

    `100` is [99.5, 100.5), half of its last digit to each side. A lone digit with an
    exponent counts one digit more: `1e2` is [95, 105) in the standard's own table.

    Raises:
        BadValue: it is not a number.
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise BadValue(NOT_A_NUMBER, value=text[:_SHOWN])
    value = Decimal(text)
    if prefix == "ap":
        slack = abs(value) * APPROXIMATION / _PERCENT
    elif prefix in ("eq", "ne"):
        exponent = value.as_tuple().exponent
        lone = match["exponent"] is not None and len(match["digits"]) == 1
        slack = _HALF.scaleb(int(exponent) - lone)
    else:
        return value, value
    return value - slack, value + slack


def interval(lo: Decimal, hi: Decimal) -> Interval:
    """Both ends as the doubles the index keeps."""
    return Interval(float(lo), float(hi))


def number(code: str, text: str) -> Node:
    """`code` compared with one value."""
    prefix, written = split_prefix(text)
    value = interval(*bounds(prefix, written))
    return Range("quantities", keys.any_quantity(code), value, NUMBER_ARMS[prefix])
