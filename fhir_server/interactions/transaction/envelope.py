"""What the Bundle around the entries may say: a batch or transaction is held to R4 as well.

An element that is not known here is never passed over: `ifNoneExists` would turn a conditional
create into one that always creates.

https://hl7.org/fhir/R4/bundle.html#invs
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from fhir_server.core.errors import Invalid, Issue
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.spec.structures import TYPES
from fhir_server.validation.texts import UNKNOWN_ELEMENT

NOT_SENT: Final = Text(
    "`{name}` does not belong into a batch or transaction ({rule}).",
    "`{name}` не бывает в batch и transaction ({rule}).",
    "`{name}` не буває в batch і transaction ({rule}).",
)

_ANSWERS: Final[Mapping[tuple[str, str], str]] = {
    ("Bundle", "total"): "bdl-1",
    ("Bundle.entry", "search"): "bdl-2",
    ("Bundle.entry", "response"): "bdl-4",
}


def check_bundle(bundle: JsonObject) -> None:
    """Raise Invalid for what no batch and no transaction has, beside its entries."""
    _raise(_issues(bundle, "Bundle"))


def check_entry(row: JsonObject) -> None:
    """Raise Invalid for what no entry of one has; its issues begin at the entry."""
    request: Any = row.get("request")
    found = list(_issues(row, "Bundle.entry"))
    if isinstance(request, dict):
        found += [each.at("request") for each in _issues(request, "Bundle.entry.request")]
    _raise(iter(found))


def _issues(value: JsonObject, name: str) -> Iterator[Issue]:
    for each in value.keys() - _names(name):
        args = {"type": name, "name": each[:100]}
        yield Issue("structure", UNKNOWN_ELEMENT, args, expression=(each[:100],))
    for (holder, each), rule in _ANSWERS.items():
        if holder == name and each in value:
            yield Issue("invariant", NOT_SENT, {"name": each, "rule": rule}, expression=(each,))


@cache
def _names(name: str) -> frozenset[str]:
    found = {"resourceType"} if name == "Bundle" else set()
    for each in TYPES[name].properties.values():
        found.add(each.name)
        if TYPES[each.type.code].kind == "primitive":
            found.add(f"_{each.name}")
    return frozenset(found)


def _raise(issues: Iterator[Issue]) -> None:
    found = sorted(issues, key=lambda each: each.expression)
    if found:
        raise Invalid.of(found)
