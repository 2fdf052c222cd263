"""The patient's page at `/cabinet/`: static files, told once at start where they run.

The page is an ordinary SMART app that uses what every app may use; nothing is rendered for it.
Its parts lie below a digest of all of them, so that they are kept for ever and never mixed
with those of another version; `index.html` and the service worker name the digest.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from string import Template
from typing import Final
from urllib.parse import urlsplit

import brotli  # type: ignore[import-untyped]  # ships no types
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from fhir_server.core.messages import LANGUAGES, Text
from fhir_server.rest.compression import coding
from fhir_server.rest.oauth.routes import INTERACTION
from fhir_server.smart.records import Client
from fhir_server.web import headers

CLIENT: Final = "patient-page"
"""Id of the page as an app of this server."""
HOME: Final = "/cabinet/"
"""Where it begins, and where an authorization comes back to."""

SCOPES: Final = (
    "openid fhirUser launch/patient online_access "
    "patient/Appointment.crus patient/AppointmentResponse.crs patient/Communication.crus "
    "patient/Consent.crus patient/Patient.u patient/*.rs"
)
"""The most it is granted: it reads the record, books, writes messages and says which were read,
answers offers, gives consents and takes them back, says how
notices come, and ends what apps were granted."""

_KINDS: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "webmanifest": "application/manifest+json",
}
_SKIPPED: Final = ("LICENSE", "ORIGIN.json", "index.html", "package.json", "worker.js")
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types cabinet"
)
_UNCHANGED: Final = {
    **{name: each for name, each in headers.PAGE.items() if name != "Pragma"},
    "Cache-Control": "no-cache",
}
"""Of the two files that keep their names: nothing of a person is in them."""
_QUALITY: Final = 9  # of Brotli, once at start: a second; 11 would be five for 4 % less


@dataclass(frozen=True, slots=True)
class Place:
    """What the page is told of the server it runs on."""

    issuer: str
    fhir_base: str
    zone: str
    """Of the clinic, for times of visits."""
    idle_seconds: int
    """After so long without a touch the page signs out."""
    title: Text


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is sent."""

    content: bytes
    compressed: bytes
    headers: Mapping[str, str]

    @classmethod
    def of(cls, content: bytes, given: Mapping[str, str], kind: str) -> "File":
        """Compressed once, here."""
        compressed: bytes = brotli.compress(content, quality=_QUALITY)
        tag = f'"{sha256(content).hexdigest()[:16]}"'
        told = {**given, "Content-Type": kind, "ETag": tag, "Vary": "Accept-Encoding"}
        return cls(content, compressed, told)

    def response(self, asked: Headers) -> Response:
        """Nothing, where the browser has it; Brotli, where it takes that."""
        if asked.get("if-none-match") == self.headers["ETag"]:
            return Response(status_code=304, headers=dict(self.headers))
        if coding(asked.get("accept-encoding", "")) != "br":
            return Response(self.content, headers=dict(self.headers))
        return Response(self.compressed, headers={**self.headers, "Content-Encoding": "br"})


def client(place: Place, known: Client | None, *, first_party: bool, now: int) -> Client:
    """The page as an app. What an operator decided about a `known` one stays: whether it is
    blocked, and what it may besides scopes."""
    made = Client(
        id=CLIENT,
        name=place.title.en,
        method="none",
        redirect_uris=(f"{place.issuer}{HOME}",),
        logout_uris=(f"{place.issuer}{HOME}",),
        grant_types=frozenset({"authorization_code", "refresh_token"}),
        scopes=SCOPES,
        reviewed=True,
        permissions=frozenset({"first-party"}) if first_party else frozenset(),
        created=now,
    )
    if known is None:
        return made
    kept = known.permissions - {"first-party"} | made.permissions
    return replace(made, standing=known.standing, permissions=kept, created=known.created)


class PatientPage:
    """ASGI: the page before `app`, which answers everything else."""

    def __init__(self, app: ASGIApp, place: Place) -> None:
        self._app = app
        self.files = served(place)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is ours."""
        path = scope.get("path", "")
        if scope["type"] != "http" or not f"{path}/".startswith(HOME):
            await self._app(scope, receive, send)
            return
        scope[INTERACTION] = "page:/cabinet"
        await self._response(scope, path)(scope, receive, send)

    def _response(self, scope: Scope, path: str) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            return Response(status_code=405, headers={"Allow": "GET, HEAD"})
        if f"{path}/" == HOME:
            return RedirectResponse(HOME, 307)
        found = self.files.get(path)
        if found is None:
            return Response(status_code=404, headers={"Cache-Control": "no-store"})
        return found.response(Headers(scope=scope))


def served(place: Place) -> Mapping[str, File]:
    """Path to file, of everything."""
    folder = files("fhir_server.web") / "cabinet"
    parts = dict(_parts(folder))
    whole = sha256(b"".join(name.encode() + parts[name] for name in sorted(parts)))
    version = whole.hexdigest()[:12]
    below = f"{HOME}{version}/"
    found = {
        below + name: File.of(content, headers.STATIC, _KINDS[name.rpartition(".")[2]])
        for name, content in parts.items()
    }
    secure = {**_UNCHANGED, "Content-Security-Policy": f"{_POLICY}; {_reachable(place)}"}
    index = _index((folder / "index.html").read_text("utf-8"), below, place)
    shell = json.dumps([HOME, *sorted(found)])
    told = f'const VERSION = "{version}";\nconst SHELL = {shell};\n'
    worker = told + (folder / "worker.js").read_text("utf-8")
    found[HOME] = File.of(index.encode(), secure, "text/html; charset=utf-8")
    found[f"{HOME}worker.js"] = File.of(worker.encode(), secure, _KINDS["js"])
    return found


def _parts(folder: Traversable, above: str = "") -> Iterator[tuple[str, bytes]]:
    for each in folder.iterdir():
        if each.is_dir():
            yield from _parts(each, f"{above}{each.name}/")
        elif each.name not in _SKIPPED:
            yield above + each.name, each.read_bytes()


def _reachable(place: Place) -> str:
    """The FHIR base may be of another origin than the pages."""
    base = urlsplit(place.fhir_base)
    own = urlsplit(place.issuer)
    other = f" {base.scheme}://{base.netloc}" if base[:2] != own[:2] else ""
    return f"connect-src 'self'{other}"


def _index(text: str, below: str, place: Place) -> str:
    titles = {f"title_{each}": getattr(place.title, each) for each in LANGUAGES}
    told = {
        "below": below,
        "base": place.fhir_base,
        "client": CLIENT,
        "scopes": SCOPES,
        "zone": place.zone,
        "idle": str(place.idle_seconds),
        **titles,
    }
    return Template(text).substitute({name: escape(each) for name, each in told.items()})
