"""Search parameter expressions as functions from a resource to the values they select.

An expression for many types (`Patient.name | Practitioner.name`) keeps only the arms of its
type; `resolve() is Patient` is decided by the reference's own text, so that nothing is fetched.

https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.expression
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from fhir_server.core.types import JsonObject
from fhir_server.fhirpath.code import Run
from fhir_server.fhirpath.environment import MAX_STEPS, NOWHERE, Environment
from fhir_server.fhirpath.expression import asks, compile
from fhir_server.fhirpath.model import Item
from fhir_server.fhirpath.parser import parse
from fhir_server.fhirpath.references import by_text
from fhir_server.fhirpath.values import described

Selected: TypeAlias = tuple[str, Any, JsonObject | None]
"""A FHIR type's name, a JSON value, and a primitive's `_` sibling."""
Selector: TypeAlias = Callable[[JsonObject], list[Selected]]

_FHIR_NAMES: Final = {"Boolean": "boolean", "Integer": "integer", "Decimal": "decimal"}


def selector(expression: str, type: str) -> Selector:  # noqa: A002 # FHIR's word
    """Compile `expression` for resources, or parts of them, of `type`.

    Raises:
        SyntaxFault: it is not FHIRPath.
        SemanticFault: it names a type or function that does not exist.
    """
    code = compile(expression, type=type, strict=False).code
    if code.never:
        return _nothing
    fhir_only = code.kinds is not None and not any("System." in kind for kind in code.kinds)
    if asks(parse(expression)):
        return _resolving(code.run, type)
    return _plain(code.run, type) if fhir_only else _mixed(code.run, type)


def _nothing(_: JsonObject) -> list[Selected]:
    return []


def _plain(run: Run, kind: str) -> Selector:
    def select(resource: JsonObject) -> list[Selected]:
        NOWHERE.steps = MAX_STEPS
        return run((kind, resource, None), NOWHERE)

    return select


def _mixed(run: Run, kind: str) -> Selector:
    """Where conditions are selected: `deceased.exists() and deceased != false`."""

    def select(resource: JsonObject) -> list[Selected]:
        NOWHERE.steps = MAX_STEPS
        return [_as_node(each) for each in run((kind, resource, None), NOWHERE)]

    return select


def _resolving(run: Run, kind: str) -> Selector:
    def select(resource: JsonObject) -> list[Selected]:
        node = (kind, resource, None)
        env = Environment(node, resolve=by_text)
        return [_as_node(each) for each in run(node, env)]

    return select


def _as_node(item: Item) -> Selected:
    if type(item) is tuple:
        return item
    kind = described(item)
    return (_FHIR_NAMES.get(kind, "string"), item, None)
