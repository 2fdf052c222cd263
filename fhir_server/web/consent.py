"""The consent page: who asks, for what, about whom, for how long; and the person's answer.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-authorization-code
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.responses import Response

from fhir_server.cabinet.accounts.matching import display
from fhir_server.cabinet.accounts.ports import Record
from fhir_server.cabinet.accounts.subjects import subject
from fhir_server.smart import scopes
from fhir_server.smart.authorization import Decision, Denied
from fhir_server.smart.parking import agreed, is_own
from fhir_server.smart.records import Client, Subject
from fhir_server.web import narrowing, offered, waiting
from fhir_server.web.offered import Person
from fhir_server.web.sign_in import signed_in
from fhir_server.web.visits import Visit
from fhir_server.web.waiting import Waiting

DURATIONS: Final = {"1": 1, "30": 30, "90": 90, "365": 365, "": None}
"""Days by what the form says."""
_DAY: Final = 86_400_000
_CHOSEN: Final = "90"


async def show(visit: Visit) -> Response:
    """`GET /auth/consent`."""
    asked = await waiting.find(visit)
    if asked is None:
        return visit.page("gone.html", {}, status=400)
    who = await signed_in(visit)
    if who is None or asked.parked.needs_sign_in(who[0], visit.site.smart.now()):
        return visit.go(f"/auth/sign-in{waiting.suffix(asked.name)}")
    client = await visit.site.smart.clients.find(asked.parked.request.client)
    if client is None:
        return visit.page("gone.html", {}, status=400)
    records = await visit.site.accounts.records.of_account(who[1])
    person = Person(who[0], subject(who[1], records))
    if await _settled(visit, asked, client, records, person):
        decision = Decision(person.subject, person.session, records[0].patient)
        return await waiting.answered(visit, asked, decision)
    return await _form(visit, asked, client, records, person)


async def _settled(
    visit: Visit, asked: Waiting, client: Client, records: Sequence[Record], person: Person
) -> bool:
    """Whether there is nothing to ask: an app of the house that was let in before, and one
    record that it can be about."""
    parked, site = asked.parked, visit.site
    if not is_own(client, parked.request.redirect_uri, site.policy) or parked.request.prompt:
        return False
    if not parked.needs_patient or len(records) != 1 or parked.needs_encounter:
        return False
    return agreed(parked, await site.smart.grants.of_account(person.subject.account))


async def _form(
    visit: Visit,
    asked: Waiting,
    client: Client,
    records: Sequence[Record],
    person: Person,
    problems: Sequence[str] = (),
) -> Response:
    request = asked.parked.request
    values = {
        "client": client,
        "publisher": client.publisher,
        "host": urlsplit(request.redirect_uri).netloc or request.redirect_uri,
        "items": narrowing.items(request.scopes),
        "identity": scopes.OPENID in request.scopes,
        "offline": scopes.OFFLINE in request.scopes,
        "durations": [each for each in DURATIONS if each],
        "chosen": _CHOSEN,
        "suffix": waiting.suffix(asked.name),
        "problems": problems,
        **await _about(visit, asked, records, person.subject),
        "asks_visit": asked.parked.needs_encounter,
        "closed": await offered.closed(visit, person, records, asked.parked.context.patient),
    }
    values["visits"] = {
        each: await offered.visits(visit, asked, person, each)
        for each in _of_whom(asked, records, values)
    }
    targets = (request.redirect_uri,)
    own = is_own(client, request.redirect_uri, visit.site.policy)
    template = "own_app.html" if own else "consent.html"
    return visit.page(template, values, targets=targets, status=400 if problems else 200)


def _of_whom(
    asked: Waiting, records: Sequence[Record], values: Mapping[str, Any]
) -> Sequence[str]:
    """The patients, of whom one will be in context."""
    given = asked.parked.context.patient
    if given is not None:
        return (given,)
    if values["typed"] or not asked.parked.needs_patient:
        return ()
    return [each.patient for each in records]


async def _about(
    visit: Visit, asked: Waiting, records: Sequence[Record], person: Subject
) -> dict[str, Any]:
    """Whose record this is about: given by the launch, one's own, or to be chosen."""
    given = asked.parked.context.patient
    if given is not None:
        name = next((each.name for each in records if each.patient == given), "")
        if not name and person.staff:
            name = await _name(visit, given)
        return {"about": name, "choices": (), "typed": False}
    if not asked.parked.needs_patient:
        return {"about": "", "choices": (), "typed": False}
    if person.staff and not records:
        return {"about": "", "choices": (), "typed": True}
    one = records[0].name if len(records) == 1 else ""
    choices = records if len(records) > 1 else ()
    return {"about": one, "choices": choices, "typed": False}


