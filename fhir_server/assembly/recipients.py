"""Who can be told besides persons, and the gateway of SMS: the operator's two files.

{"mis": {"url": "https://mis.example/hooks", "secrets": ["whsec_…"],
         "kinds": ["visit-booked"], "private": false}}

{"url": "https://sms.example/send", "headers": {"Authorization": "Bearer …"},
 "form": "json", "body": {"phone": "{to}", "text": "{text}", "id": "{reference}"},
 "answer": "/status", "sent": ["accepted"], "later": ["busy"], "rate": 5,
 "private": false}
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec

from fhir_server.cabinet.notices.kinds import ROWS
from fhir_server.core import json_pointer
from fhir_server.core.errors import FhirError
from fhir_server.delivery.answers import Recipient
from fhir_server.delivery.sms import PLACES, REFUSED, Gateway, filled
from fhir_server.delivery.webhooks import GONE, Endpoint, secret_of
from fhir_server.settings import Settings

T = TypeVar("T")

_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")
_MOST_SECRETS: Final = 2


class RecipientsFileError(Exception):
    """A file of recipients cannot be followed; the text says why."""


class _Webhook(msgspec.Struct, forbid_unknown_fields=True):
    url: str
    secrets: list[str]
    kinds: list[str] = []
    private: bool = False


class _Gateway(msgspec.Struct, forbid_unknown_fields=True):
    url: str
    body: dict[str, Any]
    form: Literal["json", "urlencoded"] = "json"
    headers: dict[str, str] = {}
    answer: str | None = None
    sent: list[str] = []
    later: list[str] = []
    rate: Annotated[int, msgspec.Meta(ge=1)] | None = None
    private: bool = False


def endpoints(path: Path | None) -> Mapping[str, Endpoint]:
    """The endpoints of webhooks by name.

    Raises:
        RecipientsFileError: the file cannot be read, or followed.
    """
    if path is None:
        return {}
    try:
        rows = _read(path, dict[str, _Webhook])
        return {_name(name): _endpoint(row) for name, row in rows.items()}
    except (OSError, ValueError) as error:
        raise RecipientsFileError(f"{path}: {error}") from error


def gateway(path: Path | None) -> Gateway | None:
    """The gateway of SMS.

    Raises:
        RecipientsFileError: the file cannot be read, or followed.
    """
    if path is None:
        return None
    try:
        return _gateway(_read(path, _Gateway))
    except (OSError, ValueError) as error:
        raise RecipientsFileError(f"{path}: {error}") from error


def check_recipients(settings: Settings) -> None:
    """Whether both files can be followed, before anything is started.

    Raises:
        RecipientsFileError: one cannot.
    """
    endpoints(settings.webhooks)
    gateway(settings.sms_gateway)


def _read(path: Path, kind: type[T]) -> T:
    # msgspec's errors are ValueErrors, and show no value.
    return msgspec.json.decode(path.read_bytes(), type=kind)


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        message = f"{text!r} is no name: small letters, digits and hyphens"
        raise ValueError(message)
    return text


def _endpoint(row: _Webhook) -> Endpoint:
    if not 1 <= len(row.secrets) <= _MOST_SECRETS:
        message = "an endpoint has one secret, or two while it is being changed"
        raise ValueError(message)
    unknown = sorted(set(row.kinds).difference(ROWS))
    if unknown:
        message = f"{unknown[0]!r} is no kind of notice: {', '.join(ROWS)}"
        raise ValueError(message)
    secrets = tuple(secret_of(each) for each in row.secrets)
    return Endpoint(
        _recipient(row.url, GONE, private=row.private), secrets, frozenset(row.kinds)
    )


def _gateway(row: _Gateway) -> Gateway:
    _check_template(row)
    if row.answer is not None and not row.sent:
        message = "`answer` needs `sent`: the values there that mean success"
        raise ValueError(message)
    try:
        answer = None if row.answer is None else json_pointer.parse(row.answer)
    except FhirError as error:
        message = f"`answer` is no JSON Pointer: {row.answer}"
        raise ValueError(message) from error
    to = _recipient(row.url, REFUSED, private=row.private)
    return Gateway(to, row.body, row.form, row.headers, answer, row.sent, row.later, row.rate)


def _check_template(row: _Gateway) -> None:
    try:
        filled(row.body, dict.fromkeys(PLACES, ""))
    except KeyError as error:
        message = f"the body has a place {error}; there are {', '.join(PLACES)}"
        raise ValueError(message) from error
    flat = all(isinstance(each, str | int) for each in row.body.values())
    if row.form == "urlencoded" and not flat:
        message = "a urlencoded body has texts and numbers alone"
        raise ValueError(message)


def _recipient(url: str, never: frozenset[int], *, private: bool) -> Recipient:
    parts = urlsplit(url)
    schemes = ("https", "http") if private else ("https",)
    if parts.scheme not in schemes or not parts.hostname or parts.username is not None:
        message = (
            f"an absolute URL with {' or '.join(schemes)} is wanted, and no password in it"
        )
        raise ValueError(message)
    return Recipient(url, never, private)
