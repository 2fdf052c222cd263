r"""Separators of search values and their escapes `\,` `\|` `\$` `\\`.

https://hl7.org/fhir/R4/search.html#escaping
"""

import re
from typing import Final

from fhir_server.core.errors import BadValue
from fhir_server.core.messages import Text

BAD_ESCAPE: Final = Text(
    "In `{value}` a backslash stands before a character that needs none; write `\\\\` for "
    "the backslash itself.",
    "В `{value}` обратная черта стоит перед знаком, которому она не нужна; саму черту "
    "пишите как `\\\\`.",
    "У `{value}` зворотна риска стоїть перед знаком, якому вона не потрібна; саму риску "
    "пишіть як `\\\\`.",
)

_ESCAPED: Final = re.compile(r"\\(.?)", re.DOTALL)
_SPECIAL: Final = re.compile(r"[\\,$|]")
_SHOWN: Final = 64  # characters of a refused value that its message repeats


def split(text: str, separator: str) -> list[str]:
    """The parts of `text` between unescaped separators, each still escaped."""
    if "\\" not in text:
        return text.split(separator)
    parts, start, place = [], 0, 0
    while place < len(text):
        if text[place] == "\\":
            place += 2
            continue
        if text[place] == separator:
            parts.append(text[start:place])
            start = place + 1
        place += 1
    return [*parts, text[start:]]


def unescape(text: str) -> str:
    """The value that `text` writes.

    Raises:
        BadValue: `text` escapes what needs no escape; such a value "is illegal".
    """
    if "\\" not in text:
        return text
    return _ESCAPED.sub(lambda found: _plain(found[1], text), text)


def _plain(character: str, text: str) -> str:
    if character not in ("\\", ",", "$", "|"):
        raise BadValue(BAD_ESCAPE, value=text[:_SHOWN])
    return character


def escape(text: str) -> str:
    """What writes `text` as one value: https://hl7.org/fhir/R4/search.html#escaping."""
    return _SPECIAL.sub(r"\\\g<0>", text)
