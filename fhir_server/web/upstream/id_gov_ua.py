"""id.gov.ua: a code, a token that is no JWT, and a person who is asked for with both.

The taxpayer's number (РНОКПП) begins with the days since 31 December 1899 of the birth date.

https://id.gov.ua/connect
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import msgspec

from fhir_server.cabinet.accounts.federation import Identity, spellings
from fhir_server.core.messages import Text
from fhir_server.web.upstream.provider import (
    Attempt,
    UpstreamError,
    code_of,
    object_of,
    text_of,
)

Decrypt = Callable[[bytes], Awaitable[bytes]]
"""Opens an answer that was encrypted to the operator's certificate."""

_TITLE: Final = Text("id.gov.ua", "id.gov.ua", "id.gov.ua (Дія, BankID, КЕП)")
_FIELDS: Final = "issuer,givenname,lastname,middlename,drfocode,email,phone"
_LENGTH: Final = 10
_BEGIN: Final = date(1899, 12, 31)


@dataclass(frozen=True, slots=True)
class IdGovUaSettings:
    """What the operator's registration says."""

    client_id: str
    client_secret: str
    systems: tuple[str, ...]
    """Of РНОКПП in the clinic's records."""
    host: str = "https://id.gov.ua"
    auth_type: str = "dig_sign,bank_id,diia_id"
    certificate: str = ""
    """Base64; the answer is encrypted to it where there is one."""


class IdGovUaProvider:
    """`provider.Provider`."""

    def __init__(
        self,
        settings: IdGovUaSettings,
        http: httpx.AsyncClient,
        decrypt: Decrypt | None = None,
    ) -> None:
        self._settings = settings
        self._http = http
        self._decrypt = decrypt

    @property
    def title(self) -> Text:
        """As the port says."""
        return _TITLE

    async def begin(self, attempt: Attempt) -> str:
        """As the port says."""
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "auth_type": self._settings.auth_type,
            "state": attempt.state,
            "redirect_uri": attempt.redirect_uri,
        }
        return f"{self._settings.host}/?{urlencode(asked)}"

    async def finish(self, attempt: Attempt, answer: Mapping[str, str]) -> Identity:
        """As the port says."""
        del attempt
        form = {
            "grant_type": "authorization_code",
            "client_id": self._settings.client_id,
            "client_secret": self._settings.client_secret,
            "code": code_of(answer),
        }
        url = f"{self._settings.host}/get-access-token"
        tokens = await object_of(self._http, self._http.build_request("POST", url, data=form))
        token, user = text_of(tokens, "access_token"), str(tokens.get("user_id") or "")
        if not token or not user:
            raise UpstreamError("id.gov.ua gave no token")
        return self._identity(await self._person(token, user))

    async def _person(self, token: str, user: str) -> dict[str, Any]:
        asked = {
            "access_token": token,
            "user_id": user,
            "fields": _FIELDS,
            "cert": self._settings.certificate,
        }
        url = f"{self._settings.host}/get-user-info"
        found = await object_of(self._http, self._http.build_request("GET", url, params=asked))
        sealed = text_of(found, "encryptedUserInfo")
        if not sealed:
            return found
        if self._decrypt is None:
            raise UpstreamError("the answer is encrypted, and nothing here opens it")
        try:
            opened = msgspec.json.decode(await self._decrypt(sealed.encode()))
        except msgspec.DecodeError as error:
            raise UpstreamError("the answer cannot be read") from error
        if not isinstance(opened, dict):
            raise UpstreamError("the answer cannot be read")
        return opened

    def _identity(self, person: Mapping[str, Any]) -> Identity:
        number = text_of(person, "drfocode").strip()
        if len(number) != _LENGTH or not (number.isascii() and number.isdigit()):
            raise UpstreamError("id.gov.ua gave no taxpayer's number")
        return Identity(
            subject=number,
            level=3,
            email=text_of(person, "email"),
            family=text_of(person, "lastname"),
            given=text_of(person, "givenname").partition(" ")[0],
            birth_date=birth_date(number),
            identifiers=tuple(spellings(self._settings.systems, number)),
        )


def birth_date(number: str) -> str:
    """The date of birth that a taxpayer's number begins with."""
    return (_BEGIN + timedelta(days=int(number[:5]))).isoformat()
