"""The cookies of the pages, and when each is set.

| name | holds | set when |
|---|---|---|
| `session` | the secret of a single sign-on session | a sign-in is complete; always a new one |
| `browser` | what CSRF tokens are made of | a page is shown; new with every sign-in |
| `step` | the secret of a sign-in between its steps | the first step is done |
| `passkey` | the secret of a challenge for a passkey | the page's script asks for one |
| `upstream` | the secret of a sign-in at an identity provider | it begins there |
| `request-…` | an authorization request that waits | an app sends the browser here |
| `device` | the secret of a browser in which somebody has signed in | a sign-in is complete |
| `language` | en, ru or uk | a person chooses one |

Over https their names begin with `__Host-`: no other host, subdomain or path can set them.

https://www.rfc-editor.org/rfc/rfc6265
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

SESSION: Final = "session"
BROWSER: Final = "browser"
STEP: Final = "step"
DEVICE: Final = "device"
LANGUAGE: Final = "language"
REQUEST: Final = "request-"

LONGEST: Final = 200
"""Characters of a value that is read; ours are shorter."""


class Cookies:
    """Those of one request, and those that its response sets."""

    def __init__(self, request: Request, *, secure: bool) -> None:
        """`secure`: the pages are reached over https."""
        self._given = request.cookies
        self._secure = secure
        self._set: dict[str, tuple[str, int | None]] = {}

    def get(self, name: str) -> str:
        """The value, empty where there is none."""
        if name in self._set:
            return self._set[name][0]
        value = self._given.get(self._named(name), "")
        return value if len(value) <= LONGEST else ""

    def set(self, name: str, value: str, seconds: int | None = None) -> None:
        """Give it a value; without `seconds` it lasts as long as the browser is open."""
        self._set[name] = (value, seconds)

    def drop(self, name: str) -> None:
        """Remove it."""
        self._set[name] = ("", 0)

    def write(self, response: Response) -> None:
        """Put what was set into the response."""
        for name, (value, seconds) in self._set.items():
            response.set_cookie(
                self._named(name),
                value,
                max_age=seconds,
                path="/",
                secure=self._secure,
                httponly=True,
                samesite="lax",
            )

    def _named(self, name: str) -> str:
        return f"__Host-{name}" if self._secure else name
