"""Consents: to the cabinet, to telemedicine, to results by e-mail, and for others."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from scripts.seeds.clinics import Clinic
from scripts.seeds.diseases import DISEASES, PROBLEMS
from scripts.seeds.elements import (
    HL7,
    HOME,
    LOINC,
    JsonObject,
    Text,
    coding,
    concept,
    day,
    identifier,
    moment,
    narrative,
    period,
    pruned,
    reference,
    relative,
)
from scripts.seeds.families import TIES, Tie
from scripts.seeds.people import PATIENT, RESTRICTED, Person, of_clinic

KINDS: Final = f"{HOME}/CodeSystem/consent-kinds"
_DOCUMENT: Final = coding(LOINC, "59284-0", "Consent Document")
_ACTION: Final = f"{HL7}/consentaction"
_REASON: Final = f"{HL7}/v3-ActReason"
_PARTICIPATION: Final = f"{HL7}/v3-ParticipationType"
_SCOPE: Final = f"{HL7}/consentscope"
_AGE_OF_CHOICE: Final = 15


@dataclass(frozen=True, slots=True)
class Kind:
    scope: str
    code: str
    title: Text


_PRIVACY: Final = "patient-privacy"
_PERSONAL: Final = Kind(
    _PRIVACY,
    "personal-data",
    ("Обработка персональных данных", "Обробка персональних даних"),
)
_TELEMEDICINE: Final = Kind("treatment", "telemedicine", ("Телемедицина", "Телемедицина"))
_BY_EMAIL: Final = Kind(_PRIVACY, "results-by-email", ("Анализы по почте", "Аналізи поштою"))
_PROXY: Final = Kind(_PRIVACY, "proxy", ("Доступ представителя", "Доступ представника"))
_RESEARCH: Final = Kind("research", "research", ("Научная работа", "Наукова робота"))


def consents(clinic: Clinic) -> Iterator[JsonObject]:
    adults = [
        each for each in of_clinic(clinic) if len(each.given) > 1 and each.age >= _AGE_OF_CHOICE
    ]
    yield from (_general(each, _PERSONAL, "active") for each in adults)
    portal = [each for each in adults if "portal" in each.tags]
    yield from (_general(each, _TELEMEDICINE, "active") for each in portal)
    for turn, person in enumerate(portal):
        yield _general(person, _BY_EMAIL, "inactive" if turn % 2 else "active")
    yield from (_proxy(tie) for tie in TIES if PATIENT[tie.patient].clinic is clinic)
    yield from (_hidden(each) for each in of_clinic(clinic) if each.security)
    yield _general(adults[0], _RESEARCH, "rejected")
    yield _general(adults[1], _RESEARCH, "proposed")


def _consent(person: Person, name: str, kind: Kind, elements: JsonObject) -> JsonObject:
    clinic = person.clinic
    title = clinic.say(kind.title)
    law = clinic.say(("ru/152-fz", "ua/2297-vi"))
    words: dict[str, Any] = {
        "text": narrative(f"{title}: {person.name}"),
        "identifier": [identifier(f"{HOME}/sid/consent", name)],
        "scope": concept(_SCOPE, kind.scope),
        "category": [{"coding": [_DOCUMENT, coding(KINDS, kind.code)], "text": title}],
        "patient": person.reference,
        "dateTime": moment(-400, "12:15", clinic.zone),
        "organization": [clinic.reference],
        "policy": [{"authority": f"{HOME}/law", "uri": f"{HOME}/law/{law}"}],
    }
    meta = {"tag": [clinic.tag], "source": f"{clinic.site}/consents"}
    return relative("Consent", name, words | elements, **meta)


def _general(person: Person, kind: Kind, status: str) -> JsonObject:
    adult_paper = None if person.is_child else reference(f"DocumentReference/scan-{person.id}")
    elements = {
        "status": status,
        "performer": [person.reference],
        "sourceReference": adult_paper,
        "verification": [_verified(person)] if status == "active" else None,
        "provision": {
            "type": "permit",
            "period": period(day(-400), day(-20) if status == "inactive" else day(1425)),
            "actor": [_actor(person.clinic.reference)],
            "action": [concept(_ACTION, "access"), concept(_ACTION, "use")],
            "purpose": [coding(_REASON, "TREAT", "treatment")],
        },
    }
    return _consent(person, f"{kind.code}-{person.id}", kind, pruned(elements))


def _verified(person: Person) -> JsonObject:
    moment_of = moment(-400, "12:20", person.clinic.zone)
    return {"verified": True, "verifiedWith": person.reference, "verificationDate": moment_of}


def _actor(who: JsonObject) -> JsonObject:
    role = concept(_PARTICIPATION, "IRCP", "information recipient")
    return {"role": role, "reference": who}


def _proxy(tie: Tie) -> JsonObject:
    """What lets a relative act; over when the tie is."""
    person = PATIENT[tie.patient]
    relative_of = reference(f"RelatedPerson/{tie.id}")
    own = person.age >= _AGE_OF_CHOICE
    elements = {
        "status": "active" if tie.active else "inactive",
        "performer": [person.reference if own else relative_of],
        "provision": {
            "type": "permit",
            "period": period(day(-300), day(-60) if not tie.active else day(700)),
            "actor": [_actor(relative_of)],
            "action": [concept(_ACTION, "access")],
            "purpose": [coding(_REASON, "PATRQT", "patient requested")],
            "class": [
                coding("http://hl7.org/fhir/resource-types", each)
                for each in ("Appointment", "Observation", "Immunization")
            ],
        },
    }
    return _consent(person, f"proxy-{tie.id}", _PROXY, elements)


def _hidden(person: Person) -> JsonObject:
    """All is open except what is labelled, and the disease itself, to anyone but the doctor."""
    problem = next(each for each in PROBLEMS if each.patient == person.id)
    exception: JsonObject = {
        "type": "deny",
        "securityLabel": [RESTRICTED],
        "code": [DISEASES[problem.disease].concept(person.clinic)],
        "dataPeriod": period(day(-1900), day(0)),
        "data": [{"meaning": "related", "reference": problem.reference}],
        "provision": [{"type": "permit", "actor": [_actor(person.gp.reference)]}],
    }
    elements = {
        "status": "active",
        "performer": [person.reference],
        "sourceAttachment": {"contentType": "text/plain", "title": "по заявлению / за заявою"},
        "policyRule": concept(f"{HL7}/v3-ActCode", "OPTINR", "opt-in with restrictions"),
        "provision": {
            "type": "permit",
            "period": period(day(-200)),
            "actor": [_actor(person.clinic.reference)],
            "securityLabel": [RESTRICTED],
            "data": exception["data"],
            "provision": [exception],
        },
    }
    return _consent(person, f"hidden-{person.id}", _PERSONAL, elements)
