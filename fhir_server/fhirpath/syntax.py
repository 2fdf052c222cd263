"""The syntax tree of an expression: what the parser gives and the compiler reads.

https://hl7.org/fhirpath/N1/grammar.html
"""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Literal:
    """A System value, or `{}` as None."""

    value: object


@dataclass(frozen=True, slots=True)
class This:
    """The focus: `$this`, said or implied."""


@dataclass(frozen=True, slots=True)
class Counter:
    """`$index` or `$total`."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """`%name`."""

    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """`of.name`; `leading` where nothing stands before, so that it may be a type's name."""

    of: "Tree"
    name: str
    leading: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """`of.name(args)`."""

    of: "Tree"
    name: str
    args: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Index:
    """`of[at]`."""

    of: "Tree"
    at: "Tree"


@dataclass(frozen=True, slots=True)
class Sign:
    """`-of` or `+of`."""

    sign: str
    of: "Tree"


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right`."""

    operator: str
    left: "Tree"
    right: "Tree"


@dataclass(frozen=True, slots=True)
class Union:
    """`a | b | c`, flat."""

    arms: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class TypeTest:
    """`of is Type` or `of as Type`."""

    operator: str
    of: "Tree"
    type: str
    """As written, `Quantity` or `System.Quantity`."""


Tree = (
    Literal
    | This
    | Counter
    | Constant
    | Member
    | Call
    | Index
    | Sign
    | Binary
    | Union
    | TypeTest
)


def parts(tree: Tree) -> Iterator[Tree]:
    """The direct sub-expressions of `tree`."""
    match tree:
        case Binary(_, left, right):
            yield from (left, right)
        case Union(arms):
            yield from arms
        case Call(of, _, args):
            yield of
            yield from args
        case Index(of, at):
            yield from (of, at)
        case Member(of) | Sign(_, of) | TypeTest(_, of):
            yield of
        case Literal() | This() | Counter() | Constant():
            return


def mentions(tree: Tree, name: str) -> bool:
    """Whether the counter `name` occurs in `tree`."""
    return tree == Counter(name) or any(mentions(each, name) for each in parts(tree))


def qualified_name(tree: Tree) -> str | None:
    """`System.String` of a tree that is only names: how `is(System.String)` is parsed."""
    match tree:
        case Member(This(), name):
            return name
        case Member(Member(This(), namespace), name):
            return f"{namespace}.{name}"
        case _:
            return None
