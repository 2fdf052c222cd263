"""The surface as OpenAPI 3.1: what the CapabilityStatement lists, for people who explore.

The cabinet's types stand one by one with their search parameters; all others share a path
with `{type}`, since 146 times the same would help nobody.

https://spec.openapis.org/oas/v3.1.0
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fhir_server.core.types import JsonObject
from fhir_server.rest.examples import BUNDLE, EXAMPLES, JSON_PATCH, OUTCOME, SEARCH_VALUES

CORE: Final = tuple(EXAMPLES)
"""Patient, Consent, Appointment, Slot, MedicationRequest, Observation, Communication."""

_JSON: Final = "application/fhir+json"
_XML: Final = "application/fhir+xml"
_FORM: Final = "application/x-www-form-urlencoded"


def document(statement: JsonObject, *, version: str) -> JsonObject:
    """`statement` (a CapabilityStatement) as an OpenAPI document."""
    rest = statement["rest"][0]
    rows = {row["type"]: row for row in rest["resource"]}
    paths: dict[str, JsonObject] = {"/metadata": _path(get=_metadata()), "/": _base(rest)}
    for kind in CORE:
        if kind in rows:
            paths |= dict(_of_type(kind, rows[kind], common=rest.get("searchParam", [])))
    others = sorted(set(rows) - set(CORE))
    if others:
        paths |= dict(_of_others(others))
    return {
        "openapi": "3.1.0",
        "info": {"title": statement["title"], "version": version},
        "servers": [{"url": "/fhir"}],
        "tags": [{"name": name} for name in ("System", *CORE, "Other types")],
        "paths": paths,
        "components": {"schemas": _SCHEMAS, "responses": _RESPONSES, "parameters": _PARAMETERS},
    }


def _path(**verbs: JsonObject) -> JsonObject:
    return verbs


def _metadata() -> JsonObject:
    modes = {"type": "string", "enum": ["full", "normative", "terminology"]}
    mode = {"name": "mode", "in": "query", "schema": modes}
    return _operation("System", "What this server can do", [mode], ok=("200", "Resource"))


def _base(rest: JsonObject) -> JsonObject:
    verbs: JsonObject = {}
    codes = {each["code"] for each in rest.get("interaction", ())}
    if codes & {"transaction", "batch"}:
        verbs["post"] = _operation(
            "System",
            "A transaction or a batch",
            [_ref("Prefer")],
            body=_body({_JSON: BUNDLE, _XML: None}),
            ok=("200", "Bundle"),
        )
    if "search-system" in codes:
        kinds = _query("_type", "Resource types, separated by commas", "Patient,Observation")
        verbs["get"] = _operation(
            "System", "Search all types", [kinds, *_results()], ok=("200", "Bundle")
        )
    return verbs


def _of_type(
    kind: str, row: JsonObject, common: list[JsonObject]
) -> Iterator[tuple[str, JsonObject]]:
    codes = {each["code"] for each in row["interaction"]}
    example = EXAMPLES[kind]
    search = [_search_parameter(p) for p in (*row.get("searchParam", ()), *common)]
    verbs = _type_verbs(kind, kind, example, [*search, *_results()])
    yield f"/{kind}", {v: o for v, (code, o) in verbs.items() if code in codes}
    if "search-type" in codes:
        yield f"/{kind}/_search", _path(post=_search_by_post(kind, kind))
    id_ = _in_path("id", "The logical id", "example")
    verbs = _instance_verbs(kind, kind, example)
    shown = {v: o for v, (code, o) in verbs.items() if code in codes}
    yield f"/{kind}/{{id}}", {"parameters": [id_], **shown}
    if "history-instance" in codes:
        yield f"/{kind}/{{id}}/_history", {"parameters": [id_], **_history(kind, kind)}
    if "vread" in codes:
        number = _in_path("version", "The version", "1")
        read = _operation(kind, f"A version of a {kind}", [], ok=("200", "Resource"))
        yield f"/{kind}/{{id}}/_history/{{version}}", {"parameters": [id_, number], "get": read}
    for each in row.get("operation", ()):
        yield _invocation(kind, each["name"])


def _invocation(kind: str, name: str) -> tuple[str, JsonObject]:
    run = _operation(
        kind,
        f"Run ${name}",
        [],
        body=_body({_JSON: {"resourceType": "Parameters"}}),
        ok=("200", "Resource"),
    )
    if name in ("lastn", "reindex"):
        return f"/{kind}/${name}", _path(post=run)
    id_ = _in_path("id", "The logical id", "example")
    return f"/{kind}/{{id}}/${name}", {"parameters": [id_], "post": run}


def _of_others(kinds: list[str]) -> Iterator[tuple[str, JsonObject]]:
    schema = {"type": "string", "enum": kinds}
    kind = {"name": "type", "in": "path", "required": True, "schema": schema}
    id_ = _in_path("id", "The logical id", "example")
    tag, named = "Other types", "resource"
    verbs = _type_verbs(tag, named, {"resourceType": "Basic"}, _results())
    yield "/{type}", {"parameters": [kind], **{v: o for v, (_, o) in verbs.items()}}
    verbs = _instance_verbs(tag, named, {"resourceType": "Basic"})
    yield "/{type}/{id}", {"parameters": [kind, id_], **{v: o for v, (_, o) in verbs.items()}}
    yield "/{type}/{id}/_history", {"parameters": [kind, id_], **_history(tag, named)}


def _type_verbs(
    tag: str, kind: str, example: JsonObject, search: list[JsonObject]
) -> dict[str, tuple[str, JsonObject]]:
    create = _operation(
        tag,
        f"Create a {kind}",
        [_ref("If-None-Exist"), _ref("Prefer")],
        body=_body({_JSON: example, _XML: None}),
        ok=("201", "Resource"),
    )
    found = _operation(tag, f"Search {kind}s", search, ok=("200", "Bundle"))
    return {"get": ("search-type", found), "post": ("create", create)}


def _instance_verbs(
    tag: str, kind: str, example: JsonObject
) -> dict[str, tuple[str, JsonObject]]:
    body = _body({_JSON: example | {"id": "example"}, _XML: None})
    patch = _body({"application/json-patch+json": JSON_PATCH})
    match = [_ref("If-Match"), _ref("Prefer")]
    read = [_ref("If-None-Match"), _ref("_summary"), _ref("_elements")]
    return {
        "get": ("read", _operation(tag, f"Read a {kind}", read, ok=("200", "Resource"))),
        "put": (
            "update",
            _operation(tag, f"Update a {kind}", match, body=body, ok=("200", "Resource")),
        ),
        "patch": (
            "patch",
            _operation(tag, f"Patch a {kind}", match, body=patch, ok=("200", "Resource")),
        ),
        "delete": (
            "delete",
            _operation(tag, f"Delete a {kind}", [_ref("If-Match")], ok=("204", None)),
        ),
    }


def _search_by_post(tag: str, kind: str) -> JsonObject:
    form = {"schema": {"type": "object", "additionalProperties": {"type": "string"}}}
    body = {"content": {_FORM: form}}
    return _operation(tag, f"Search {kind}s by POST", [], body=body, ok=("200", "Bundle"))


def _history(tag: str, kind: str) -> JsonObject:
    since = _query("_since", "Versions from this instant on", "2026-01-01")
    wanted = [since, _ref("_count")]
    return _path(get=_operation(tag, f"The versions of a {kind}", wanted, ok=("200", "Bundle")))


def _operation(
    tag: str,
    summary: str,
    parameters: list[JsonObject],
    *,
    body: JsonObject | None = None,
    ok: tuple[str, str | None],
) -> JsonObject:
    status, name = ok
    answer: JsonObject = {"description": "Done"}
    if name is not None:
        answer["content"] = {
            each: {"schema": {"$ref": f"#/components/schemas/{name}"}} for each in (_JSON, _XML)
        }
    found: JsonObject = {"tags": [tag], "summary": summary, "parameters": parameters}
    if body is not None:
        found["requestBody"] = body
    refused = {"$ref": "#/components/responses/Refused"}
    return found | {"responses": {status: answer, "4XX": refused}}


def _body(examples: Mapping[str, Any]) -> JsonObject:
    content: JsonObject = {}
    for media_type, example in examples.items():
        schema = {"schema": {"$ref": "#/components/schemas/Resource"}}
        content[media_type] = schema if example is None else {**schema, "example": example}
    return {"required": True, "content": content}


def _search_parameter(row: JsonObject) -> JsonObject:
    return _query(row["name"], f"{row['type']} parameter", SEARCH_VALUES.get(row["type"], ""))


def _query(name: str, description: str, example: str) -> JsonObject:
    schema = {"type": "string", "examples": [example]}
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _in_path(name: str, description: str, example: str) -> JsonObject:
    schema = {"type": "string", "examples": [example]}
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": schema,
    }


def _results() -> list[JsonObject]:
    names = ("_count", "_sort", "_total", "_summary", "_elements", "_include", "_revinclude")
    return [_ref(name) for name in names]


def _ref(name: str) -> JsonObject:
    return {"$ref": f"#/components/parameters/{name}"}


def _header(name: str, description: str, example: str) -> JsonObject:
    schema = {"type": "string", "examples": [example]}
    return {"name": name, "in": "header", "description": description, "schema": schema}


_PARAMETERS: Final[JsonObject] = {
    "_count": _query("_count", "Rows of a page; 0 counts only", "10"),
    "_sort": _query("_sort", "Parameters to sort by; `-` descends", "-_lastUpdated"),
    "_total": _query("_total", "none, estimate or accurate", "accurate"),
    "_summary": _query("_summary", "true, text, data, count or false", "true"),
    "_elements": _query("_elements", "Elements wanted, separated by commas", "identifier"),
    "_include": _query("_include", "What the results refer to", "*"),
    "_revinclude": _query("_revinclude", "What refers to the results", "Provenance:target"),
    "If-Match": _header("If-Match", "The version that is changed", 'W/"1"'),
    "If-None-Match": _header("If-None-Match", "The version that is known", 'W/"1"'),
    "If-None-Exist": _header("If-None-Exist", "Create unless this finds one", "identifier=1"),
    "Prefer": _header(
        "Prefer",
        "return=minimal|representation|OperationOutcome, handling=strict|lenient",
        "return=minimal",
    ),
}

_SCHEMAS: Final[JsonObject] = {
    "Resource": {
        "type": "object",
        "required": ["resourceType"],
        "properties": {
            "resourceType": {"type": "string"},
            "id": {"type": "string"},
            "meta": {"type": "object"},
        },
        "additionalProperties": True,
    },
    "Bundle": {
        "type": "object",
        "required": ["resourceType", "type"],
        "properties": {
            "resourceType": {"const": "Bundle"},
            "type": {"type": "string"},
            "total": {"type": "integer"},
            "link": {"type": "array", "items": {"type": "object"}},
            "entry": {"type": "array", "items": {"type": "object"}},
        },
    },
}

_RESPONSES: Final[JsonObject] = {
    "Refused": {
        "description": "An OperationOutcome that says what is wrong, and where",
        "content": {
            _JSON: {"schema": {"$ref": "#/components/schemas/Resource"}, "example": OUTCOME}
        },
    }
}
