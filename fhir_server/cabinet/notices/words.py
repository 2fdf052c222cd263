"""What notices say: a headline, which is also the whole of an SMS, and a sentence.

Nothing medical is among it.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from fhir_server.cabinet.notices.kinds import Kind
from fhir_server.core.messages import Text
from fhir_server.store.links import Action


class Words(NamedTuple):
    """Of one kind."""

    headline: Text
    sentence: Text


OF_KIND: Final[Mapping[Kind, Words]] = {
    "visit-booked": Words(
        Text("Your visit is booked", "Вы записаны на приём", "Вас записано на прийом"),
        Text("You are booked for a visit.", "Вы записаны на приём.",
             "Вас записано на прийом."),
    ),
    "visit-moved": Words(
        Text("Your visit was moved", "Приём перенесён", "Прийом перенесено"),
        Text("Your visit was moved. This is the new time.",
             "Ваш приём перенесён. Ниже новое время.",
             "Ваш прийом перенесено. Нижче новий час."),
    ),
    "visit-changed": Words(
        Text("Your visit has changed", "Изменения в записи на приём",
             "Зміни в записі на прийом"),
        Text("The place or the doctor of your visit has changed; the time has not.",
             "Место или врач вашего приёма изменились; время прежнее.",
             "Місце або лікар вашого прийому змінилися; час той самий."),
    ),
    "visit-cancelled": Words(
        Text("Your visit is cancelled", "Запись на приём отменена",
             "Запис на прийом скасовано"),
        Text("Your visit is cancelled.", "Ваша запись на приём отменена.",
             "Ваш запис на прийом скасовано."),
    ),
    "visit-reminder": Words(
        Text("Your visit is coming", "Напоминание о приёме", "Нагадування про прийом"),
        Text("We remind you of your visit.", "Напоминаем о вашем приёме.",
             "Нагадуємо про ваш прийом."),
    ),
    "waitlist-joined": Words(
        Text("You are in the queue", "Вы в листе ожидания", "Ви в листі очікування"),
        Text("You are in the queue. When a place becomes free, we write to you.",
             "Вы в листе ожидания. Когда освободится время, мы вам напишем.",
             "Ви в листі очікування. Коли звільниться час, ми вам напишемо."),
    ),
    "waitlist-offered": Words(
        Text("A place has become free", "Освободилось время приёма",
             "Звільнився час прийому"),
        Text("A place has become free and is kept for you. Answer in time, or else it goes to "
             "the next one in the queue.",
             "Освободилось время, и оно закреплено за вами. Ответьте в срок, иначе его "
             "предложат следующему в очереди.",
             "Звільнився час, і його закріплено за вами. Дайте відповідь вчасно, інакше його "
             "запропонують наступному в черзі."),
    ),
    "waitlist-accepted": Words(
        Text("Your visit is booked", "Вы записаны на приём", "Вас записано на прийом"),
        Text("The place that was offered to you is yours.",
             "Предложенное вам время теперь ваше.",
             "Запропонований вам час тепер ваш."),
    ),
    "waitlist-returned": Words(
        Text("You wait on in the queue", "Вы остаётесь в листе ожидания",
             "Ви залишаєтеся в листі очікування"),
        Text("The place that was offered is not kept for you any more. You wait on in the "
             "queue, and we write when another one becomes free.",
             "Предложенное время больше не закреплено за вами. Вы остаётесь в очереди, и мы "
             "напишем, когда освободится другое.",
             "Запропонований час більше не закріплений за вами. Ви залишаєтеся в черзі, і ми "
             "напишемо, коли звільниться інший."),
    ),
    "waitlist-ended": Words(
        Text("You are out of the queue", "Вы больше не в листе ожидания",
             "Ви більше не в листі очікування"),
        Text("None of the places that were offered was taken, and you are out of the queue. "
             "You can join it again, or call the clinic.",
             "Ни одно из предложенных времён не подошло, и вы больше не в очереди. Можно "
             "встать в неё снова или позвонить в клинику.",
             "Жоден із запропонованих часів не підійшов, і ви більше не в черзі. Можна стати "
             "в неї знову або зателефонувати до клініки."),
    ),
    "waitlist-left": Words(
        Text("You are out of the queue", "Вы больше не в листе ожидания",
             "Ви більше не в листі очікування"),
        Text("The clinic has taken you out of the queue. Call it if you still need a visit.",
             "Клиника исключила вас из листа ожидания. Позвоните, если приём ещё нужен.",
             "Клініка вилучила вас із листа очікування. Зателефонуйте, якщо прийом ще "
             "потрібен."),
    ),
    "result-ready": Words(
        Text("A result is ready", "Результат готов", "Результат готовий"),
        Text("A result is ready. Sign in to see it.",
             "Готов результат. Войдите в кабинет, чтобы его посмотреть.",
             "Готовий результат. Увійдіть до кабінету, щоб його переглянути."),
    ),
}  # fmt: skip

BY_CLINIC: Final = Text(
    "The clinic has cancelled your visit. Choose another time, or call the clinic.",
    "Клиника отменила вашу запись. Выберите другое время или позвоните в клинику.",
    "Клініка скасувала ваш запис. Оберіть інший час або зателефонуйте до клініки.",
)
"""In the place of the sentence."""

FOR: Final = Text("For {name}.", "Для: {name}.", "Для: {name}.")
"""To who represents somebody."""
WHEN: Final = Text("When: {when}", "Когда: {when}", "Коли: {when}")
WHERE: Final = Text("Where: {place}", "Где: {place}", "Де: {place}")
DOCTOR: Final = Text("With: {doctor}", "Врач: {doctor}", "Лікар: {doctor}")
TICKET: Final = Text("Ticket: {ticket}", "Номер талона: {ticket}", "Номер талона: {ticket}")
ANSWER: Final = Text(
    "Answer until: {until}", "Ответьте до: {until}", "Дайте відповідь до: {until}"
)

ACTION: Final[Mapping[Action, Text]] = {
    "confirm": Text("I will come", "Я приду", "Я прийду"),
    "move": Text("Move the visit", "Перенести приём", "Перенести прийом"),
    "cancel": Text("Cancel the visit", "Отменить запись", "Скасувати запис"),
    "accept": Text("Take the place", "Согласиться", "Погодитися"),
    "decline": Text("Leave it to others", "Отказаться", "Відмовитися"),
}
"""What a link does."""

SECRET: Final = Text(
    "Each link works once. Do not pass this message on: whoever has a link can answer for you.",
    "Каждая ссылка действует один раз. Не пересылайте это сообщение: у кого есть ссылка, тот "
    "может ответить за вас.",
    "Кожне посилання діє один раз. Не пересилайте це повідомлення: хто має посилання, той може "
    "відповісти за вас.",
)
SIGN_IN: Final = Text("Your account: {link}", "Ваш кабинет: {link}", "Ваш кабінет: {link}")
