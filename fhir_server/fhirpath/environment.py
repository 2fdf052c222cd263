"""What an evaluation knows beside its focus: resources, the time, and hooks to the outside.

https://hl7.org/fhirpath/N1/#environment-variables
https://hl7.org/fhir/R4/fhirpath.html#vars
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.fhirpath.errors import EvaluationFault
from fhir_server.fhirpath.model import Item, Node

Resolver = Callable[[JsonObject], Node | None]
"""The resource a Reference (its JSON object) leads to, as a node; None where it is not here."""
Membership = Callable[[str, Node], bool | None]
"""Whether a value set (its canonical) has a code, Coding or CodeableConcept."""
Conformance = Callable[[str, Node], bool | None]
"""Whether a node conforms to a profile (its canonical); None for an unknown profile."""
Subsumption = Callable[[Node, Node], bool | None]
"""Whether the first code or Coding is the second or an ancestor of it; None: not known."""
Tracer = Callable[[str, list[Item]], None]


def _no_node(_: JsonObject) -> Node | None:
    return None


def _unknown(_: str, __: Node) -> bool | None:
    return None


def _unrelated(_: Node, __: Node) -> bool | None:
    return None


def _no_trace(_: str, __: list[Item]) -> None:
    return None


MAX_STEPS: Final = 1_000_000
"""Items one evaluation may go through in its loops: about a second."""

CLIENTS_STEPS: Final = 50_000
"""Of an expression that a client wrote, which runs while others wait: a tenth of a second."""

_CHARACTERS: Final = 100
"""That cost as much as one item."""
_PATTERN: Final = 1_000
"""Items that a client's regular expression counts as: one may take a twentieth of a second."""

TOO_COSTLY: Final = Text(
    "FHIRPath: the evaluation takes more than {limit} steps.",
    "FHIRPath: вычисление требует больше {limit} шагов.",
    "FHIRPath: обчислення потребує понад {limit} кроків.",
)


class Environment:
    """One evaluation's surroundings and its state; several evaluations over one resource may
    share it, one after the other. Nothing of an evaluation is kept elsewhere, so that threads
    evaluate beside each other.
    """

    __slots__ = (
        "conforms_to",
        "context",
        "index",
        "inside",
        "known",
        "limit",
        "member_of",
        "now",
        "resolve",
        "resource",
        "root_resource",
        "steps",
        "subsumes",
        "total",
        "trace",
        "variables",
    )

    def __init__(  # noqa: PLR0913 # all but the first by name, all with a default
        self,
        resource: Node | None = None,
        *,
        context: Node | None = None,
        root_resource: Node | None = None,
        now: str | None = None,
        variables: Mapping[str, Any] | None = None,
        resolve: Resolver = _no_node,
        member_of: Membership = _unknown,
        conforms_to: Conformance = _unknown,
        subsumes: Subsumption = _unrelated,
        trace: Tracer = _no_trace,
        inside: Mapping[str, Node] | None = None,
        steps: int = MAX_STEPS,
    ) -> None:
        """`resource` holds what is evaluated, `root_resource` contains that.

        `now` is an ISO dateTime with a zone; `variables` are collections by name. `inside`
        is what `root_resource` contains, by id, for who asks about it more than once.
        """
        self.resource = resource
        self.root_resource = root_resource or resource
        self.context = context or resource
        self.now = now
        self.variables = dict(variables or {})
        self.resolve = resolve
        self.member_of = member_of
        self.conforms_to = conforms_to
        self.subsumes = subsumes
        self.trace = trace
        self.inside = inside
        self.index = 0
        self.known: dict[object, Any] = {}
        """What does not change while one expression is evaluated, by who asks for it."""
        self.steps = self.limit = steps
        self.total: list[Item] = []

    def forget(self) -> None:
        """Ask the resources again: they have changed."""
        self.known.clear()
        self.inside = None

    def spend(self, items: int) -> None:
        """Count a loop's items.

        Raises:
            EvaluationFault: the evaluation goes through too many.
        """
        self.steps -= items
        if self.steps < 0:
            raise EvaluationFault(TOO_COSTLY, limit=self.limit)

    def spend_text(self, length: int) -> None:
        """Count the characters of a text that is read or made; raises as `spend`."""
        if length > _CHARACTERS:
            self.spend(length // _CHARACTERS)

    def spend_pattern(self) -> None:
        """Count the use of a regular expression; raises as `spend`."""
        if self.limit <= CLIENTS_STEPS:
            self.spend(_PATTERN)
