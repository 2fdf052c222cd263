"""Four weeks of surgery: Schedule, Slot, Appointment, AppointmentResponse."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from scripts.seeds.clinics import SPECIALITY, Clinic
from scripts.seeds.diseases import problem_of
from scripts.seeds.elements import (
    HL7,
    HOME,
    JsonObject,
    Text,
    clock,
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
from scripts.seeds.people import PATIENT, PATIENTS, Person, of_clinic
from scripts.seeds.referrals import referrals_of
from scripts.seeds.staff import DOCTORS, Doctor

WEEKS: Final = 4
SLOTS_A_DAY: Final = 8
MINUTES: Final = 30
_DAY_NAMES: Final = ("mon", "tue", "wed", "thu", "fri")
_SERVICE_TYPE: Final = f"{HL7}/service-type"
_ABSENT_PATIENTS: Final = frozenset(
    {"unknown-man-ru", "galina-shcherbakova-ru", "anna-ivanova-duplicate-ru"}
)


@dataclass(frozen=True, slots=True)
class Place:
    """A slot: the `row`-th half hour of a doctor's day in one of the four weeks."""

    doctor: Doctor
    week: int
    weekday: int
    row: int

    @property
    def id(self) -> str:
        start = clock(self.minute).replace(":", "")
        return f"{self.doctor.id}-week{self.week + 1}-{_DAY_NAMES[self.weekday]}-{start}"

    @property
    def offset(self) -> int:
        return self.week * 7 + self.weekday

    @property
    def minute(self) -> int:
        return self.doctor.opens + self.row * MINUTES

    def at(self, minutes: int) -> str:
        """The moment so many minutes after the start."""
        return moment(self.offset, clock(self.minute + minutes), self.doctor.clinic.zone)


@dataclass(frozen=True, slots=True)
class Booking:
    """An Appointment; past ones and the waiting list have no slot."""

    id: str
    patient: Person
    doctor: Doctor
    status: str
    place: Place | None = None
    past: int | None = None
    """Days from the anchor, negative."""


def places(doctor: Doctor) -> Iterator[Place]:
    for week in range(WEEKS):
        for weekday in doctor.days:
            for row in range(SLOTS_A_DAY):
                yield Place(doctor, week, weekday, row)


_FUTURE: Final = ("booked", "booked", "booked", "pending", "booked", "cancelled", "proposed")
_PAST: Final = ("fulfilled", "fulfilled", "fulfilled", "noshow", "fulfilled", "cancelled")


@cache
def bookings() -> tuple[Booking, ...]:
    return (*_future(), *_past(), *_waiting())


def _future() -> Iterator[Booking]:
    """One booking a patient after the first week, each in a slot of its own."""
    taken = dict.fromkeys((each.id for each in DOCTORS), 0)
    live = [each for each in PATIENTS if each.id not in _ABSENT_PATIENTS]
    for turn, person in enumerate(live):
        doctor = person.gp
        n = taken[doctor.id]
        taken[doctor.id] += 1
        weekday = doctor.days[n % len(doctor.days)]
        place = Place(doctor, 1 + n % (WEEKS - 1), weekday, n % SLOTS_A_DAY)
        status = _FUTURE[turn % len(_FUTURE)]
        yield Booking(f"visit-next-{person.id}", person, doctor, status, place=place)


def _past() -> Iterator[Booking]:
    live = [each for each in PATIENTS if each.id not in _ABSENT_PATIENTS and each.age > 1]
    for turn, person in enumerate(live):
        status = _PAST[turn % len(_PAST)]
        offset = -14 - 7 * turn + person.gp.days[0]
        yield Booking(f"visit-last-{person.id}", person, person.gp, status, past=offset)


def _waiting() -> Iterator[Booking]:
    for name in ("pyotr-ivanov-ru", "lesia-ponomarenko-ua"):
        person = PATIENT[name]
        yield Booking(f"waiting-{name}", person, _specialist(person), "waitlist")


def _specialist(person: Person) -> Doctor:
    wanted = {"ru": "cardiology", "uk": "gastroenterology"}[person.clinic.key]
    return next(
        each for each in DOCTORS if each.speciality == wanted and each.clinic is person.clinic
    )


