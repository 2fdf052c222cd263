"""Papers: Binary, DocumentReference, Composition, List, QuestionnaireResponse and proofs."""

import base64
import hashlib
from collections.abc import Iterator
from typing import Any, Final

from scripts.seeds.care import LASTING
from scripts.seeds.clinics import SPECIALITY, Clinic
from scripts.seeds.diseases import PROBLEMS, problem_of
from scripts.seeds.elements import (
    HL7,
    HOME,
    LOINC,
    SNOMED,
    JsonObject,
    Term,
    coding,
    concept,
    day,
    identifier,
    moment,
    narrative,
    number,
    period,
    reference,
    relative,
)
from scripts.seeds.families import accounts_of
from scripts.seeds.laboratory import meta
from scripts.seeds.medicines import PRESCRIPTIONS
from scripts.seeds.people import PATIENT, RESTRICTED, Person, of_clinic
from scripts.seeds.visits import first_visit

_SUMMARY: Final = Term(LOINC, "34133-9", "Summary of episode note", "Выписка", "Виписка")
_SCAN: Final = Term(LOINC, "59284-0", "Consent Document", "Бланк согласия", "Бланк згоди")
_NOTES: Final = Term(LOINC, "11488-4", "Consult note", "Осмотр врача", "Огляд лікаря")
_CATEGORY: Final = concept(LOINC, "LP173421-7", "Report")
_FORMAT: Final = coding(
    "http://ihe.net/fhir/ValueSet/IHE.FormatCode.codesystem",
    "urn:ihe:iti:xds:2017:mimeTypeSufficient",
)


def pdf(text: str) -> bytes:
    """A one-page PDF that says `text` (ASCII) in large letters."""
    stream = f"BT /F1 24 Tf 72 720 Td ({text}) Tj ET"
    objects = (
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources 6 0 R>>",
        f"<</Length {len(stream)}>>stream\n{stream}\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        "<</Font<</F1 5 0 R>>>>",
    )
    body, places = "%PDF-1.4\n", []
    for place, each in enumerate(objects, 1):
        places.append(len(body))
        body += f"{place} 0 obj{each}endobj\n"
    rows = "".join(f"{each:010} 00000 n \n" for each in places)
    count = len(objects) + 1
    table = f"xref\n0 {count}\n0000000000 65535 f \n{rows}"
    trailer = f"trailer<</Size {count}/Root 1 0 R>>\nstartxref\n{len(body)}\n%%EOF"
    return f"{body}{table}{trailer}".encode()


def _with_papers(clinic: Clinic) -> list[Person]:
    return [each for each in of_clinic(clinic) if len(each.given) > 1]


def papers(clinic: Clinic) -> Iterator[JsonObject]:
    for person in _with_papers(clinic):
        if not person.is_child:
            yield _binary(person)
            yield _scan(person)
    for turn, person in enumerate(_with_papers(clinic)):
        yield _summary(person, turn)
    problems = {each.patient: each for each in PROBLEMS}
    yield from (_composition(each) for each in _with_papers(clinic)[:5] if each.id in problems)
    yield from _lists(clinic)
    yield from _answers(clinic)
    yield from _proofs(clinic)
    yield from _charges(clinic)


def _binary(person: Person) -> JsonObject:
    data = pdf(f"Consent {person.number}")
    elements = {
        "contentType": "application/pdf",
        "securityContext": person.reference,
        "data": base64.b64encode(data).decode(),
    }
    return relative("Binary", f"consent-{person.id}", elements)


def _attachment(
    octets: bytes, kind: str, person: Person, offset: int, **more: Any
) -> JsonObject:
    language = {"ru": "ru-RU", "uk": "uk-UA"}[person.clinic.key]
    return {
        "contentType": kind,
        "language": language,
        **more,
        "size": len(octets),
        "hash": base64.b64encode(hashlib.sha1(octets, usedforsecurity=False).digest()).decode(),
        "creation": day(offset),
    }


