"""R4's code systems and value sets, and those a caller hands in.

Tables are read on the first question, value sets are expanded once. HL7's own definitions
cannot be replaced by a caller's: bindings of the base standard stay what they are.

https://hl7.org/fhir/R4/terminology-module.html
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from fhir_server.spec.tables import load
from fhir_server.terminology import code_systems
from fhir_server.terminology.code_systems import CodeSystem, Concept
from fhir_server.terminology.expansions import UNKNOWN, Expansion, OpenPart, union
from fhir_server.terminology.filters import predicate
from fhir_server.terminology.grammars import GRAMMARS, VALUE_SETS

JsonObject = dict[str, Any]

MAX_IMPORTS: Final = 32
"""Value sets nested deeper than this are not followed; HL7's deepest has 3."""


def _names(resource: JsonObject) -> Iterator[str]:
    """Its canonical URL, and its place on this server: `ValueSet/1`."""
    if "url" in resource:
        yield resource["url"]
    if "id" in resource:
        yield f"{resource['resourceType']}/{resource['id']}"


class Terminology:
    """Answers by canonical URL; `url|version` is understood as `url`."""

    def __init__(self, resources: Iterable[JsonObject] = ()) -> None:
        self._own = {
            (each["resourceType"], name): each for each in resources for name in _names(each)
        }
        self._systems: dict[str, CodeSystem | None] = {}
        self._expansions: dict[str, Expansion] = {}

    def with_resources(self, resources: Iterable[JsonObject]) -> "Terminology":
        """One that also knows these CodeSystems and ValueSets; this one is unchanged."""
        return Terminology([*self._own.values(), *resources])

    def code_system(self, url: str) -> CodeSystem | None:
        """The system whose concepts are listed here; None where there is no such list."""
        name = url.partition("|")[0]
        if name not in self._systems:
            row = self._definition("CodeSystem", name)
            listed = row is not None and "concept" in row
            self._systems[name] = code_systems.read(row) if row and listed else None
        return self._systems[name]

    def expand(self, value_set: str) -> Expansion:
        """The content of a value set; `complete` tells whether all of it could be listed."""
        return self._expand(value_set.partition("|")[0], frozenset())

    def knows(self, value_set: str) -> bool:
        """Whether there is a definition of this value set."""
        name = value_set.partition("|")[0]
        return name in VALUE_SETS or self._definition("ValueSet", name) is not None

    def contains(self, value_set: str, system: str | None, code: str) -> bool | None:
        """Whether a value set holds a code; None where it cannot be known here."""
        return self.expand(value_set).contains(system, code)

    def concept(self, system: str, code: str) -> Concept | None:
        """The concept itself, where the system is listed."""
        found = self.code_system(system)
        return found.concepts.get(code) if found else None

    def holds_code(self, system: str, code: str) -> bool | None:
        """Whether a code is of a system; None where that cannot be known here."""
        if system in GRAMMARS:
            return GRAMMARS[system](code)
        found = self.code_system(system)
        if found is None or (not found.complete and code not in found.concepts):
            return None
        return code in found.concepts

    def descendants(self, system: str, code: str) -> frozenset[str]:
        """The codes below `code`, itself left out."""
        found = self.code_system(system)
        return found.descendants(code) if found else frozenset()

    def ancestors(self, system: str, code: str) -> frozenset[str]:
        """The codes above `code`, itself left out."""
        found = self.code_system(system)
        return found.ancestors(code) if found else frozenset()

    def subsumes(self, system: str, above: str, below: str) -> bool | None:
        """Whether `above` is `below` or an ancestor of it; None for codes unknown here."""
        found = self.code_system(system)
        if found is None or not {above, below} <= found.concepts.keys():
            return True if above == below else None
        return above == below or above in found.ancestors(below)

    def _definition(self, kind: str, url: str) -> JsonObject | None:
        return _table(kind).get(url) or self._own.get((kind, url))

    def _expand(self, url: str, above: frozenset[str]) -> Expansion:
        """The content of `url`, imported by the value sets `above` it."""
        known = self._expansions.get(url)
        if known is not None:
            return known
        # Value sets come from clients: one that imports itself is of unknown content.
        if url in above or len(above) >= MAX_IMPORTS:
            return UNKNOWN
        found = self._expansions[url] = self._composed(url, above | {url})
        return found

    def _composed(self, url: str, above: frozenset[str]) -> Expansion:
        if url in VALUE_SETS:
            return self._whole(VALUE_SETS[url])
        row = self._definition("ValueSet", url)
        if row is None:
            return UNKNOWN
        if "compose" not in row:
            return _stored(row)
        content = union([self._part(e, above) for e in row["compose"].get("include", ())])
        for each in row["compose"].get("exclude", ()):
            content = content.without(self._part(each, above))
        return content

    def _part(self, include: JsonObject, above: frozenset[str]) -> Expansion:
        """One include: its system's codes and all its value sets, ANDed."""
        parts = [self._listed(include)] if "system" in include else []
        imports = include.get("valueSet", ())
        parts += [self._expand(url.partition("|")[0], above) for url in imports]
        if not parts:
            return UNKNOWN
        content = parts[0]
        for other in parts[1:]:
            content = content.within(other)
        return content

    def _listed(self, include: JsonObject) -> Expansion:
        url = include["system"].partition("|")[0]
        if "concept" in include:
            return Expansion({(url, c["code"]): c.get("display") for c in include["concept"]})
        return (
            self._filtered(url, include["filter"]) if "filter" in include else self._whole(url)
        )

    def _whole(self, url: str) -> Expansion:
        if url in GRAMMARS:
            return Expansion(open=(OpenPart(url, GRAMMARS[url]),))
        system = self.code_system(url)
        if system is None:
            return Expansion(open=(OpenPart(url),))
        codes = {(url, each.code): each.display for each in system.concepts.values()}
        return Expansion(codes, () if system.complete else (OpenPart(url),))

    def _filtered(self, url: str, filters: Iterable[JsonObject]) -> Expansion:
        system = self.code_system(url)
        if system is None:
            return Expansion(open=(OpenPart(url),))
        tests = [predicate(system, each) for each in filters]
        known = [test for test in tests if test is not None]
        if len(known) < len(tests):
            return Expansion(open=(OpenPart(url),))
        codes = {
            (url, each.code): each.display
            for each in system.concepts.values()
            if all(test(each) for test in known)
        }
        return Expansion(codes, () if system.complete else (OpenPart(url),))


def _stored(row: JsonObject) -> Expansion:
    """What a value set without a definition was expanded to by its author."""
    if "expansion" not in row:
        return UNKNOWN
    codes: dict[tuple[str, str], str | None] = {}
    waiting = list(reversed(row["expansion"].get("contains", ())))
    while waiting:
        each = waiting.pop()
        if "code" in each and not each.get("abstract"):
            codes[each.get("system", ""), each["code"]] = each.get("display")
        waiting.extend(reversed(each.get("contains", ())))
    return Expansion(codes)


_TABLES: Final[Mapping[str, str]] = {"CodeSystem": "code_systems", "ValueSet": "value_sets"}


@cache
def _table(kind: str) -> Mapping[str, JsonObject]:
    return {row["url"]: row for row in load(_TABLES[kind])}
