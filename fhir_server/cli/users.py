"""`fhir-server users`: accounts of people.

    fhir-server users invite PATIENT           by the address in the record
    fhir-server users staff EMAIL NAME Practitioner/…
    fhir-server users lock EMAIL
    fhir-server users unlock EMAIL
    fhir-server users permit EMAIL             to declare emergencies ($break-glass)
    fhir-server users forbid EMAIL

Messages go where the settings send them; what is missing for an invitation is named.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Final

import typer
import uvloop

from fhir_server.access.emergencies import EmergencyRegister
from fhir_server.assembly.database import opened_store
from fhir_server.assembly.delivery import outbox_of
from fhir_server.cabinet.accounts import emails, inviting, standing
from fhir_server.cabinet.accounts.inviting import UninvitedError
from fhir_server.cabinet.accounts.ports import AccountPorts
from fhir_server.cabinet.accounts.posted import KIND
from fhir_server.cabinet.accounts.standing import Staff
from fhir_server.cli.console import fail, say
from fhir_server.cli.database import database
from fhir_server.cli.emergencies import WITHOUT, emergencies_of
from fhir_server.cli.options import DataDir, MongodbUri, settings_with
from fhir_server.cli.refusals import explained
from fhir_server.core.messages import LANGUAGES, Language
from fhir_server.settings import Settings

USERS: Final = typer.Typer(help="Invite people, and look after accounts.", no_args_is_help=True)

_UNINVITED: Final[dict[inviting.Refusal, str]] = {
    "no-patient": "There is no Patient {patient} with an e-mail address.",
    "no-email": "There is no Patient {patient} with an e-mail address.",
    "email-mismatch": "The address is not in the record.",
    "consent-missing": "Consents are missing: {titles}.",
    "account-exists": "Patient {patient} has an account.",
    "registration-closed": "Registration is closed (FHIR_REGISTRATION).",
}

Email = Annotated[str, typer.Argument(help="The account's e-mail address.")]
Spoken = Annotated[str, typer.Option("--language", help="Of messages: en, ru or uk.")]


@USERS.command()
def invite(
    patient: Annotated[str, typer.Argument(help="Logical id of the Patient.")],
    language: Spoken = "en",
    data_dir: DataDir = None,
    mongodb_uri: MongodbUri = None,
) -> None:
    """Invite a patient to register, by the e-mail address in the record."""
    settings = settings_with(data_dir=data_dir, mongodb_uri=mongodb_uri)
    spoken = _language(language)

    async def work(ports: AccountPorts) -> str:
        try:
            await inviting.invite(ports, patient, spoken)
        except UninvitedError as error:
            titles = ", ".join(each.in_language("en", {}) for each in error.missing)
            return _UNINVITED[error.reason].format(patient=patient, titles=titles)
        return ""

    _run(settings, work, f"Patient {patient} is invited")


@USERS.command()
def staff(
    email: Email,
    name: Annotated[str, typer.Argument(help="How pages greet the person.")],
    practitioner: Annotated[str, typer.Argument(help="Practitioner/…")],
    organization: Annotated[
        list[str] | None, typer.Option(help="Organization/…, once or more.")
    ] = None,
    language: Spoken = "en",
    data_dir: DataDir = None,
    mongodb_uri: MongodbUri = None,
) -> None:
    """Make an account for somebody who works here, and send a code for a password."""
    if not practitioner.startswith("Practitioner/"):
        fail("The person is named by a reference Practitioner/….")
    settings = settings_with(data_dir=data_dir, mongodb_uri=mongodb_uri)
    given = Staff(email, name, practitioner, organization or (), _language(language))

    async def work(ports: AccountPorts) -> str:
        added = await standing.add_staff(ports, given)
        return "" if added else f"{email} has an account."

    _run(settings, work, f"{email} has an account now")


@USERS.command()
def lock(email: Email, data_dir: DataDir = None, mongodb_uri: MongodbUri = None) -> None:
    """Shut an account; its sessions and the access of its apps end at once."""
    settings = settings_with(data_dir=data_dir, mongodb_uri=mongodb_uri)
    _run(settings, _known(email, standing.lock), f"{email} is locked", ending=email)


@USERS.command()
def unlock(email: Email, data_dir: DataDir = None, mongodb_uri: MongodbUri = None) -> None:
    """Open a locked account."""
    settings = settings_with(data_dir=data_dir, mongodb_uri=mongodb_uri)
    _run(settings, _known(email, standing.unlock), f"{email} is unlocked")


@USERS.command()
def permit(email: Email, data_dir: DataDir = None, mongodb_uri: MongodbUri = None) -> None:
    """Let somebody of the staff declare emergencies, in apps that have the permission."""
    settings = settings_with(data_dir=data_dir, mongodb_uri=mongodb_uri)
    _run(settings, _known(email, _permitted), f"{email} may declare emergencies")


@USERS.command()
def forbid(email: Email, data_dir: DataDir = None, mongodb_uri: MongodbUri = None) -> None:
    """Take that back; emergencies that the person has declared end at once."""
    settings = settings_with(data_dir=data_dir, mongodb_uri=mongodb_uri)
    done = f"{email} may declare no emergencies"
    _run(settings, _known(email, _forbidden), done, ending=email)


async def _permitted(ports: AccountPorts, email: str) -> bool:
    return await standing.permit(ports, email, "break-glass")


async def _forbidden(ports: AccountPorts, email: str) -> bool:
    return await standing.forbid(ports, email, "break-glass")


_LETTERS_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.1
_LETTERS: Final = 1000
"""Rows looked at: messages about accounts are due at once, so they stand in front."""

Work = Callable[[AccountPorts], Awaitable[str]]
"""Says why it could not be done; empty: it is done."""


def _known(email: str, change: Callable[[AccountPorts, str], Awaitable[bool]]) -> Work:
    async def work(ports: AccountPorts) -> str:
        return "" if await change(ports, email) else f"There is no such account: {email}."

    return work


def _language(text: str) -> Language:
    found = next((each for each in LANGUAGES if each == text), None)
    if found is None:
        fail("The language is en, ru or uk.")
    return found


def _run(settings: Settings, work: Work, done: str, ending: str = "") -> None:
    """`ending` is the address of somebody whose emergencies are over."""
    with explained():
        problem = uvloop.run(_done(settings, work, ending))
    if problem:
        fail(problem)
    say(done)


async def _done(settings: Settings, work: Work, ending: str) -> str:
    async with _opened(settings) as (ports, register):
        problem = await work(ports)
        known = await ports.state.accounts.by_email(emails.normal(ending))
        if known is not None:
            await register.end_account(known.id, ports.now())
    return problem


@asynccontextmanager
async def _opened(
    settings: Settings,
) -> AsyncIterator[tuple[AccountPorts, EmergencyRegister]]:
    async with database(settings) as ready, emergencies_of(ready) as (application, house):
        if application.access is None:
            fail(WITHOUT)
        yield application.access.cabinet.site.accounts, house.register
        await _letters_left(ready)


async def _letters_left(settings: Settings) -> None:
    """Give the messages of this command the time to be tried once, here or by a server;
    otherwise the next one that runs sends them."""
    async with opened_store(settings) as store:
        outbox = outbox_of(settings, store.database)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LETTERS_SECONDS):
                fresh = True
                while fresh:
                    rows = await outbox.entries(None, limit=_LETTERS)
                    fresh = any(each.kind == KIND and not each.tries for each in rows)
                    await asyncio.sleep(_LOOK_SECONDS)
