"""Refusals of booking: a code for programs, a sentence for people, what to do next.

The codes are those of the CodeSystem `cabinet-error`.
"""

from typing import Final, TypeVar

from fhir_server.core.errors import BusinessRule, Conflict, FhirError, Forbidden
from fhir_server.core.messages import Text

E = TypeVar("E", bound=FhirError)

SLOT_TAKEN: Final = "slot-taken"

TAKEN: Final = Text(
    "This time is taken already. Choose another one.",
    "Это время уже занято. Выберите другое.",
    "Цей час уже зайнятий. Оберіть інший.",
)
OTHER_CHANNEL: Final = Text(
    "This time cannot be booked here. Choose another one, or call the clinic.",
    "На это время здесь записаться нельзя. Выберите другое или позвоните в клинику.",
    "На цей час тут записатися не можна. Оберіть інший або зателефонуйте до клініки.",
)
PAST: Final = Text(
    "This time has passed. Choose a later one.",
    "Это время уже прошло. Выберите более позднее.",
    "Цей час уже минув. Оберіть пізніший.",
)
EXPIRED: Final = Text(
    "The time was kept for you until {until}, and is not any more. Choose one again.",
    "Время было закреплено за вами до {until}, срок истёк. Выберите время снова.",
    "Час був закріплений за вами до {until}, термін минув. Оберіть час знову.",
)
OVERLAP: Final = Text(
    "There is another visit at that time. Move or cancel it first.",
    "На это время уже есть другая запись. Сначала перенесите или отмените её.",
    "На цей час уже є інший запис. Спочатку перенесіть або скасуйте його.",
)
OCCUPIED: Final = Text(
    "Visits are booked on this Slot. Cancel or move them first.",
    "На этот Slot записаны пациенты. Сначала отмените или перенесите записи.",
    "На цей Slot записані пацієнти. Спочатку скасуйте або перенесіть записи.",
)
BLOCKED: Final = Text(
    "Booking is blocked until {until}. Call the clinic: its staff can lift this.",
    "Запись заблокирована до {until}. Позвоните в клинику: блокировку могут снять.",
    "Запис заблоковано до {until}. Зателефонуйте до клініки: блокування можуть зняти.",
)
NOT_LIFTED: Final = Text(
    "A block of booking is set and lifted by the clinic's staff. Call the clinic.",
    "Блокировку записи ставят и снимают сотрудники клиники. Позвоните в клинику.",
    "Блокування запису ставлять і знімають працівники клініки. Зателефонуйте до клініки.",
)
TOO_MANY: Final = Text(
    "There may be {most} coming visits to this speciality. Cancel one first.",
    "К этой специальности можно иметь не больше записей: {most}. Сначала отмените одну.",
    "До цієї спеціальності можна мати не більше записів: {most}. Спочатку скасуйте один.",
)
TAKEN_TOO_OFTEN: Final = Text(
    "This time was kept for you several times in a day. Choose another one, or call the "
    "clinic.",
    "Это время уже несколько раз за сутки закреплялось за вами. Выберите другое или позвоните "
    "в клинику.",
    "Цей час уже кілька разів за добу закріплювався за вами. Оберіть інший або зателефонуйте "
    "до клініки.",
)
TOO_LATE_TO_CANCEL: Final = Text(
    "Until {until} this visit could be cancelled here. Call the clinic.",
    "Отменить эту запись здесь можно было до {until}. Позвоните в клинику.",
    "Скасувати цей запис тут можна було до {until}. Зателефонуйте до клініки.",
)
TOO_LATE_TO_MOVE: Final = Text(
    "Until {until} this visit could be moved here. Call the clinic.",
    "Перенести эту запись здесь можно было до {until}. Позвоните в клинику.",
    "Перенести цей запис тут можна було до {until}. Зателефонуйте до клініки.",
)
NOT_OWN: Final = Text(
    "This visit was booked by somebody else. Ask that person, or call the clinic.",
    "Эту запись сделал другой человек. Обратитесь к нему или позвоните в клинику.",
    "Цей запис зробила інша людина. Зверніться до неї або зателефонуйте до клініки.",
)
NOT_SO: Final = Text(
    "A visit does not change from {before} to {after} here.",
    "Здесь запись не переходит из {before} в {after}.",
    "Тут запис не переходить із {before} у {after}.",
)
NOT_IN_PLACE: Final = Text(
    "Time, place, people and referral of a visit change by $reschedule alone.",
    "Время, место, участники и направление записи меняются только через $reschedule.",
    "Час, місце, учасники й направлення запису змінюються лише через $reschedule.",
)
NO_PLACE: Final = Text(
    "A visit is booked on a Slot, and this names none that can be booked.",
    "Запись делается на Slot, а здесь нет такого, на который можно записаться.",
    "Запис робиться на Slot, а тут немає такого, на який можна записатися.",
)
NOT_HELD: Final = Text(
    "A time is held by $hold, which says until when.",
    "Время закрепляется через $hold: он скажет, до какого срока.",
    "Час закріплюється через $hold: він скаже, до якого терміну.",
)
OFFER_EXPIRED: Final = Text(
    "This offer could be answered until {until}. You keep your place in the queue and will be "
    "offered another time, if this was not the last one.",
    "На это предложение можно было ответить до {until}. Вы остаётесь в очереди и получите "
    "другое время, если это предложение не было последним.",
    "На цю пропозицію можна було відповісти до {until}. Ви залишаєтеся в черзі й отримаєте "
    "інший час, якщо ця пропозиція не була останньою.",
)
NO_OFFER: Final = Text(
    "There is no offer any more that could be accepted.",
    "Предложения, которое можно было бы принять, больше нет.",
    "Пропозиції, яку можна було б прийняти, більше немає.",
)
NO_QUEUE: Final = Text(
    "There is no waiting list here. Call the clinic.",
    "Листа ожидания здесь нет. Позвоните в клинику.",
    "Листа очікування тут немає. Зателефонуйте до клініки.",
)
FREE_PLACES: Final = Text(
    "There are free times in that period. Book one of them.",
    "В этот период есть свободное время. Запишитесь на него.",
    "У цей період є вільний час. Запишіться на нього.",
)
WAITING: Final = Text(
    "You are waiting for this already. See your visits.",
    "Вы уже стоите в этой очереди. Посмотрите в своих записях.",
    "Ви вже стоїте в цій черзі. Подивіться у своїх записах.",
)
NO_ENTRY: Final = Text(
    "Who joins the queue names one patient, a speciality or a doctor, and no Slot.",
    "Чтобы встать в очередь, назовите одного пациента, специальность или врача, без Slot.",
    "Щоб стати в чергу, назвіть одного пацієнта, спеціальність або лікаря, без Slot.",
)
NOT_WAITING: Final = Text(
    "This visit does not wait for a place.",
    "Эта запись не ждёт места.",
    "Цей запис не чекає на місце.",
)

