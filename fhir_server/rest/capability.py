"""The CapabilityStatement: what this server can do, and what its operator lets it do.

`full` writes everything the code can honour; the operator's `capability_statement.json` may
list less, and nothing else. The server serves what the file lists, and refuses to start on
an entry that it cannot honour.

https://hl7.org/fhir/R4/capabilitystatement.html
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Final

from fhir_server.core.types import JsonObject
from fhir_server.core.wire import dumps
from fhir_server.operations.call import Operation
from fhir_server.rest import ipa
from fhir_server.search.registry import Registry
from fhir_server.spec import search_parameters
from fhir_server.spec.compartments import COMPARTMENTS
from fhir_server.spec.interactions import INTERACTIONS
from fhir_server.spec.search_parameters import SearchParameter
from fhir_server.spec.structures import RESOURCE_TYPES
from fhir_server.spec.tables import load

_DEFINITIONS: Final = "http://hl7.org/fhir/"
_FORMATS: Final = ("application/fhir+json", "application/fhir+xml", "json", "xml")
_PATCHES: Final = (
    "application/json-patch+json",
    "application/fhir+json",
    "application/fhir+xml",
    "application/xml-patch+xml",
)
_TYPE_CODES: Final = tuple(
    dict.fromkeys(
        row.code
        for row in INTERACTIONS
        if row.level != "system"
        and not row.code.startswith("conditional-")
        and row.code != "search-compartment"
    )
)
_SYSTEM_CODES: Final = ("transaction", "batch", "search-system", "history-system")

_TYPED: Final[JsonObject] = {
    "versioning": "versioned",
    "readHistory": True,
    "updateCreate": True,
    "conditionalCreate": True,
    "conditionalRead": "full-support",
    "conditionalUpdate": True,
    "conditionalDelete": "multiple",
    "referencePolicy": ["literal", "logical", "local"],
}


#: https://hl7.org/fhir/R4/resourcelist.html, those with standards status Normative.
_NORMATIVE: Final = frozenset(
    {"Binary", "Bundle", "CapabilityStatement", "CodeSystem", "Observation"}
    | {"OperationDefinition", "OperationOutcome", "Parameters", "Patient"}
    | {"StructureDefinition", "ValueSet"}
)


def full(operations: Iterable[Operation]) -> JsonObject:
    """Everything that this server can do."""
    rows = tuple(operations)
    return {
        "resourceType": "CapabilityStatement",
        "id": "fhir-server",
        "name": "FhirServer",
        "title": "FHIR R4 server: the patient's cabinet",
        "status": "active",
        "date": "2026-11-22",
        "kind": "instance",
        "instantiates": [ipa.SERVER],
        "software": {"name": "fhir-server"},
        "fhirVersion": "4.0.1",
        "format": list(_FORMATS),
        "patchFormat": list(_PATCHES),
        "rest": [_rest(rows)],
    }


def _rest(operations: tuple[Operation, ...]) -> JsonObject:
    return {
        "mode": "server",
        "documentation": "Every R4 type from the definitions' own tables.",
        "resource": [_resource(kind, operations) for kind in RESOURCE_TYPES],
        "interaction": [{"code": code} for code in _SYSTEM_CODES],
        "searchParam": [_parameter(each) for each in _common().values()],
        "operation": [_operation(each) for each in operations if "system" in each.levels],
        "compartment": [
            f"{_DEFINITIONS}CompartmentDefinition/{_lower(c)}" for c in COMPARTMENTS
        ],
    }


def _resource(kind: str, operations: tuple[Operation, ...]) -> JsonObject:
    own = [p for code, p in _searchable(kind).items() if code not in _common()]
    row: JsonObject = {
        "type": kind,
        "profile": f"{_DEFINITIONS}StructureDefinition/{kind}",
        "supportedProfile": list(ipa.TYPES[kind].profiles) if kind in ipa.TYPES else [],
        "interaction": [{"code": code} for code in _TYPE_CODES],
        **_TYPED,
        "searchInclude": ["*", *(f"{kind}:{p.code}" for p in own if p.type == "reference")],
        "searchRevInclude": list(_referring().get(kind, ())),
        "searchParam": [_parameter(each) for each in own],
        "operation": [_operation(o) for o in operations if _concerns(o, kind)],
    }
    return {name: value for name, value in row.items() if value != []}


def _concerns(operation: Operation, kind: str) -> bool:
    named = operation.types is None or kind in operation.types
    return named and bool(operation.levels & {"type", "instance"})


@cache
def _searchable(kind: str) -> Mapping[str, SearchParameter]:
    """The parameters with a meaning here: those of prose alone are search's own."""
    return {
        code: each
        for code, each in sorted(search_parameters.of_type(kind).items())
        if each.expression is not None or code in {"_text", "_content", "_filter"}
    }


