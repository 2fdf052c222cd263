"""Responses of OAuth: JSON that nobody caches, redirects that leave no trace, error pages.

https://www.rfc-editor.org/rfc/rfc6749#section-5
https://www.rfc-editor.org/rfc/rfc9700#section-4.2
"""

from collections.abc import Mapping
from html import escape
from http import HTTPStatus
from typing import Any, Final

import msgspec
from starlette.responses import Response

from fhir_server.core.errors import FhirError
from fhir_server.core.messages import Text, preferred
from fhir_server.smart.errors import OAuthError

JSON: Final = "application/json;charset=UTF-8"
UNCACHED: Final[Mapping[str, str]] = {"Cache-Control": "no-store", "Pragma": "no-cache"}

_PAGE_HEADERS: Final[Mapping[str, str]] = {
    **UNCACHED,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
}
_HEADING: Final = Text(
    "This app cannot be opened",
    "Это приложение нельзя открыть",
    "Цей застосунок не можна відкрити",
)
_ADVICE: Final = Text(
    "The app sent a request that this server does not accept. Go back and try again; if it "
    "happens again, tell the app's developer what stands below.",
    "Приложение прислало запрос, который этот сервер не принимает. Вернитесь и попробуйте "
    "снова; если это повторится, передайте разработчику приложения то, что написано ниже.",
    "Застосунок надіслав запит, який цей сервер не приймає. Поверніться і спробуйте ще раз; "
    "якщо це повториться, передайте розробнику застосунку те, що написано нижче.",
)
_SIGNED_OUT: Final = Text(
    "You have signed out.", "Вы вышли из системы.", "Ви вийшли із системи."
)


def uncached(body: object, status: int = 200) -> Response:
    """JSON that is this caller's alone."""
    return Response(msgspec.json.encode(body), status, headers=dict(UNCACHED), media_type=JSON)


def public(body: object, seconds: int, media_type: str = "application/json") -> Response:
    """JSON for everybody, good for a while."""
    return Response(msgspec.json.encode(body), headers=_shared(seconds), media_type=media_type)


def unchanged(etag: str, seconds: int) -> Response:
    """304: what the client has is what it would get."""
    return Response(status_code=304, headers={**_shared(seconds), "ETag": etag})


def _shared(seconds: int) -> dict[str, str]:
    return {"Cache-Control": f"public, max-age={seconds}"}


def refusal(error: OAuthError) -> Response:
    """The error as its RFC writes it."""
    body = {"error": error.code, "error_description": error.description}
    response = uncached(body, error.status)
    response.headers.update(error.headers)
    return response


def unavailable(error: FhirError) -> Response:
    """The database did not answer, or did not take what it was given."""
    ours = error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    code = "temporarily_unavailable" if ours else "invalid_request"
    status = error.status if ours else HTTPStatus.BAD_REQUEST
    response = uncached({"error": code, "error_description": str(error)}, status)
    response.headers.update(error.headers)
    return response


def redirect(location: str) -> Response:
    """Send the browser on, by GET; whatever it was asked with is not told to the next site."""
    headers = {**UNCACHED, "Location": location, "Referrer-Policy": "no-referrer"}
    return Response(status_code=303, headers=headers)


def error_page(error: OAuthError, accept_language: str) -> Response:
    """For a person whose browser cannot be sent back to the app."""
    language, nothing = preferred(accept_language), dict[str, Any]()
    heading, advice = (each.in_language(language, nothing) for each in (_HEADING, _ADVICE))
    said = f"{error.code}: {error.description}"
    body = f"<p>{escape(advice)}</p><p>{escape(said)}</p>"
    response = _page(language, heading, body, error.status)
    response.headers.update(error.headers)
    return response


def signed_out_page(accept_language: str) -> Response:
    """For a person who signed out and goes nowhere."""
    language = preferred(accept_language)
    return _page(language, _SIGNED_OUT.in_language(language, {}), "", 200)


def _page(language: str, heading: str, body: str, status: int) -> Response:
    title = escape(heading)
    text = (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8">'
        f"<title>{title}</title><h1>{title}</h1>{body}</html>"
    )
    return Response(text, status, headers=dict(_PAGE_HEADERS), media_type="text/html")