def schedules(clinic: Clinic) -> Iterator[JsonObject]:
    """Schedules with their slots."""
    booked = {each.place: each for each in bookings() if each.place}
    for doctor in DOCTORS:
        if doctor.clinic is clinic:
            yield _schedule(doctor)
            yield from (_slot(place, booked.get(place)) for place in places(doctor))


def appointments(clinic: Clinic) -> Iterator[JsonObject]:
    own = [each for each in bookings() if each.patient.clinic is clinic]
    yield from (_appointment(each) for each in own)
    yield from (_response(each) for each in own if each.status in _ANSWERS)
    for each in own:
        if each.status == "pending":
            yield _confirmed(each, "doctor", each.doctor.reference)
            yield _confirmed(each, "room", reference(f"Location/{each.doctor.department.id}"))


def _schedule(doctor: Doctor) -> JsonObject:
    clinic = doctor.clinic
    elements = {
        "identifier": [identifier(f"{HOME}/sid/schedule", doctor.number)],
        "active": doctor.id != "dr-vdovychenko",
        "serviceCategory": [concept(f"{HL7}/service-category", "17", "General Practice")],
        "serviceType": [concept(_SERVICE_TYPE, "124", "General Practice")],
        "specialty": [SPECIALITY[doctor.speciality].concept(clinic)],
        "actor": [
            doctor.reference,
            doctor.role,
            reference(f"Location/{doctor.department.id}", doctor.department.name),
            reference(f"HealthcareService/{doctor.department.id}"),
        ],
        "planningHorizon": period(
            moment(0, "00:00", clinic.zone), moment(WEEKS * 7, "00:00", clinic.zone)
        ),
        "comment": clinic.say(("Приём по записи", "Прийом за записом")),
    }
    return relative("Schedule", doctor.id, elements, tag=[clinic.tag])


_LUNCH: Final = 6
"""The row of the day nobody is seen in."""


def _slot_status(place: Place, booking: Booking | None) -> str:
    if booking:
        held = {"booked": "busy", "pending": "busy", "proposed": "busy-tentative"}
        return held.get(booking.status, "free")
    if place.row == _LUNCH:
        return "busy-unavailable"
    return "busy" if number(place.id, 10) < 4 - place.week else "free"


def _slot(place: Place, booking: Booking | None) -> JsonObject:
    doctor = place.doctor
    urgent = place.row == 0
    kind = ("WALKIN", "walk-in visit") if urgent else ("ROUTINE", "routine appointment")
    elements: dict[str, Any] = {
        "identifier": [identifier(f"{HOME}/sid/slot", place.id)],
        "serviceCategory": [concept(f"{HL7}/service-category", "17")],
        "serviceType": [concept(_SERVICE_TYPE, "124")],
        "specialty": [SPECIALITY[doctor.speciality].concept(doctor.clinic)],
        "appointmentType": concept(f"{HL7}/v2-0276", kind[0]),
        "schedule": reference(f"Schedule/{doctor.id}"),
        "status": _slot_status(place, booking),
        "start": place.at(0),
        "end": place.at(MINUTES),
    }
    return relative("Slot", place.id, elements)


_REASONS: Final[tuple[tuple[str, str, Text], ...]] = (
    ("185349003", "Encounter for check up", ("Осмотр", "Огляд")),
    ("390906007", "Follow-up encounter", ("Повторный приём", "Повторний прийом")),
    ("270427003", "Patient-initiated encounter", ("Жалобы", "Скарги")),
)


