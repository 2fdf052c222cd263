"""Text as search compares it: folded strings and words.

"The matching is insensitive to case, accents and other diacritical marks." The folded form of
a text is found so, on the index side and the query side alike:

1. compatibility decomposition (NFKD); the marks that come off are dropped, so that `é` is
   `e`, `ё` is `е`, `й` is `и`, `ї` is `і`;
2. case folding;
3. letters that do not decompose get the plain letter people write for them (`_PLAIN`):
   Ukrainian `і`, `є`, `ґ` become the Russian `и`, `е`, `г`, so that both spellings of a name
   meet; Polish `ł` becomes `l`; and so on;
4. apostrophes and invisible characters fall away: `Мар'яна`, `Мар’яна` and `Марʼяна` are one;
5. a run of white space is one space, none at the ends.

https://hl7.org/fhir/R4/search.html#string
"""

import re
from functools import lru_cache
from typing import Final
from unicodedata import category, normalize

#: Letters without a decomposition, after case folding.
_PLAIN: Final = {
    "і": "и", "є": "е", "ґ": "г", "ў": "у", "ә": "а", "қ": "к", "ң": "н", "ө": "о",
    "ұ": "у", "ү": "у", "һ": "х", "ғ": "г",
    "ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i",
    "ħ": "h", "ŧ": "t",
}  # fmt: skip
_APOSTROPHES: Final = "'`´ʹʼʻʽˈ‘’‛′＇"
_DROPPED_CATEGORIES: Final = frozenset({"Mn", "Me", "Cf", "Cc", "Cs"})
_SPACES: Final = frozenset("\t\n\r\v\f\x85")


class _Folding(dict[int, str | None]):
    """`str.translate` table that fills itself: what each code point is replaced by."""

    def __missing__(self, point: int) -> str | None:
        letter = chr(point)
        if letter in _SPACES:
            found: str | None = " "
        elif letter in _APOSTROPHES or category(letter) in _DROPPED_CATEGORIES:
            found = None
        else:
            found = _PLAIN.get(letter, letter)
        if len(self) < _FOLDING_SIZE:
            self[point] = found
        return found


_FOLDING_SIZE: Final = 4096  # more than the letters of any clinic's languages
_FOLDING: Final = _Folding()
_WORD: Final = re.compile(r"\w{2,64}|\d")


def _plain(text: str) -> str:
    if not text.isascii():
        # Case folding may compose what decomposes again (`ΐ`), hence the second time.
        text = normalize("NFKD", normalize("NFKD", text).casefold())
    return text.lower().translate(_FOLDING)


MAX_TEXT: Final = 1024
"""Only so many characters of a text are compared by default and `:contains` search."""


@lru_cache(maxsize=8192)  # names, cities and displays repeat
def _fold(text: str) -> str:
    return " ".join(_plain(text).split())[:MAX_TEXT].rstrip()


def fold(text: str) -> str:
    """`text` as the default string search compares it; folding twice changes nothing."""
    return _fold(text[:MAX_TEXT])


def words(text: str) -> list[str]:
    """The folded words of a text of any length, in order, repeats kept.

    A word is a run of letters and digits, one letter alone is none; after 64 characters
    another word begins.
    """
    return _WORD.findall(_plain(text))
