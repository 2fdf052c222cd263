"""Date values: partial dates as intervals, compared by prefix.

https://hl7.org/fhir/R4/search.html#date
"""

from collections.abc import Callable
from typing import Final

from fhir_server.core.datetimes import parse_interval
from fhir_server.search.plan import Node, Range, Updated
from fhir_server.search.prefixes import APPROXIMATION, DATE_ARMS, Arms, split_prefix
from fhir_server.search.values import Interval

Clock = Callable[[], int]
"""Milliseconds since 1970; only `ap` asks it."""

_PERCENT: Final = 100


def comparison(text: str, now: Clock) -> tuple[Interval, Arms]:
    """The interval and arms that a value such as `ge2024-05` stands for.

    Raises:
        BadValue: it is no date.
    """
    prefix, written = split_prefix(text)
    lo, hi = parse_interval(written)
    if prefix == "ap":
        slack = abs(now() - lo) * APPROXIMATION // _PERCENT
        lo, hi = lo - slack, hi + slack
    return Interval(lo, hi), DATE_ARMS[prefix]


def date(code: str, text: str, *, now: Clock) -> Node:
    """`code` compared with one value."""
    return Range("dates", code, *comparison(text, now))


def last_updated(text: str, *, now: Clock) -> Node:
    """`_lastUpdated` compared with one value."""
    return Updated(*comparison(text, now))
