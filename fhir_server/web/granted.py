"""Granted apps: which may see the record, what they may do, when they last did; and an end.

The page, and the same as JSON for the cabinet's own scripts (`/auth/grants`).
"""

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from fhir_server.cabinet.accounts.matching import display
from fhir_server.core.messages import Language, Text
from fhir_server.rest.oauth import answers
from fhir_server.smart import scopes
from fhir_server.smart.ending import end
from fhir_server.smart.records import Client, Grant
from fhir_server.store.accounts import Account
from fhir_server.web import words
from fhir_server.web.sign_in import HOME, signed_in
from fhir_server.web.visits import Visit

_REASON = "ended by the person"


async def live(visit: Visit, account: Account) -> Sequence[Grant]:
    """The account's grants that hold, newest first."""
    now = visit.site.smart.now()
    found = await visit.site.smart.grants.of_account(account.id)
    return [each for each in found if each.live(now)]


async def rows(visit: Visit, account: Account) -> list[dict[str, Any]]:
    """What page and API tell of each grant."""
    found = []
    names: dict[str, str] = {}
    for grant in await live(visit, account):
        client = await visit.site.smart.clients.find(grant.client)
        patient = grant.context.patient
        if patient is not None and patient not in names:
            record = await visit.site.accounts.records.patient(patient)
            names[patient] = "" if record is None else display(record)
        found.append(_row(grant, client, names.get(patient or "", ""), visit.language))
    return found


def _row(
    grant: Grant, client: Client | None, patient: str, language: Language
) -> dict[str, Any]:
    return {
        "id": grant.id,
        "client": grant.client,
        "app": grant.client if client is None else client.name,
        "publisher": "" if client is None else client.publisher,
        "patient": grant.context.patient,
        "patient_name": patient,
        "scope": grant.scopes,
        "may": in_words(grant.scopes, language),
        "offline": scopes.OFFLINE in scopes.parse(grant.scopes),
        "granted": grant.created,
        "last_used": grant.last_used,
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
    wanted = visit.field("grant")
    for each in await live(visit, who[1]):
        if wanted in (each.id, "all"):
            await end(visit.site.smart, each.id, _REASON)
    return visit.go(f"{HOME}?done=apps")


async def listed(visit: Visit) -> Response:
    """`GET /auth/grants`."""
    who = await signed_in(visit)
    if who is None:
        return answers.uncached({"error": "login_required"}, 401)
    return answers.uncached({"grants": await rows(visit, who[1]), "csrf": visit.csrf})


async def ended(visit: Visit) -> Response:
    """`DELETE /auth/grants/{grant}`; the token of `GET` comes in `X-CSRF-Token`."""
    who = await signed_in(visit)
    if who is None:
        return answers.uncached({"error": "login_required"}, 401)
    wanted = visit.request.path_params["grant"]
    for each in await live(visit, who[1]):
        if each.id == wanted:
            await end(visit.site.smart, each.id, _REASON)
            return Response(status_code=204, headers=dict(answers.UNCACHED))
    return answers.uncached({"error": "not_found"}, 404)
