"""Accounts, an app and tokens for a first look, made anew at every start of `serve --demo`."""

from collections.abc import Mapping
from typing import Final

from fhir_server.app import Application
from fhir_server.assembly.authorization import state
from fhir_server.assembly.database import opened_store
from fhir_server.cabinet.accounts import demo
from fhir_server.cabinet.accounts.demo_tokens import seed_tokens, withdraw_demo
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


async def introduce(settings: Settings) -> Mapping[str, str]:
    """Make them, and say who can sign in with what; the tokens by whom they are of."""
    application = Application(settings, None)
    async with application.running():
        if application.access is None:
            return {}
        cabinet = application.access.cabinet
        ports = cabinet.site.accounts
        passwords = await demo.seed_demo(ports, REDIRECTS)
        key = {**await generate(), "alg": "RS384"}
        await demo.seed_service(ports, {name: key[name] for name in (*PUBLIC, "kid", "alg")})
        tokens = await seed_tokens(ports, cabinet.service.policy)
    file = demo_environment.write(settings, passwords, key)
    CONSOLE.print("\nDemo accounts, new passwords at every start:", style="bold")
    for email, password in passwords.items():
        say(f"  {email}  {password}")
    say(f"Demo app: client_id {demo.APP}, public, PKCE; redirect to {REDIRECTS[0]} (any port)")
    say(f"For Postman, with these passwords and a key of {demo.SERVICE}: {file}")
    if settings.cabinet != "off":
        say(f"The patient's page: {settings.issuer_url}/cabinet/")
    say(f"Sign in: {settings.issuer_url}/auth/account")
    return tokens


async def dismiss(settings: Settings) -> None:
    """End what an earlier start with `--demo` has left in this database."""
    async with opened_store(settings) as store:
        kept = await state(settings, store.database)
        if await kept.clients.find(demo.APP) is None:
            return
    application = Application(settings, None)
    async with application.running():
        if application.access is not None:
            await withdraw_demo(application.access.cabinet.site.accounts)
    say("The accounts and apps of --demo are closed")
