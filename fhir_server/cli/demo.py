"""Accounts and an app for a first look, made anew at every start of `serve --demo`."""

from typing import Final

from fhir_server.app import Application
from fhir_server.cabinet.accounts import demo
from fhir_server.cli import demo_environment
from fhir_server.cli.console import CONSOLE, say
from fhir_server.rest.oauth.key_ring import PUBLIC, generate
from fhir_server.settings import Settings

REDIRECTS: Final = (
    "http://127.0.0.1/callback",
    "http://localhost:3000/callback",
    "https://oauth.pstmn.io/v1/callback",
)
"""Any port of 127.0.0.1, a usual development server, Postman."""


async def introduce(settings: Settings) -> None:
    """Make them, and say who can sign in with what."""
    application = Application(settings, None)
    async with application.running():
        if application.access is None:
            return
        ports = application.access.cabinet.site.accounts
        passwords = await demo.seed_demo(ports, REDIRECTS)
        key = {**await generate(), "alg": "RS384"}
        await demo.seed_service(ports, {name: key[name] for name in (*PUBLIC, "kid", "alg")})
    file = demo_environment.write(settings, passwords, key)
    CONSOLE.print("\nDemo accounts, new passwords at every start:", style="bold")
    for email, password in passwords.items():
        say(f"  {email}  {password}")
    say(f"Demo app: client_id {demo.APP}, public, PKCE; redirect to {REDIRECTS[0]} (any port)")
    say(f"For Postman, with these passwords and a key of {demo.SERVICE}: {file}")
    say(f"Sign in: {settings.issuer_url}/auth/account")
