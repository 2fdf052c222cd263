"""SMS through a gateway with an HTTP interface, described by a few settings.

Content: `text`.

Arrived is an answer 2xx, and where the gateway tells the rest in a JSON body, one whose value
at `answer` is among `sent`; a value among `later` means later, any other never. What other
statuses mean, `delivery.answers` says.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlencode

import httpx
import msgspec

from fhir_server.core import json_pointer
from fhir_server.core.errors import Unprocessable
from fhir_server.delivery.answers import Recipient, post
from fhir_server.delivery.carriers import TryLater, Undeliverable, reference
from fhir_server.delivery.spacing import Spacing
from fhir_server.outward import Resolve, addresses
from fhir_server.store.outgoing import Delivery

PLACES: Final = ("to", "digits", "text", "reference")
"""What stands in braces in a template: the number, the same without `+`, the message, and the
client's reference, by which the gateway knows a message that comes again."""

REFUSED: Final = frozenset(range(400, 500)) - {
    401, 402, 403, 404, 405, 407, 408, 421, 425, 429,
}  # fmt: skip
"""What a gateway says of a message it never takes; the others it says of the credentials, the
address or the moment: an operator mends it, or time does."""

_NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)  # E.164
_PLACE: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Gateway:
    """How a gateway wants to be asked, and what it answers."""

    recipient: Recipient
    body: Mapping[str, Any]
    """A template of JSON."""
    form: Literal["json", "urlencoded"] = "json"
    headers: Mapping[str, str] | None = None
    """`Authorization`, for example."""
    answer: json_pointer.Pointer | None = None
    """Where in the answer it says what became of the message; None: the status says it."""
    sent: Sequence[str] = ()
    """Values there that mean success, as text."""
    later: Sequence[str] = ()
    rate: int | None = None
    """Messages a second that one process sends it; None: as many as there are."""


def filled(template: Any, places: Mapping[str, str]) -> Any:
    """The template with its places filled; what was filled in is not looked at again.

    Raises:
        KeyError: there is no such place.
    """
    match template:
        case str():
            return _PLACE.sub(lambda found: places[found[1]], template)
        case dict():
            return {key: filled(value, places) for key, value in template.items()}
        case list():
            return [filled(each, places) for each in template]
        case _:
            return template


class SmsCarrier:
    """`carriers.Carrier` of SMS."""

    def __init__(
        self, http: httpx.AsyncClient, gateway: Gateway, resolve: Resolve = addresses
    ) -> None:
        self._http = http
        self._gateway = gateway
        self._resolve = resolve
        self._spacing = None if gateway.rate is None else Spacing(gateway.rate)

    async def send(self, delivery: Delivery) -> None:
        """As the port says."""
        if not _NUMBER.fullmatch(delivery.to):
            raise Undeliverable("bad-number")
        if self._spacing is not None:
            await self._spacing.turn()
        gateway = self._gateway
        asked = filled(gateway.body, _places(delivery))
        headers = {"Accept": "application/json", **(gateway.headers or {})}
        if gateway.form == "json":
            headers["Content-Type"] = "application/json"
            body = msgspec.json.encode(asked)
        else:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(asked).encode()
        said = await post(self._http, gateway.recipient, headers, body, self._resolve)
        if gateway.answer is not None:
            self._read(said, gateway.answer)

    def _read(self, said: bytes, place: json_pointer.Pointer) -> None:
        try:
            value = _text(json_pointer.find(msgspec.json.decode(said), place))
        except (msgspec.DecodeError, Unprocessable) as error:
            raise TryLater("gateway-unclear") from error
        if value in self._gateway.sent:
            return
        if value in self._gateway.later:
            raise TryLater("gateway-later")
        raise Undeliverable("gateway-refused")


def _places(delivery: Delivery) -> Mapping[str, str]:
    return {
        "to": delivery.to,
        "digits": delivery.to.removeprefix("+"),
        "text": str(delivery.content["text"]),
        "reference": reference(delivery.key),
    }


def _text(value: Any) -> str:
    """A JSON value as it stands in settings: text as it is, others as JSON writes them."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
