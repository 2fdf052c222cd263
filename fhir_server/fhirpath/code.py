"""Compiled expressions: closures, with what is known of them before they run.

Every expression has `run`. Where an answer can be had without building nodes it has shorter
ways too: `truth` of a condition, `present` of a collection's existence, `scalar` of what is
at most one System value.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fhir_server.fhirpath.environment import Environment
from fhir_server.fhirpath.model import OPEN, Item
from fhir_server.fhirpath.values import single, system
from fhir_server.fhirpath.values import truth as truth_of

Run = Callable[[Item, Environment], list[Item]]
Truth = Callable[[Item, Environment], bool | None]
Present = Callable[[Item, Environment], bool]
Scalar = Callable[[Item, Environment], Item]

BOOLEAN: Final = frozenset({"System.Boolean"})


class Many(tuple[Item, ...]):
    """A focus that is not one item: the input of `iif` or `defineVariable`."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Code:
    """A compiled expression; what is None follows from `run`."""

    run: Run
    kinds: frozenset[str] | None = None
    """The types its items can have (`Patient`, `System.String`); None: any. Empty: it gives
    nothing, whatever it is applied to."""
    one: bool = False
    """At most one item."""
    truth_: Truth | None = None
    present_: Present | None = None
    scalar: Scalar | None = None
    constant: Item = None
    """The value of a literal."""
    unordered: bool = False
    """Its order is "undefined"."""

    @property
    def truth(self) -> Truth:
        """The value as a condition (singleton evaluation)."""
        if self.truth_ is not None:
            return self.truth_
        run = self.run
        return lambda item, env: truth_of(run(item, env), "condition")

    @property
    def present(self) -> Present:
        """Whether there is any item."""
        if self.present_ is not None:
            return self.present_
        run = self.run
        return lambda item, env: bool(run(item, env))

    @property
    def never(self) -> bool:
        """Known to give nothing."""
        return self.kinds is not None and not self.kinds

    @property
    def closed(self) -> frozenset[str] | None:
        """`kinds`, where they say all about the items."""
        return None if self.kinds is None or self.kinds & OPEN else self.kinds


def value_of(code: Code, what: str) -> Scalar:
    """The one System value of `code`; several are a fault of `what`."""
    if code.scalar is not None:
        return code.scalar
    run = code.run

    def scalar(item: Item, env: Environment) -> Item:
        items = run(item, env)
        if len(items) == 1:
            return system(items[0])
        return single(items, what)

    return scalar


def condition(truth: Truth) -> Code:
    """An expression known by its truth."""

    def run(item: Item, env: Environment) -> list[Item]:
        value = truth(item, env)
        return [] if value is None else [value]

    return Code(run, BOOLEAN, one=True, truth_=truth, scalar=truth)


def computed(scalar: Scalar, *kinds: str) -> Code:
    """An expression known by its one System value."""

    def run(item: Item, env: Environment) -> list[Item]:
        value = scalar(item, env)
        return [] if value is None else [value]

    return Code(run, frozenset(kinds) or None, one=True, scalar=scalar)


def literal(value: Item, kind: str) -> Code:
    """The constant `value`."""
    return Code(
        lambda _item, _env: [value],
        frozenset({kind}),
        one=True,
        truth_=lambda _item, _env: value is not False,
        present_=lambda _item, _env: True,
        scalar=lambda _item, _env: value,
        constant=value,
    )


NOTHING: Final = Code(
    lambda _item, _env: [],
    frozenset(),
    one=True,
    truth_=lambda _item, _env: None,
    present_=lambda _item, _env: False,
    scalar=lambda _item, _env: None,
)
"""`{}`"""


def _focus(item: Item, _env: Environment) -> list[Item]:
    return list(item) if type(item) is Many else [item]


def this(kinds: frozenset[str] | None) -> Code:
    """The focus, `$this`, that may be of `kinds`."""
    return Code(_focus, kinds, one=True)
