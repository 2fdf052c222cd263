"""A profile's snapshot as a tree of nodes, slices beside the element they cut.

https://hl7.org/fhir/R4/profiling.html
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

from fhir_server.core.types import JsonObject
from fhir_server.spec.structures import (
    RESOURCE_TYPES,
    TYPES,
    Binding,
    Constraint,
    Element,
    Type,
)
from fhir_server.spec.tables import load

DEFINITIONS: Final = "http://hl7.org/fhir/StructureDefinition/"


@dataclass(frozen=True, slots=True)
class Discriminator:
    """How an item shows which slice it is of."""

    type: str
    path: tuple[str, ...]
    """Element names; empty for `$this`."""


@dataclass(slots=True)
class Node:
    """One element, or one slice of it. Built once, then only read."""

    path: str
    min: int
    max: int | None
    types: Mapping[str, tuple[str, ...]]
    """Type code -> profiles on it; empty where the element refers to another's content."""
    targets: tuple[str, ...] = ()
    fixed: Any = None
    pattern: Any = None
    binding: Binding | None = None
    constraints: tuple[Constraint, ...] = ()
    discriminators: tuple[Discriminator, ...] = ()
    closed: bool = False
    slice_name: str | None = None
    children: dict[str, "Node"] = field(default_factory=dict)
    """By the last step of the path, `value[x]` as it is written."""
    slices: dict[str, "Node"] = field(default_factory=dict)

    name: str = field(init=False)
    """As FHIRPath calls it."""

    def __post_init__(self) -> None:
        self.name = self.path.rpartition(".")[2].removesuffix("[x]")

    def child(self, name: str) -> "Node | None":
        """The child called `name`, choice or not."""
        return self.children.get(name) or self.children.get(f"{name}[x]")


@dataclass(frozen=True, slots=True)
class Profile:
    """A constraint on a type."""

    url: str
    type: str
    root: Node
    context: tuple[tuple[str, str], ...] = ()
    """Of an extension: where it may stand, as kind (`element`) and expression."""


class Profiles:
    """R4's own profiles, and those handed in, by canonical; each is compiled on first use."""

    def __init__(self, own: Mapping[str, JsonObject] | None = None) -> None:
        """`own` are rows as in the table of R4's; see `own_profiles`."""
        self._own = own or {}
        self._compiled: dict[str, Profile] = {}

    def find(self, url: str) -> Profile | None:
        """The profile of this canonical, `url|version` too; None where it is not known."""
        name = url.partition("|")[0]
        row = self.row(name)
        if row is None:
            return None
        if name not in self._compiled:
            root = build(row["elements"], self.type_of)
            _prune(root, TYPES[row["type"]])
            context = tuple((e["type"], e["expression"]) for e in row.get("context", ()))
            self._compiled[name] = Profile(name, row["type"], root, context)
        return self._compiled[name]

    def implied(self, url: str) -> Iterator[str]:
        """The profiles that this one is derived from, and so asks all that they ask."""
        row = self.row(url.partition("|")[0])
        while row is not None:
            above = row.get("above") or DEFINITIONS + row["base"]
            yield above
            row = self.row(above)

    @property
    def own_extensions(self) -> frozenset[str]:
        """The canonicals of extensions that are defined beside R4's."""
        return frozenset(u for u, row in self._own.items() if row["type"] == "Extension")

    def own(self) -> Mapping[str, str]:
        """The type of every resource profile beside R4's, by canonical."""
        rows = self._own.items()
        return {url: row["type"] for url, row in rows if row["type"] in RESOURCE_TYPES}

    def row(self, url: str) -> JsonObject | None:
        """The definition as it was read."""
        return r4_profiles().get(url) or self._own.get(url)

    def type_of(self, url: str) -> str:
        """The type that a profile, or a type's own definition, is about."""
        row = self.row(url.partition("|")[0])
        return str(row["type"]) if row else url.removeprefix(DEFINITIONS)


@cache
def r4_profiles() -> Mapping[str, JsonObject]:
    """The table of R4's own profiles."""
    return {row["url"]: row for row in load("profiles")}


def _plain_type(url: str) -> str:
    return url.removeprefix(DEFINITIONS)


