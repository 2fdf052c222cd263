"""Accounts and an app for whoever looks at this server for the first time.

Only for data that was made up: the passwords are printed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from fhir_server.cabinet.accounts.matching import display
from fhir_server.cabinet.accounts.ports import AccountPorts
from fhir_server.core.messages import Language
from fhir_server.smart.records import Client
from fhir_server.store.accounts import Account

APP: Final = "demo-app"
"""Id of the registered app: a public one on this machine."""
SERVICE: Final = "demo-service"
"""Id of the registered backend service: it may do everything, with a key of its own."""

_SCOPES: Final = (
    "openid fhirUser launch launch/patient launch/encounter offline_access online_access "
    "patient/*.cruds user/*.cruds"
)


@dataclass(frozen=True, slots=True)
class Figure:
    """Somebody of the seed bundles."""

    email: str
    language: Language
    patient: str | None = None
    """Logical id."""
    practitioner: str | None = None
    """Logical id of a Practitioner, who is staff."""
    name: str = ""
    organization: str | None = None


FIGURES: Final = (
    Figure("anna@demo.example", "ru", patient="anna-ivanova-ru"),
    Figure("oksana@demo.example", "uk", patient="oksana-lukianenko-ua"),
    Figure(
        "doctor@demo.example",
        "ru",
        practitioner="dr-sokolova",
        name="Елена Викторовна Соколова",
        organization="rodnik-ru",
    ),
)


async def seed_demo(ports: AccountPorts, redirect_uris: tuple[str, ...]) -> Mapping[str, str]:
    """Register the app and make the accounts of those who are in the database.

    Returns address to password; the passwords are new with every call.
    """
    await ports.smart.clients.put(_app(redirect_uris, ports.now()))
    found: dict[str, str] = {}
    for figure in FIGURES:
        password = "-".join(
            "".join(ports.choose("abcdefghjkmnpqrstuvwxyz") for _ in range(4)) for _ in range(3)
        )
        if await _figure(ports, figure, password):
            found[figure.email] = password
    return found


async def seed_service(ports: AccountPorts, key: Mapping[str, Any]) -> None:
    """Register the backend service with `key`, a public JWK, as its only one."""
    await ports.smart.clients.put(
        Client(
            id=SERVICE,
            name="Demo service",
            method="private_key_jwt",
            grant_types=frozenset({"client_credentials"}),
            scopes="system/*.cruds",
            jwks={"keys": [key]},
            reviewed=True,
            permissions=frozenset({"introspect"}),
            publisher="This server",
            created=ports.now(),
        )
    )


async def _figure(ports: AccountPorts, figure: Figure, password: str) -> bool:
    made = await _account(ports, figure)
    if made is None:
        return False
    hashed = await ports.hasher.hash(password)
    known = await ports.state.accounts.by_email(figure.email)
    if known is not None:
        # A start without the demo locks it.
        await ports.state.accounts.change(known, password_hash=hashed, standing="active")
        return True
    return await ports.state.accounts.add(replace(made, password_hash=hashed))


async def _account(ports: AccountPorts, figure: Figure) -> Account | None:
    blank = Account(
        id=ports.new_id(),
        email=figure.email,
        name=figure.name,
        level=3,
        created=ports.now(),
        password_changed=ports.now(),
        language=figure.language,
    )
    if figure.patient is None:
        return replace(
            blank,
            user=f"Practitioner/{figure.practitioner}",
            staff=True,
            organizations=(f"Organization/{figure.organization}",),
            permissions=frozenset({"break-glass"}),
            purpose="TREAT",
        )
    patient = await ports.records.patient(figure.patient)
    if patient is None:
        return None
    person = await ports.records.person(patient, figure.email, blank.level)
    return replace(blank, name=display(patient), patient=figure.patient, person=person)


def _app(redirect_uris: tuple[str, ...], now: int) -> Client:
    return Client(
        id=APP,
        name="Demo app",
        method="none",
        redirect_uris=redirect_uris,
        grant_types=frozenset({"authorization_code", "refresh_token"}),
        scopes=_SCOPES,
        permissions=frozenset({"break-glass"}),
        reviewed=True,
        publisher="This server",
        created=now,
    )
