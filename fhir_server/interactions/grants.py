"""What is kept of a caller's rights with an order, and what is made of it later.

A job runs when its caller is gone. It is given the rights that the caller has then, not those
of the moment of the order: a consent may have been withdrawn since. So the order keeps what a
Restriction is made of, and never the rights. What cannot be understood gives nothing.
"""

from collections.abc import Mapping
from typing import Any, Final

from fhir_server.access.rights import UNLIMITED, Rights
from fhir_server.core.errors import Forbidden
from fhir_server.core.messages import Text

NOT_KEPT: Final = Text(
    "With these rights a request cannot be carried out later; send it without respond-async.",
    "С этими правами запрос нельзя выполнить позже; отправьте его без respond-async.",
    "З цими правами запит не можна виконати пізніше; надішліть його без respond-async.",
)
NOT_GRANTED: Final = Text(
    "The rights under which this was ordered no longer hold.",
    "Права, с которыми это было заказано, больше не действуют.",
    "Права, з якими це було замовлено, більше не діють.",
)

Grant = Mapping[str, Any]

_EVERYTHING: Final[Grant] = {"unrestricted": True}
"""Of a server without access control."""


def grant_of(rights: Rights) -> Grant:
    """What to keep of a caller with these rights.

    Raises:
        Forbidden: they cannot be made again.
    """
    if rights != UNLIMITED:
        raise Forbidden(NOT_KEPT)
    return _EVERYTHING


def rights_of(grant: Grant) -> Rights:
    """The rights that `grant` stands for now.

    Raises:
        Forbidden: none.
    """
    if grant != _EVERYTHING:
        raise Forbidden(NOT_GRANTED)
    return UNLIMITED
