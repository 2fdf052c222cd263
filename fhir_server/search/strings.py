"""String values: folded prefix by default, `:exact`, `:contains`, and `:text` of tokens.

https://hl7.org/fhir/R4/search.html#string
"""

from typing import Final

from fhir_server.core.errors import BadValue
from fhir_server.core.messages import Text
from fhir_server.core.text import fold
from fhir_server.search import keys
from fhir_server.search.escapes import unescape
from fhir_server.search.nodes import intersection, union
from fhir_server.search.plan import Containing, Keys, Node, Prefix

NO_TEXT: Final = Text(
    "`{value}` has no letter or digit to search for.",
    "В `{value}` нет ни буквы, ни цифры для поиска.",
    "У `{value}` немає ні літери, ні цифри для пошуку.",
)

_MOST_WORDS: Final = 8  # each is a condition of its own; a name or address line has fewer
_SHOWN: Final = 64  # characters of a refused value that its message repeats


def string(code: str, text: str) -> Node:
    """A value that begins with `text`, whatever its case and accents.

    Raises:
        BadValue: nothing is left to compare.
    """
    return Prefix("strings", keys.folded(code, _folded(text)))


def of_parts(code: str, text: str) -> Node:
    """A name or address that begins with `text`, or of which each word begins a part:
    the parts are values of their own.

    Raises:
        BadValue: nothing is left to compare.
    """
    whole = _folded(text)
    found = Prefix("strings", keys.folded(code, whole))
    words = whole.split(" ")
    if not 1 < len(words) <= _MOST_WORDS:
        return found
    each = (Prefix("strings", keys.folded(code, word)) for word in words)
    return union((found, intersection(each)))


def exact(code: str, text: str) -> Node:
    """A value that is `text`, case and accents included."""
    return Keys("strings", (keys.exact(code, unescape(text)),))


def contains(code: str, text: str) -> Node:
    """A value with `text` anywhere in it.

    Raises:
        BadValue: nothing is left to compare.
    """
    return Containing("strings", keys.folded(code, ""), _folded(text))


def ending(code: str, text: str) -> Node:
    """A value that ends with `text`.

    Raises:
        BadValue: nothing is left to compare.
    """
    return Containing("strings", keys.folded(code, ""), _folded(text), at_end=True)


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
