"""Invariants as JSON Schema, where one can say them: `value.empty() or system.exists()`.

A schema made here accepts only what the invariant surely accepts; three-valued logic makes
that two translations, what makes an expression true and what makes it false. What is neither
(paths of two steps, functions, arithmetic) raises Untranslatable and stays with FHIRPath.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from fhir_server.spec.structures import TYPES, Element, Property, Type

Schema = dict[str, Any]

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<string>'(?:[^'\\]|\\.)*')|(?P<number>-?[0-9]+(?:\.[0-9]+)?)"
    r"|(?P<word>%?[A-Za-z][A-Za-z0-9]*)|(?P<mark>!=|>=|<=|[().=|<>]))"
)
_UCUM: Final = "http://unitsofmeasure.org"
_FUNCTIONS: Final = frozenset({"exists", "empty", "hasValue", "not"})


class Untranslatable(Exception):
    """The expression says more than a schema of one object can."""


@dataclass(frozen=True)
class Condition:
    """What makes an expression true, and what makes it false."""

    true: Schema
    false: Schema


def translate(expression: str, of: Type) -> Schema:
    """A schema for instances of `of` that satisfy `expression`.

    Raises:
        Untranslatable: where no schema says it.
    """
    parser = _Parser(_tokens(expression), of)
    found = parser.implication()
    if parser.at < len(parser.tokens):
        raise Untranslatable(expression)
    return found.true


def _tokens(text: str) -> list[tuple[str, str]]:
    found = []
    at = 0
    text = text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise Untranslatable(text)
        found.append((match.lastgroup, match.group(match.lastgroup)))
        at = match.end()
    return found


def _all(*parts: Schema) -> Schema:
    return {"allOf": list(parts)}


def _any(*parts: Schema) -> Schema:
    return {"anyOf": list(parts)}


def _and(left: Condition, right: Condition) -> Condition:
    return Condition(_all(left.true, right.true), _any(left.false, right.false))


def _or(left: Condition, right: Condition) -> Condition:
    return Condition(_any(left.true, right.true), _all(left.false, right.false))


def _not(of: Condition) -> Condition:
    return Condition(of.false, of.true)


def _same(left: Condition, right: Condition) -> Condition:
    return _or(_and(left, right), _and(_not(left), _not(right)))


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]], of: Type) -> None:
        self.tokens = tokens
        self.at = 0
        self.of = of

    def implication(self) -> Condition:
        left = self.disjunction()
        while self.take("implies"):
            left = _or(_not(left), self.disjunction())
        return left

    def disjunction(self) -> Condition:
        left = self.conjunction()
        while True:
            if self.take("or"):
                left = _or(left, self.conjunction())
            elif self.take("xor"):
                left = _not(_same(left, self.conjunction()))
            else:
                return left

    def conjunction(self) -> Condition:
        left = self.equality()
        while self.take("and"):
            left = _and(left, self.equality())
        return left

    def equality(self) -> Condition:
        left = self.term()
        for mark, build in _COMPARISONS.items():
            if self.take(mark):
                return build(self, left)
        return self.condition(left)

    def term(self) -> Condition | Element:
        if self.take("("):
            inner = self.implication()
            self.need(")")
            return self.functions(inner)
        kind, word = self.next()
        if kind != "word" or word.startswith("%"):
            raise Untranslatable(word)
        if word == self.of.name and self.take("."):
            kind, word = self.next()
        for element in self.of.elements:
            if element.name == word:
                return self.functions(element)
        raise Untranslatable(word)

    def functions(self, value: Condition | Element) -> Condition | Element:
        while self.take("."):
            _, name = self.next()
            if name not in _FUNCTIONS:
                raise Untranslatable(name)
            self.need("(")
            self.need(")")
            value = self.call(name, value)
        return value

    def call(self, name: str, value: Condition | Element) -> Condition:
        if name == "not":
            return _not(self.condition(value))
        if isinstance(value, Condition):
            raise Untranslatable(name)
        found = present(self.of, value)
        return _not(found) if name == "empty" else found

    def condition(self, value: Condition | Element) -> Condition:
        """A boolean element stands for its own truth."""
        if isinstance(value, Condition):
            return value
        if value.many or [each.code for each in value.types] != ["boolean"]:
            raise Untranslatable(value.path)
        return compared(value, {"const": True})

    def equal(self, left: Condition | Element) -> Condition:
        if isinstance(left, Condition):
            return _same(left, self.condition(self.term()))
        return compared(left, {"const": self.literal()})

    def unequal(self, left: Condition | Element) -> Condition:
        return _not(self.equal(left))

    def among(self, left: Condition | Element) -> Condition:
        if isinstance(left, Condition):
            raise Untranslatable("in")
        self.need("(")
        words = [self.literal()]
        while self.take("|"):
            words.append(self.literal())
        self.need(")")
        return compared(left, {"enum": words})

    def at_least(self, left: Condition | Element) -> Condition:
        return self.bounded(left, "minimum")

    def above(self, left: Condition | Element) -> Condition:
        return self.bounded(left, "exclusiveMinimum")

    def bounded(self, left: Condition | Element, keyword: str) -> Condition:
        kind, text = self.next()
        if isinstance(left, Condition) or kind != "number":
            raise Untranslatable(keyword)
        return compared(left, {keyword: float(text)})

    def literal(self) -> str | bool:
        kind, text = self.next()
        if kind == "string" and "\\" not in text:
            return text[1:-1]
        if text in {"true", "false"}:
            return text == "true"
        if text == "%ucum":
            return _UCUM
        raise Untranslatable(text)

    def next(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise Untranslatable("end")
        self.at += 1
        return self.tokens[self.at - 1]

    def take(self, text: str) -> bool:
        found = self.at < len(self.tokens) and self.tokens[self.at][1] == text
        self.at += found
        return found

    def need(self, text: str) -> None:
        if not self.take(text):
            raise Untranslatable(text)


_COMPARISONS: Final[dict[str, Callable[[_Parser, Condition | Element], Condition]]] = {
    "=": _Parser.equal,
    "!=": _Parser.unequal,
    "in": _Parser.among,
    ">=": _Parser.at_least,
    ">": _Parser.above,
}


def present(of: Type, element: Element) -> Condition:
    """`element.exists()`."""
    names = [each.name for each in of.properties.values() if each.element is element]
    required = [{"required": [name]} for name in names]
    shadows = [f"_{p.name}" for p in of.properties.values() if _shadowed(p, element)]
    absent = {"properties": dict.fromkeys([*names, *shadows], False)}
    return Condition(required[0] if len(required) == 1 else _any(*required), absent)


def _shadowed(each: Property, element: Element) -> bool:
    return each.element is element and TYPES[each.type.code].kind == "primitive"


def compared(element: Element, test: Schema) -> Condition:
    """A single primitive against a literal; an absent one makes neither true nor false."""
    name = element.name
    if element.choice or element.many or TYPES[element.types[0].code].kind != "primitive":
        raise Untranslatable(element.path)
    return Condition(
        {"required": [name], "properties": {name: test}},
        {"required": [name], "properties": {name: {"not": test}}},
    )