@cache
def _common() -> Mapping[str, SearchParameter]:
    """Those of every type. `_text` is not: a Bundle has no narrative."""
    return {c: p for c, p in _searchable("Bundle").items() if c.startswith("_")}


@cache
def _referring() -> Mapping[str, Sequence[str]]:
    """The reference parameters by the type that they can lead to, in order of their names."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for kind in RESOURCE_TYPES:
        for code, each in search_parameters.of_type(kind).items():
            if each.type == "reference":
                for target in each.targets:
                    found[target].append(f"{kind}:{code}")
    return {target: sorted(names) for target, names in found.items()}


def _parameter(each: SearchParameter) -> JsonObject:
    return {"name": each.code, "definition": each.url, "type": each.type}


def _operation(each: Operation) -> JsonObject:
    return {"name": each.name.removeprefix("$"), "definition": each.definition}


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]


def published(
    statement: JsonObject, *, base_url: str, version: str, started: str, security: JsonObject
) -> JsonObject:
    """`statement` as `/metadata` answers it, with address, date, version and `security`.

    International Patient Access is by SMART alone: without it nothing is claimed of it.
    """
    rest = statement["rest"][0]
    security = rest.get("security", {}) | security
    held = "service" in security
    claims = [e for e in statement.get("instantiates", ()) if held or e != ipa.SERVER]
    kept = {name: each for name, each in statement.items() if name != "instantiates"}
    return (
        kept
        | ({"instantiates": claims} if claims else {})
        | {
            "rest": [rest | {"security": security}],
            "url": f"{base_url}/metadata",
            "date": started,
            "software": {"name": "fhir-server", "version": version},
            "implementation": {"description": statement["title"], "url": base_url},
        }
    )


def with_profiles(statement: JsonObject, profiles: Mapping[str, str]) -> JsonObject:
    """`statement` with the operator's `profiles`, canonical and type, that writes can claim."""
    rest = statement["rest"][0]
    named: dict[str, list[str]] = {}
    for url, kind in profiles.items():
        named.setdefault(kind, []).append(url)
    resources = [
        row | {"supportedProfile": [*dict.fromkeys((*row.get("supportedProfile", ()), *more))]}
        if (more := named.get(row["type"]))
        else row
        for row in rest["resource"]
    ]
    return statement | {"rest": [rest | {"resource": resources}]}


def with_parameters(statement: JsonObject, registry: Registry) -> JsonObject:
    """`statement` with the server's own search parameters that searches may use by now."""
    rest = statement["rest"][0]
    resources = [
        row | {"searchParam": [*row.get("searchParam", ()), *added]}
        if (added := [*_added(registry, row["type"])])
        else row
        for row in rest["resource"]
    ]
    return statement | {"rest": [rest | {"resource": resources}]}


def _added(registry: Registry, kind: str) -> Iterator[JsonObject]:
    own = registry.custom()
    for each in registry.all(kind).values():
        if each.url in own:
            yield _parameter(each)


def modes(statement: JsonObject) -> dict[str, bytes]:
    """The answers of `/metadata` by `mode`.

    https://hl7.org/fhir/R4/http.html#capabilities
    """
    return {
        "full": dumps(statement),
        "normative": dumps(_normative(statement)),
        "terminology": dumps(_terminology(statement)),
    }


def _normative(statement: JsonObject) -> JsonObject:
    """Only what is normative in R4: its resource types and the parameters of all types."""
    rest = statement["rest"][0]
    resources = [row for row in rest["resource"] if row["type"] in _NORMATIVE]
    return statement | {"rest": [rest | {"resource": resources}]}


def _terminology(statement: JsonObject) -> JsonObject:
    kept = ("url", "name", "title", "status", "date", "kind", "software", "implementation")
    return {
        "resourceType": "TerminologyCapabilities",
        **{name: statement[name] for name in kept},
        "codeSystem": [{"uri": row["url"]} for row in load("code_systems")],
        "codeSearch": "explicit",
    }
