"""Whether an invariant holds of a value, asked of FHIRPath.

https://hl7.org/fhir/R4/conformance-rules.html#constraints
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from fhir_server.core.types import JsonObject
from fhir_server.fhirpath import Environment, EvaluationFault, Expression, Node, compile  # noqa: A004  # re.compile's word
from fhir_server.spec.structures import Constraint
from fhir_server.validation import shortcuts


@dataclass(frozen=True, slots=True)
class Scene:
    """A value with what an expression may ask for around it."""

    value: Any
    type: str
    """The value's FHIR type."""
    resource: JsonObject
    """`%resource`: the nearest one around the value."""
    root: JsonObject
    """`%rootResource`: the one that contains `resource`, or itself."""
    inside: Mapping[str, Node]
    """What `root` contains, by id."""


def holds(constraint: Constraint, scene: Scene) -> bool:
    """Whether the value obeys; what cannot be evaluated over it is not obeyed."""
    quick = shortcuts.OBEYED.get(constraint.key)
    if quick is not None and quick(scene.value):
        return True
    expression = _compiled(constraint.expression or "", scene.type)
    node: Node = (scene.type, scene.value, None)
    try:
        return expression.holds(node, _environment(node, scene))
    except EvaluationFault:
        return False


# R4 has 239 invariants, its profiles 20 more; a choice compiles one for each of its types.
@lru_cache(maxsize=4096)
def _compiled(expression: str, kind: str) -> Expression:
    # Not strict: an invariant of `probability[x]` speaks of `low`, which a decimal has not.
    return compile(expression, type=kind, strict=False)


def _environment(node: Node, scene: Scene) -> Environment:
    root = _node(scene.root)
    return Environment(
        _node(scene.resource), context=node, root_resource=root, inside=scene.inside
    )


def _node(resource: JsonObject) -> Node:
    return (resource["resourceType"], resource, None)
