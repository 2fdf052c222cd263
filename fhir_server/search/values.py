"""What the index knows of one version of a resource.

Every search, restriction and sort is answered from these values alone. A value carries the
code of its parameter inside, so that one index over `tokens` serves every token parameter.

https://hl7.org/fhir/R4/search.html
"""

from dataclasses import dataclass, field
from typing import NamedTuple

MIN_TIME = -(2**53)
MAX_TIME = 2**53
"""Open ends of a Period, in milliseconds since 1970; integers a double holds exactly."""


class Interval(NamedTuple):
    """A date of any precision, a Period or a number's range: half-open, `lo` is in.

    Dates are integer milliseconds since 1970-01-01T00:00Z; numbers are doubles with
    `lo == hi` for an exact value (then the interval is that point).
    """

    lo: float
    hi: float


class Ranged(NamedTuple):
    """A date, number or quantity under its key (`search.keys`)."""

    key: str
    lo: float
    hi: float


class Combined(NamedTuple):
    """One value of a composite parameter: the keys and ranges that occur together."""

    param: str
    keys: tuple[str, ...]
    """Keys of every part (token, string, uri, reference); the part's number leads each
    (`search.keys.part`)."""
    ranges: tuple[Ranged, ...]
    """Date, number and quantity parts; the part's number leads each key."""


@dataclass(slots=True)
class IndexValues:
    """All index values of one version; lists are without duplicates, in no set order."""

    compartments: list[str] = field(default_factory=list)
    """`Patient/p1`, `Encounter/e1`, …; a Patient is in its own."""
    patient: str | None = None
    """The id of the one patient it is about (`search.patients`)."""
    tokens: list[str] = field(default_factory=list)
    """`search.keys.token` keys, two a coding."""
    strings: list[str] = field(default_factory=list)
    """Folded and exact forms, `search.keys.folded` and `search.keys.exact`."""
    references: list[str] = field(default_factory=list)
    """`subject|Patient/p1`, without `_history`; foreign ones in full."""
    uris: list[str] = field(default_factory=list)
    """uri parameters; canonical references with and without `|version`."""
    words: list[str] = field(default_factory=list)
    """`_text|…` and `_content|…` words, folded."""
    dates: list[Ranged] = field(default_factory=list)
    """Key is the parameter's code."""
    quantities: list[Ranged] = field(default_factory=list)
    """number and quantity parameters, under the keys of `search.keys.quantity`."""
    combined: list[Combined] = field(default_factory=list)
    position: tuple[float, float] | None = None
    """Longitude, latitude in degrees (WGS84), of a Location."""
    sort_date: int | None = None
    """`lo` of the type's chief date parameter (`search.sorting.CHIEF_DATE`)."""
    sort_text: str | None = None
    """Folded chief string parameter (`search.sorting.CHIEF_STRING`), the least one…"""
    sort_text_last: str | None = None
    """… and the greatest, for descending order (search.html#sort)."""
