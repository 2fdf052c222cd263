"""What the consent page tells of the records that may be opened: visits to choose, consents
that are missing.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#standalone-apps
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_server.access.principal import Principal
from fhir_server.access.required import Required
from fhir_server.access.scopes import parse_scopes
from fhir_server.cabinet.accounts.ports import Encounter, Record
from fhir_server.core.messages import Text
from fhir_server.smart.records import Session, Subject
from fhir_server.web import words
from fhir_server.web.visits import Visit
from fhir_server.web.waiting import Waiting

FIELD = "encounter-"
"""Before the patient's id: each record has its visits."""
TYPED = "encounter"
"""Of staff, who name the patient too."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who answers the request."""

    session: Session
    subject: Subject


@dataclass(frozen=True, slots=True)
class Row:
    """A visit on the page."""

    id: str
    began: str
    kind: str | Text
    place: str


async def visits(visit: Visit, asked: Waiting, who: Person, patient: str) -> Sequence[Row]:
    """The visits of a patient that the person may choose from, newest first."""
    if not asked.parked.needs_encounter:
        return ()
    records = visit.site.accounts.records
    found = await records.encounters(_reader(asked, who, patient))
    return [_row(each) for each in found]


def _row(each: Encounter) -> Row:
    return Row(each.id, each.began, each.kind or words.visit(each.code), each.place)


async def chosen(visit: Visit, asked: Waiting, who: Person, patient: str) -> str | None:
    """The visit that the form names; None: none.

    Raises:
        LookupError: it is none that the person may see.
    """
    if not asked.parked.needs_encounter:
        return None
    id_ = (visit.field(f"{FIELD}{patient}") or visit.field(TYPED)).strip()
    if not id_:
        return None
    records = visit.site.accounts.records
    if not await records.encounters(_reader(asked, who, patient), id_):
        raise LookupError(id_)
    return id_


def _reader(asked: Waiting, who: Person, patient: str) -> Principal:
    """The person as the bearer of a token that reads visits of this record, in this app."""
    person = who.subject
    level = "user" if person.staff else "patient"
    return Principal(
        client=asked.parked.request.client,
        scopes=parse_scopes(f"{level}/Encounter.rs"),
        patient=patient,
        user=person.user,
        account=person.account,
        represented=person.represented,
        purpose=person.purpose,
        organizations=person.organizations,
        level=who.session.level,
        staff=person.staff,
    )


async def closed(
    visit: Visit, who: Person, records: Iterable[Record], given: str | None
) -> list[dict[str, Any]]:
    """Of each record that the request is about (`given`: of that one) what keeps it closed."""
    if who.subject.staff:
        return []
    found = []
    for each in records:
        if given in (None, each.patient):
            missing = await visit.site.accounts.records.missing_consents(each.patient)
            if missing:
                found.append({"name": each.name, "missing": _named(missing)})
    return found


def _named(missing: Iterable[Required]) -> list[dict[str, Text]]:
    return [{"title": each.title, "where": each.where} for each in missing]
