"""What a person wrote where a clinic's or an insurer's word is asked for: the server marks it.

A patient may keep a referral or an insurance in the own record. For a booking only what
somebody of the clinic, or its system, has written counts, or has taken the mark from.

https://hl7.org/fhir/R4/extensibility.html
"""

from typing import Final

from fhir_server.cabinet.booking.actors import actor_of
from fhir_server.cabinet.booking.names import ENTERED
from fhir_server.core.types import JsonObject
from fhir_server.interactions.context import Context
from fhir_server.interactions.said import with_extensions

KINDS: Final = ("ServiceRequest", "Coverage", "Contract")
"""What is marked."""

_SERVERS: Final = frozenset({"id", "meta"})


def entered(ctx: Context, resource: JsonObject, before: JsonObject | None) -> JsonObject:
    """The stamp of KINDS."""
    principal = ctx.principal
    if principal is None or actor_of(principal) != "person":
        return resource
    if before is not None and _said(resource) == _said(before):
        return resource  # nothing is said that was not
    mark = {"url": ENTERED, "valueReference": {"reference": principal.user}}
    return with_extensions(resource, {ENTERED: mark})


def is_entered(resource: JsonObject) -> bool:
    """Whether it is a person's word alone."""
    return any(each.get("url") == ENTERED for each in resource.get("extension", ()))


def _said(resource: JsonObject) -> JsonObject:
    return {name: value for name, value in resource.items() if name not in _SERVERS}
