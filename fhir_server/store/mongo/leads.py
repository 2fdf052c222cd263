"""Which keys an index holds, and under which of them a query finds the others.

An index entry is 2 to 5 µs of every write, and most values stand under several keys. Of
these one is indexed, the lead; the others lie in a field without an index beside it. A query
for one of the others asks the index for its lead and the document for the key itself.

    tokens      `code|http://loinc.org|1`   lead `code|~|1`: in any system
    strings     `family=|Смирнов`           lead `family|смирнов`: folded
                `code:text|body height`     lead `:text|body`, among the words
    quantities  `value|http://u|mg`         lead `value|`: in any unit

docs/decisions/0002-fixed-index-set.md
"""

from functools import lru_cache
from typing import Final

from fhir_server.core.text import fold
from fhir_server.search import keys

TEXT: Final = ":text|"
"""Leads the first word of a text that `:text` searches; no parameter has an empty name."""
_CONTENT: Final = "_content|"
_TEXT_MODIFIER: Final = ":text"
_CANONICAL: Final = "=|"
_CODING: Final = 3  # parts of a key: parameter, system, code


# The same few thousand codes, texts and units come again and again.
@lru_cache(maxsize=16_384)
def token_lead(key: str) -> str:
    """The key without its system ("A coding is indexed twice", `keys.token`).

    One that is no coding, or shortened so that its parts cannot be told, is its own lead.
    """
    parts = key.split("|")
    if len(parts) != _CODING or not parts[2] or len(key) >= keys.MAX_KEY:
        return key
    return f"{parts[0]}|{keys.ANY_SYSTEM}|{parts[2]}"


def exact_lead(key: str) -> str:
    """The folded form of an exact key; a folded key is its own."""
    param, _, text = key.partition("|")
    if not param.endswith("="):
        return key
    return keys.folded(param[:-1], fold(text))


def is_text(key: str) -> bool:
    """Whether the key, or prefix, is one that `:text` searches."""
    return key.partition("|")[0].endswith(_TEXT_MODIFIER)


def text_word(key: str) -> str:
    """The first word of what `:text` searches, or its beginning."""
    return key.partition("|")[2].partition(" ")[0]


@lru_cache(maxsize=16_384)
def string_lead(key: str) -> tuple[bool, str]:
    """Whether the key is one that `:text` searches; its first word then, else its lead."""
    return (True, text_word(key)) if is_text(key) else (False, exact_lead(key))


def word_leads(word: str) -> tuple[str, str]:
    """The two keys among the words that `word` of a text may have: `_content` has most."""
    return TEXT + word, _CONTENT + word


@lru_cache(maxsize=4_096)
def quantity_lead(key: str) -> str:
    """The same numbers in any unit; converted to base units they are others, their own."""
    param, _, unit = key.partition("|")
    return key if unit.startswith(_CANONICAL) else keys.any_quantity(param)
