"""Messages and errands: Communication threads, CommunicationRequest, Task.

Errands are created, not put: the server gives them ids, `ifNoneExist` keeps them single, and
within the bundle they know each other by urn:uuid.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from scripts.seeds.clinics import Clinic
from scripts.seeds.diseases import problem_of
from scripts.seeds.elements import (
    HL7,
    HOME,
    SEED_SYSTEM,
    JsonObject,
    clock,
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
from scripts.seeds.laboratory import meta
from scripts.seeds.people import PATIENT, Person, of_clinic
from scripts.seeds.referrals import referrals_of
from scripts.seeds.visits import first_visit

_CATEGORY: Final = f"{HL7}/communication-category"
_MODE: Final = f"{HL7}/v3-ParticipationMode"
TASKS: Final = f"{HOME}/sid/task"


@dataclass(frozen=True, slots=True)
class Thread:
    """A talk of a patient with the doctor: who speaks begins, then they take turns."""

    id: str
    patient: str
    topic: str
    lines: tuple[str, ...]
    offset: int

    @property
    def person(self) -> Person:
        return PATIENT[self.patient]


THREADS: Final = (
    Thread("thyroid", "anna-ivanova-ru", "Дозировка", (
        "Здравствуйте! ТТГ пришёл, дозу левотироксина менять?",
        "Добрый день! ТТГ в норме, дозу не меняем.",
        "Спасибо! Когда сдавать снова?",
        "Через три месяца, утром натощак.",
    ), -6),
    Thread("pressure", "pyotr-ivanov-ru", "Давление", (
        "Давление по утрам 145 на 95, это много?",
        "Выше цели. Запишитесь на приём, подберём лечение.",
    ), -4),
    Thread("pump", "ruslan-khabibullin-ru", "Помпа", (
        "Помпа показывает ошибку E4.",
        "Замените инфузионный набор и проверьте глюкозу через час.",
        "Глюкоза 7,2, всё хорошо.",
    ), -2),
    Thread("baby", "aigul-khabibullina-ru", "Беременность", (
        "Малыш сегодня мало шевелится.",
        "Приезжайте сейчас, сделаем КТГ.",
    ), -1),
    Thread("sugar", "oksana-lukianenko-ua", "Цукор", (
        "Доброго дня! Вранці глюкоза 128 мг/дл, чи це добре?",
        "Доброго дня! Це гарний результат, продовжуйте.",
        "Дякую, лікарко!",
    ), -5),
    Thread("gout", "taras-lukianenko-ua", "Подагра", (
        "Знову болить палець на нозі.",
        "Чи приймаєте алопуринол щодня?",
        "Пропустив тиждень.",
        "Відновіть прийом, завтра зателефоную.",
    ), -8),
    Thread("iron", "yivha-yizhak-ua", "Залізо", (
        "Від заліза болить живіт, що робити?",
        "Приймайте після їжі, через день.",
    ), -20),
    Thread("prosthesis", "andrii-shevchenko-ua", "Протез", (
        "Протез натирає, потрібна заміна гільзи.",
        "Направлення виписано, документ у кабінеті.",
    ), -11),
)  # fmt: skip


def messages(clinic: Clinic) -> Iterator[JsonObject]:
    for thread in THREADS:
        if thread.person.clinic is clinic:
            yield from (_message(thread, turn) for turn in range(len(thread.lines)))
    yield from _notices(clinic)


def _message(thread: Thread, turn: int) -> JsonObject:
    person, line = thread.person, thread.lines[turn]
    ends = (person.reference, person.gp.reference)
    sender, recipient = ends if turn % 2 == 0 else ends[::-1]
    sent = moment(thread.offset, clock(9 * 60 + 17 * turn), person.clinic.zone)
    last = turn == len(thread.lines) - 1
    elements: dict[str, Any] = {
        "text": narrative(line),
        "identifier": [identifier(f"{HOME}/sid/message", _name(thread, turn))],
        "instantiatesCanonical": [f"{HOME}/PlanDefinition/dispensary"],
        "instantiatesUri": [f"{person.clinic.site}/messages"],
        "basedOn": _based_on(thread),
        "partOf": [reference(f"Communication/{_name(thread, 0)}")] if turn else None,
        "inResponseTo": [reference(f"Communication/{_name(thread, turn - 1)}")]
        if turn
        else None,
        "status": "in-progress" if last else "completed",
        "category": [concept(_CATEGORY, "instruction" if turn % 2 else "notification")],
        "priority": "urgent" if thread.id == "baby" else "routine",
        "medium": [concept(_MODE, "ELECTRONIC", "electronic data")],
        "subject": person.reference,
        "topic": {"text": thread.topic},
        "about": _about(thread),
        "encounter": _encounter(thread),
        "sent": sent,
        "received": None if last else sent,
        "recipient": [recipient],
        "sender": sender,
        "reasonReference": _about(thread),
        "payload": [{"contentString": line}, *_enclosed(thread, turn)],
    }
    return relative("Communication", _name(thread, turn), elements, **_meta(person))


def _name(thread: Thread, turn: int) -> str:
    return f"{thread.id}-{turn + 1}-{thread.patient}"


def _meta(person: Person) -> JsonObject:
    return meta(person) | {"source": f"{person.clinic.site}/messages"}


def _about(thread: Thread) -> list[JsonObject]:
    own = problem_of(thread.patient)
    return [own.reference] if own else []


_ENCOUNTERS: Final = {"pump": "Encounter/video-ruslan-khabibullin-ru"}
_ORDERS: Final = {"thyroid": "ServiceRequest/thyroid-01-anna-ivanova-ru"}


def _encounter(thread: Thread) -> JsonObject | None:
    return reference(_ENCOUNTERS[thread.id]) if thread.id in _ENCOUNTERS else None


def _based_on(thread: Thread) -> list[JsonObject]:
    return [reference(_ORDERS[thread.id])] if thread.id in _ORDERS else []


def _enclosed(thread: Thread, turn: int) -> list[JsonObject]:
    if thread.id == "prosthesis" and turn == 1:
        return [{"contentReference": reference(f"DocumentReference/summary-{thread.patient}")}]
    if thread.id == "thyroid" and turn == 0:
        url = f"Binary/consent-{thread.patient}"
        return [{"contentAttachment": {"contentType": "application/pdf", "url": url}}]
    return []


def _notices(clinic: Clinic) -> Iterator[JsonObject]:
    """A mailing to the watched, and a reminder that did not go out."""
    everyone = reference(f"Group/dispensary-{clinic.suffix}")
    text = clinic.say(("Приглашаем на прививку от гриппа", "Запрошуємо на щеплення від грипу"))
    mailing = {
        "status": "completed",
        "subject": everyone,
        "recipient": [everyone],
        "payload": [{"contentString": text}],
    }
    yield _notice(clinic, "mailing", text, mailing)
    person = of_clinic(clinic)[6]
    text = clinic.say(("Напоминание о приёме", "Нагадування про прийом"))
    reminder = {
        "status": "not-done",
        "statusReason": concept(f"{HL7}/communication-not-done-reason", "invalid-phone-number"),
        "subject": person.reference,
        "recipient": [person.reference],
        "payload": [{"contentString": text}],
    }
    yield _notice(clinic, "reminder", text, reminder)


def _notice(clinic: Clinic, what: str, text: str, more: JsonObject) -> JsonObject:
    name = f"{what}-{clinic.suffix}"
    elements = {
        "text": narrative(text),
        "identifier": [identifier(f"{HOME}/sid/message", name)],
        "category": [concept(_CATEGORY, "reminder" if what == "reminder" else "notification")],
        "medium": [concept(_MODE, "WRITTEN", "written")],
        "sent": moment(-13, "10:00", clinic.zone),
        "sender": clinic.reference,
        **more,
    }
    return relative("Communication", name, elements, tag=[clinic.tag])


def errands(clinic: Clinic) -> Iterator[JsonObject]:
    """What is still to be done, each asked for in words and carried out as a task."""
    for person in of_clinic(clinic):
        if "portal" in person.tags:
            yield _request(person)
            yield _task(person, "document", "requested")
            yield _task(person, "correction", "completed")


def urn(system: str, value: str) -> str:
    """The fullUrl of an entry that the server will name itself."""
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{system}|{value}')}"


REQUESTS: Final = f"{HOME}/sid/communication-request"


def _new(kind: str, person: Person, elements: JsonObject) -> JsonObject:
    """A resource without an id."""
    tags = [coding(SEED_SYSTEM, "relative"), person.clinic.tag]
    return pruned({"resourceType": kind, "meta": {"tag": tags}, **elements})


def _request(person: Person) -> JsonObject:
    clinic = person.clinic
    words = clinic.say(("Перезвоните пациенту", "Зателефонуйте пацієнтові"))
    elements = {
        "identifier": [identifier(REQUESTS, person.id)],
        "basedOn": referrals_of(person),
        "groupIdentifier": identifier(f"{HOME}/sid/request-group", clinic.suffix),
        "status": "active",
        "category": [concept(_CATEGORY, "instruction")],
        "priority": "routine",
        "medium": [concept(_MODE, "PHONE", "telephone")],
        "subject": person.reference,
        "encounter": first_visit(person),
        "payload": [{"contentString": words}],
        "occurrenceDateTime": moment(2, "10:00", clinic.zone),
        "authoredOn": moment(-1, "18:00", clinic.zone),
        "requester": person.reference,
        "recipient": [person.reference],
        "sender": person.gp.reference,
    }
    return _new("CommunicationRequest", person, elements)


def _task(person: Person, what: str, status: str) -> JsonObject:
    clinic = person.clinic
    asked = reference(urn(REQUESTS, person.id))
    first = reference(urn(TASKS, f"document-{person.id}"))
    elements = {
        "identifier": [identifier(TASKS, f"{what}-{person.id}")],
        "basedOn": [asked],
        "groupIdentifier": identifier(f"{HOME}/sid/task-group", person.number),
        "partOf": [first] if what == "correction" else None,
        "status": status,
        "businessStatus": concept(f"{HOME}/CodeSystem/task-steps", "in-review", "In review"),
        "intent": "order",
        "priority": "routine",
        "code": concept(f"{HOME}/CodeSystem/task-kinds", what),
        "description": clinic.say(("Справка для бассейна", "Довідка для басейну")),
        "focus": asked if what == "document" else person.reference,
        "for": person.reference,
        "encounter": first_visit(person),
        "executionPeriod": period(day(-3), day(2)),
        "authoredOn": moment(-3, "11:00", clinic.zone),
        "lastModified": moment(-2, "11:00", clinic.zone),
        "requester": person.reference,
        "performerType": [concept(f"{HL7}/task-performer-type", "performer", "Performer")],
        "owner": person.gp.reference,
        "restriction": {"period": period(day(-3), day(4))},
    }
    return _new("Task", person, elements)
