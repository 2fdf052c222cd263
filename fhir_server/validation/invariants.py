"""Whether an invariant holds of a value.

https://hl7.org/fhir/R4/conformance-rules.html#constraints
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fhir_server.core.types import JsonObject
from fhir_server.spec.structures import Constraint


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


def holds(constraint: Constraint, scene: Scene) -> bool:
    """Whether the value obeys; an expression that cannot be evaluated is not obeyed."""
    quick = _QUICK.get(constraint.key)
    return quick is None or quick(scene.value)


def _period(value: Any) -> bool:
    """per-1 where both ends have the same precision and zone: then texts compare as times."""
    start, end = value.get("start"), value.get("end")
    if start is None or end is None:
        return True
    return len(start) == len(end) and start[19:] == end[19:] and bool(start <= end)


def _observation(value: Any) -> bool:
    """obs-7 speaks of observations with a value and components."""
    return "component" not in value


_QUICK: Final[Mapping[str, Callable[[Any], bool]]] = {"per-1": _period, "obs-7": _observation}
"""Sure and common ways to obey; anything else is asked of FHIRPath."""
