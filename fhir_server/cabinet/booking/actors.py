"""Who books: rules bind persons, places bind everybody.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from typing import Literal

from fhir_server.access.principal import Principal

Actor = Literal["system", "staff", "person"]
"""A hospital's system or the server itself; somebody who works there; a patient or proxy."""


def actor_of(principal: Principal | None) -> Actor:
    """Who `principal` is to the rules; None: nobody had to say, or the server itself."""
    if principal is None or principal.user is None:
        return "system"
    return "staff" if principal.staff else "person"
