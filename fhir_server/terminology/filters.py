"""`ValueSet.compose.include.filter`: which concepts of a system a value set takes.

https://hl7.org/fhir/R4/valueset-filter-operator.html
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import jsonschema_rs

from fhir_server.terminology.code_systems import CodeSystem, Concept

JsonObject = dict[str, Any]
Predicate = Callable[[Concept], bool]


def predicate(system: CodeSystem, row: JsonObject) -> Predicate | None:
    """What `row` asks of a concept of `system`; None where it cannot be decided."""
    build = _OPERATORS.get(row.get("op", ""))
    if build is None or "value" not in row or "property" not in row:
        return None
    return build(system, row["property"], row["value"])


def _is_a(system: CodeSystem, _: str, value: str) -> Predicate:
    codes = system.descendants(value) | {value}
    return lambda concept: concept.code in codes


def _descendent_of(system: CodeSystem, _: str, value: str) -> Predicate:
    codes = system.descendants(value)
    return lambda concept: concept.code in codes


def _is_not_a(system: CodeSystem, _: str, value: str) -> Predicate:
    codes = system.descendants(value) | {value}
    return lambda concept: concept.code not in codes


def _generalizes(system: CodeSystem, _: str, value: str) -> Predicate:
    codes = system.ancestors(value) | {value}
    return lambda concept: concept.code in codes


def _equal(system: CodeSystem, name: str, value: str) -> Predicate:
    return _in(system, name, value, frozenset({value}))


def _in(
    system: CodeSystem, name: str, value: str, words: frozenset[str] | None = None
) -> Predicate:
    wanted = words or frozenset(word.strip() for word in value.split(","))
    if name in {"parent", "child"}:
        related = system.parents if name == "parent" else system.children
        return lambda concept: not wanted.isdisjoint(related.get(concept.code, ()))
    return lambda concept: not wanted.isdisjoint(_values(concept, name))


def _not_in(system: CodeSystem, name: str, value: str) -> Predicate:
    inside = _in(system, name, value)
    return lambda concept: not inside(concept)


def _exists(_: CodeSystem, name: str, value: str) -> Predicate:
    wanted = value == "true"
    return lambda concept: (len(_values(concept, name)) > 0) is wanted


def _regex(_: CodeSystem, name: str, value: str) -> Predicate | None:
    matches = linear_pattern(value)
    if matches is None:
        return None
    return lambda concept: any(matches(each) for each in _values(concept, name))


def linear_pattern(text: str) -> Callable[[str], bool] | None:
    """Whether a string matches `text` whole; None where `text` is no regular expression.

    The pattern comes from a client, so the engine is one whose time is linear in the input.
    """
    try:
        return jsonschema_rs.Draft202012Validator(
            {"pattern": f"^(?:{text})$"}, pattern_options=jsonschema_rs.RegexOptions()
        ).is_valid
    except jsonschema_rs.ValidationError:
        return None


def _values(concept: Concept, name: str) -> tuple[str, ...]:
    if name in {"code", "concept"}:
        return (concept.code,)
    if name == "display":
        return (concept.display,) if concept.display else ()
    return tuple(_text(each) for each in concept.properties.get(name, ()))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return str(value.get("code", ""))
    return str(value)


_OPERATORS: Final[Mapping[str, Callable[[CodeSystem, str, str], Predicate | None]]] = {
    "=": _equal,
    "is-a": _is_a,
    "descendent-of": _descendent_of,
    "is-not-a": _is_not_a,
    "regex": _regex,
    "in": _in,
    "not-in": _not_in,
    "generalizes": _generalizes,
    "exists": _exists,
}
