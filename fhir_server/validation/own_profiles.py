"""An operator's StructureDefinitions as rows of the table of profiles.

A definition with a snapshot is taken as it is. Of one without, the differential is laid over
the rows of its base. A row that says nothing need not be there: the base standard is asked of
every resource anyway, so that a profile on a type starts from the type's root alone.

https://hl7.org/fhir/R4/profiling.html#snapshot
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from fhir_server.core.types import JsonObject
from fhir_server.fhirpath import FhirPathError, compile  # noqa: A004 # re.compile's word
from fhir_server.spec.structures import TYPES, Element
from fhir_server.validation.profile_tree import DEFINITIONS, r4_profiles

_BINDING_MAX: Final = DEFINITIONS + "elementdefinition-maxValueSet"
_FHIR_TYPE: Final = DEFINITIONS + "structuredefinition-fhir-type"
_SYSTEM: Final = "http://hl7.org/fhirpath/System."
_KEPT: Final = ("id", "path", "sliceName", "min", "max", "slicing", "constraint")
_SLICE: Final = re.compile(r":[^.]*")
_BY_URL: Final = {"discriminator": [{"type": "value", "path": "url"}], "rules": "open"}
_BY_TYPE: Final = {"discriminator": [{"type": "type", "path": "$this"}], "rules": "open"}
_NAMED: Final = {"rules": "open"}
"""A name that is given to an element which occurs once: every item is of that slice."""
_IMPLIED_SLICING: Final = {"extension": _BY_URL, "modifierExtension": _BY_URL}

Rows = dict[str, JsonObject]
"""By id of the element, parents before children."""


class DefinitionError(Exception):
    """A definition of the operator's cannot be used; says which, and why."""


def table(definitions: Iterable[JsonObject]) -> dict[str, JsonObject]:
    """Rows by canonical, for `Profiles`.

    Raises:
        DefinitionError: one is no profile on a type of R4, or says what cannot be checked.
    """
    return _Reading({each["url"]: each for each in definitions}).table()


class _Reading:
    """One reading of definitions that may build on one another."""

    def __init__(self, definitions: Mapping[str, JsonObject]) -> None:
        self._definitions = definitions
        self._rows: dict[str, Rows] = {}

    def table(self) -> dict[str, JsonObject]:
        found = {}
        for url, each in self._definitions.items():
            _refuse_others(each)
            elements = [*self._rows_of(url, ()).values()]
            _refuse_unreadable(url, elements)
            found[url] = {
                "url": url,
                "type": each["type"],
                "above": each["baseDefinition"].partition("|")[0],
                "elements": elements,
                "context": each.get("context", []),
            }
        return found

    def _rows_of(self, canonical: str, below: tuple[str, ...]) -> Rows:
        """The rows of a base; `below` are the definitions that build on it."""
        url = canonical.partition("|")[0]
        if url in self._rows:
            return self._rows[url]
        if url in below:
            raise DefinitionError(f"{url} is built on itself.")
        definition = self._definitions.get(url)
        if definition is not None:
            self._rows[url] = self._read(definition, (*below, url))
            return self._rows[url]
        known = r4_profiles().get(url)
        if known is not None:
            return {row.get("id", row["path"]): row for row in known["elements"]}
        name = url.removeprefix(DEFINITIONS)
        if name in TYPES:
            return {name: {"path": name}}
        raise DefinitionError(f"{below[-1]}: its base {url} is not known.")

    def _read(self, definition: JsonObject, below: tuple[str, ...]) -> Rows:
        snapshot = definition.get("snapshot")
        if snapshot is not None:
            rows = [_row(each) for each in snapshot["element"]]
            return {row["id"]: row for row in rows}
        laid = _Layers(definition, dict(self._rows_of(definition["baseDefinition"], below)))
        for each in definition.get("differential", {}).get("element", ()):
            laid.lay(_row(each))
        return laid.rows


def _refuse_others(definition: JsonObject) -> None:
    url, kind = definition["url"], definition.get("type")
    if url in r4_profiles() or url.removeprefix(DEFINITIONS) in TYPES:
        raise DefinitionError(f"{url} is R4's own and cannot be replaced.")
    if definition.get("derivation") != "constraint" or kind not in TYPES:
        raise DefinitionError(f"{url} is not a constraint on a type of R4.")


def _refuse_unreadable(url: str, rows: Iterable[JsonObject]) -> None:
    for row in rows:
        for each in row.get("constraint", ()):
            try:
                compile(each.get("expression", "true"), strict=False)
            except FhirPathError as error:
                raise DefinitionError(f"{url}: {each['key']}: {error}") from error


