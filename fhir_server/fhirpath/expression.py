"""Compiled expressions as the rest of the server uses them.

https://hl7.org/fhir/R4/fhirpath.html
"""

from functools import lru_cache

from fhir_server.fhirpath.code import Code
from fhir_server.fhirpath.compiler import NO_TYPE, Scope, build
from fhir_server.fhirpath.environment import MAX_STEPS, Environment
from fhir_server.fhirpath.errors import SemanticFault
from fhir_server.fhirpath.model import Item, resource_type
from fhir_server.fhirpath.parser import parse
from fhir_server.spec.structures import TYPES


class Expression:
    """A compiled expression: call it with a focus, or ask whether it `holds`."""

    __slots__ = ("_run", "_truth", "code", "text", "type")

    def __init__(self, text: str, type: str | None, code: Code) -> None:  # noqa: A002 # FHIR's word
        self.text = text
        self.type = type
        self.code = code
        self._run = code.run
        self._truth = code.truth

    def __call__(self, focus: Item, env: Environment | None = None) -> list[Item]:
        """Evaluate over a JSON object, a node `(type, value, extra)` or a System value.

        Nodes among the results are such tuples too; anything else is a System value.

        Raises:
            EvaluationFault: the values met break a rule of an operation.
        """
        item = self.node(focus)
        return self._run(item, self._environment(item, env))

    def holds(self, focus: Item, env: Environment | None = None) -> bool:
        """Whether it is true of `focus`; an empty result is not.

        Raises:
            EvaluationFault: the result, or a part of it, is no condition.
        """
        item = self.node(focus)
        return self._truth(item, self._environment(item, env)) is True

    def truth(self, focus: Item, env: Environment | None = None) -> bool | None:
        """As `holds`, with None for an empty result."""
        item = self.node(focus)
        return self._truth(item, self._environment(item, env))

    def node(self, focus: Item) -> Item:
        """A JSON object as a node of the expression's type, or of its own."""
        if type(focus) is not dict:
            return focus
        return (self.type or resource_type(focus, "Element"), focus, None)

    def _environment(self, item: Item, env: Environment | None) -> Environment:
        if env is None:
            return Environment(item if type(item) is tuple else None)
        env.steps = MAX_STEPS
        if env.known:
            env.known = {}
        return env


# Invariants and search expressions are compiled once by their owners; this is for clients'.
@lru_cache(maxsize=1_024)
def compile(text: str, *, type: str | None = None, strict: bool = True) -> Expression:  # noqa: A001, A002 # re.compile's word
    """Compile `text` for a focus of the FHIR type `type`, any if None.

    `strict` refuses elements that the types in question do not have; otherwise they are empty.

    Raises:
        SyntaxFault: `text` is not FHIRPath.
        SemanticFault: it names an element, type or function that does not exist.
    """
    if type is not None and type not in TYPES:
        raise SemanticFault(NO_TYPE, name=type)
    tree = parse(text)
    kinds = None if type is None else frozenset({type})
    return Expression(text, type, build(tree, Scope(kinds, strict)))
