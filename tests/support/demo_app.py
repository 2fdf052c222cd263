"""The demo's app and accounts on a server of the tests."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from fhir_server.app import Application
from fhir_server.cabinet.accounts.demo import APP, seed_demo
from fhir_server.cli.demo import REDIRECTS
from fhir_server.settings import Settings
from tests.support.fhir import JsonObject

VERIFIER: Final = "a" * 64
REDIRECT: Final = "http://127.0.0.1:9999/callback"


async def prepared(settings: Settings, resources: Sequence[JsonObject]) -> Mapping[str, str]:
    """Put `resources`, the accounts and the app into the database; the passwords by address."""
    entry = [
        {
            "resource": each,
            "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"},
        }
        for each in resources
    ]
    application = Application(settings, None)
    async with application.running():
        await application.transaction(
            {"resourceType": "Bundle", "type": "transaction", "entry": entry}
        )
        assert application.access is not None
        return await seed_demo(application.access.cabinet.site.accounts, REDIRECTS)


def authorization(base: str, scope: str, **more: str) -> dict[str, str]:
    """With what the app sends the browser to the server whose FHIR base is `base`."""
    challenge = hashlib.sha256(VERIFIER.encode()).digest()
    return {
        "response_type": "code",
        "client_id": APP,
        "redirect_uri": REDIRECT,
        "scope": scope,
        "state": "s",
        "aud": base,
        "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
        **more,
    }


def redemption(code: str) -> dict[str, str]:
    """The form by which the app gets tokens for a code."""
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
        "client_id": APP,
        "code_verifier": VERIFIER,
    }
