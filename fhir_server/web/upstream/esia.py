"""ЕСИА («Госуслуги»): OAuth whose client secret is a signature, and whose person is asked for.

The secret is a detached PKCS#7 signature over scope, timestamp, client id and state. The token
names the person by `urn:esia:sbj:oid`; what else is known stands at `/rs/prns/{oid}`, with
`trusted` for who was confirmed in person.

https://digital.gov.ru/ru/documents/6186/
"""

import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from fhir_server.cabinet.accounts.federation import Identity, spellings
from fhir_server.core.messages import Text
from fhir_server.web.upstream.provider import (
    Attempt,
    UpstreamError,
    code_of,
    object_of,
    text_of,
)
from fhir_server.web.upstream.signing import Sign

SNILS: Final = (
    "urn:oid:1.2.643.100.3",
    "https://fhir.ru/ig/core/systems/snils",
    "https://fhir.ru/ig/semd/systems/snils",
    "http://fhir.ru/core/systems/snils",
    "urn:oid:1.2.643.2.69.1.1.1.6.223",
)
"""Systems under which records have it: no single one is in use."""

_TITLE: Final = Text("Gosuslugi", "Госуслуги", "Госуслуги")
_SUBJECT: Final = "urn:esia:sbj"
_LEEWAY: Final = 60  # seconds
_TRUSTED, _UNTRUSTED = 3, 1


@dataclass(frozen=True, slots=True)
class EsiaSettings:
    """What the operator's registration says."""

    client_id: str
    public_key: str
    """Of ЕСИА's token signature, PEM."""
    host: str = "https://esia.gosuslugi.ru"
    issuer: str = "http://esia.gosuslugi.ru/"
    scope: str = "openid fullname birthdate snils email"
    authorize_path: str = "/aas/oauth2/ac"
    token_path: str = "/aas/oauth2/te"  # noqa: S105  # a path


class EsiaProvider:
    """`provider.Provider`."""

    def __init__(
        self,
        settings: EsiaSettings,
        sign: Sign,
        http: httpx.AsyncClient,
        seconds: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._sign = sign
        self._http = http
        self._seconds = seconds
        self._key = RSAKey.import_key(settings.public_key)

    @property
    def title(self) -> Text:
        """As the port says."""
        return _TITLE

    async def begin(self, attempt: Attempt) -> str:
        """As the port says."""
        asked = {
            "response_type": "code",
            "access_type": "online",
            "redirect_uri": attempt.redirect_uri,
            **await self._signed(attempt),
        }
        return f"{self._settings.host}{self._settings.authorize_path}?{urlencode(asked)}"

    async def finish(self, attempt: Attempt, answer: Mapping[str, str]) -> Identity:
        """As the port says."""
        form = {
            "grant_type": "authorization_code",
            "code": code_of(answer),
            "redirect_uri": attempt.redirect_uri,
            "token_type": "Bearer",
            **await self._signed(attempt),
        }
        url = f"{self._settings.host}{self._settings.token_path}"
        tokens = await object_of(self._http, self._http.build_request("POST", url, data=form))
        oid = self._oid(text_of(tokens, "id_token"))
        token = text_of(tokens, "access_token")
        person = await self._asked(f"/rs/prns/{oid}", token)
        contacts = await self._asked(f"/rs/prns/{oid}/ctts?embed=(elements)", token)
        return _identity(oid, person, contacts.get("elements", ()))

    async def _signed(self, attempt: Attempt) -> dict[str, str]:
        now = datetime.fromtimestamp(self._seconds(), UTC)
        stamp = now.strftime("%Y.%m.%d %H:%M:%S +0000")
        settings = self._settings
        data = f"{settings.scope}{stamp}{settings.client_id}{attempt.state}"
        signature = await self._sign(data.encode())
        return {
            "client_id": settings.client_id,
            "scope": settings.scope,
            "timestamp": stamp,
            "state": attempt.state,
            "client_secret": urlsafe_b64encode(signature).decode(),
        }

    def _oid(self, token: str) -> str:
        """The person's number, as the signed id token says."""
        try:
            claims = jwt.decode(token, self._key, algorithms=["RS256"]).claims
        except (JoseError, ValueError) as error:
            raise UpstreamError("the id token is not of ЕСИА") from error
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        expires = claims.get("exp")
        is_current = isinstance(expires, int | float) and self._seconds() < expires + _LEEWAY
        is_ours = self._settings.client_id in audiences
        if not (is_current and is_ours and claims.get("iss") == self._settings.issuer):
            raise UpstreamError("the id token is for somebody else, or over")
        subject = claims.get(_SUBJECT)
        oid = subject.get(f"{_SUBJECT}:oid") if isinstance(subject, dict) else None
        if not str(oid or "").isdigit():
            raise UpstreamError("the id token names nobody")
        return str(oid)

    async def _asked(self, path: str, token: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        request = self._http.build_request(
            "GET", f"{self._settings.host}{path}", headers=headers
        )
        return await object_of(self._http, request)


def _identity(oid: str, person: Mapping[str, Any], contacts: Sequence[Any]) -> Identity:
    snils = text_of(person, "snils")
    digits = "".join(each for each in snils if each.isdigit())
    trusted = person.get("trusted") in (True, "true")
    return Identity(
        subject=oid,
        level=_TRUSTED if trusted else _UNTRUSTED,
        email=_email(contacts),
        family=text_of(person, "lastName"),
        given=text_of(person, "firstName"),
        birth_date=_date(text_of(person, "birthDate")),
        identifiers=tuple(spellings(SNILS, snils, digits)),
    )


def _email(contacts: Sequence[Any]) -> str:
    for each in contacts:
        if not isinstance(each, dict) or each.get("vrfStt") != "VERIFIED":
            continue
        if each.get("type") == "EML":
            return text_of(each, "value")
    return ""


def _date(text: str) -> str:
    """`14.03.1985` as FHIR writes it; empty where it is none."""
    try:
        return datetime.strptime(text, "%d.%m.%Y").date().isoformat()  # noqa: DTZ007  # a date
    except ValueError:
        return ""
