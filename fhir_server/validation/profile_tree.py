"""A profile's snapshot as a tree of nodes, slices beside the element they cut.

https://hl7.org/fhir/R4/profiling.html
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

from fhir_server.core.types import JsonObject
from fhir_server.spec.structures import TYPES, Binding, Constraint, Element, Type
from fhir_server.spec.tables import load

_PROFILE: Final = "http://hl7.org/fhir/StructureDefinition/"


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


def find(url: str) -> Profile | None:
    """The profile of this canonical, `url|version` too; None where it is not R4's own."""
    name = url.partition("|")[0]
    return _profile(name) if name in _rows() else None


def implied(url: str) -> Iterator[str]:
    """The profiles that this one is derived from, and so asks all that they ask."""
    row = _rows().get(url.partition("|")[0])
    while row is not None:
        above = _PROFILE + row["base"]
        yield above
        row = _rows().get(above)


@cache
def _profile(url: str) -> Profile:
    row = _rows()[url]
    root = build(row["elements"])
    _prune(root, TYPES[row["type"]])
    return Profile(url, row["type"], root)


@cache
def _rows() -> Mapping[str, JsonObject]:
    return {row["url"]: row for row in load("profiles")}


def build(rows: Iterable[JsonObject]) -> Node:
    """The tree of a snapshot's elements, which come parents first."""
    nodes: dict[str, Node] = {}
    root: Node | None = None
    for row in rows:
        name: str = row["id"] if "id" in row else row["path"]
        nodes[name] = node = _node(row)
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


def _node(row: JsonObject) -> Node:
    slicing = row.get("slicing", {})
    return Node(
        path=row["path"],
        min=row.get("min", 0),
        max=None if row.get("max", "*") == "*" else int(row["max"]),
        types={each["code"]: tuple(each.get("profile", ())) for each in row.get("type", ())},
        targets=_targets(row),
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


def _targets(row: JsonObject) -> tuple[str, ...]:
    """The resource types a reference may point to; a profile on one counts as the type."""
    names = [
        _profile_type(target)
        for each in row.get("type", ())
        for target in each.get("targetProfile", ())
    ]
    return () if "Resource" in names else tuple(dict.fromkeys(names))


def _profile_type(url: str) -> str:
    row = _rows().get(url)
    return str(row["type"]) if row else url.removeprefix(_PROFILE)


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
