"""What is kept of a caller with an order, and what is made of it when the order is carried out.

A job runs when its caller is gone. It is given the rights that the caller has then, not those
of the moment of the order: a consent may have been withdrawn since. So the order keeps who
asked, which rights are made of, and never the rights, nor the token. What cannot be understood
gives nothing.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from fhir_server.access.principal import Principal
from fhir_server.access.rights import UNLIMITED, Rights
from fhir_server.core.errors import FhirError, Forbidden
from fhir_server.core.messages import Text

NOT_KEPT: Final = Text(
    "With these rights a request cannot be carried out later; send it without respond-async.",
    "С этими правами запрос нельзя выполнить позже; отправьте его без respond-async.",
    "З цими правами запит не можна виконати пізніше; надішліть його без respond-async.",
)
NOT_GRANTED: Final = Text(
    "The rights under which this was ordered no longer hold. What was done before stays.",
    "Права, с которыми это было заказано, больше не действуют. Выполненное раньше остаётся.",
    "Права, з якими це було замовлено, більше не діють. Виконане раніше залишається.",
)

Grant = Mapping[str, Any]

_EVERYTHING: Final[Grant] = {"unrestricted": True}
"""Of a server without access control, and of its operator's commands."""
_PRINCIPAL: Final = "principal"


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller and what it may do."""

    rights: Rights
    principal: Principal | None = None
    withheld: FhirError | None = None
    """What to answer where a right is missing, if not that a scope is."""
    applied: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By patient the references of the Consents that decided about this caller."""


Again = Callable[[Principal], Awaitable[Caller]]
"""Who asked before, as they are now; raises Forbidden where nothing is left of their rights."""


def grant_of(principal: Principal | None, rights: Rights) -> Grant:
    """What to keep of a caller.

    Raises:
        Forbidden: its rights cannot be made again.
    """
    if principal is not None:
        return {_PRINCIPAL: msgspec.to_builtins(principal)}
    if rights != UNLIMITED:
        raise Forbidden(NOT_KEPT)
    return _EVERYTHING


def principal_of(grant: Grant) -> Principal | None:
    """Who ordered something; None: nobody had to say.

    Raises:
        Forbidden: that cannot be told.
    """
    if grant == _EVERYTHING:
        return None
    try:
        if grant.keys() == {_PRINCIPAL}:
            return msgspec.convert(grant[_PRINCIPAL], Principal)
    except msgspec.ValidationError as error:
        raise Forbidden(NOT_GRANTED) from error
    raise Forbidden(NOT_GRANTED)


async def caller_of(grant: Grant, again: Again) -> Caller:
    """Who ordered something, with what they may do now.

    Raises:
        Forbidden: nothing.
    """
    principal = principal_of(grant)
    return Caller(UNLIMITED) if principal is None else await again(principal)


def is_owner(grant: Grant, asks: Principal | None) -> bool:
    """Whether who asks is who ordered: the same user with the same app, about the same
    patient and for the same purpose. The token may be another one.

    Raises:
        Forbidden: who ordered cannot be told.
    """
    ordered = principal_of(grant)
    if ordered is None or asks is None:
        return ordered is asks
    return _whose(ordered) == _whose(asks)


def _whose(principal: Principal) -> tuple[str | None, ...]:
    user = principal.account or principal.user
    return (principal.client, user, principal.patient, principal.purpose)
