"""Messages about accounts, in the person's language: what they say and how they leave.

A message carries a code or a link, never a word about health.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from fhir_server.core.messages import Language, Text

_LAST: Final = (("days", 86_400), ("hours", 3600), ("minutes", 60))
_THREE_DAYS: Final = 3 * 86_400


@dataclass(frozen=True, slots=True)
class Mail:
    """A message of plain text."""

    to: str
    subject: str
    text: str
    seconds: int = _THREE_DAYS
    """How long there is a point in sending it."""


class Outbox(Protocol):
    """Where messages go."""

    async def send(self, mail: Mail) -> None:
        """Hand it on; what becomes of it then is the outbox's to log and to repeat."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A kind of message."""

    subject: Text
    text: Text

    def to(self, email: str, language: Language, **places: object) -> Mail:
        """The message, filled. It is worth sending as long as the time that it names (`days`,
        `hours` or `minutes`), or three days."""
        subject, text = (
            each.in_language(language, places) for each in (self.subject, self.text)
        )
        named = (int(str(places[name])) * seconds for name, seconds in _LAST if name in places)
        return Mail(email, subject, text, next(named, _THREE_DAYS))


INVITED: Final = Letter(
    Text(
        "Your patient account",
        "Ваш кабинет пациента",
        "Ваш кабінет пацієнта",
    ),
    Text(
        "You can now register your patient account:\n\n{link}\n\nThe link is for you alone and "
        "works for {days} days. If you did not ask for this, ignore this message.\n",
        "Вы можете зарегистрировать кабинет пациента:\n\n{link}\n\nСсылка предназначена только "
        "вам и действует {days} дн. Если вы этого не просили, не отвечайте на письмо.\n",
        "Ви можете зареєструвати кабінет пацієнта:\n\n{link}\n\nПосилання лише для вас і діє "
        "{days} дн. Якщо ви цього не просили, не відповідайте на лист.\n",
    ),
)
REGISTER: Final = Letter(
    Text("Code for your registration", "Код для регистрации", "Код для реєстрації"),
    Text(
        "Your code: {code}\n\nEnter it here together with a new password:\n{link}\n\nIt works "
        "once and for {hours} hours. If you did not ask for it, ignore this message.\n",
        "Ваш код: {code}\n\nВведите его здесь вместе с новым паролем:\n{link}\n\nКод действует "
        "один раз, {hours} ч. Если вы его не запрашивали, не отвечайте на письмо.\n",
        "Ваш код: {code}\n\nВведіть його тут разом із новим паролем:\n{link}\n\nКод діє один "
        "раз, {hours} год. Якщо ви його не запитували, не відповідайте на лист.\n",
    ),
)
RESET: Final = Letter(
    Text("Code for a new password", "Код для смены пароля", "Код для зміни пароля"),
    REGISTER.text,
)
REGISTERED_ALREADY: Final = Letter(
    Text("You have an account", "У вас уже есть кабинет", "У вас уже є кабінет"),
    Text(
        "Somebody, perhaps you, tried to register with this address. You have an account "
        "already. If you forgot the password, get a new one here:\n{link}\n",
        "Кто-то, возможно вы, пытался зарегистрироваться с этим адресом. У вас уже есть "
        "кабинет. Если вы забыли пароль, получите новый здесь:\n{link}\n",
        "Хтось, можливо ви, намагався зареєструватися з цією адресою. У вас уже є кабінет. "
        "Якщо ви забули пароль, отримайте новий тут:\n{link}\n",
    ),
)
SECOND_STEP: Final = Letter(
    Text("Code for signing in", "Код для входа", "Код для входу"),
    Text(
        "Your code: {code}\n\nIt works once and for {minutes} minutes. Tell it nobody. If you "
        "are not signing in now, somebody knows your password: change it.\n",
        "Ваш код: {code}\n\nКод действует один раз, {minutes} мин. Никому его не сообщайте. "
        "Если вы сейчас не входите, кто-то знает ваш пароль: смените его.\n",
        "Ваш код: {code}\n\nКод діє один раз, {minutes} хв. Нікому його не повідомляйте. Якщо "
        "ви зараз не входите, хтось знає ваш пароль: змініть його.\n",
    ),
)
BROKEN_GLASS: Final = Letter(
    Text(
        "Your record was opened as an emergency",
        "Экстренный доступ к вашей карте",
        "Екстрений доступ до вашої картки",
    ),
    Text(
        "Somebody who works at the clinic has opened your record as an emergency. Who, when "
        "and why is written in your record, under messages. Sign in here:\n{link}\n",
        "Сотрудник клиники получил экстренный доступ к вашей карте. Кто, когда и почему, "
        "написано в сообщениях вашей карты. Войти можно здесь:\n{link}\n",
        "Працівник клініки отримав екстрений доступ до вашої картки. Хто, коли й чому, "
        "написано в повідомленнях вашої картки. Увійти можна тут:\n{link}\n",
    ),
)
PASSWORD_CHANGED: Final = Letter(
    Text("Your password was changed", "Ваш пароль изменён", "Ваш пароль змінено"),
    Text(
        "The password of your patient account was changed, and every device and app was signed "
        "out. If that was not you, get a new password here:\n{link}\n",
        "Пароль вашего кабинета изменён, все устройства и приложения отключены. Если это были "
        "не вы, получите новый пароль здесь:\n{link}\n",
        "Пароль вашого кабінету змінено, усі пристрої та застосунки від'єднано. Якщо це були "
        "не ви, отримайте новий пароль тут:\n{link}\n",
    ),
)
