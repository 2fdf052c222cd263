"""Every issue of a resource, with its place: slow, complete, the authority.

Walks the JSON beside the definitions, element by element. Content that does not have the
shape its type asks for is reported and not entered.

https://hl7.org/fhir/R4/validation.html
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

from fhir_server.core.errors import Issue
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.spec.structures import (
    RESOURCE_TYPES,
    TYPES,
    Element,
    Property,
    Type,
)
from fhir_server.terminology.terminology import Terminology
from fhir_server.validation import (
    bindings,
    constraints,
    contained,
    formats,
    invariants,
    narrative,
    rules,
    targets,
    texts,
)

_TYPES: Final = frozenset(RESOURCE_TYPES)
_QUANTITIES: Final = frozenset({"Quantity", "Age", "Count", "Distance", "Duration"})


MAX_ISSUES: Final = 1000
"""A body of 16 MB may have millions; nobody reads more, and the answer stays under 1 MB."""


class _Enough(Exception):
    """There are as many issues as are told."""


def walk(
    resource: JsonObject, kind: str, terminology: Terminology, *, warnings: bool = False
) -> list[Issue]:
    """Every issue of a resource that should be of type `kind`, in the order of the JSON."""
    walker = _Walker(terminology, warnings)
    try:
        walker.resource(resource, kind, kind)
    except _Enough:
        args = {"limit": MAX_ISSUES}
        walker.issues.append(
            Issue("informational", texts.NOT_ALL, args, "information", (kind,))
        )
    return walker.issues


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the walk is: the resource around it and the one that contains that."""

    resource: JsonObject
    root: JsonObject
    inside: contained.Inside
    """What the root contains; "" is the root itself."""

    def scene(self, value: Any, kind: str) -> invariants.Scene:
        """`value`, of type `kind`, as an invariant sees it from here."""
        return invariants.Scene(value, kind, self.resource, self.root, self.inside)


