"""Security labels given on write: sensitive codes make a resource sensitive.

A label of the server's is a Coding in `meta.security` with an extension that holds the version
of the rules; a tag with the same version makes such resources searchable, so that a change of
the rules can find and label them anew. What a client writes can add labels, never take them.

https://hl7.org/fhir/R4/security-labels.html
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from fhir_server.access.codings import CONFIDENTIALITY, Coding, coding
from fhir_server.access.confidentiality import LEVELS, level_of
from fhir_server.access.label_rules import LabelRules
from fhir_server.core.types import JsonObject

LABELLED_BY: Final = "https://fhir-server.example/StructureDefinition/labelled-by"
"""Extension of a Coding in `meta.security`: the version of the rules that gave it."""
RULES_TAG: Final = "https://fhir-server.example/CodeSystem/label-rules"
"""System of the tag whose code is that version."""

RESTRICTED: Final = Coding(CONFIDENTIALITY, "R")
_ORDERED: Final = frozenset({*LEVELS})

Ancestors = Callable[[Coding], Iterable[str]]
"""The codes above a code in its system; none where the terminology is not known."""


def _no_ancestors(of: Coding) -> Iterable[str]:
    del of
    return ()


def labelled(
    resource: JsonObject,
    rules: LabelRules,
    *,
    before: JsonObject | None = None,
    may_lower: bool = False,
    ancestors: Ancestors = _no_ancestors,
) -> JsonObject:
    """The resource with the labels that its codes demand; the same one if none is missing.

    `before` is the current version, whose labels stay unless the writer `may_lower` them.
    What the rules demand is there in either case. Of confidentiality codes the highest stays.
    """
    given = [_client(each, before) for each in _security(resource)]
    kept = [] if may_lower else _security(before or {})
    ours = [_ours(each, rules.version) for each in demanded(resource, rules, ancestors)]
    return _with(resource, _highest([*given, *kept, *ours]))


def relabelled(
    resource: JsonObject, rules: LabelRules, *, ancestors: Ancestors = _no_ancestors
) -> JsonObject:
    """A stored resource under new rules: the server's earlier labels give way to these;
    labels that others gave stay."""
    given = [each for each in _security(resource) if version_of(each) is None]
    ours = [_ours(each, rules.version) for each in demanded(resource, rules, ancestors)]
    return _with(resource, _highest([*given, *ours]))


def version_of(label: JsonObject) -> str | None:
    """Of the rules that gave the label; None: a person or another system did."""
    for each in label.get("extension", ()):
        if each.get("url") == LABELLED_BY:
            return str(each.get("valueString", ""))
    return None


def demanded(
    resource: JsonObject, rules: LabelRules, ancestors: Ancestors = _no_ancestors
) -> tuple[Coding, ...]:
    """The labels of every rule that names a code anywhere in the resource or in what it
    holds (contained resources, the entries of a Bundle). Labels of what it holds are its own
    too, and a confidentiality code outside the order is one of restriction."""
    found: dict[Coding, None] = {}
    objects: list[JsonObject] = []
    _collect(resource, objects)
    for each in _codes(objects):
        above = tuple(ancestors(each))
        for rule in rules.rules:
            if rule.names(each, above):
                found.update(dict.fromkeys(rule.labels))
    for inner in objects[1:]:
        if "resourceType" in inner:
            found.update({label: None for each in _security(inner) if (label := coding(each))})
    if any(_is_unordered(each) for each in _security(resource)):
        found[RESTRICTED] = None
    return tuple(found)


def _codes(objects: Iterable[JsonObject]) -> Iterator[Coding]:
    """Every coding among them."""
    for each in objects:
        system, code = each.get("system"), each.get("code")
        if isinstance(system, str) and isinstance(code, str):
            yield Coding(system, code)


def _collect(value: Any, found: list[JsonObject]) -> None:
    """Add `value` and every object in it, at any depth, without their `meta`."""
    if isinstance(value, dict):
        found.append(value)
        for name, each in value.items():
            if name != "meta" and isinstance(each, dict | list):
                _collect(each, found)
    else:
        for each in value:
            if isinstance(each, dict | list):
                _collect(each, found)


def _security(resource: JsonObject) -> list[JsonObject]:
    found: list[JsonObject] = resource.get("meta", {}).get("security", [])
    return found


def _is_unordered(label: JsonObject) -> bool:
    return label.get("system") == CONFIDENTIALITY and label.get("code") not in _ORDERED


def _ours(label: Coding, version: str) -> JsonObject:
    mark = {"url": LABELLED_BY, "valueString": version}
    return {"extension": [mark], "system": label.system, "code": label.code}


def _client(label: JsonObject, before: JsonObject | None) -> JsonObject:
    """A label as written, without a mark of ours that it has not had before."""
    if version_of(label) is None or label in _security(before or {}):
        return label
    rest = [each for each in label["extension"] if each.get("url") != LABELLED_BY]
    plain = {name: value for name, value in label.items() if name != "extension"}
    return {"extension": rest, **plain} if rest else plain


def _highest(labels: Iterable[JsonObject]) -> list[JsonObject]:
    """Each label once, as it was first given (the server's own: as it was last), and one
    confidentiality of the order."""
    found: dict[object, JsonObject] = {}
    for each in labels:
        key = (each.get("system"), each.get("code"))
        if key not in found or None not in (version_of(found[key]), version_of(each)):
            found[key] = each
    ranks = {key: _rank(each) for key, each in found.items()}
    top = max(ranks.values(), default=-1)
    return [each for key, each in found.items() if ranks[key] in (-1, top)]


def _rank(label: JsonObject) -> int:
    known = coding(label)
    level = level_of(known) if known else None
    return -1 if level is None else LEVELS.index(level)


def _with(resource: JsonObject, labels: list[JsonObject]) -> JsonObject:
    meta = dict(resource.get("meta", {}))
    versions = sorted({found for each in labels if (found := version_of(each)) is not None})
    tags = [each for each in meta.get("tag", ()) if each.get("system") != RULES_TAG]
    tags += [{"system": RULES_TAG, "code": each} for each in versions]
    for name, value in (("security", labels), ("tag", tags)):
        meta.pop(name, None)
        if value:
            meta[name] = value
    if meta == resource.get("meta", {}):
        return resource
    return _placed(resource, meta)


def _placed(resource: JsonObject, meta: JsonObject) -> JsonObject:
    """`meta` where it was, or else behind the id."""
    if not meta:
        return {name: value for name, value in resource.items() if name != "meta"}
    if "meta" in resource:
        return {**resource, "meta": meta}
    first: JsonObject = {
        name: resource[name] for name in ("resourceType", "id") if name in resource
    }
    return {**first, "meta": meta, **resource}