def _scan(person: Person) -> JsonObject:
    data = pdf(f"Consent {person.number}")
    url = {"url": f"Binary/consent-{person.id}", "title": "consent.pdf"}
    attachment = _attachment(data, "application/pdf", person, -400, **url)
    return _document(person, f"scan-{person.id}", _SCAN, -400, attachment)


def _summary(person: Person, turn: int) -> JsonObject:
    clinic = person.clinic
    lines = clinic.say(
        (
            f"Пациент: {person.name}. {clinic.say(person.note)}. Рекомендовано наблюдение.",
            f"Пацієнт: {person.name}. {clinic.say(person.note)}. Рекомендовано нагляд.",
        )
    )
    data = lines.encode()
    content = {"data": base64.b64encode(data).decode(), "title": "summary.txt"}
    attachment = _attachment(data, "text/plain; charset=utf-8", person, -30 - turn, **content)
    name = f"summary-{person.id}"
    found = _document(person, name, (_SUMMARY, _NOTES)[turn % 2], -30 - turn, attachment)
    return found if person.is_child else found | {"relatesTo": [_relation(person)]}


def _relation(person: Person) -> JsonObject:
    return {"code": "appends", "target": reference(f"DocumentReference/scan-{person.id}")}


def _document(
    person: Person, name: str, kind: Term, offset: int, attachment: JsonObject
) -> JsonObject:
    clinic = person.clinic
    superseded = number(name, 6) == 0
    label = {"R": RESTRICTED, "V": RESTRICTED}.get("".join(person.security))
    what = kind.concept(clinic.key)
    master = f"urn:oid:2.999.1.{number(name, 10**9)}"
    elements = {
        "text": narrative(f"{what['text']}: {person.name}"),
        "masterIdentifier": identifier("urn:ietf:rfc:3986", master),
        "identifier": [identifier(f"{HOME}/sid/document", name)],
        "status": "superseded" if superseded else "current",
        "docStatus": "final",
        "type": what,
        "category": [_CATEGORY],
        "subject": person.reference,
        "date": moment(offset, "15:00", clinic.zone),
        "author": [person.gp.by_number, clinic.reference],
        "authenticator": person.gp.reference,
        "custodian": clinic.reference,
        "description": f"{what['text']}: {person.name}",
        "securityLabel": [{"coding": [label]}] if label else None,
        "content": [{"attachment": attachment, "format": _FORMAT}],
        "context": _context(person, offset),
    }
    return relative("DocumentReference", name, elements, **_meta(person))


def _meta(person: Person) -> JsonObject:
    return meta(person) | {"source": f"{person.clinic.site}/documents"}


def _context(person: Person, offset: int) -> JsonObject:
    visit, problem = first_visit(person), problem_of(person.id)
    found: JsonObject = {
        "event": [concept(f"{HL7}/v3-ActClass", "PCPR", "care provision")],
        "period": period(day(offset - 1), day(offset)),
        "facilityType": concept(SNOMED, "35971002", "Ambulatory care site"),
        "practiceSetting": SPECIALITY[person.gp.speciality].concept(person.clinic),
        "sourcePatientInfo": person.reference,
    }
    if visit:
        found["encounter"] = [visit]
    if problem:
        found["related"] = [problem.reference]
    return found


def _composition(person: Person) -> JsonObject:
    clinic = person.clinic
    problems = [each for each in PROBLEMS if each.patient == person.id]
    drugs = [each for each in PRESCRIPTIONS if each.patient == person.id]
    title = f"{_SUMMARY.concept(clinic.key)['text']}: {person.name}"
    elements = {
        "text": narrative(title, clinic.say(person.note)),
        "identifier": identifier(f"{HOME}/sid/composition", person.id),
        "status": "final",
        "type": _SUMMARY.concept(clinic.key),
        "category": [_CATEGORY],
        "subject": person.reference,
        "encounter": first_visit(person),
        "date": day(-25),
        "author": [person.gp.reference],
        "title": title,
        "confidentiality": "R" if person.security else "N",
        "attester": [{"mode": "legal", "time": day(-24), "party": person.gp.reference}],
        "custodian": clinic.reference,
        "relatesTo": [
            {
                "code": "appends",
                "targetIdentifier": identifier(f"{HOME}/sid/document", f"summary-{person.id}"),
            }
        ],
        "event": [
            {
                "code": [concept(f"{HL7}/v3-ActClass", "PCPR", "care provision")],
                "period": period(day(-365), day(-25)),
            }
        ],
        "section": [
            _section("11450-4", "Problem list", [f"Condition/{each.id}" for each in problems]),
            _section(
                "10160-0", "Medications", [f"MedicationRequest/{each.id}" for each in drugs]
            ),
        ],
    }
    return relative("Composition", f"card-{person.id}", elements, **_meta(person))