@dataclass(slots=True)
class _Walker:
    """One walk over one resource; `issues` fills in the order of the JSON."""

    terminology: Terminology
    warnings: bool = False
    """Whether invariants of severity warning are asked too."""
    issues: list[Issue] = field(default_factory=list)
    errors: int = 0
    """How many of `issues` are errors."""

    def resource(
        self, value: Any, path: str, kind: str | None = None, around: _Place | None = None
    ) -> None:
        """Walk a resource, of type `kind` where one is asked for; `around` it is another."""
        if not isinstance(value, dict):
            self.say("structure", path, texts.NOT_AN_OBJECT, found=formats.describe(value))
            return
        name = value.get("resourceType")
        if name is None:
            self.say("structure", path, texts.NO_TYPE)
        elif not isinstance(name, str) or name not in _TYPES:
            self.say("structure", path, texts.UNKNOWN_TYPE, type=str(name)[:64])
        elif kind is not None and name != kind:
            self.say("invalid", path, texts.OTHER_TYPE, expected=kind, found=name)
        else:
            place = (
                _Place(value, value, contained.inside(value))
                if around is None
                else (replace(around, resource=value))
            )
            if around is None:
                self.tell(contained.issues(value, path))
            self.structure(value, TYPES[name], path, place)

    def structure(
        self, value: Any, of: Type, path: str, place: _Place, *, bare: bool = False
    ) -> None:
        """Walk an object of type `of`: a resource, data type or backbone element.

        `bare`: it may have an id and nothing else.
        """
        if not isinstance(value, dict):
            self.say("structure", path, texts.NOT_AN_OBJECT, found=formats.describe(value))
            return
        if not value:
            self.say("structure", path, texts.EMPTY_OBJECT)
            return
        before = self.errors
        self.properties(value, of, path, place)
        self.cardinality(value, of, path)
        if of.kind != "resource" and not bare and not value.keys() - {"id"}:
            self.say("invariant", path, texts.NO_CONTENT)
        if of.name == "Extension":
            self.extension(value, path)
        if self.errors == before:
            # An invariant over a broken object would say the same thing again.
            self.invariants(of.name, place.scene(value, of.name), path)

    def properties(self, value: JsonObject, of: Type, path: str, place: _Place) -> None:
        for name in value:
            bare = name.removeprefix("_")
            found = of.properties.get(bare)
            if name == "resourceType" and of.kind == "resource":
                continue
            if found is None or found.element.max == 0 or (bare != name and not _simple(found)):
                self.say(
                    "structure",
                    f"{path}.{name}",
                    texts.UNKNOWN_ELEMENT,
                    type=of.name,
                    name=name,
                )
            elif _simple(found):
                if bare == name or bare not in value:
                    self.primitive(value, found, f"{path}.{found.element.name}", place)
            else:
                self.complex(value[name], found, f"{path}.{found.element.name}", place)

    def cardinality(self, value: JsonObject, of: Type, path: str) -> None:
        names = _names(of.name)
        for element in of.elements:
            given = [name for name in names[element.name] if _given(value, name)]
            if element.min and not given:
                written = f"{element.name}[x]" if element.choice else element.name
                self.say("required", f"{path}.{element.name}", texts.MISSING, name=written)
            if len(given) > 1:
                listed = ", ".join(f"`{name}`" for name in given)
                self.say(
                    "structure", f"{path}.{element.name}", texts.SEVERAL_CHOICES, names=listed
                )

    def complex(self, value: Any, each: Property, path: str, place: _Place) -> None:
        """Walk the value of an element that is no primitive."""
        for at, item in self.items(value, each.element, path):
            code = each.type.code
            if code == "Resource":
                inside = place if each.element.name == "contained" else None
                self.resource(item, at, around=inside)
                continue
            before = self.errors
            self.structure(item, TYPES[code], at, place)
            if self.errors == before:
                self.rules(item, each, at, place)

    def rules(self, item: Any, each: Property, at: str, place: _Place) -> None:
        """What the element, not the type, asks of a well-formed value."""
        code = each.type.code
        if code == "Reference":
            self.tell(targets.issues(item, each.type.targets, place.inside, at))
        if each.element.binding:
            kind = "Quantity" if code in _QUANTITIES else code
            self.bound(item, each.element, kind, at)
        if code in _QUANTITIES and self.warnings:
            self.tell(bindings.units(self.terminology, item, at))
        if constraints.SIMPLE_QUANTITY in each.type.profiles and _given(item, "comparator"):
            self.tell([rules.broken(constraints.COMPARATOR, texts.INVARIANT, at)])
        if "." not in code:
            self.invariants(each.element.path, place.scene(item, code), at)

    def bound(self, item: Any, element: Element, kind: str, at: str) -> None:
        if element.binding:
            found = bindings.issues(self.terminology, element.binding, kind, item, at)
            self.tell(found)

    def items(self, value: Any, element: Element, path: str) -> Iterator[tuple[str, Any]]:
        """The items of an element with their paths; a wrong shape is said and gives none."""
        if value is None:
            self.say("structure", path, texts.NULL)
        elif not element.many:
            if isinstance(value, list):
                self.say("structure", path, texts.ARRAY, name=element.name)
            else:
                yield path, value
        elif not isinstance(value, list):
            self.say("structure", path, texts.NOT_AN_ARRAY, name=element.name)
        elif not value:
            self.say("structure", path, texts.EMPTY_ARRAY)
        else:
            if element.max is not None and len(value) > element.max:
                args = {"name": element.name, "max": element.max, "count": len(value)}
                self.say("structure", path, texts.TOO_MANY, **args)
            for index, item in enumerate(value):
                if item is None:
                    self.say("structure", f"{path}[{index}]", texts.NULL)
                else:
                    yield f"{path}[{index}]", item

    def primitive(self, value: JsonObject, each: Property, path: str, place: _Place) -> None:
        """Walk a primitive with its shadow, `birthDate` and `_birthDate`, item by item."""
        shadow = f"_{each.name}"
        if each.element.many:
            self.primitives(value, each, path, place)
            return
        if shadow in value:
            for at, item in self.items(value[shadow], each.element, path):
                self.shadow(item, at, place, alone=each.name not in value)
        if each.name in value:
            for at, item in self.items(value[each.name], each.element, path):
                self.value(item, each, at, place)

    def primitives(self, value: JsonObject, each: Property, path: str, place: _Place) -> None:
        shadow = f"_{each.name}"
        given = [name for name in (each.name, shadow) if name in value]
        for name in given:
            if not isinstance(value[name], list) or not value[name]:
                empty = value[name] == []
                text = texts.EMPTY_ARRAY if empty else texts.NOT_AN_ARRAY
                self.say("structure", path, text, name=name)
                return
        values, shadows = value.get(each.name), value.get(shadow)
        if values is not None and shadows is not None and len(values) != len(shadows):
            args = {"name": each.name, "values": len(values), "extensions": len(shadows)}
            self.say("structure", path, texts.UNEQUAL_ARRAYS, **args)
            return
        count = len(values or shadows or ())
        for index in range(count):
            item = values[index] if values else None
            beside = shadows[index] if shadows else None
            at = f"{path}[{index}]"
            if item is None and beside is None:
                self.say("structure", at, texts.NOTHING_THERE, name=each.name)
            if item is not None:
                self.value(item, each, at, place)
            if beside is not None:
                self.shadow(beside, at, place, alone=item is None)

    def value(self, item: Any, each: Property, at: str, place: _Place) -> None:
        """One value of a primitive: its format, its binding, its element's invariants."""
        kind = _primitive_kind(each)
        wrong = formats.problem(kind, item, at)
        if wrong is not None:
            self.tell([wrong])
            return
        if kind == "xhtml":
            self.tell(narrative.problems(item, at))
            return
        self.bound(item, each.element, kind, at)
        self.invariants(each.element.path, place.scene(item, kind), at)

    def shadow(self, item: Any, at: str, place: _Place, *, alone: bool) -> None:
        """What a primitive has beside its value: an id and extensions."""
        self.structure(item, TYPES["Element"], at, place, bare=not alone)

    def extension(self, value: JsonObject, path: str) -> None:
        """ext-1, said once and plainly."""
        nested = "extension" in value
        valued = any(name.removeprefix("_").startswith("value") for name in value)
        if nested == valued:
            self.say("invariant", path, texts.EXTENSION_CONTENT)

    def invariants(self, name: str, scene: invariants.Scene, at: str) -> None:
        """What FHIRPath is asked of a type or element."""
        for each in constraints.of(name):
            if each.severity == "warning" and not self.warnings:
                continue
            if not invariants.holds(each, scene):
                self.tell([rules.broken(each, texts.INVARIANT, at)])

    def say(self, code: str, path: str, text: Text, **args: object) -> None:
        self.tell([Issue(code, text, args, expression=(path,))])

    def tell(self, issues: Iterable[Issue]) -> None:
        for each in issues:
            if len(self.issues) >= MAX_ISSUES:
                raise _Enough
            self.issues.append(each)
            self.errors += each.severity == "error"


def _simple(each: Property) -> bool:
    return TYPES[each.type.code].kind == "primitive"


def _primitive_kind(each: Property) -> str:
    """`Element.id` is no FHIR string: it may not have blanks."""
    return "Element.id" if each.name == "id" and each.type.code != "id" else each.type.code


def _given(value: JsonObject, name: str) -> bool:
    return name in value or f"_{name}" in value


@cache
def _names(of: str) -> dict[str, list[str]]:
    """Element name -> its JSON names."""
    found: dict[str, list[str]] = {}
    for name, each in TYPES[of].properties.items():
        found.setdefault(each.element.name, []).append(name)
    return found
