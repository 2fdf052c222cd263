"""String values: folded prefix by default, `:exact`, `:contains`, and text searches.

https://hl7.org/fhir/R4/search.html#string
"""

from typing import Final

from fhir_server.core.errors import BadValue
from fhir_server.core.messages import Text
from fhir_server.core.text import fold, words
from fhir_server.search import keys
from fhir_server.search.escapes import unescape
from fhir_server.search.plan import And, Containing, Keys, Node, Prefix

NO_TEXT: Final = Text(
    "`{value}` has no letter or digit to search for.",
    "В `{value}` нет ни буквы, ни цифры для поиска.",
    "У `{value}` немає ні літери, ні цифри для пошуку.",
)

_SHOWN: Final = 64  # characters of a refused value that its message repeats


def string(code: str, text: str) -> Node:
    """A value that begins with `text`, whatever its case and accents.

    Raises:
        BadValue: nothing is left to compare.
    """
    return Prefix("strings", keys.folded(code, _folded(text)))


def exact(code: str, text: str) -> Node:
    """A value that is `text`, case and accents included."""
    return Keys("strings", (keys.exact(code, unescape(text)),))


def contains(code: str, text: str) -> Node:
    """A value with `text` anywhere in it.

    Raises:
        BadValue: nothing is left to compare.
    """
    return Containing("strings", keys.folded(code, ""), _folded(text))


def display(code: str, text: str) -> Node:
    """`:text` of a token: "a normal string search" on displays and texts.

    Raises:
        BadValue: nothing is left to compare.
    """
    return string(f"{code}:text", text)


def _folded(text: str) -> str:
    # An empty prefix would be every value there is.
    folded = fold(unescape(text))
    if not folded:
        raise BadValue(NO_TEXT, value=text[:_SHOWN])
    return folded


def all_words(code: str, text: str) -> Node:
    """`_text` and `_content`: every word of `text` occurs, in any order.

    Raises:
        BadValue: there is no word in it.
    """
    found = tuple(dict.fromkeys(words(unescape(text))))
    if not found:
        raise BadValue(NO_TEXT, value=text[:_SHOWN])
    each = tuple(Keys("words", (keys.word(code, word),)) for word in found)
    return each[0] if len(each) == 1 else And(each)
