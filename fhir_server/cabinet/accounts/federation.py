"""Somebody for whom an identity provider vouches, and the account that is theirs.

Who is known by the provider's own name for them signs in. Who is not is linked to a record
only by a certain match: a national identifier that the provider has checked, and names and
date of birth. A match of less links nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from fhir_server.cabinet.accounts import emails
from fhir_server.cabinet.accounts.events import AccountEvent
from fhir_server.cabinet.accounts.matching import Claim, display, same_person
from fhir_server.cabinet.accounts.ports import AccountPorts
from fhir_server.core.messages import Language
from fhir_server.core.types import JsonObject
from fhir_server.store.accounts import Account

CERTAIN: Final = 3
"""The level from which on a provider's word links to a record."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a provider vouches for."""

    subject: str
    """The provider's lasting name for the person."""
    level: int
    """How surely, 1 to 3."""
    email: str = ""
    """One that the provider has checked."""
    family: str = ""
    given: str = ""
    birth_date: str = ""
    """`YYYY-MM-DD`."""
    identifiers: tuple[tuple[str, str], ...] = ()
    """(system, value) of national identifiers, in every spelling that records may have."""


class UnknownPersonError(Exception):
    """There is no account, and no record that certainly is this person's."""


async def enter(
    ports: AccountPorts, provider: str, identity: Identity, language: Language
) -> Account:
    """The account of somebody who came back from `provider`.

    Raises:
        UnknownPersonError: nobody here is certainly this person.
    """
    name = f"{provider}|{identity.subject}"
    known = await ports.state.accounts.by_upstream(name)
    if known is not None:
        if known.standing != "active":
            raise UnknownPersonError
        return known
    patient = await _certain(ports, identity)
    mine = await ports.state.accounts.by_patient(str(patient["id"]))
    if len(mine) == 1 and mine[0].standing == "active":
        return await _linked(ports, mine[0], name, identity, patient)
    if mine:
        raise UnknownPersonError
    return await _made(ports, name, identity, patient, language)


async def _certain(ports: AccountPorts, identity: Identity) -> JsonObject:
    if identity.level < CERTAIN or not identity.identifiers:
        raise UnknownPersonError
    found = await ports.records.identified(identity.identifiers)
    claim = Claim("", identity.family, identity.given, identity.birth_date)
    certain = [each for each in found if same_person(each, claim)]
    if len(found) != 1 or len(certain) != 1:
        raise UnknownPersonError
    if await ports.records.missing_consents(str(certain[0]["id"])):
        raise UnknownPersonError
    return certain[0]


async def _linked(
    ports: AccountPorts, account: Account, name: str, identity: Identity, patient: JsonObject
) -> Account:
    level = max(account.level, identity.level)
    upstream = (*account.upstream, name)
    await ports.records.person(patient, account.email, level)
    await ports.state.accounts.change(account, upstream=upstream, level=level)
    return replace(account, upstream=upstream, level=level)


async def _made(
    ports: AccountPorts,
    name: str,
    identity: Identity,
    patient: JsonObject,
    language: Language,
) -> Account:
    if ports.policy.registration == "closed":
        raise UnknownPersonError
    account = Account(
        id=ports.new_id(),
        email=emails.normal(identity.email),
        name=display(patient),
        level=identity.level,
        created=ports.now(),
        patient=str(patient["id"]),
        language=language,
        upstream=(name,),
    )
    added = await ports.state.accounts.add(account)
    if not added and account.email:  # somebody else's address: this one signs in without
        account = replace(account, email="")
        added = await ports.state.accounts.add(account)
    if not added:
        raise UnknownPersonError
    person = await ports.records.person(patient, account.email, account.level)
    await ports.state.accounts.change(account, person=person)
    provider = name.partition("|")[0]
    await ports.events.tell(
        AccountEvent("registered", account.id, account.patient, reason=provider)
    )
    return replace(account, person=person)


def spellings(systems: Iterable[str], *values: str) -> Iterator[tuple[str, str]]:
    """Each system with each value."""
    for system in systems:
        yield from ((system, value) for value in dict.fromkeys(values) if value)
