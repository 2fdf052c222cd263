"""What a value set holds: codes that can be listed, and systems that can only be asked.

https://hl7.org/fhir/R4/valueset.html#compositions
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

Key = tuple[str, str]
"""System and code."""


@dataclass(frozen=True, slots=True)
class OpenPart:
    """An include that no local table can list."""

    system: str | None
    """None: any system, the part's content is unknown altogether."""
    holds: Callable[[str], bool] | None = None
    """Whether it holds a code; None where that is unknown."""

    def holds_code(self, system: str | None, code: str) -> bool | None:
        """True, False, or None for unknown."""
        if self.system is not None and system is not None and system != self.system:
            return False
        return self.holds(code) if self.holds else None


@dataclass(frozen=True)
class Expansion:
    """The content of a value set."""

    codes: Mapping[Key, str | None] = field(default_factory=dict)
    """(system, code) -> display, in the value set's order."""
    open: tuple[OpenPart, ...] = ()
    excluded: frozenset[Key] = frozenset()
    """What open parts do not hold."""

    @property
    def complete(self) -> bool:
        """Whether `codes` is all there is."""
        return not self.open

    @cached_property
    def bare(self) -> frozenset[str]:
        """The codes without their systems."""
        return frozenset(code for _, code in self.codes)

    def contains(self, system: str | None, code: str) -> bool | None:
        """Whether the value set holds the code; None where that is unknown.

        Without a system, as in an element of type `code`, any system will do.
        """
        if code in self.bare if system is None else (system, code) in self.codes:
            return True
        if system is not None and (system, code) in self.excluded:
            return False
        answers = [part.holds_code(system, code) for part in self.open]
        if True in answers:
            return True
        return None if None in answers else False

    def without(self, other: "Expansion") -> "Expansion":
        """What is left without that of `other`, as `compose.exclude` asks."""
        kept = {
            key: text for key, text in self.codes.items() if other.contains(*key) is not True
        }
        return replace(self, codes=kept, excluded=self.excluded | frozenset(other.codes))

    def within(self, other: "Expansion") -> "Expansion":
        """What both hold: the parts of one include are ANDed."""
        if other.open:
            return self._asking(other)
        if self.open:
            return other._asking(self)  # noqa: SLF001  # of the same class
        return Expansion({k: text for k, text in self.codes.items() if k in other.codes})

    def _asking(self, other: "Expansion") -> "Expansion":
        kept = {key: text for key, text in self.codes.items() if other.contains(*key)}
        unsure = any(other.contains(*key) is None for key in self.codes) or bool(self.open)
        return Expansion(kept, (OpenPart(None),) if unsure else ())


def union(parts: list[Expansion]) -> Expansion:
    """All that any of `parts` holds, in their order."""
    codes: dict[Key, str | None] = {}
    for part in parts:
        for key, text in part.codes.items():
            codes.setdefault(key, text)
    excluded = [part.excluded for part in parts if part.open]
    return Expansion(
        codes,
        tuple(dict.fromkeys(each for part in parts for each in part.open)),
        frozenset.intersection(*excluded) if excluded else frozenset(),
    )


UNKNOWN = Expansion(open=(OpenPart(None),))
"""A value set of which nothing is known."""