CLINICS_WORD: Final = Text(
    "`{name}` of a visit is for the clinic to say. Leave it as it is, or call the clinic.",
    "`{name}` в записи указывает клиника. Оставьте как есть или позвоните в клинику.",
    "`{name}` у записі зазначає клініка. Залиште як є або зателефонуйте до клініки.",
)
UNKNOWN: Final = Text(
    "There is no such visit that could be moved or answered.",
    "Нет такой записи, которую можно перенести или на которую можно ответить.",
    "Немає такого запису, який можна перенести або на який можна відповісти.",
)

REFERRAL_REQUIRED: Final = Text(
    "A referral is needed: name it in basedOn. It has to be in force, for this patient and "
    "for this speciality. A doctor gives one.",
    "Сюда нужно направление: укажите его в basedOn. Оно должно действовать и быть выдано этому "
    "пациенту к этой специальности. Направление даёт врач.",
    "Сюди потрібне направлення: вкажіть його в basedOn. Воно має бути чинним і виданим цьому "
    "пацієнтові до цієї спеціальності. Направлення дає лікар.",
)
REFERRAL_USED: Final = Text(
    "There is a visit with this referral already. Move that one, or ask the doctor for another "
    "referral.",
    "По этому направлению запись уже есть. Перенесите её или попросите у врача новое.",
    "За цим направленням запис уже є. Перенесіть його або попросіть у лікаря нове.",
)
COVERAGE_INACTIVE: Final = Text(
    "An insurance or a contract that is in force on that day is needed. Call the clinic.",
    "Нужен полис или договор, который действует на этот день. Позвоните в клинику.",
    "Потрібен поліс або договір, чинний на цей день. Зателефонуйте до клініки.",
)
CONSENT_MISSING: Final = Text(
    "A consent is missing: {title}. Give it, and book again.",
    "Не хватает согласия: {title}. Дайте его и запишитесь снова.",
    "Бракує згоди: {title}. Надайте її та запишіться знову.",
)
PHONE_NOT_VERIFIED: Final = Text(
    "A telephone number that the clinic has verified is needed. Call the clinic.",
    "Нужен номер телефона, который клиника подтвердила. Позвоните в клинику.",
    "Потрібен номер телефону, який клініка підтвердила. Зателефонуйте до клініки.",
)
QUOTA_REACHED: Final = Text(
    "Nothing more can be booked here for that day. Choose another day, or call the clinic.",
    "На этот день здесь записаться больше нельзя. Выберите другой или позвоните в клинику.",
    "На цей день тут записатися більше не можна. Оберіть інший або зателефонуйте до клініки.",
)

