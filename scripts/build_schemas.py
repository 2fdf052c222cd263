"""Write `fhir_server/spec/r4/schemas.json.xz`: the gate's JSON Schemas, one a FHIR type.

The gate is sound, not complete: what it accepts obeys structure, cardinality, formats with
the calendar, required code bindings, reference targets and the invariants that a schema can
say. What it refuses is judged by the walker, so rare forms (nulls in arrays, 29 February,
ids on extensions) are simply left out. `residual` names the invariants of each type that no
schema says.

    python -m scripts.build_schemas [--check]
"""

import argparse
import json
import lzma
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from fhir_server.spec.structures import (
    RESOURCE_TYPES,
    TYPES,
    Constraint,
    Element,
    ElementType,
    Property,
    Type,
)
from fhir_server.terminology.grammars import CURRENCIES
from fhir_server.terminology.terminology import Terminology
from fhir_server.validation.constraints import SIMPLE_QUANTITY, errors_of
from scripts.schema_invariants import Schema, Untranslatable, translate
from scripts.schema_primitives import PRIMITIVES

TARGET: Final = Path(__file__).resolve().parents[1] / "fhir_server/spec/r4/schemas.json.xz"
TERMINOLOGY: Final = Terminology()

_VS: Final = "http://hl7.org/fhir/ValueSet/"
OPEN_VALUE_SETS: Final[dict[str, Schema]] = {
    f"{_VS}mimetypes": {
        "type": "string",
        "pattern": r"^[a-z]+/[A-Za-z0-9.+\-]+(?:; ?charset=[A-Za-z0-9\-]+)?$",
    },
    f"{_VS}all-languages": {"type": "string", "pattern": r"^[a-z]{2,3}(?:-[A-Z]{2})?$"},
    f"{_VS}currencies": {"enum": sorted(CURRENCIES)},
    "http://www.rfc-editor.org/bcp/bcp13.txt": {
        "type": "string",
        "pattern": r"^text/[a-z0-9.+\-]+$",
    },
}
"""The common part of the value sets that are a grammar."""

#: Beyond this, naming for each choice those it excludes costs more memory than it saves time.
MANY_CHOICES: Final = 12

#: Every resource drags in what an extension may hold. These are kept for the walker: together
#: they would double the memory of all schemas (0.5 MB a resource type).
RARE_IN_EXTENSIONS: Final = frozenset(
    f"value{each}"
    for each in (
        "Annotation",
        "ContactDetail",
        "Contributor",
        "Count",
        "DataRequirement",
        "Distance",
        "Dosage",
        "Duration",
        "Expression",
        "Meta",
        "ParameterDefinition",
        "RelatedArtifact",
        "SampledData",
        "Signature",
        "Timing",
        "TriggerDefinition",
        "UsageContext",
    )
)

#: Value set of a concept's `max` binding -> the coding it must have.
_LANGUAGE: Final = {
    "required": ["system", "code"],
    "properties": {
        "system": {"const": "urn:ietf:bcp:47"},
        "code": OPEN_VALUE_SETS[f"{_VS}all-languages"],
    },
}


