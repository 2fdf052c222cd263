"""`_filter`: an expression over search parameters, compiled to one predicate.

    filter     := or ; or := and ("or" and)* ; and := part ("and" part)*
    part       := "not" "(" filter ")" | "(" filter ")" | path operator value
    path       := name ("[" filter "]")? ("." path)?

`and` binds closer than `or`. A bracket restricts the resource its reference leads to. `eq`
and the others speak of "an item in the set"; `ne` holds where the parameter has a value and
none that is equal.

https://hl7.org/fhir/R4/search_filter.html
"""

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from fhir_server.core.errors import BadValue, NotSupported, TooCostly
from fhir_server.core.messages import Text
from fhir_server.core.text import fold
from fhir_server.search import keys, strings
from fhir_server.search.canonicals import ways
from fhir_server.search.criteria import Links, bound, chained, find, linked, of_values
from fhir_server.search.dates import comparison
from fhir_server.search.nodes import intersection, presence, union
from fhir_server.search.plan import Keys, Node, Not, Nothing, Range, Updated
from fhir_server.search.prefixes import DATE_ARMS
from fhir_server.search.scope import Asked, Scope
from fhir_server.spec.search_parameters import SearchType

BAD_FILTER: Final = Text(
    "The filter cannot be read at character {place}: expected {expected}.",
    "Фильтр не читается с позиции {place}: ожидается {expected}.",
    "Фільтр не читається з позиції {place}: очікується {expected}.",
)
BAD_OPERATOR: Final = Text(
    "The filter operator `{operator}` cannot be used with `{code}`.",
    "Оператор фильтра `{operator}` не применим к `{code}`.",
    "Оператор фільтра `{operator}` не застосовний до `{code}`.",
)
TOO_NESTED: Final = Text(
    "The filter is nested deeper than {limit} levels.",
    "Вложенность фильтра больше {limit}.",
    "Вкладеність фільтра більша за {limit}.",
)

_TOKEN: Final = re.compile(
    r"""
    \s* (?: (?P<mark> [()\[\].] )
      | "(?P<string> (?: [^"\\] | \\. )* )"
      | (?P<word> [^\s()\[\]."]+ ) )
    """,
    re.VERBOSE | re.DOTALL,
)
#: A value runs to the next space or closing bracket: `http://loinc.org|1234-5`, `2024-01-01`.
_VALUE: Final = re.compile(
    r'\s*(?:"(?P<string>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s()\[\]"]+))', re.DOTALL
)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_SPECIAL: Final = re.compile(r"[\\,$|]")

_ORDERED: Final = frozenset({"gt", "lt", "ge", "le", "sa", "eb", "ap"})
_RANGED: Final = frozenset({"number", "date", "quantity"})
_MODIFIER: Final[Mapping[tuple[SearchType, str], str]] = {
    ("token", "in"): "in",
    ("token", "ni"): "in",
    ("token", "ss"): "above",
    ("token", "sb"): "below",
    ("token", "co"): "text",
    ("token", "sw"): "text",
    ("uri", "sb"): "below",
    ("uri", "ss"): "above",
    ("uri", "sw"): "below",
    ("string", "co"): "contains",
}
_OPERATORS: Final = frozenset({
    "eq", "ne", "co", "sw", "ew", "gt", "lt", "ge", "le", "ap", "sa", "eb", "pr", "po", "ss",
    "sb", "in", "ni", "re",
})  # fmt: skip


class _Step(NamedTuple):
    name: str
    inside: "_Make | None"


_Make = Callable[[str, Links], Node]
"""A part of the filter as a predicate on a type; the links are counted."""


def compiled_filter(scope: Scope, kind: str, text: str) -> Node:
    """The filter `text` over `kind`.

    Raises:
        BadValue: it does not parse, or a value is unusable.
        UnknownParameter: it names a parameter the type does not have.
        NotSupported: an operator does not go with a parameter.
        TooCostly: it is nested too deep, or compares too much.
    """
    return _Parser(scope, text).whole()(kind, Links(scope.limits))