BAD_POLICY: Final = Text(
    "This booking-policy cannot be followed: {why}.",
    "Это правило записи (booking-policy) нельзя прочесть: {why}.",
    "Це правило запису (booking-policy) не можна прочитати: {why}.",
)


def taken(expression: str = "Appointment.slot") -> Conflict:
    """409 slot-taken: gone, closed, held or booked; which of them is not told."""
    return _coded(Conflict(TAKEN, expression=expression), SLOT_TAKEN)


def other_channel() -> BusinessRule:
    """422 channel-closed."""
    where = "Appointment.slot"
    return _coded(BusinessRule(OTHER_CHANNEL, expression=where), "channel-closed")


def past() -> FhirError:
    """422 slot-past."""
    return _coded(BusinessRule(PAST, expression="Appointment.slot"), "slot-past")


def hold_expired(until: str) -> Conflict:
    """409 hold-expired."""
    return _coded(Conflict(EXPIRED, until=until), "hold-expired")


def offer_expired(until: str | None = None) -> Conflict:
    """409 offer-expired: it is over, or there is none."""
    error = Conflict(NO_OFFER) if until is None else Conflict(OFFER_EXPIRED, until=until)
    return _coded(error, "offer-expired")


def already_waiting() -> Conflict:
    """409 already-waiting."""
    return _coded(Conflict(WAITING), "already-waiting")


def no_queue() -> BusinessRule:
    """422 waitlist-disabled."""
    return _coded(BusinessRule(NO_QUEUE), "waitlist-disabled")


def free_places() -> BusinessRule:
    """422 slots-available."""
    return _coded(BusinessRule(FREE_PLACES), "slots-available")


def no_entry() -> BusinessRule:
    """422 waitlist-entry."""
    return _coded(BusinessRule(NO_ENTRY, expression="Appointment"), "waitlist-entry")


def not_waiting() -> BusinessRule:
    """422 not-waiting."""
    return _coded(BusinessRule(NOT_WAITING, expression="Appointment.status"), "not-waiting")


def overlap() -> Conflict:
    """409 overlap: the patient is expected elsewhere at that time."""
    return _coded(Conflict(OVERLAP, expression="Appointment.start"), "overlap")


def occupied() -> Conflict:
    """409 slot-occupied."""
    return _coded(Conflict(OCCUPIED, expression="Slot.status"), "slot-occupied")


