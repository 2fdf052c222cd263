"""Granted apps: which may see the record, what they may do, when they last did; and an end.

`/auth/grants` tells apps of the operator's choice the same (`rest.oauth`).
"""

from typing import Any

from starlette.responses import Response

from fhir_server.cabinet.accounts.matching import display
from fhir_server.cabinet.accounts.subjects import subject
from fhir_server.core.messages import Language, Text
from fhir_server.smart import scopes
from fhir_server.smart.errors import NotFound
from fhir_server.smart.granted import Granted, granted, withdraw
from fhir_server.smart.records import Subject
from fhir_server.store.accounts import Account
from fhir_server.web import words
from fhir_server.web.sign_in import HOME, signed_in
from fhir_server.web.visits import Visit


async def rows(visit: Visit, account: Account) -> list[dict[str, Any]]:
    """What the page tells of each grant, newest first."""
    found = []
    names: dict[str, str] = {}
    person = await _person(visit, account)
    for each in await granted(visit.site.smart, visit.site.policy, person):
        patient = each.grant.context.patient
        if patient is not None and patient not in names:
            record = await visit.site.accounts.records.patient(patient)
            names[patient] = "" if record is None else display(record)
        by_other = each.grant.subject.account != account.id
        row = _row(each, names.get(patient or "", ""), visit.language)
        found.append({**row, "by_other": by_other})
    return found


async def _person(visit: Visit, account: Account) -> Subject:
    records = await visit.site.accounts.records.of_account(account)
    return subject(account, records)


def _row(each: Granted, patient: str, language: Language) -> dict[str, Any]:
    grant = each.grant
    return {
        "id": grant.id,
        "app": each.client.name,
        "publisher": each.client.publisher,
        "patient_name": patient,
        "may": in_words(grant.scopes, language),
        "granted": grant.created,
        "last_used": grant.last_used,
        "last_read": grant.last_read,
        "expires": grant.expires,
    }


def in_words(text: str, language: Language) -> list[str]:
    """A sentence for each resource scope: `Documents: see, add`."""
    found: dict[str, list[str]] = {}
    for scope in scopes.parse(text).resources:
        title = _say(words.kind(scope.type), language)
        narrowed = ", ".join(_say(each, language) for each in words.filters(scope))
        head = f"{title} ({narrowed})" if narrowed else title
        said = found.setdefault(head, [])
        said += [v for each in words.verbs(scope) if (v := _say(each, language)) not in said]
    return [f"{head}: {', '.join(said)}" for head, said in found.items()]


def _say(text: Text, language: Language) -> str:
    return text.in_language(language, {})


async def revoke(visit: Visit) -> Response:
    """`POST /auth/apps`: end one, or all."""
    who = await signed_in(visit)
    if who is None:
        return visit.go("/auth/sign-in")
    smart, policy = visit.site.smart, visit.site.policy
    person, wanted = await _person(visit, who[1]), visit.field("grant")
    for each in await granted(smart, policy, person):
        if wanted in (each.grant.id, "all"):
            try:
                await withdraw(smart, policy, person, each.grant.id)
            except NotFound:  # it ended meanwhile
                continue
    return visit.go(f"{HOME}?done=apps")
