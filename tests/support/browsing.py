"""A browser without scripts over real HTTP: cookies, forms, redirects as long as they stay."""

import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import httpx

from fhir_server.outward import trust


class Visitor:
    """Somebody before the pages of a running server."""

    def __init__(self, issuer: str) -> None:
        self._http = httpx.Client(base_url=issuer, verify=trust(), timeout=60)
        self._issuer = issuer
        self.page = ""
        self.left_for = ""
        """Where the browser was sent away to."""

    def close(self) -> None:
        self._http.close()

    def go(self, path: str, params: dict[str, str] | None = None) -> int:
        """Open a page; its status."""
        return self._followed(self._http.get(path, params=params))

    def submit(self, **fields: str) -> int:
        """Send the form that has these fields, with its boxes and hidden values as they are."""
        form = next(
            found
            for found in re.finditer(
                r'<form[^>]*action="([^"]*)"[^>]*>(.*?)</form>', self.page, re.DOTALL
            )
            if all(f'name="{name}"' in found[2] for name in fields)
        )
        sent = [pair for pair in _values(form[2]) if pair[0] not in fields]
        answer = self._http.post(
            unescape(form[1]),
            content=str(httpx.QueryParams([*sent, *fields.items()])),
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Origin": self._issuer,
            },
        )
        return self._followed(answer)

    @property
    def heading(self) -> str:
        found = re.search(r"<h1[^>]*>(.*?)</h1>", self.page, re.DOTALL)
        return unescape(found[1]).strip() if found else ""

    @property
    def answer(self) -> dict[str, str]:
        """What the app was told in the query of the redirect."""
        return dict(parse_qsl(urlsplit(self.left_for).query))

    def _followed(self, response: httpx.Response) -> int:
        while response.is_redirect:
            target = response.headers["location"]
            if not target.startswith(("/", self._issuer)):
                self.left_for = target
                return response.status_code
            response = self._http.get(target)
        self.page = response.text
        return response.status_code


def _values(form: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = (_attribute(tag, each) for each in ("name", "value"))
        is_off = _attribute(tag, "type") in ("checkbox", "radio") and " checked" not in tag
        if name and not is_off:
            found.append((name, value))
    return found


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', tag)
    return unescape(found[1]) if found else ""