# --- one element, slimmed as the rows of R4's profiles are


def _row(raw: JsonObject) -> JsonObject:
    name = raw.get("id") or _name(raw)
    kept: JsonObject = {key: raw[key] for key in _KEPT if key in raw}
    kept |= {key: raw[key] for key in raw if key.startswith(("fixed", "pattern"))}
    kept |= {"id": name, "path": _SLICE.sub("", name)}
    if "type" in raw:
        kept["type"] = [_type(each) for each in raw["type"]]
    if "binding" in raw:
        kept["binding"] = _binding(raw["binding"])
    return kept


def _name(raw: JsonObject) -> str:
    return f"{raw['path']}:{raw['sliceName']}" if "sliceName" in raw else str(raw["path"])


def _type(each: JsonObject) -> JsonObject:
    kept: JsonObject = {key: each[key] for key in ("profile", "targetProfile") if key in each}
    code = each["code"]
    if code.startswith(_SYSTEM):
        code = _extension(each, _FHIR_TYPE, "valueUrl") or "string"
    return kept | {"code": code}


def _binding(each: JsonObject) -> JsonObject:
    kept: JsonObject = {key: each[key] for key in ("strength", "valueSet") if key in each}
    greatest = _extension(each, _BINDING_MAX, "valueCanonical")
    return kept if greatest is None else kept | {"maxValueSet": greatest}


def _extension(each: JsonObject, url: str, name: str) -> Any:
    found = (x.get(name) for x in each.get("extension", ()) if x["url"] == url)
    return next(found, None)


# --- a differential over its base


class _Layers:
    """The rows of a base, over which those of a differential are laid."""

    def __init__(self, definition: JsonObject, rows: Rows) -> None:
        self.url = definition["url"]
        self.rows = rows

    def lay(self, row: JsonObject) -> None:
        """Change the element of `row`, or add it with what it stands in.

        Raises:
            DefinitionError: its type has no such element.
        """
        for name in _prefixes(row["id"]):
            self._ensure(name)
        base = self.rows[row["id"]]
        own = [*base.get("constraint", ()), *row.get("constraint", ())]
        self.rows[row["id"]] = base | row | ({"constraint": own} if own else {})

    def _ensure(self, name: str) -> None:
        if name in self.rows:
            return
        above, _, last = name.rpartition(".")
        bare, cut, slice_name = last.partition(":")
        if not cut:
            self.rows[name] = self._plain(name, above, bare)
            return
        whole = f"{above}.{bare}"
        self._ensure(whole)
        sliced = self.rows[whole]
        if "slicing" not in sliced:
            sliced = self.rows[whole] = sliced | {"slicing": self._slicing(name, bare, sliced)}
        kept = {key: sliced[key] for key in ("max", "type") if key in sliced}
        path = _SLICE.sub("", name)
        self.rows[name] = kept | {"id": name, "path": path, "sliceName": slice_name, "min": 0}

    def _slicing(self, name: str, element: str, sliced: JsonObject) -> JsonObject:
        """What R4 implies: extensions are told apart by url, choices by type."""
        implied = _BY_TYPE if element.endswith("[x]") else _IMPLIED_SLICING.get(element)
        if implied is None and sliced.get("max") == "1":
            return _NAMED
        if implied is None:
            raise DefinitionError(f"{self.url}: {name} is a slice, and nothing says of what.")
        return implied

    def _plain(self, name: str, above: str, last: str) -> JsonObject:
        found = [e for kind in self._kinds(above) for e in _elements(kind, last)]
        if not above or not found:
            raise DefinitionError(f"{self.url}: there is no element {name}.")
        most = "*" if found[0].max is None else str(found[0].max)
        return {"id": name, "path": _SLICE.sub("", name), "min": found[0].min, "max": most}

    def _kinds(self, name: str) -> list[str]:
        """The types an element's content may have."""
        row = self.rows.get(name, {})
        if row.get("path") in TYPES:
            return [row["path"]]
        codes = [each["code"] for each in row.get("type", ())]
        if codes:
            return codes
        above, _, last = name.rpartition(".")
        found = (e for kind in self._kinds(above) for e in _elements(kind, last))
        return [each.code for e in found for each in e.types] if above else []


def _elements(kind: str, name: str) -> Iterator[Element]:
    wanted = _SLICE.sub("", name).removesuffix("[x]")
    known = TYPES.get(kind)
    return (each for each in (known.elements if known else ()) if each.name == wanted)


def _prefixes(name: str) -> Iterator[str]:
    """`a`, `a.b`, `a.b.c`."""
    steps = name.split(".")
    return (".".join(steps[:count]) for count in range(1, len(steps) + 1))