class _Parser:
    """Reads a filter by descent; what it gives is still to be applied to a type."""

    def __init__(self, scope: Scope, text: str) -> None:
        self._scope = scope
        self._text = text.rstrip()
        self._place = 0
        self._nesting = 0
        self._comparisons = 0

    def whole(self) -> _Make:
        found = self._or()
        if self._place < len(self._text):
            raise self._bad("and, or")
        return found

    def _or(self) -> _Make:
        parts = [self._and()]
        while self._take_word("or"):
            parts.append(self._and())
        return _joined(union, parts)

    def _and(self) -> _Make:
        parts = [self._part()]
        while self._take_word("and"):
            parts.append(self._part())
        return _joined(intersection, parts)

    def _part(self) -> _Make:
        if self._peek() == "(":
            return self._enclosed("(", ")")
        start = self._place
        if self._take_word("not"):
            if self._peek() == "(":
                return _negated(self._enclosed("(", ")"))
            self._place = start
        return self._comparison(self._path())

    def _enclosed(self, opening: str, closing: str) -> _Make:
        self._nesting += 1
        if self._nesting > self._scope.limits.nesting:
            raise TooCostly(TOO_NESTED, limit=self._scope.limits.nesting)
        self._mark(opening)
        found = self._or()
        self._mark(closing)
        self._nesting -= 1
        return found

    def _path(self) -> list[_Step]:
        steps = []
        while True:
            name = self._word("a parameter")
            inside = self._enclosed("[", "]") if self._peek() == "[" else None
            steps.append(_Step(name, inside))
            if self._peek() != ".":
                return steps
            self._mark(".")

    def _comparison(self, steps: list[_Step]) -> _Make:
        operator = self._word("an operator")
        if operator not in _OPERATORS:
            raise self._bad("an operator")
        found = _VALUE.match(self._text, self._place)
        if found is None:
            raise self._bad("a value")
        self._place = found.end()
        self._comparisons += 1
        bound(self._comparisons, self._scope.limits.comparisons)
        quoted = found["string"]
        value = found["bare"] if quoted is None else _ESCAPED.sub(r"\1", quoted)
        return _along(self._scope, steps, operator, value)

    def _peek(self) -> str:
        found = _TOKEN.match(self._text, self._place)
        return found["mark"] or "" if found else ""

    def _mark(self, mark: str) -> None:
        found = _TOKEN.match(self._text, self._place)
        if found is None or found["mark"] != mark:
            raise self._bad(f"`{mark}`")
        self._place = found.end()

    def _word(self, expected: str) -> str:
        found = _TOKEN.match(self._text, self._place)
        if found is None or found["word"] is None:
            raise self._bad(expected)
        self._place = found.end()
        return found["word"]

    def _take_word(self, word: str) -> bool:
        found = _TOKEN.match(self._text, self._place)
        if found is None or found["word"] != word:
            return False
        self._place = found.end()
        return True

    def _bad(self, expected: str) -> BadValue:
        return BadValue(BAD_FILTER, place=self._place + 1, expected=expected)


def _joined(join: Callable[[list[Node]], Node], parts: list[_Make]) -> _Make:
    if len(parts) == 1:
        return parts[0]
    return lambda kind, links: join([part(kind, links) for part in parts])


def _negated(part: _Make) -> _Make:
    return lambda kind, links: Not(part(kind, links))


def _along(scope: Scope, steps: list[_Step], operator: str, value: str) -> _Make:
    """The comparison at the end of `steps`, with a link for each step before."""
    step, *rest = steps

    def make(kind: str, links: Links) -> Node:
        if not rest and step.inside is None:
            return _compare(scope, kind, step.name, operator, value)
        code = step.name.partition(":")[0]
        found = linked(scope, kind, step.name, links, lambda to: follow(to, links))
        by = ways(kind, find(scope, kind, code))
        return union(chained(code, to, node, by) for to, node in found)

    def follow(kind: str, links: Links) -> Node:
        parts = [step.inside(kind, links)] if step.inside else []
        if rest:
            parts.append(_along(scope, rest, operator, value)(kind, links))
        return intersection(parts)

    return make


def _compare(scope: Scope, kind: str, code: str, operator: str, value: str) -> Node:
    """One comparison.

    Raises:
        NotSupported: the operator does not go with the parameter's type.
    """
    asked = Asked(kind, find(scope, kind, code))
    search_type = asked.parameter.type
    match operator:
        case "eq":
            return _equal(scope, asked, value)
        case "ne":
            has_value = presence(asked.parameter)
            return intersection((has_value, Not(_equal(scope, asked, value))))
        case "pr":
            return _present(asked, value)
        case "re" if search_type == "reference":
            return of_values(scope, asked)(value)
        case "sw" if search_type == "string":
            return strings.string(code, _SPECIAL.sub(r"\\\g<0>", value))
        case "ew" if search_type == "string":
            return strings.ending(code, _SPECIAL.sub(r"\\\g<0>", value))
        case "po" if search_type == "date":
            return _overlapping(scope, code, value)
        case _ if operator in _ORDERED and search_type in _RANGED:
            return of_values(scope, asked)(operator + value)
    return _modified(scope, asked, operator, value)


def _modified(scope: Scope, asked: Asked, operator: str, value: str) -> Node:
    """Operators that are a modifier of the same meaning."""
    search_type, code = asked.parameter.type, asked.code
    modifier = _MODIFIER.get((search_type, operator))
    if modifier is None:
        raise NotSupported(BAD_OPERATOR, operator=operator, code=code)
    text = _SPECIAL.sub(r"\\\g<0>", value) if search_type == "string" else value
    found = of_values(scope, Asked(asked.kind, asked.parameter, modifier))(text)
    return Not(found) if operator == "ni" else found


def _equal(scope: Scope, asked: Asked, value: str) -> Node:
    """As a search without modifier; but of a string, all of it."""
    if asked.parameter.type == "string" and asked.code[0] != "_":
        folded = fold(value)
        return Keys("strings", (keys.folded(asked.code, folded),)) if folded else Nothing()
    return of_values(scope, asked)(value)


def _present(asked: Asked, value: str) -> Node:
    has_value = presence(asked.parameter)
    match value:
        case "true":
            return has_value
        case "false":
            return Not(has_value)
        case _:
            raise BadValue(BAD_FILTER, place=1, expected="true, false")


def _overlapping(scope: Scope, code: str, value: str) -> Node:
    """Some time is in both; no slack, unlike `ap`."""
    interval, _ = comparison(value, scope.now)
    if code == "_lastUpdated":
        return Updated(interval, DATE_ARMS["ap"])
    return Range("dates", code, interval, DATE_ARMS["ap"])