class Builder:
    """Collects the definitions by name; a name is met once."""

    def __init__(self) -> None:
        self.defs: dict[str, Schema] = dict(PRIMITIVES)
        self.variants: dict[str, Callable[[], Schema]] = {}
        self.residual: dict[str, list[str]] = {}
        for each in TYPES.values():
            if each.kind != "primitive" and not each.abstract:
                self.add_residual(each)

    def table(self) -> dict[str, Any]:
        for name in RESOURCE_TYPES:
            self.resource(name)
        self.nested_resource()
        # Types refer to each other in circles, so a variant is made when its base is whole.
        for name, build in self.variants.items():
            self.defs[name] = build()
        return {"defs": self.defs, "residual": self.residual}

    def add_residual(self, of: Type) -> None:
        for each in errors_of(of.name):
            if translated(each, of) is None:
                self.residual.setdefault(of.name, []).append(each.key)
        for element in of.elements:
            keys = [each.key for each in errors_of(element.path)]
            if keys and "." not in element.types[0].code:
                self.residual.setdefault(element.path, []).extend(keys)

    def nested_resource(self) -> None:
        self.defs["Resource"] = {
            "type": "object",
            "required": ["resourceType"],
            "properties": {"resourceType": {"enum": list(RESOURCE_TYPES)}},
        }

    def resource(self, name: str) -> None:
        self.complex(TYPES[name], plain=False)
        schema = self.defs[name]
        schema["properties"]["resourceType"] = {"const": name}
        schema["required"] = ["resourceType", *schema.get("required", ())]

    def complex(self, of: Type, *, plain: bool) -> str:
        """The definition of `of`; `plain` leaves out what has a residual invariant."""
        name = f"{of.name}.plain" if plain else of.name
        if name in self.defs:
            return name
        schema: Schema = {"type": "object", "additionalProperties": False}
        self.defs[name] = schema
        schema["properties"] = dict(self.properties(of, plain=plain))
        self.cardinality(of, schema)
        conditions = [translated(each, of) for each in errors_of(of.name)]
        kept = [each for each in conditions if each is not None]
        if kept:
            schema.setdefault("allOf", []).extend(kept)
        return name

    def cardinality(self, of: Type, schema: Schema) -> None:
        required = [e.name for e in of.elements if e.min and not e.choice]
        choices = [e for e in of.elements if e.choice]
        if required:
            schema["required"] = required
        elif of.kind != "resource":
            schema["minProperties"] = 1
        if of.kind != "resource":
            # ele-1: an element that has nothing but an id is empty.
            schema["dependentSchemas"] = {"id": {"minProperties": 2}}
        for element in choices:
            self.choice(of, element, schema)

    def choice(self, of: Type, element: Element, schema: Schema) -> None:
        names = [p.name for p in of.properties.values() if p.element is element]
        names = [name for name in names if name in schema["properties"]]
        if element.min:
            one = {"anyOf": [{"required": [name]} for name in names]}
            schema.setdefault("allOf", []).append(one)
        shadows = [f"_{name}" for name in names if f"_{name}" in schema["properties"]]
        if len(names) > MANY_CHOICES:
            rows: list[Schema] = [{"required": [name]} for name in (*names, *shadows)]
            if not element.min:
                rows.append({"properties": dict.fromkeys((*names, *shadows), False)})
            schema.setdefault("allOf", []).append({"oneOf": rows})
            return
        dependent = schema.setdefault("dependentSchemas", {})
        for name in (*names, *shadows):
            bare = name.removeprefix("_")
            others = [n for n in (*names, *shadows) if n.removeprefix("_") != bare]
            if others:
                dependent[name] = {"properties": dict.fromkeys(others, False)}

    def properties(self, of: Type, *, plain: bool) -> Iterator[tuple[str, Schema]]:
        for name, each in of.properties.items():
            if each.element.max == 0 or (plain and self.carries_residual(each)):
                continue
            schema = self.value(of, each, plain=plain)
            if schema is None:
                continue
            many = each.element.many
            yield name, {"type": "array", "minItems": 1, "items": schema} if many else schema
            if TYPES[each.type.code].kind == "primitive" and not many and name != "id":
                yield f"_{name}", self.shadow()

    def carries_residual(self, each: Property) -> bool:
        return each.type.code in self.residual or each.element.path in self.residual

    def value(self, of: Type, each: Property, *, plain: bool) -> Schema | None:
        code = each.type.code
        kind = TYPES[code]
        if code == "Resource" or (kind.kind == "resource" and kind.name == "Resource"):
            return ref("Resource")
        if code == "Extension":
            return ref(self.extension())
        if kind.kind == "primitive":
            return self.primitive(of, each)
        if code == "Reference":
            return ref(self.reference(each.type))
        if code == "CodeableConcept":
            bound = self.concept(each.element)
            return ref(bound) if bound else None
        name = self.complex(kind, plain=plain)
        return ref(self.simple(name) if SIMPLE_QUANTITY in each.type.profiles else name)

    def simple(self, base: str) -> str:
        """A SimpleQuantity: "the comparator is not used" (sqty-1)."""
        name = f"{base}.simple"

        def build() -> Schema:
            schema = dict(self.defs[base])
            properties = schema["properties"]
            schema["properties"] = {
                name: properties[name]
                for name in properties.keys() - {"comparator", "_comparator"}
            }
            return schema

        self.variants[name] = build
        return name

    def primitive(self, of: Type, each: Property) -> Schema:
        if each.name == "id" and of.kind != "resource":
            return ref("Element.id")
        binding = each.element.binding
        value_set = binding and (
            binding.value_set if binding.strength == "required" else binding.max_value_set
        )
        return ref(self.codes(value_set)) if value_set else ref(each.type.code)

    def codes(self, value_set: str) -> str:
        name = "code." + slug(value_set)
        if value_set in OPEN_VALUE_SETS:
            self.defs[name] = OPEN_VALUE_SETS[value_set]
        else:
            expansion = TERMINOLOGY.expand(value_set)
            if not expansion.complete:
                raise SystemExit(f"no list and no pattern for {value_set}")
            self.defs[name] = {"enum": sorted(expansion.bare)}
        return name

    def concept(self, element: Element) -> str | None:
        """A CodeableConcept, bound where the element says so; None: left to the walker."""
        binding = element.binding
        base = self.complex(TYPES["CodeableConcept"], plain=False)
        if binding and binding.max_value_set == f"{_VS}all-languages":
            return self.narrowed("language", _LANGUAGE, required=False)
        if binding is None or binding.strength != "required" or binding.value_set is None:
            return base
        expansion = TERMINOLOGY.expand(binding.value_set)
        if not expansion.complete:
            return None
        return self.narrowed(
            slug(binding.value_set), coding_among(expansion.codes), required=True
        )

    def narrowed(self, slugged: str, coding: Schema, *, required: bool) -> str:
        base = self.complex(TYPES["CodeableConcept"], plain=False)
        name = f"{base}.{slugged}"

        def build() -> Schema:
            schema = dict(self.defs[base])
            items = schema["properties"]["coding"] | {"contains": coding}
            schema["properties"] = schema["properties"] | {"coding": items}
            return schema | {"required": ["coding"]} if required else schema

        self.variants[name] = build
        return name

    def reference(self, of: ElementType) -> str:
        """A Reference whose text can be seen to point to an allowed type."""
        targets = sorted(of.targets)
        base = self.complex(TYPES["Reference"], plain=True)
        name = ".".join(["Reference", *targets])

        def build() -> Schema:
            schema = dict(self.defs[base])
            properties = dict(schema["properties"])
            properties["reference"] = pointing_to(targets)
            if targets:
                # `type` must be that of the target: one alternative each.
                rows = [{"$ref": f"#/$defs/To.{each}"} for each in targets]
                schema["dependentSchemas"] = schema.get("dependentSchemas", {}) | {
                    "type": {"anyOf": rows}
                }
            else:
                del properties["type"]
            schema["properties"] = properties
            return schema

        self.variants[name] = build
        self.defs.update({f"To.{each}": to_type(each) for each in targets})
        return name

    def extension(self) -> str:
        """Exactly a url and one of value and nested extensions, which is all of ext-1."""
        if "Extension" not in self.defs:
            self.defs["Extension"] = schema = {
                "type": "object",
                "additionalProperties": False,
                "required": ["url"],
                "minProperties": 2,
                "maxProperties": 2,
            }
            schema["properties"] = {
                name: each
                for name, each in self.properties(TYPES["Extension"], plain=True)
                if name not in {"id", "_url"} and name not in RARE_IN_EXTENSIONS
            }
        return "Extension"

    def shadow(self) -> Schema:
        """`_birthDate`: what a primitive has beside its value."""
        if "Element" not in self.defs:
            self.defs["Element"] = schema = {
                "type": "object",
                "additionalProperties": False,
                "required": ["extension"],
            }
            items = {"type": "array", "minItems": 1, "items": ref(self.extension())}
            schema["properties"] = {"id": ref("Element.id"), "extension": items}
        return ref("Element")


