"""`_text` and `_content`: words, joined by `and`, `or`, `not` and parentheses.

    (bone OR liver) and metastases

Words beside one another are all wanted; `and` binds closer than `or`. A word alone that is
an operator's name is an operator; there is no way to search for it.

https://hl7.org/fhir/R4/search.html#text
"""

import re
from typing import Final

from fhir_server.core.errors import BadValue, TooCostly
from fhir_server.core.messages import Text
from fhir_server.core.text import words
from fhir_server.search import keys
from fhir_server.search.escapes import unescape
from fhir_server.search.nodes import intersection, union
from fhir_server.search.plan import Keys, Node, Not
from fhir_server.search.strings import NO_TEXT

BAD_TEXT: Final = Text(
    "`{value}` cannot be read as a search of words: parentheses and the operators and, or, "
    "not must stand around words.",
    "`{value}` не читается как поиск слов: скобки и операторы and, or, not должны стоять "
    "при словах.",
    "`{value}` не читається як пошук слів: дужки й оператори and, or, not мають стояти при "
    "словах.",
)
MANY_WORDS: Final = Text(
    "A search of words may have {limit} of them.",
    "В поиске слов может быть не больше слов: {limit}.",
    "У пошуку слів може бути не більше слів: {limit}.",
)

_OPERATORS: Final = frozenset({"and", "or", "not"})
_MARK: Final = re.compile(r"([()])")
_MOST: Final = 100  # words and marks; each word is an index lookup
_SHOWN: Final = 64  # characters of a refused value that its message repeats


def word_search(code: str, text: str) -> Node:
    """What `text` asks of the words under `code`.

    Raises:
        BadValue: there is no word in it, or an operator without its words.
        TooCostly: there are too many.
    """
    parts = [part for each in _MARK.split(unescape(text)) for part in _parts(each)]
    if all(part in _OPERATORS or part in ("(", ")") for part in parts):
        raise BadValue(NO_TEXT, value=text[:_SHOWN])
    if len(parts) > _MOST:
        raise TooCostly(MANY_WORDS, limit=_MOST)
    reader = _Reader(code, parts)
    found = reader.any_of()
    if found is None or reader.parts:
        raise BadValue(BAD_TEXT, value=text[:_SHOWN])
    return found


def _parts(text: str) -> list[str]:
    return [text] if text in ("(", ")") else words(text)


class _Reader:
    """Takes `parts` from the front; None stands for what cannot be read."""

    def __init__(self, code: str, parts: list[str]) -> None:
        self._code = code
        self.parts = parts

    def any_of(self) -> Node | None:
        found = [self._all_of()]
        while self._take("or"):
            found.append(self._all_of())
        nodes = [node for node in found if node is not None]
        return union(nodes) if len(nodes) == len(found) else None

    def _all_of(self) -> Node | None:
        found = [self._one()]
        while self.parts and self.parts[0] not in ("or", ")"):
            self._take("and")
            found.append(self._one())
        nodes = [node for node in found if node is not None]
        return intersection(nodes) if len(nodes) == len(found) else None

    def _one(self) -> Node | None:
        if self._take("not"):
            inner = self._one()
            return None if inner is None else Not(inner)
        if self._take("("):
            inner = self.any_of()
            return inner if self._take(")") else None
        if not self.parts or self.parts[0] in ("and", "or", ")"):
            return None
        return Keys("words", (keys.word(self._code, self.parts.pop(0)),))

    def _take(self, part: str) -> bool:
        if self.parts[:1] != [part]:
            return False
        self.parts.pop(0)
        return True
