"""Every R4 type and its elements: what a resource may contain.

A backbone element is a type of its own here, named by its path (`Patient.contact`), so that
a walker moves from type to type: `TYPES["Patient"].properties["contact"].type`.

https://hl7.org/fhir/R4/structuredefinition.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from fhir_server.spec.tables import load

JsonObject = dict[str, Any]

Kind = Literal["primitive", "complex", "backbone", "resource"]
Strength = Literal["required", "extensible", "preferred", "example"]

_KINDS: Final[Mapping[str, Kind]] = {
    "primitive-type": "primitive",
    "complex-type": "complex",
    "resource": "resource",
}
_BASE: Final = "http://hl7.org/fhir/StructureDefinition/"


@dataclass(frozen=True, slots=True)
class Binding:
    """The value set an element is bound to."""

    strength: Strength
    value_set: str | None
    """Canonical without `|version`."""
    max_value_set: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Constraint:
    """An invariant, as FHIRPath over the element that carries it."""

    key: str
    severity: Literal["error", "warning"]
    human: str
    expression: str | None
    best_practice: bool = False


@dataclass(frozen=True, slots=True)
class ElementType:
    """One type an element may have."""

    code: str
    """A key of `TYPES`: `Quantity`, `string`, `Patient.contact`, `Resource`, `xhtml`."""
    targets: tuple[str, ...] = ()
    """Resource types a Reference or canonical may point to; empty: any."""
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Element:
    """One row of a type's definition."""

    name: str
    """As FHIRPath calls it: `value` for `value[x]`."""
    path: str
    """As the definition writes it: `Observation.value[x]`."""
    min: int
    max: int | None
    """None stands for `*`."""
    types: tuple[ElementType, ...]
    choice: bool = False
    binding: Binding | None = None
    constraints: tuple[Constraint, ...] = ()
    summary: bool = False
    modifier: bool = False

    @property
    def many(self) -> bool:
        """In JSON, an array."""
        return self.max != 1


@dataclass(frozen=True, slots=True)
class Property:
    """A JSON property of a type: `valueQuantity` is `value[x]` as a Quantity."""

    name: str
    element: Element
    type: ElementType


@dataclass(frozen=True, slots=True)
class Type:
    """A primitive, data type, backbone element or resource."""

    name: str
    kind: Kind
    base: str | None
    """The type it specialises; None for Element and Resource."""
    abstract: bool
    elements: tuple[Element, ...]
    """In the definition's order, inherited ones first."""
    properties: Mapping[str, Property]
    """By JSON name, in the definition's order; choices one by one."""
    constraints: tuple[Constraint, ...] = ()
    regex: str | None = None
    """Of a primitive's value."""
    system: str | None = None
    """Of a primitive: the FHIRPath System type of its value, e.g. `Decimal`."""


def _types() -> dict[str, Type]:
    found: dict[str, Type] = {}
    for structure in load("structures"):
        found.update((each.name, each) for each in _read(structure))
    return found


def _read(structure: JsonObject) -> Iterator[Type]:
    rows = structure["elements"]
    name = structure["name"]
    parents = [name, *(row["path"] for row in rows if _is_backbone(row))]
    children: dict[str, list[JsonObject]] = {parent: [] for parent in parents}
    for row in rows[1:]:
        parent = row["path"].rpartition(".")[0]
        children[parent].append(row)
    by_path = {row["path"]: row for row in rows}
    for parent in parents:
        own = tuple(_element(row, name) for row in children[parent])
        if parent == name:
            yield _top(structure, own)
        else:
            base = by_path[parent]["type"][0]["code"]
            yield Type(parent, "backbone", base, False, own, _properties(own))


def _is_backbone(row: JsonObject) -> bool:
    codes = [each["code"] for each in row.get("type", ())]
    return "." in row["path"] and codes in (["BackboneElement"], ["Element"])


def _top(structure: JsonObject, elements: tuple[Element, ...]) -> Type:
    root = structure["elements"][0]
    value: JsonObject = next(
        (r for r in structure["elements"] if r["path"].endswith(".value")), {}
    )
    primitive = structure["kind"] == "primitive-type"
    of_value = value.get("type", [{}])[0] if primitive else {}
    return Type(
        name=structure["name"],
        kind=_KINDS[structure["kind"]],
        base=structure["base"] or None,
        abstract=structure["abstract"],
        elements=elements,
        properties=_properties(elements),
        constraints=_constraints(root),
        regex=of_value.get("regex"),
        system=of_value.get("system"),
    )


def _element(row: JsonObject, structure: str) -> Element:
    path = row["path"]
    last = path.rpartition(".")[2]
    binding = row.get("binding")
    return Element(
        name=last.removesuffix("[x]"),
        path=path,
        min=row["min"],
        max=None if row["max"] == "*" else int(row["max"]),
        types=tuple(_element_types(row, structure)),
        choice=last.endswith("[x]"),
        binding=_binding(binding) if binding else None,
        constraints=_constraints(row),
        summary=row.get("isSummary", False),
        modifier=row.get("isModifier", False),
    )


def _element_types(row: JsonObject, structure: str) -> Iterator[ElementType]:
    if "contentReference" in row:
        yield ElementType(row["contentReference"].removeprefix("#"))
        return
    if _is_backbone(row):
        yield ElementType(row["path"])
        return
    is_id = row["path"] == f"{structure}.id"
    for each in row["type"]:
        # The definitions give Resource.id the type string; resource.html#id says `id`.
        code = "id" if is_id and structure in RESOURCE_NAMES else each["code"]
        targets = tuple(t.removeprefix(_BASE) for t in each.get("targetProfile", ()))
        yield ElementType(code, () if "Resource" in targets else targets, _profiles(each))


def _profiles(each: JsonObject) -> tuple[str, ...]:
    return tuple(each.get("profile", ()))


def _binding(row: JsonObject) -> Binding:
    value_set = row.get("valueSet", "").partition("|")[0] or None
    max_value_set = row.get("maxValueSet", "").partition("|")[0] or None
    return Binding(row["strength"], value_set, max_value_set, row.get("name"))


def _constraints(row: JsonObject) -> tuple[Constraint, ...]:
    return tuple(
        Constraint(
            each["key"],
            each["severity"],
            each["human"],
            each.get("expression"),
            each.get("bestPractice", False),
        )
        for each in row.get("constraint", ())
    )


def _properties(elements: tuple[Element, ...]) -> dict[str, Property]:
    return {
        name: Property(name, element, kind)
        for element in elements
        for kind in element.types
        for name in (_json_name(element, kind),)
    }


def _json_name(element: Element, kind: ElementType) -> str:
    if not element.choice:
        return element.name
    return element.name + kind.code[0].upper() + kind.code[1:]


RESOURCE_NAMES: Final = frozenset(
    row["name"] for row in load("structures") if row["kind"] == "resource"
)
TYPES: Final[Mapping[str, Type]] = _types()
"""Every type by name: `Patient`, `Patient.contact`, `HumanName`, `string`, `Resource`."""

RESOURCE_TYPES: Final = tuple(
    sorted(t.name for t in TYPES.values() if t.kind == "resource" and not t.abstract)
)
"""The 146 types an instance can have."""


def lineage(name: str) -> Iterator[str]:
    """The type `name` and what it specialises, the next of kin first."""
    of: str | None = name
    while of is not None:
        yield of
        of = TYPES[of].base if of in TYPES else None


def is_a(name: str | None, ancestor: str) -> bool:
    """Whether the type `name` is `ancestor` or specialises it."""
    while name is not None and name != ancestor:
        name = TYPES[name].base if name in TYPES else None
    return name is not None
