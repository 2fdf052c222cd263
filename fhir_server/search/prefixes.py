"""The comparison prefixes of number, date and quantity, as tables over intervals.

https://hl7.org/fhir/R4/search.html#prefix
"""

from collections.abc import Mapping
from typing import Final, Literal, get_args

from fhir_server.search.plan import Compare

Prefix = Literal["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]
Arms = tuple[tuple[Compare, ...], ...]

_INSIDE: Final = (Compare("lo", ">=", "lo"), Compare("hi", "<=", "hi"))
_ABOVE: Final = (Compare("hi", ">", "hi"),)
_BELOW: Final = (Compare("lo", "<", "lo"),)

#: A row for each row of the standard's table; both sides are half-open.
DATE_ARMS: Final[Mapping[Prefix, Arms]] = {
    "eq": (_INSIDE,),
    "ne": (_BELOW, _ABOVE),
    "gt": (_ABOVE,),
    "lt": (_BELOW,),
    "ge": (_ABOVE, _INSIDE),
    "le": (_BELOW, _INSIDE),
    "sa": ((Compare("lo", ">=", "hi"),),),
    "eb": ((Compare("hi", "<=", "lo"),),),
    "ap": ((Compare("lo", "<", "hi"), Compare("hi", ">", "lo")),),
}

_PRECISE: Final = (Compare("lo", ">=", "lo"), Compare("hi", "<", "hi"))

#: A stored number is a point, so the open end of the searched range is said by `<`. For all
#: but eq, ne and ap "the implicit precision of the number is ignored": there lo == hi.
NUMBER_ARMS: Final[Mapping[Prefix, Arms]] = {
    "eq": (_PRECISE,),
    "ne": (_BELOW, (Compare("hi", ">=", "hi"),)),
    "gt": (_ABOVE,),
    "lt": (_BELOW,),
    "ge": ((Compare("hi", ">=", "hi"),),),
    "le": ((Compare("lo", "<=", "lo"),),),
    "sa": ((Compare("lo", ">", "hi"),),),
    "eb": ((Compare("hi", "<", "lo"),),),
    "ap": ((Compare("lo", "<=", "hi"), Compare("hi", ">=", "lo")),),
}

_PREFIXES: Final[Mapping[str, Prefix]] = {each: each for each in get_args(Prefix)}

#: Of the number itself, or of the time between the date and now.
APPROXIMATION: Final = 10  # percent; the standard's recommendation


def split_prefix(text: str) -> tuple[Prefix, str]:
    """`ge2024` as (`ge`, `2024`); without a prefix `eq`."""
    prefix = _PREFIXES.get(text[:2])
    return ("eq", text) if prefix is None else (prefix, text[2:])
