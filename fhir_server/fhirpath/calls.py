"""What a function is given when an expression that calls it is compiled.

https://hl7.org/fhirpath/N1/#functions
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from fhir_server.core.messages import Text
from fhir_server.fhirpath.code import Code, Run, Scalar, value_of
from fhir_server.fhirpath.environment import Environment
from fhir_server.fhirpath.errors import MISFIT, EvaluationFault, SemanticFault
from fhir_server.fhirpath.model import Item, TypeName
from fhir_server.fhirpath.syntax import Tree, mentions
from fhir_server.fhirpath.values import described, is_number

UNORDERED: Final = Text(
    "FHIRPath: {what} counts in a collection that has no order.",
    "FHIRPath: {what} отсчитывает в коллекции без порядка.",
    "FHIRPath: {what} відлічує в колекції без порядку.",
)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a function, its arguments compiled as the function asks."""

    name: str
    of: Code
    args: tuple[Tree, ...]
    compiled: Callable[[Tree, str], Code]
    """The argument over the outer focus (`outer`) or each item of `of` (`each`)."""
    named_type: Callable[[Tree], TypeName]
    strict: bool

    def outer(self, at: int) -> Code:
        """An argument that is a value."""
        return self.compiled(self.args[at], "outer")

    def each(self, at: int = 0) -> Code:
        """An argument that is a criterion or projection over each item."""
        return self.compiled(self.args[at], "each")

    def indexed(self, at: int = 0) -> bool:
        """Whether an argument asks for `$index`."""
        return mentions(self.args[at], "$index")

    def scalars(self) -> list[Scalar]:
        """Every argument as one value."""
        return [value_of(self.outer(at), self.name) for at in range(len(self.args))]


def refuse_unordered(of: Code, what: str, *, strict: bool) -> None:
    """Refuse to count in a collection without order.

    Raises:
        SemanticFault: `of` has none, and `strict`.
    """
    if strict and of.unordered:
        raise SemanticFault(UNORDERED, what=what)


class Function(NamedTuple):
    """How to compile calls of a function that takes `least` to `most` arguments."""

    build: Callable[[Call], Code]
    least: int = 0
    most: int = 0


Table: TypeAlias = Mapping[str, Function]


def over_items(
    apply: Callable[[list[Item]], list[Item]], *, same: bool = True, one: bool = False
) -> Function:
    """A function of the input collection alone; `same`: it gives some of its items."""

    def build(call: Call) -> Code:
        of = call.of.run
        kinds = call.of.kinds if same else None

        def run(item: Item, env: Environment) -> list[Item]:
            return apply(of(item, env))

        return Code(run, kinds, one=one or (same and call.of.one))

    return Function(build)


def expect(value: Item, wanted: type | tuple[type, ...], what: str) -> None:
    """Refuse a value that is not of the wanted Python type.

    Raises:
        EvaluationFault: it is not.
    """
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        raise misfit(value, what)


def misfit(value: Item, what: str) -> EvaluationFault:
    """The fault of a function that is not defined for `value`."""
    return EvaluationFault(MISFIT, what=f"{what}()", kind=described(value))


def number(value: Item, what: str) -> Item:
    """`value`, which must be an int or a Decimal."""
    if not is_number(value):
        raise misfit(value, what)
    return value


def refuse_kinds(call: Call, kinds: frozenset[str]) -> None:
    """Refuse an input none of whose possible types is one of `kinds`.

    Raises:
        SemanticFault: it is known to be of other types.
    """
    known = call.of.closed
    if known and not known & kinds:
        raise SemanticFault(MISFIT, what=f"{call.name}()", kind=", ".join(sorted(known)))


def looped(of: Run, body: Run, *, indexed: bool) -> Run:
    """`body` over each item of `of`, its results in one collection."""

    def run(item: Item, env: Environment) -> list[Item]:
        items = of(item, env)
        found: list[Item] = []
        for each in items:
            found.extend(body(each, env))
        env.spend(len(items) + len(found))
        return found

    def counted(item: Item, env: Environment) -> list[Item]:
        found: list[Item] = []
        outer = env.index
        for at, each in enumerate(of(item, env)):
            env.index = at
            found.extend(body(each, env))
        env.spend(len(found))
        env.index = outer
        return found

    return counted if indexed else run