async def _name(visit: Visit, patient: str) -> str:
    found = await visit.site.accounts.records.patient(patient)
    return "" if found is None else display(found)


async def submit(visit: Visit) -> Response:
    """`POST /auth/consent`."""
    asked = await waiting.find(visit)
    if asked is None:
        return visit.page("gone.html", {}, status=400)
    if visit.field("answer") != "allow":
        session = await visit.session()
        whose = None if session is None else session.account
        return await waiting.answered(visit, asked, Denied(whose))
    who = await signed_in(visit)
    if who is None or asked.parked.needs_sign_in(who[0], visit.site.smart.now()):
        return visit.go(f"/auth/sign-in{waiting.suffix(asked.name)}")
    client = await visit.site.smart.clients.find(asked.parked.request.client)
    if client is None:
        return visit.page("gone.html", {}, status=400)
    records = await visit.site.accounts.records.of_account(who[1])
    person = Person(who[0], subject(who[1], records))
    patient = await _patient(visit, asked, records, person.subject)
    if asked.parked.needs_patient and patient is None:
        nobody = not records and not person.subject.staff
        problem = "NO_RECORD" if nobody else "CHOOSE_PATIENT"
        return await _again(visit, asked, records, person, problem)
    if is_own(client, asked.parked.request.redirect_uri, visit.site.policy):
        return await waiting.answered(
            visit, asked, Decision(person.subject, person.session, patient)
        )
    about = patient or asked.parked.context.patient
    try:
        encounter = about and await offered.chosen(visit, asked, person, about)
    except LookupError:
        return await _again(visit, asked, records, person, "UNKNOWN_VISIT")
    decision = _decision(visit, asked, person, patient, encounter)
    return await waiting.answered(visit, asked, decision)


def _decision(
    visit: Visit, asked: Waiting, person: Person, patient: str | None, encounter: str | None
) -> Decision:
    days = DURATIONS.get(visit.field("duration"), DURATIONS[_CHOSEN])
    return Decision(
        person.subject,
        person.session,
        patient,
        encounter,
        scopes=narrowing.kept(asked.parked.request.scopes, visit.fields),
        duration=None if days is None else days * _DAY,
    )


async def _patient(
    visit: Visit, asked: Waiting, records: Sequence[Record], person: Subject
) -> str | None:
    """Whom the person chose; whether they may is decided where the grant is made."""
    if not asked.parked.needs_patient:
        return None
    chosen = visit.field("patient").strip()
    if person.staff and chosen and chosen not in person.represented:
        found = await visit.site.accounts.records.patient(chosen)
        return None if found is None else chosen
    if chosen:
        return chosen
    return records[0].patient if len(records) == 1 else None


async def _again(
    visit: Visit, asked: Waiting, records: Sequence[Record], person: Person, problem: str
) -> Response:
    client = await visit.site.smart.clients.find(asked.parked.request.client)
    if client is None:
        return visit.page("gone.html", {}, status=400)
    problems = (visit.site.renderer.spoken(visit.language).say(problem),)
    return await _form(visit, asked, client, records, person, problems)