def _appointment(row: Booking) -> JsonObject:
    clinic = row.patient.clinic
    code, display, text = _REASONS[len(row.id) % len(_REASONS)]
    what = clinic.say(text)
    problem = problem_of(row.patient.id)
    elements: dict[str, Any] = {
        "text": narrative(f"{what}: {row.patient.name}, {row.doctor.name}"),
        "identifier": [identifier(f"{HOME}/sid/appointment", row.id)],
        "status": row.status,
        "cancelationReason": _cancelled(row),
        "serviceCategory": [concept(f"{HL7}/service-category", "17", "General Practice")],
        "serviceType": [concept(_SERVICE_TYPE, "124", "General Practice")],
        "specialty": [SPECIALITY[row.doctor.speciality].concept(clinic)],
        "appointmentType": concept(f"{HL7}/v2-0276", "ROUTINE", "Routine appointment"),
        "reasonCode": [concept("http://snomed.info/sct", code, display, what)],
        "reasonReference": [problem.reference] if problem else None,
        "priority": 5,
        "description": what,
        "supportingInformation": [reference(f"Coverage/policy-{row.patient.id}")]
        if len(row.patient.given) > 1
        else None,
        **_when(row),
        "basedOn": referrals_of(row.patient),
        "comment": clinic.say(("Возьмите полис", "Візьміть документи")),
        "participant": _participants(row),
    }
    return relative("Appointment", row.id, elements, tag=[clinic.tag])


def _cancelled(row: Booking) -> Any:
    if row.status != "cancelled":
        return None
    return concept(f"{HL7}/appointment-cancellation-reason", "pat", "Patient")


def _when(row: Booking) -> JsonObject:
    zone = row.patient.clinic.zone
    if row.place:
        return {
            "start": row.place.at(0),
            "end": row.place.at(MINUTES),
            "minutesDuration": MINUTES,
            "slot": [reference(f"Slot/{row.place.id}")],
            "created": moment(-3, "10:00", zone),
        }
    if row.past is None:
        return {"created": day(-20), "requestedPeriod": [period(day(0), day(27))]}
    opens = row.doctor.opens
    return {
        "start": moment(row.past, clock(opens), zone),
        "end": moment(row.past, clock(opens + MINUTES), zone),
        "minutesDuration": MINUTES,
        "created": day(row.past - 10),
    }


_CONSENTED: Final = {
    "proposed": "needs-action",
    "pending": "tentative",
    "cancelled": "declined",
}


def _participants(row: Booking) -> list[JsonObject]:
    answer = _CONSENTED.get(row.status, "accepted")
    performer = concept(f"{HL7}/v3-ParticipationType", "PPRF", "primary performer")
    return [
        {
            "actor": row.patient.reference,
            "required": "required",
            "status": answer,
        },
        {
            "type": [performer],
            "actor": row.doctor.reference,
            "required": "required",
            "status": "accepted",
        },
        {
            "actor": reference(f"Location/{row.doctor.department.id}"),
            "required": "information-only",
            "status": "accepted",
        },
        *_escort(row),
    ]


def _escort(row: Booking) -> list[JsonObject]:
    """A child comes with its mother."""
    if row.patient.id != "ivan-ivanov-ru":
        return []
    mother = reference("RelatedPerson/anna-ivanova-for-ivan-ivanov-ru")
    return [{"actor": mother, "required": "required", "status": "accepted"}]


_ANSWERS: Final = {"booked": "accepted", "cancelled": "declined", "pending": "tentative"}


def _response(row: Booking) -> JsonObject:
    elements = {
        "identifier": [identifier(f"{HOME}/sid/appointment-response", row.id)],
        "appointment": reference(f"Appointment/{row.id}"),
        "actor": row.patient.reference,
        "participantStatus": _ANSWERS[row.status],
        "comment": row.patient.clinic.say(("Ответ из кабинета", "Відповідь із кабінету")),
    }
    return relative("AppointmentResponse", f"answer-{row.id}", elements)


def _confirmed(row: Booking, who: str, actor: JsonObject) -> JsonObject:
    """What the clinic's side says to a booking that waits for the patient."""
    name = f"{who}-{row.id}"
    elements = {
        "identifier": [identifier(f"{HOME}/sid/appointment-response", name)],
        "appointment": reference(f"Appointment/{row.id}"),
        "actor": actor,
        "participantStatus": "accepted",
    }
    return relative("AppointmentResponse", name, elements, tag=[row.patient.clinic.tag])


def attended(clinic: Clinic) -> list[Booking]:
    """The past appointments that took place."""
    own = {each.id for each in of_clinic(clinic)}
    return [
        each for each in bookings() if each.status == "fulfilled" and each.patient.id in own
    ]
