"""Callers for whom the store is broken, one call at a time: what they spoil is theirs alone."""

from dataclasses import replace
from typing import Final

from tests.support.limits import PEOPLE, SYSTEMS, Limit

MUTANT: Final = Limit("mutant", destroys=True)
MUTANT_SYSTEM: Final = replace(SYSTEMS[0], name="mutant-system")
MUTANT_CATEGORY: Final = replace(
    next(each for each in PEOPLE if each.name == "category"), name="mutant-category"
)
FINDER: Final = Limit(
    "finder",
    "patient/Observation.s patient/Observation.cud?category=urn:category|laboratory",
    whose="{p}",
    whose_else="{p}-other",
    category="vital-signs",
    destroys=True,
)
"""Finds what it may not change."""