#: `Patient/1`, the same behind a server's base, `Patient?…`, `urn:uuid:…`. A fragment is
#: allowed by the gate only where the resource contains others (validation.gate puts it in).
#: Counted repeats and classes of Unicode would cost megabytes here: 64 characters of an id
#: and addresses beyond ASCII are the walker's.
TARGET_PATTERN: Final = (
    r"^(?:(?:https?://[!-\"$->@-~]+/)?(?:TYPES)(?:/[A-Za-z0-9\-.]+"
    r"(?:/_history/[A-Za-z0-9\-.]+)?|\?[!-~]+)|urn:(?:uuid|oid):[0-9a-zA-Z.\-]+)$"
)
ANY_TARGET: Final = (
    r"^(?:(?:TYPES)(?:/[A-Za-z0-9\-.]+(?:/_history/[A-Za-z0-9\-.]+)?|\?[!-~]+)"
    r"|[a-z][a-z0-9+.\-]*:[!-~]+)$"
)


def pointing_to(types: Sequence[str]) -> Schema:
    """The text of a reference to one of `types`; to any where there are none."""
    pattern = TARGET_PATTERN if types else ANY_TARGET
    names = "|".join(types or RESOURCE_TYPES)
    return {"type": "string", "pattern": pattern.replace("TYPES", names)}


def to_type(name: str) -> Schema:
    return {"properties": {"type": {"const": name}, "reference": pointing_to([name])}}


def translated(each: Constraint, of: Type) -> Schema | None:
    try:
        return translate(each.expression or "", of)
    except Untranslatable:
        return None


def coding_among(codes: Iterable[tuple[str, str]]) -> Schema:
    by_system: dict[str, list[str]] = {}
    for system, code in codes:
        by_system.setdefault(system, []).append(code)
    rows = [
        {
            "required": ["system", "code"],
            "properties": {"system": {"const": system}, "code": {"enum": sorted(codes)}},
        }
        for system, codes in sorted(by_system.items())
    ]
    return rows[0] if len(rows) == 1 else {"anyOf": rows}


def ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def slug(url: str) -> str:
    return re.sub(r"[^A-Za-z0-9\-]", "-", url.rpartition("/")[2])


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true")
    options = arguments.parse_args()
    text = json.dumps(
        Builder().table(), ensure_ascii=False, separators=(",", ":"), sort_keys=True
    ).encode()
    if options.check:
        current = lzma.decompress(TARGET.read_bytes()) if TARGET.exists() else b""
        print("schemas are current" if current == text else "stale: schemas.json.xz")
        return 0 if current == text else 1
    data = lzma.compress(text, format=lzma.FORMAT_XZ, preset=9 | lzma.PRESET_EXTREME)
    TARGET.write_bytes(data)
    print(f"{len(data):>9,} bytes  {TARGET.name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
