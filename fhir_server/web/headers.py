"""What every page tells the browser: no scripts or styles but our own files, no frames, no
copies, nothing to the next site.

Forms may only go where they are meant to; Chromium holds that against redirects too, so the
consent page names where the app waits.

https://www.w3.org/TR/CSP3/
"""

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

PAGE: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Pragma": "no-cache",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
"""With `no-referrer` the browser sends `Origin: null` with our own forms: the pages that have
it go by their token alone."""

STATIC: Final[Mapping[str, str]] = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""A change of content is a change of URL."""

_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)


_SECRET: Final[Mapping[str, str]] = {
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}
"""Of a page whose very address is a secret."""


def page(form_targets: Iterable[str] = (), *, secret: bool = False) -> dict[str, str]:
    """The headers of a page whose form may also lead to the origins of these URLs; `secret`:
    whoever has its address may use it."""
    policy = " ".join((_POLICY, *(_source(each) for each in form_targets)))
    return {**PAGE, **(_SECRET if secret else {}), "Content-Security-Policy": policy}


def _source(url: str) -> str:
    """The origin as a CSP source; of an app's own scheme the scheme."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return f"{parts.scheme}:"
    host = "".join(each for each in parts.netloc if each.isalnum() or each in ".-:[]")
    return f"{parts.scheme}://{host}"
