"""What stands behind break-glass: the declarations, the operator's bounds, who is told."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass

from fhir_server.access.emergencies import Declaration, EmergencyRegister, EmergencyRules

Names = Callable[[Collection[str]], Awaitable[Mapping[str, str]]]
"""What to call whom, by reference; those without a name are left out."""


@dataclass(frozen=True, slots=True)
class Emergencies:
    """Of a server with access control."""

    register: EmergencyRegister
    rules: EmergencyRules
    names: Names
    tell: Callable[[Declaration], Awaitable[None]]
    """Begins to send messages about a declaration that was committed; waits for none."""
