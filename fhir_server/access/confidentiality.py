"""Security labels as predicates: confidentiality is ordered, other labels cover narrower ones.

R4 says of `securityLabel`: "If the consent specifies a security label of "R" then it applies
to all resources that are labeled "R" or lower." That is safe where the rule permits. Where it
denies, it is read to apply to R and above.

https://hl7.org/fhir/R4/security-labels.html
"""

from collections.abc import Iterable
from typing import Final, Literal

from fhir_server.access.algebra import either, every, without
from fhir_server.access.codings import ACT_CODE, CONFIDENTIALITY, Coding
from fhir_server.search import keys
from fhir_server.search.plan import Everything, Keys, Node, Nothing

Level = Literal["U", "L", "M", "N", "R", "V"]
LEVELS: Final[tuple[Level, ...]] = ("U", "L", "M", "N", "R", "V")
"""Unrestricted, low, moderate, normal, restricted, very restricted; rising."""

SYSTEMS: Final = (
    CONFIDENTIALITY,
    "http://hl7.org/fhir/v3/Confidentiality",
    "urn:oid:2.16.840.1.113883.5.25",
    "urn:oid:1.2.643.5.1.13.13.99.2.285",
)
"""Systems with these codes: HL7's, its older names, and the Russian national dictionary."""

_OTHER: Final = ("B", "C", "D", "ETH", "HIV", "I", "PSY", "S", "SDV", "T")
"""Codes of v3-Confidentiality outside the order; each says that access is restricted."""

_NARROWER: Final = {
    "ETH": ("ETHUD", "OPIOIDUD", "SUD"),
    "SUD": ("ETHUD", "OPIOIDUD"),
    "BH": ("COGN", "DVD", "EMOTDIS"),
    "SPI": (
        "BH", "COGN", "DVD", "EMOTDIS", "ETHUD", "MH", "OPIOIDUD", "PSY", "PSYTHPN", "SUD",
    ),
}  # fmt: skip
"""v3-ActCode, ActInformationSensitivityPolicy: a label and those it covers. That ETH covers
the two of alcohol and opioids is IHE PCF's."""


def level_of(label: Coding) -> Level | None:
    """The level that a label names; None for another label."""
    if label.system not in SYSTEMS:
        return None
    return next((each for each in LEVELS if each == label.code), None)


def at_most(level: Level, *, unlabelled: Level) -> Node:
    """Resources whose highest confidentiality is `level` or below; one without a label
    counts as `unlabelled`."""
    place = LEVELS.index(level) + 1
    lower = without(_labelled_above(LEVELS[place:]))
    if LEVELS.index(unlabelled) < place:
        return lower
    return every(_labelled(Coding(s, c) for s in SYSTEMS for c in LEVELS[:place]), lower)


def at_least(level: Level, *, unlabelled: Level) -> Node:
    """Resources whose highest confidentiality is `level` or above."""
    place = LEVELS.index(level)
    return without(at_most(LEVELS[place - 1], unlabelled=unlabelled)) if place else Everything()


def _labelled_above(levels: tuple[Level, ...]) -> Node:
    """A label of any of the highest `levels`, in whatever system."""
    if not levels:
        return Nothing()
    found = [keys.token("_security", None, each) for each in levels]
    if "R" in levels:
        found += [keys.token("_security", CONFIDENTIALITY, each) for each in _OTHER]
    return Keys("tokens", tuple(found))


def labelled(label: Coding) -> Node:
    """Resources with the label, or one that it covers."""
    codes: tuple[str, ...] = (label.code,)
    if label.system == ACT_CODE:
        codes += _NARROWER.get(label.code, ())
    return _labelled(Coding(label.system, each) for each in codes)


def _labelled(labels: Iterable[Coding]) -> Node:
    return either(Keys("tokens", tuple(keys.token("_security", *each) for each in labels)))
