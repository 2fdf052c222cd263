"""What a password must be: a table of rules that the operator sets.

https://pages.nist.gov/800-63-4/sp800-63b.html#passwordver
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from fhir_server.core.messages import Text

LONGEST: Final = 256
"""Characters; longer ones are refused, never cut."""

TOO_SHORT: Final = Text(
    "The password needs at least {least} characters.",
    "В пароле должно быть не меньше {least} символов.",
    "У паролі має бути щонайменше {least} символів.",
)
TOO_LONG: Final = Text(
    "The password may have {most} characters at most.",
    "В пароле может быть не больше {most} символов.",
    "У паролі може бути не більше {most} символів.",
)
NO_UPPER: Final = Text(
    "The password needs a capital letter.",
    "В пароле нужна заглавная буква.",
    "У паролі потрібна велика літера.",
)
NO_LOWER: Final = Text(
    "The password needs a small letter.",
    "В пароле нужна строчная буква.",
    "У паролі потрібна мала літера.",
)
NO_DIGIT: Final = Text(
    "The password needs a digit.", "В пароле нужна цифра.", "У паролі потрібна цифра."
)
NO_SIGN: Final = Text(
    "The password needs a character that is neither letter nor digit.",
    "В пароле нужен знак, который не буква и не цифра.",
    "У паролі потрібен знак, який не є літерою чи цифрою.",
)
GUESSABLE: Final = Text(
    "This password is easy to guess: it is common, or made of your name or address.",
    "Этот пароль легко угадать: он распространён или составлен из имени или адреса.",
    "Цей пароль легко вгадати: він поширений або складений з імені чи адреси.",
)
DIFFERENT: Final = Text(
    "The two passwords are not the same.",
    "Пароли не совпадают.",
    "Паролі не збігаються.",
)

_COMMON: Final = frozenset({
    "password", "password1", "password123", "passw0rd", "qwerty123", "qwertyuiop", "1q2w3e4r",
    "1q2w3e4r5t", "iloveyou", "letmein123", "welcome1", "admin123", "administrator", "football",
    "baseball", "sunshine", "princess", "dragon123", "monkey123", "superman", "trustno1",
    "zaq12wsx", "qazwsxedc", "asdfghjkl", "zxcvbnm123", "abcdefgh", "abcd1234", "changeme",
    "йцукен123", "йцукенгш", "пароль123", "пароль12", "паролька", "привет123", "любовь123",
    "россия123", "україна1", "наташа123", "марина123", "здоровье", "поликлиника",
})  # fmt: skip
"""Of eight characters and more: shorter ones fall to the first rule by themselves."""
_NAME: Final = 4  # characters of a name that make a password guessable


@dataclass(frozen=True, slots=True)
class PasswordRules:
    """What the operator asks for."""

    least: int = 8
    upper: bool = False
    lower: bool = False
    digit: bool = False
    sign: bool = False
    advised_days: int = 0
    """After so many days pages advise a change; 0: never."""


def normal(password: str) -> str:
    """The form that is hashed: the same characters however a keyboard made them."""
    return unicodedata.normalize("NFKC", password)


def problems(password: str, rules: PasswordRules, about: Iterable[str] = ()) -> list[Text]:
    """Each rule that a password breaks; `about` are the person's names and address. The texts
    have places for `least` and `most`."""
    found = [text for broken, text in _length(password, rules) if broken]
    found += [text for has, text in _classes(rules) if not any(map(has, password))]
    if _is_guessable(normal(password).casefold(), about):
        found.append(GUESSABLE)
    return found


def _length(password: str, rules: PasswordRules) -> Iterable[tuple[bool, Text]]:
    yield len(password) < rules.least, TOO_SHORT
    yield len(password) > LONGEST, TOO_LONG


def _classes(rules: PasswordRules) -> Iterable[tuple[Callable[[str], bool], Text]]:
    rows = (
        (rules.upper, str.isupper, NO_UPPER),
        (rules.lower, str.islower, NO_LOWER),
        (rules.digit, str.isdigit, NO_DIGIT),
        (rules.sign, _is_sign, NO_SIGN),
    )
    return ((has, text) for asked, has, text in rows if asked)


def _is_sign(character: str) -> bool:
    return not character.isalnum()


def _is_guessable(password: str, about: Iterable[str]) -> bool:
    if password in _COMMON or len(set(password)) <= 2:  # noqa: PLR2004  # "aaaaaaaa", "abababab"
        return True
    if password.isdigit() and password in "01234567890123456789" + "98765432109876543210":
        return True
    words = {each for text in about for each in re.split(r"[\W_]+", text.casefold())}
    rest = password
    for each in sorted(words, key=len, reverse=True):
        if len(each) >= _NAME:
            rest = rest.replace(each, "")
    return rest != password and sum(map(str.isalnum, rest)) < _NAME