def _section(code: str, title: str, entries: list[str]) -> JsonObject:
    words = {"title": title, "code": concept(LOINC, code, title), "text": narrative(title)}
    if entries:
        return words | {"entry": [reference(each) for each in entries]}
    return words | {"emptyReason": concept(f"{HL7}/list-empty-reason", "nilknown", "Nil Known")}


def _lists(clinic: Clinic) -> Iterator[JsonObject]:
    """Lists that `_list` can name: the doctors' watch lists and one patient's problems."""
    watched = [each.reference for each in of_clinic(clinic) if "dispensary" in each.tags]
    chief = PATIENT[{"ru": "nikolai-ivanov-ru", "uk": "oksana-lukianenko-ua"}[clinic.key]]
    title = clinic.say(("Под наблюдением", "Під наглядом"))
    yield _list(clinic, f"watched-{clinic.suffix}", title, watched)
    own = [each.reference for each in PROBLEMS if each.patient == chief.id]
    found = _list(clinic, f"problems-{chief.id}", chief.name, own)
    yield found | {"subject": chief.reference, "encounter": first_visit(chief)}
    yield _list(clinic, f"empty-{clinic.suffix}", clinic.say(("Пусто", "Порожньо")), [])


def _list(clinic: Clinic, name: str, title: str, members: list[JsonObject]) -> JsonObject:
    doctor = of_clinic(clinic)[0].gp
    empty = concept(f"{HL7}/list-empty-reason", "nilknown", "Nil Known")
    elements = {
        "identifier": [identifier(f"{HOME}/sid/list", name)],
        "status": "current",
        "mode": "working",
        "title": title,
        "code": concept(f"{HL7}/list-example-use-codes", "worklist", "Worklist"),
        "date": day(-5),
        "source": doctor.reference,
        "note": [{"text": title}],
        "entry": [{"item": each, "date": day(-5)} for each in members],
        "emptyReason": None if members else empty,
    }
    return relative("List", name, elements)


def _answers(clinic: Clinic) -> Iterator[JsonObject]:
    for person in of_clinic(clinic):
        if "portal" in person.tags:
            yield from (_diary(person, week) for week in range(4))


def _diary(person: Person, week: int) -> JsonObject:
    name = f"diary-{week + 1}-{person.id}"
    mood = {"system": f"{HOME}/CodeSystem/mood", "code": ("good", "bad")[number(name, 2)]}
    elements = {
        "identifier": identifier(f"{HOME}/sid/answers", name),
        "basedOn": _plans_of(person),
        "partOf": [reference(_THERAPY)] if _THERAPY.endswith(person.id) else None,
        "questionnaire": f"{HOME}/Questionnaire/diary|1.0.0",
        "status": "in-progress" if week == 0 else "completed",
        "subject": person.reference,
        "encounter": first_visit(person) if week == 1 else None,
        "authored": moment(-1 - 7 * week, "21:30", person.clinic.zone),
        "author": person.reference,
        "source": person.reference,
        "item": [
            {"linkId": "mood", "answer": [{"valueCoding": mood}]},
            {"linkId": "sleep", "answer": [{"valueDecimal": 5 + number(f"{name}s", 8) / 2}]},
            {"linkId": "pulse", "answer": [{"valueInteger": 60 + number(f"{name}p", 30)}]},
            {"linkId": "date", "answer": [{"valueDate": day(-1 - 7 * week)}]},
        ],
    }
    return relative("QuestionnaireResponse", name, elements, **_meta(person))


