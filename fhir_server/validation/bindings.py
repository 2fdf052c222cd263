"""Whether codes are of the value sets their elements are bound to.

https://hl7.org/fhir/R4/terminologies.html#strength
"""

from collections.abc import Iterator
from typing import Any, Final, Literal

from fhir_server.core.errors import Issue
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.spec.structures import Binding
from fhir_server.terminology.grammars import UCUM
from fhir_server.terminology.terminology import Terminology
from fhir_server.validation import texts

Pair = tuple[str | None, str]
"""System, where there is one, and code."""

_MAX_UNIT: Final = 64  # characters of one that a message repeats
_MAX_SHOWN: Final = 5  # codes named in one message


def issues(
    terminology: Terminology, binding: Binding, kind: str, value: Any, path: str
) -> Iterator[Issue]:
    """What is wrong with `value`, of type `kind`, under `binding`."""
    pairs = _pairs(kind, value)
    if pairs is None:
        return
    if binding.value_set and binding.strength == "required":
        yield from _must(terminology, binding.value_set, kind, pairs, path)
    if binding.max_value_set and pairs:
        yield from _must(terminology, binding.max_value_set, kind, pairs, path)
    elif binding.value_set and binding.strength == "extensible":
        yield from _should(terminology, binding.value_set, pairs, path)


def units(terminology: Terminology, quantity: JsonObject, path: str) -> Iterator[Issue]:
    """A unit that says it is UCUM's and is not; a warning, for R4 binds no Quantity to UCUM."""
    code = quantity.get("code")
    if quantity.get("system") != UCUM or not isinstance(code, str):
        return
    if terminology.holds_code(UCUM, code) is False:
        args = {"code": code[:_MAX_UNIT]}
        yield Issue("code-invalid", texts.NO_UNIT, args, "warning", (f"{path}.code",))


def _must(
    terminology: Terminology, value_set: str, kind: str, pairs: list[Pair], path: str
) -> Iterator[Issue]:
    if not _none_of(terminology, value_set, pairs):
        return
    single = kind not in {"CodeableConcept", "Coding", "Quantity"}
    text = texts.NOT_IN_VALUE_SET if single else texts.NO_CODING_OF_VALUE_SET
    yield _issue("error", text, value_set, pairs, path)


def _should(
    terminology: Terminology, value_set: str, pairs: list[Pair], path: str
) -> Iterator[Issue]:
    if pairs and _none_of(terminology, value_set, pairs):
        yield _issue("warning", texts.NOT_IN_EXTENSIBLE, value_set, pairs, path)


def _none_of(terminology: Terminology, value_set: str, pairs: list[Pair]) -> bool:
    """Whether surely no code is of the value set; what is unknown gets the benefit."""
    return all(terminology.contains(value_set, *pair) is False for pair in pairs)


def _issue(
    severity: Literal["error", "warning"],
    text: Text,
    value_set: str,
    pairs: list[Pair],
    path: str,
) -> Issue:
    shown = ", ".join(
        f"{system}|{code}" if system else code for system, code in pairs[:_MAX_SHOWN]
    )
    args = {"code": shown, "codes": shown or "–", "value_set": value_set}
    return Issue("code-invalid", text, args, severity, (path,))


def _pairs(kind: str, value: Any) -> list[Pair] | None:
    """The codes of `value`; None where it is not built so that it can have any."""
    if kind == "CodeableConcept":
        codings = value.get("coding", []) if isinstance(value, dict) else None
        if not isinstance(codings, list):
            return None
        return [pair for each in codings for pair in _coding(each)]
    if kind in {"Coding", "Quantity"}:
        return _coding(value)
    return [(None, value)] if isinstance(value, str) and value else None


def _coding(value: Any) -> list[Pair]:
    if not isinstance(value, dict) or not isinstance(value.get("code"), str):
        return []
    system = value.get("system")
    # A coding without a system cannot be said to be of any value set.
    return [(system if isinstance(system, str) else "", value["code"])]
