"""Bounds of one search request: what is beyond them is 400 `too-costly`, said before any work.

https://hl7.org/fhir/R4/search.html
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """Each is a setting."""

    values: int = 2_000
    """Alternatives of one parameter; as index keys they are one lookup each."""
    comparisons: int = 200
    """Alternatives that no key answers (ranges, prefixes, chains): one index scan each."""
    parameters: int = 100
    length: int = 200_000
    """Characters of all names and values together."""
    depth: int = 6
    """Links of a chain, `_has` among them; each may be a query of its own."""
    branches: int = 1_000
    """Types tried for the links of a chain that names none; each costs microseconds."""
    sort: int = 6
    """Keys of `_sort`."""
    concepts: int = 5_000
    """Codes that `:in`, `:not-in`, `:above` and `:below` may stand for."""
    nesting: int = 32
    """Parentheses of a `_filter`."""
    rounds: int = 8
    """Repetitions of `:iterate`."""
