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
5. other punctuation is white space (`Anne-Marie`, `St. Paul`), unless there is nothing else;
6. a run of white space is one space, none at the ends.

https://hl7.org/fhir/R4/search.html#string
"""

from functools import lru_cache
from typing import Final
from unicodedata import category, normalize

from typing_extensions import override

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
        found = self._replacement(chr(point))
        if len(self) < _FOLDING_SIZE:
            self[point] = found
        return found

    def _replacement(self, letter: str) -> str | None:
        if letter in _SPACES:
            return " "
        if letter in _APOSTROPHES or category(letter) in _DROPPED_CATEGORIES:
            return None
        return _PLAIN.get(letter, letter)


class _Spacing(_Folding):
    """The same without punctuation, which "should also be ignored"."""

    @override
    def _replacement(self, letter: str) -> str | None:
        found = super()._replacement(letter)
        return " " if found is not None and category(letter)[0] == "P" else found


class _Splitting(_Folding):
    """The same, with a space for whatever stands between words."""

    @override
    def _replacement(self, letter: str) -> str | None:
        found = super()._replacement(letter)
        return found if found is None or found.isalnum() else " "


_FOLDING_SIZE: Final = 4096  # more than the letters of any clinic's languages
_FOLDING: Final = _Folding()
_SPACING: Final = _Spacing()
_SPLITTING: Final = _Splitting()
_LONGEST_WORD: Final = 64


def _lower(text: str) -> str:
    if not text.isascii():
        # Case folding may compose what decomposes again (`ΐ`), hence the second time.
        text = normalize("NFKD", normalize("NFKD", text).casefold())
    return text.lower()


MAX_TEXT: Final = 1024
"""Only so many characters of a text are compared by default and `:contains` search."""


@lru_cache(maxsize=8192)  # names, cities and displays repeat
def _fold(text: str) -> str:
    lower = _lower(text)
    found = lower.translate(_SPACING).split() or lower.translate(_FOLDING).split()
    return " ".join(found)[:MAX_TEXT].rstrip()


def fold(text: str) -> str:
    """`text` as the default string search compares it; folding twice changes nothing."""
    return _fold(text[:MAX_TEXT])


def words(text: str) -> list[str]:
    """The folded words of a text of any length, in order, repeats kept.

    A word is a run of letters and digits, one letter alone is none; it is cut after 64
    characters.
    """
    found = _lower(text).translate(_SPLITTING).split()
    return [word[:_LONGEST_WORD] for word in found if len(word) > 1 or word.isdigit()]
