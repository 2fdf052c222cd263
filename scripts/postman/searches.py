"""For each search parameter a query that finds the sample: read off its own index values.

A parameter without a value in the sample is asked for by `:missing=true`, which finds it too.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from fhir_server.search.indexing import Indexer
from fhir_server.search.keys import ANY_SYSTEM
from fhir_server.search.registry import Registry
from fhir_server.search.values import IndexValues
from fhir_server.spec.search_parameters import SearchParameter

JsonObject = dict[str, Any]

_SEPARATORS = str.maketrans({c: f"\\{c}" for c in "\\,$|"})


def searches(
    registry: Registry, sample: JsonObject
) -> Iterator[tuple[SearchParameter, str, str]]:
    """Each parameter of the sample's type with the name and value to ask for."""
    kind = sample["resourceType"]
    values = Indexer(registry, "http://localhost/fhir").values(sample | {"id": "sample"})
    for code, parameter in sorted(registry.all(kind).items()):
        if code in ("_id", "_lastUpdated", "_filter", "_query") or not parameter.expression:
            continue
        value = _value(parameter, values)
        if value is None:
            yield parameter, f"{code}:missing", "true"
        else:
            yield parameter, code, value


def _value(parameter: SearchParameter, values: IndexValues) -> str | None:
    lead = f"{parameter.code}|"
    match parameter.type:
        case "token":
            return _token(lead, values.tokens)
        case "string":
            return _first(lead, values.strings)
        case "reference":
            return _first(lead, values.references) or _first(lead, values.uris)
        case "uri":
            return _first(lead, values.uris)
        case "date":
            return _date(parameter.code, values)
        case "number" | "quantity":
            found = [each.lo for each in values.quantities if each.key == lead]
            return f"{found[0]:g}" if found else None
        case "composite":
            return _composite(parameter.code, values)
        case "special":
            return None


def _first(lead: str, keys: list[str]) -> str | None:
    found = [key[len(lead) :] for key in keys if key.startswith(lead)]
    return found[0].translate(_SEPARATORS) if found else None


def _token(lead: str, keys: list[str]) -> str | None:
    found = [key[len(lead) :].rpartition("|") for key in keys if key.startswith(lead)]
    coded = [(system, code) for system, _, code in found if system not in ("", ANY_SYSTEM)]
    if coded:
        system, code = coded[0]
        return f"{system.translate(_SEPARATORS)}|{code.translate(_SEPARATORS)}"
    return found[0][2].translate(_SEPARATORS) if found else None


def _date(code: str, values: IndexValues) -> str | None:
    found = [each.lo for each in values.dates if each.key == code]
    if not found:
        return None
    return f"ge{datetime.fromtimestamp(found[0] / 1000, UTC):%Y-%m-%d}"


def _composite(code: str, values: IndexValues) -> str | None:
    found = [each for each in values.combined if each.param == code]
    if not found:
        return None
    first = next((key for key in found[0].keys if key.startswith("0|")), None)
    second = next((each for each in found[0].ranges if each.key.startswith("1|")), None)
    if first is None or second is None:
        return None
    return f"{first.rpartition('|')[2]}${second.lo:g}"
