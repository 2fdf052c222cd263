"""Search parameter expressions as functions from a resource to the values they select.

An expression for many types (`Patient.name | Practitioner.name`) keeps only the arms of its
type; `resolve() is Patient` is decided by the reference's own text, so that nothing is fetched.

https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.expression
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from fhir_server.core.types import JsonObject
from fhir_server.fhirpath.code import Code, Run
from fhir_server.fhirpath.compiler import Scope, build
from fhir_server.fhirpath.environment import MAX_STEPS, Environment
from fhir_server.fhirpath.model import Item
from fhir_server.fhirpath.parser import parse
from fhir_server.fhirpath.references import by_text
from fhir_server.fhirpath.syntax import Union
from fhir_server.fhirpath.values import described

Selected: TypeAlias = tuple[str, Any, JsonObject | None]
"""A FHIR type's name, a JSON value, and a primitive's `_` sibling."""
Selector: TypeAlias = Callable[[JsonObject, Environment], list[Selected]]
"""The values that a resource, or a part of one, has; `around` makes the environment."""

_FHIR_NAMES: Final = {"Boolean": "boolean", "Integer": "integer", "Decimal": "decimal"}


def selector(
    expression: str,
    type: str,  # noqa: A002 # FHIR's word
    *,
    steps: int = MAX_STEPS,
) -> Selector:
    """Compile `expression` for resources, or parts of them, of `type`.

    An evaluation may take `steps`.

    A value that several arms of a union select is given by each: an index has it once anyway.

    Raises:
        SyntaxFault: it is not FHIRPath.
        SemanticFault: it names a type or function that does not exist.
    """
    tree = parse(expression)
    scope = Scope(frozenset({type}), strict=False)
    arms = tree.arms if isinstance(tree, Union) else (tree,)
    codes = [code for arm in arms if not (code := build(arm, scope)).never]
    if not codes:
        return _nothing
    run = codes[0].run if len(codes) == 1 else _all_of([code.run for code in codes])
    return (_plain if all(map(_gives_nodes, codes)) else _mixed)(run, type, steps)


def _gives_nodes(code: Code) -> bool:
    return code.kinds is not None and not any("System." in kind for kind in code.kinds)


def _all_of(runs: list[Run]) -> Run:
    return lambda item, env: [found for run in runs for found in run(item, env)]


def around(resource: JsonObject, kind: str) -> Environment:
    """The surroundings of every selector of one `resource` of type `kind`, in turn."""
    return Environment((kind, resource, None), resolve=by_text)


def _nothing(_: JsonObject, __: Environment) -> list[Selected]:
    return []


def _plain(run: Run, kind: str, steps: int) -> Selector:
    def select(resource: JsonObject, env: Environment) -> list[Selected]:
        env.steps = env.limit = steps
        return run((kind, resource, None), env)

    return select


def _mixed(run: Run, kind: str, steps: int) -> Selector:
    """Where conditions are selected: `deceased.exists() and deceased != false`."""

    def select(resource: JsonObject, env: Environment) -> list[Selected]:
        env.steps = env.limit = steps
        return [_as_node(each) for each in run((kind, resource, None), env)]

    return select


def _as_node(item: Item) -> Selected:
    if type(item) is tuple:
        return item
    kind = described(item)
    return (_FHIR_NAMES.get(kind, "string"), item, None)
