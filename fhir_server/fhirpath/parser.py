"""Tokens as a syntax tree, by precedence climbing.

https://hl7.org/fhirpath/N1/#operator-precedence
"""

from decimal import Decimal
from functools import lru_cache
from typing import Final

from fhir_server.core.messages import Text
from fhir_server.fhirpath.errors import SyntaxFault
from fhir_server.fhirpath.lexer import Token, tokens, unreadable
from fhir_server.fhirpath.quantity import CALENDAR, Quantity
from fhir_server.fhirpath.syntax import (
    Binary,
    Call,
    Constant,
    Counter,
    Index,
    Literal,
    Member,
    Sign,
    This,
    Tree,
    TypeTest,
    Union,
    parts,
)
from fhir_server.fhirpath.temporal import Temporal

MAX_DEPTH: Final = 80
"""Levels of a tree. R4 needs 21; each costs up to eight frames of Python's thousand."""

TOO_DEEP: Final = Text(
    "A FHIRPath expression of more than {limit} levels is not read.",
    "Выражение FHIRPath глубже {limit} уровней не читается.",
    "Вираз FHIRPath, глибший за {limit} рівнів, не читається.",
)

_LEVELS: Final = (
    ("implies",),
    ("or", "xor"),
    ("and",),
    ("in", "contains"),
    ("=", "!=", "~", "!~"),
    ("<", "<=", ">", ">="),
    ("|",),
    ("is", "as"),
    ("+", "-", "&"),
    ("*", "/", "div", "mod"),
)
_POWER: Final = {sign: power for power, signs in enumerate(_LEVELS, 1) for sign in signs}
_TYPE_POWER: Final = _POWER["is"]
_UNION_POWER: Final = _POWER["|"]
# "as, contains, in, is are keywords and can be identifiers" (grammar.html, `identifier`).
_ALSO_NAMES: Final = frozenset({"as", "contains", "in", "is"})
_RESERVED: Final = frozenset(_POWER) - _ALSO_NAMES


# Expressions come from definitions and, in patches, from clients: the cache has an end.
@lru_cache(maxsize=2_048)
def parse(text: str) -> Tree:
    """Read `text`.

    Raises:
        SyntaxFault: outside the grammar, too long, or too deep.
    """
    parser = _Parser(text)
    tree = parser.expression(1, 0)
    parser.expect("end")
    _measure(tree)
    return tree


def _measure(tree: Tree) -> None:
    """Refuse a tree whose left spine (`a.a.a…`, `1+1+1…`) is too long to walk."""
    level, depth = [tree], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise SyntaxFault(TOO_DEEP, limit=MAX_DEPTH)
        level = [part for each in level for part in parts(each)]


class _Parser:
    """One reading of one text; `depth` counts what is open around."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._at = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _skip(self, kind: str) -> bool:
        found = self._next.kind == kind
        self._at += found
        return found

    def expect(self, kind: str) -> Token:
        if self._next.kind != kind:
            raise unreadable(self._text, self._next.at)
        return self._take() if kind != "end" else self._next

    def expression(self, power: int, depth: int) -> Tree:
        """What binds at least as tightly as `power`."""
        if depth > MAX_DEPTH:
            raise SyntaxFault(TOO_DEEP, limit=MAX_DEPTH)
        left = self._signed(depth)
        while (found := self._operator()) and _POWER[found] >= power:
            self._at += 1
            if _POWER[found] == _TYPE_POWER:
                left = TypeTest(found, left, self._type_name())
                continue
            right = self.expression(_POWER[found] + 1, depth + 1)
            left = _joined(left, right) if found == "|" else Binary(found, left, right)
        return left

    def _operator(self) -> str:
        token = self._next
        return token.text if token.kind in (token.text, "word") and token.text in _POWER else ""

    def _type_name(self) -> str:
        name = self._name()
        return f"{name}.{self._name()}" if self._skip(".") else name

    def _name(self) -> str:
        if self._next.kind not in ("name", "word"):
            raise unreadable(self._text, self._next.at)
        return self._take().text

    def _signed(self, depth: int) -> Tree:
        if self._next.kind in ("+", "-"):
            if depth > MAX_DEPTH:
                raise SyntaxFault(TOO_DEEP, limit=MAX_DEPTH)
            return Sign(self._take().kind, self._signed(depth + 1))
        return self._invoked(self._term(depth), depth)

    def _invoked(self, tree: Tree, depth: int) -> Tree:
        while True:
            if self._skip("."):
                tree = self._invocation(tree, depth, leading=False)
            elif self._skip("["):
                tree = Index(tree, self.expression(1, depth + 1))
                self.expect("]")
            else:
                return tree

    def _invocation(self, of: Tree, depth: int, *, leading: bool) -> Tree:
        if self._next.kind == "counter":
            return _counter(self._take().text)
        name = self._name()
        if not self._skip("("):
            return Member(of, name, leading)
        args: list[Tree] = []
        if not self._skip(")"):
            args.append(self._argument(name, depth))
            while self._skip(","):
                args.append(self._argument(name, depth))
            self.expect(")")
        return Call(of, name, tuple(args))

    def _argument(self, function: str, depth: int) -> Tree:
        tree = self.expression(1, depth + 1)
        if function == "sort" and self._next.text in ("asc", "desc"):
            return Sign("-", tree) if self._take().text == "desc" else tree
        return tree

    def _term(self, depth: int) -> Tree:
        token = self._next
        match token.kind:
            case "(":
                self._at += 1
                tree = self.expression(1, depth + 1)
                self.expect(")")
                return tree
            case "{":
                self._at += 1
                self.expect("}")
                return Literal(None)
            case "number":
                self._at += 1
                return self._number(token)
            case "string":
                self._at += 1
                return Literal(token.text)
            case "date" | "time":
                self._at += 1
                return Literal(self._temporal(token))
            case "constant":
                self._at += 1
                return Constant(token.text)
            case "word" if token.text in ("true", "false"):
                self._at += 1
                return Literal(token.text == "true")
            case "word" if token.text in _RESERVED:
                raise unreadable(self._text, token.at)
            case _:
                return self._invocation(This(), depth, leading=True)

    def _number(self, token: Token) -> Tree:
        number = Decimal(token.text)
        if self._next.kind == "string":
            return Literal(Quantity(number, self._take().text))
        if self._next.kind == "word" and self._next.text in CALENDAR:
            return Literal(Quantity(number, CALENDAR[self._take().text], calendar=True))
        return Literal(number if "." in token.text else int(number))

    def _temporal(self, token: Token) -> Temporal:
        value = Temporal.literal(token.text)
        if value is None:
            raise unreadable(self._text, token.at)
        return value


def _counter(text: str) -> Tree:
    return This() if text == "$this" else Counter(text)


def _joined(left: Tree, right: Tree) -> Union:
    arms = left.arms if isinstance(left, Union) else (left,)
    return Union((*arms, right))
