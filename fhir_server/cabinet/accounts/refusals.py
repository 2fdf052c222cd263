"""What an account flow refuses; each says what the person reads, and no more than that."""

from collections.abc import Sequence
from typing import Final

from fhir_server.core.messages import Text

WRONG: Final = Text(
    "The e-mail address or the password is wrong.",
    "Адрес электронной почты или пароль указан неверно.",
    "Адресу електронної пошти або пароль вказано неправильно.",
)
WRONG_CODE: Final = Text(
    "The code is wrong, was used already, or is no longer valid.",
    "Код неверен, уже использован или больше не действует.",
    "Код неправильний, уже використаний або більше не діє.",
)
TOO_MANY: Final = Text(
    "Too many attempts. Try again in {minutes} min.",
    "Слишком много попыток. Попробуйте снова через {minutes} мин.",
    "Забагато спроб. Спробуйте знову за {minutes} хв.",
)


class RefusedError(Exception):
    """Base: `texts` are for the person, `args` fill their places."""

    def __init__(self, texts: Sequence[Text], **args: object) -> None:
        self.texts = tuple(texts)
        self.places = args
        super().__init__(texts[0].en)


class WrongError(RefusedError):
    """Whoever it was has not proved who they are."""

    def __init__(self, text: Text = WRONG) -> None:
        super().__init__((text,))


class WeakError(RefusedError):
    """The new password breaks a rule."""


class TooManyError(RefusedError):
    """It was tried too often; `seconds` until it may be tried again, and whether this is the
    first time in this window that it was said."""

    def __init__(self, seconds: int, *, first: bool = False) -> None:
        self.seconds = max(1, seconds)
        self.first = first
        super().__init__((TOO_MANY,), minutes=-(-self.seconds // 60))
