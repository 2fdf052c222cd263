"""The server as `serve --demo` runs it, with the seeds, and the apps that are tried."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final
from uuid import uuid4

import httpx
from joserfc.jwk import ECKey, RSAKey
from typing_extensions import override

from tests.arch.checkers import ROOT
from tests.support.browsing import Visitor
from tests.support.serving import Serving

HERE: Final = Path(__file__).parent
ANNA: Final = "anna-ivanova-ru"
EMAIL: Final = "anna@demo.example"
INITIAL_TOKEN: Final = "initial-access-token"
LOOPBACK: Final = "http://127.0.0.1/callback"
"""Redirect URI of apps that run on the person's machine; its port is free."""

PERSONAL: Final = "openid fhirUser launch launch/patient offline_access patient/*.cruds"
FEW_TYPES: Final = ("Patient", "Encounter", "Condition", "Immunization", "Observation")


@dataclass
class Demo(Serving):
    """`serve --demo`, which only pages of registered apps may call."""

    access: str = "--demo"

    @cached_property
    def password(self) -> str:
        """Of the demo patient."""
        found = re.search(rf"{re.escape(EMAIL)}\s+(\S+)", self.said)
        assert found, self.said
        return found[1]

    def get(self, path: str, token: str | None = None, **headers: str) -> httpx.Response:
        given = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.get(f"{self.base}{path}", headers=given | headers, timeout=60)

    def apps(self, *arguments: str) -> str:
        """What `fhir-server apps` says."""
        ran = subprocess.run(
            [sys.executable, "-m", "fhir_server", "apps", *arguments],
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout + ran.stderr

    def allowed(self, authorize: str) -> str:
        """Where the browser is sent after the demo patient signed in and allowed everything."""
        visitor = Visitor(self.root)
        visitor.go(authorize.removeprefix(self.root))
        assert visitor.submit(email=EMAIL, password=self.password) == 200, visitor.page
        visitor.submit(answer="allow")
        visitor.close()
        return visitor.left_for


def environment(mongodb_uri: str) -> Mapping[str, str]:
    """A database of its own; apps register themselves with a token."""
    return {
        "FHIR_MONGODB_URI": mongodb_uri,
        "FHIR_DATABASE": f"clients_{uuid4().hex[:12]}",
        "FHIR_SEED_DIR": str(ROOT / "seed_bundles"),
        "FHIR_CORS_ORIGINS": "none",
        "FHIR_APP_REGISTRATION": "token",
        "FHIR_APP_REGISTRATION_TOKEN": INITIAL_TOKEN,
    }


@dataclass(frozen=True)
class Keys:
    """Private keys of backend services, as files."""

    rsa: Path
    ec: Path


def keys(folder: Path) -> Keys:
    """RS384 and ES384 with a JWKS each."""
    made: dict[str, RSAKey | ECKey] = {
        "RS384": RSAKey.generate_key(2048, {"kid": "rsa"}),
        "ES384": ECKey.generate_key("P-384", {"kid": "ec"}),
    }
    files = {alg: folder / f"{alg}.jwks" for alg in made}
    for alg, key in made.items():
        own = key.as_dict(private=True) | {"alg": alg, "key_ops": ["sign"]}
        files[alg].write_text(json.dumps({"keys": [own]}))
    return Keys(files["RS384"], files["ES384"])


def public(file: Path) -> Mapping[str, Any]:
    """The JWKS to register, of the private one in `file`."""
    found = json.loads(file.read_text())["keys"]
    secret = ("d", "p", "q", "dp", "dq", "qi", "key_ops")
    return {"keys": [{k: v for k, v in key.items() if k not in secret} for key in found]}


def metadata(page: str, given: Keys) -> Sequence[Mapping[str, Any]]:
    """The apps under test; `page` is where the cabinet is served."""
    code = {"grant_types": ["authorization_code", "refresh_token"]}
    backend = {
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt",
    }
    own = {"client_name": "Desktop app", "redirect_uris": [LOOPBACK], "scope": PERSONAL}
    cabinet = {
        "client_id": "cabinet",
        "client_name": "Another cabinet",
        "publisher": "Example Ltd",
        "redirect_uris": [f"{page}/index.html"],
        "launch_uris": [f"{page}/launch.html"],
        "scope": PERSONAL,
    }
    return [
        {**cabinet, **code, "token_endpoint_auth_method": "none"},
        {**own, **code, "client_id": "public", "token_endpoint_auth_method": "none"},
        {**own, **code, "client_id": "confidential", "permissions": ["introspect", "launch"]},
        {
            **backend,
            "client_id": "everything",
            "client_name": "Hospital",
            "scope": "system/*.cruds",
            "jwks": public(given.rsa),
            "permissions": ["introspect"],
        },
        {
            **backend,
            "client_id": "few-types",
            "client_name": "Registry",
            "scope": " ".join(f"system/{each}.rs" for each in FEW_TYPES),
            "jwks": public(given.ec),
        },
    ]


@dataclass(frozen=True)
class Apps:
    """What the makers of the apps know."""

    page: str
    keys: Keys
    secrets: Mapping[str, str]


class Page(SimpleHTTPRequestHandler):
    """The files of the app and, beside them, the bundle of fhirclient for browsers."""

    @override
    def translate_path(self, path: str) -> str:
        if path.endswith("/fhir-client.js"):
            return str(HERE / "node_modules/fhirclient/build/fhir-client.js")
        return super().translate_path(path)

    @override
    def log_message(self, format: str, *args: Any) -> None:  # the base's name
        pass


@contextmanager
def page(folder: Path = HERE / "app") -> Iterator[str]:
    """Another origin, on which the app in `folder` is served."""
    handler = partial(Page, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()