def blocked(until: str) -> Forbidden:
    """403 booking-blocked."""
    return _coded(Forbidden(BLOCKED, until=until), "booking-blocked")


def not_lifted() -> Forbidden:
    """403 booking-blocked: a person touches the block itself."""
    return _coded(Forbidden(NOT_LIFTED, expression="Flag"), "booking-blocked")


def too_many(most: int) -> BusinessRule:
    """422 too-many-bookings."""
    return _coded(BusinessRule(TOO_MANY, most=most), "too-many-bookings")


def taken_too_often() -> BusinessRule:
    """422 too-many-bookings: one place, again and again."""
    error = BusinessRule(TAKEN_TOO_OFTEN, expression="Appointment.slot")
    return _coded(error, "too-many-bookings")


def too_late_to_cancel(until: str) -> BusinessRule:
    """422 cancel-deadline-passed."""
    return _coded(BusinessRule(TOO_LATE_TO_CANCEL, until=until), "cancel-deadline-passed")


def too_late_to_move(until: str) -> BusinessRule:
    """422 reschedule-too-late."""
    return _coded(BusinessRule(TOO_LATE_TO_MOVE, until=until), "reschedule-too-late")


def not_own() -> Forbidden:
    """403 not-own-booking."""
    return _coded(Forbidden(NOT_OWN), "not-own-booking")


def not_so(before: str, after: str) -> BusinessRule:
    """422 status-not-allowed."""
    where = "Appointment.status"
    error = BusinessRule(NOT_SO, before=before, after=after, expression=where)
    return _coded(error, "status-not-allowed")


def not_in_place() -> BusinessRule:
    """422 use-reschedule."""
    return _coded(BusinessRule(NOT_IN_PLACE), "use-reschedule")


def no_place() -> BusinessRule:
    """422 slot-required."""
    return _coded(BusinessRule(NO_PLACE, expression="Appointment.slot"), "slot-required")


def not_held() -> BusinessRule:
    """422 use-hold."""
    return _coded(BusinessRule(NOT_HELD, expression="Appointment.status"), "use-hold")


def clinics_word(name: str) -> Forbidden:
    """403 staff-only: an element of an Appointment that no person writes so."""
    error = Forbidden(CLINICS_WORD, name=name, expression=f"Appointment.{name}")
    return _coded(error, "staff-only")


def unknown_visit(expression: str = "Appointment") -> BusinessRule:
    """422 unknown-visit: the one to be replaced or answered is none, or out of reach."""
    return _coded(BusinessRule(UNKNOWN, expression=expression), "unknown-visit")


def referral_required() -> BusinessRule:
    """422 referral-required."""
    where = "Appointment.basedOn"
    return _coded(BusinessRule(REFERRAL_REQUIRED, expression=where), "referral-required")


def referral_used() -> BusinessRule:
    """422 referral-used."""
    return _coded(
        BusinessRule(REFERRAL_USED, expression="Appointment.basedOn"), "referral-used"
    )


def coverage_inactive() -> BusinessRule:
    """422 coverage-inactive."""
    return _coded(BusinessRule(COVERAGE_INACTIVE), "coverage-inactive")


def consent_missing(title: str) -> Forbidden:
    """403 consent-missing."""
    return _coded(Forbidden(CONSENT_MISSING, title=title), "consent-missing")


def phone_not_verified() -> BusinessRule:
    """422 phone-not-verified."""
    return _coded(BusinessRule(PHONE_NOT_VERIFIED), "phone-not-verified")


def quota_reached() -> Conflict:
    """409 quota-reached."""
    return _coded(Conflict(QUOTA_REACHED, expression="Appointment.slot"), "quota-reached")


def bad_policy(why: str, kind: str) -> BusinessRule:
    """422 bad-policy."""
    where = f"{kind}.extension"
    return _coded(BusinessRule(BAD_POLICY, why=why, expression=where), "bad-policy")


def _coded(error: E, code: str) -> E:
    return error.coded(code)
