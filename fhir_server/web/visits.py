"""One request to a page: who comes, in which language, with which form; and its answer.

A form counts only with the token of the browser it was shown to, and from this origin.

https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from fhir_server.core.messages import LANGUAGES, Language, Text, preferred
from fhir_server.rest.oauth import answers
from fhir_server.smart.digests import digest, same
from fhir_server.smart.parameters import Pairs
from fhir_server.smart.records import Session
from fhir_server.web import headers
from fhir_server.web.cookies import BROWSER, LANGUAGE, SESSION, Cookies
from fhir_server.web.site import Site

CSRF: Final = "csrf"
_SEEN_AGAIN: Final = 60_000  # milliseconds between two prolongations of a session


class Visit:
    """A request, read."""

    def __init__(
        self, site: Site, request: Request, pairs: Pairs = (), *, secret: bool = False
    ) -> None:
        """`pairs` are those of the form; `secret`: the page's address is one."""
        self.site = site
        self.secret = secret
        self.request = request
        self.cookies = Cookies(request, secure=site.secure)
        self.pairs = pairs
        self.language = _language(request, self.cookies)

    @property
    def network(self) -> str:
        """The network address that asks."""
        client = self.request.client
        return client.host if client is not None else ""

    @property
    def csrf(self) -> str:
        """What a form of this browser has to carry."""
        browser = self.cookies.get(BROWSER)
        if not browser:
            browser = self.site.smart.new_secret()
            self.cookies.set(BROWSER, browser)
        return digest(f"csrf {browser}")

    def is_own(self, token: str) -> bool:
        """Whether a form with this token was shown to this browser, by this origin; a page that
        tells nobody its address is one that does not tell its origin either."""
        origin = self.request.headers.get("origin")
        known = (None, self.site.origin, *(("null",) if self.secret else ()))
        if origin not in known:
            return False
        browser = self.cookies.get(BROWSER)
        return bool(browser) and same(token, digest(f"csrf {browser}"))

    def field(self, name: str) -> str:
        """The first value of a field of the form; empty where there is none."""
        return next((value for key, value in self.pairs if key == name), "")

    def fields(self, name: str) -> Sequence[str]:
        """All values of a field."""
        return [value for key, value in self.pairs if key == name]

    def parameter(self, name: str) -> str:
        """A parameter of the URL."""
        return self.request.query_params.get(name, "")

    async def session(self) -> Session | None:
        """Whose browser this is. A session that is used goes on."""
        secret = self.cookies.get(SESSION)
        found = await self.site.smart.sessions.by_digest(digest(secret)) if secret else None
        now = self.site.smart.now()
        if found is None or not found.live(now):
            return None
        if now - found.last_seen >= _SEEN_AGAIN:
            idle = now + self.site.accounts.policy.idle_seconds * 1000
            if not await self.site.smart.sessions.seen(found.id, now, idle):
                return None
        return found

    def say(self, text: Text, /, **places: object) -> str:
        """A text in the person's language."""
        return text.in_language(self.language, places)

    def page(
        self,
        template: str,
        values: Mapping[str, Any],
        *,
        status: int = 200,
        targets: Iterable[str] = (),
    ) -> Response:
        """A page; `targets` are URLs that its form may lead to."""
        given = {
            "csrf": self.csrf,
            "title": self.say(self.site.title),
            "path": self.request.url.path,
            "query": self.request.url.query,
            "signed_in": bool(self.cookies.get(SESSION)),
            "problems": (),
            **values,
        }
        html = self.site.renderer.html(template, self.language, given)
        response = HTMLResponse(html, status, headers=headers.page(targets, secret=self.secret))
        self.cookies.write(response)
        return response

    def go(self, location: str) -> Response:
        """Send the browser on."""
        response = answers.redirect(location)
        self.cookies.write(response)
        return response


def _language(request: Request, cookies: Cookies) -> Language:
    chosen = cookies.get(LANGUAGE)
    for each in LANGUAGES:
        if each == chosen:
            return each
    return preferred(request.headers.get("accept-language", ""))