_THERAPY: Final = "Procedure/therapy-andrii-shevchenko-ua"


def _plans_of(person: Person) -> list[JsonObject]:
    own = problem_of(person.id)
    return [reference(f"CarePlan/{own.id}")] if own and own.disease in LASTING else []


def _proofs(clinic: Clinic) -> Iterator[JsonObject]:
    """Who brought a record in, and whether a number was checked."""
    for person in _with_papers(clinic)[:4]:
        yield _provenance(person)
        yield _verification(person)


def _provenance(person: Person) -> JsonObject:
    clinic = person.clinic
    kind = concept(f"{HL7}/provenance-participant-type", "author", "Author")
    role = concept(f"{HL7}/v3-RoleClass", "PROV", "healthcare provider")
    signature = {
        "type": [coding("urn:iso-astm:E1762-95:2013", "1.2.840.10065.1.12.1.1")],
        "when": moment(-30, "15:05", clinic.zone),
        "who": person.gp.reference,
        "sigFormat": "application/jose",
        "data": base64.b64encode(b"header..signature").decode(),
    }
    elements = {
        "target": [reference(f"DocumentReference/summary-{person.id}"), person.reference],
        **_occurred(person),
        "recorded": moment(-30, "15:05", clinic.zone),
        "location": reference(f"Location/{clinic.id}"),
        "reason": [concept(f"{HL7}/v3-ActReason", "TREAT", "treatment")],
        "activity": concept(f"{HL7}/v3-DataOperation", "CREATE", "create"),
        "agent": [
            {
                "type": kind,
                "role": [role],
                "who": person.gp.reference,
                "onBehalfOf": clinic.reference,
            }
        ],
        "entity": [{"role": "source", "what": person.by_number | person.reference}],
        "signature": [signature],
    }
    return relative("Provenance", f"provenance-{person.id}", elements, **_meta(person))


def _occurred(person: Person) -> JsonObject:
    if "portal" in person.tags:
        return {"occurredDateTime": day(-30)}
    return {"occurredPeriod": period(day(-31), day(-30))}


def _verification(person: Person) -> JsonObject:
    elements = {
        "target": [person.reference],
        "targetLocation": ["Patient.identifier"],
        "status": "validated",
        "statusDate": day(-350),
        "lastPerformed": day(-350),
        "nextScheduled": day(15),
    }
    return relative("VerificationResult", f"checked-{person.id}", elements)


def _charges(clinic: Clinic) -> Iterator[JsonObject]:
    for turn, person in enumerate(_with_papers(clinic)[:6]):
        yield _charge(person, turn)


def _charge(person: Person, turn: int) -> JsonObject:
    clinic = person.clinic
    name = f"charge-{person.id}"
    money = {"value": 1500 + 250 * turn, "currency": clinic.say(("RUB", "UAH"))}
    elements = {
        "identifier": [identifier(f"{HOME}/sid/charge", name)],
        "definitionUri": [f"{clinic.site}/prices/consultation"],
        "status": "billed" if turn % 2 else "billable",
        "code": concept(f"{HOME}/CodeSystem/prices", f"01.{turn + 1:03}", "Consultation"),
        "subject": person.reference,
        "context": first_visit(person),
        "occurrenceDateTime": day(-35 - turn),
        "performer": [
            {
                "function": concept(SNOMED, "158965000", "Medical practitioner"),
                "actor": person.gp.reference,
            }
        ],
        "performingOrganization": person.gp.department.reference,
        "requestingOrganization": clinic.reference,
        "quantity": {"value": 1 + turn % 3},
        "factorOverride": 0.8 + turn / 10,
        "priceOverride": money,
        "service": None
        if person.is_child
        else [reference(f"Immunization/influenza-1-{person.id}")],
        "account": accounts_of(person),
        "enterer": person.gp.reference,
        "enteredDate": day(-34 - turn),
    }
    return relative("ChargeItem", name, elements, **_meta(person))