def build(rows: Iterable[JsonObject], type_of: Callable[[str], str] = _plain_type) -> Node:
    """The tree of a snapshot's elements, which come parents first.

    `type_of` tells what type a canonical is about.
    """
    nodes: dict[str, Node] = {}
    root: Node | None = None
    for row in rows:
        name: str = row["id"] if "id" in row else row["path"]
        nodes[name] = node = _node(row, type_of)
        if root is None:
            root = node
            continue
        above, _, last = name.rpartition(".")
        bare, cut, slice_name = last.partition(":")
        if cut:
            sliced = nodes.get(f"{above}.{bare}")
            if sliced is not None:
                sliced.slices[slice_name] = node
        elif above in nodes:
            nodes[above].children[last] = node
    if root is None:
        raise ValueError(rows)
    return root


def _prune(node: Node, kind: Type | None) -> None:
    """Leave out below `node`, an element of type `kind`, all that the base standard asks too.

    A vital signs profile then has a dozen nodes of some two hundred.
    """
    for name, child in list(node.children.items()):
        base = _element_of(kind, child.name)
        if base is not None:
            _forget(child, base)
        for each in (child, *child.slices.values()):
            _prune(each, _type_of(each, base))
        if base is not None and _says_nothing(child, base):
            del node.children[name]


def _forget(node: Node, base: Element) -> None:
    profiles = {each.code: each.profiles for each in base.types}
    if "." in base.types[0].code or profiles == node.types:
        node.types = {}
    if set(node.targets) == {name for each in base.types for name in each.targets}:
        node.targets = ()
    if (
        node.binding
        and base.binding
        and replace(node.binding, name=base.binding.name) == base.binding
    ):
        node.binding = None


def _says_nothing(node: Node, base: Element) -> bool:
    if (node.min, node.max) != (base.min, base.max) or node.children or node.slices:
        return False
    said = (node.fixed, node.pattern, node.binding)
    return said == (None, None, None) and not (node.constraints or node.types or node.targets)


def _element_of(kind: Type | None, name: str) -> Element | None:
    rows = kind.elements if kind else ()
    return next((each for each in rows if each.name == name), None)


def _type_of(node: Node, base: Element | None) -> Type | None:
    """The one type of the element's content; None where there are several."""
    codes = list(node.types) or [each.code for each in (base.types if base else ())]
    if node.path in TYPES:
        return TYPES[node.path]
    return TYPES.get(codes[0]) if len(codes) == 1 else None


def _node(row: JsonObject, type_of: Callable[[str], str]) -> Node:
    slicing = row.get("slicing", {})
    return Node(
        path=row["path"],
        min=row.get("min", 0),
        max=None if row.get("max", "*") == "*" else int(row["max"]),
        types={each["code"]: tuple(each.get("profile", ())) for each in row.get("type", ())},
        targets=_targets(row, type_of),
        fixed=_valued(row, "fixed"),
        pattern=_valued(row, "pattern"),
        binding=_binding(row.get("binding")),
        constraints=_constraints(row),
        discriminators=tuple(_discriminator(e) for e in slicing.get("discriminator", ())),
        closed=slicing.get("rules") == "closed",
        slice_name=row.get("sliceName"),
    )


def _valued(row: JsonObject, prefix: str) -> Any:
    return next((value for name, value in row.items() if name.startswith(prefix)), None)


def _targets(row: JsonObject, type_of: Callable[[str], str]) -> tuple[str, ...]:
    """The resource types a reference may point to; a profile on one counts as the type."""
    names = [
        type_of(target)
        for each in row.get("type", ())
        for target in each.get("targetProfile", ())
    ]
    return () if "Resource" in names else tuple(dict.fromkeys(names))


def _binding(row: JsonObject | None) -> Binding | None:
    if row is None:
        return None
    value_set = row.get("valueSet", "").partition("|")[0] or None
    max_value_set = row.get("maxValueSet", "").partition("|")[0] or None
    return Binding(row["strength"], value_set, max_value_set, row.get("name"))


def _discriminator(row: JsonObject) -> Discriminator:
    path = tuple(step for step in row["path"].split(".") if step != "$this")
    return Discriminator(row["type"], path)


def _constraints(row: JsonObject) -> tuple[Constraint, ...]:
    """Those the profile adds; the base standard's own are asked of every resource anyway."""
    return tuple(
        Constraint(
            each["key"],
            each["severity"],
            each["human"],
            each["expression"],
            each.get("bestPractice", False),
        )
        for each in row.get("constraint", ())
        if each["key"] not in _base_keys() and "expression" in each
    )


@cache
def _base_keys() -> frozenset[str]:
    of_types = {each.key for kind in TYPES.values() for each in kind.constraints}
    rows = (row for kind in TYPES.values() for row in kind.elements)
    return frozenset(of_types | {each.key for row in rows for each in row.constraints})
