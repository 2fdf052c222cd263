"""Index values of `_text` and `_content`: the words of a resource.

`_text` knows the narrative; `_content` knows it too, and every other text a person reads:
strings, markdown and displays, no codes, identifiers and addresses of the web.

Of each, MOST_WORDS different words within the first MOST_CHARACTERS are kept: an index entry
each, on every write.

https://hl7.org/fhir/R4/search.html#content
"""

import re
from collections.abc import Iterator
from html import unescape
from itertools import islice
from typing import Final

from fhir_server.core.text import words
from fhir_server.core.types import JsonObject
from fhir_server.search import keys
from fhir_server.search.values import IndexValues
from fhir_server.spec.structures import TYPES

MOST_WORDS: Final = 500
MOST_CHARACTERS: Final = 65_536

_TEXT_KEY: Final = keys.word("_text", "")
_CONTENT_KEY: Final = keys.word("_content", "")
_TAG: Final = re.compile(r"<[^>]*>")
_TEXTS: Final = frozenset({"string", "markdown"})
#: Strings for machines, and what is found by parameters of its own.
_SILENT: Final = frozenset(
    {
        ("*", "id"),
        ("*", "unit"),
        ("*", "version"),
        ("Identifier", "value"),
        ("ContactPoint", "value"),
        ("Reference", "reference"),
    }
)
_SILENT_TYPES: Final = frozenset({"Meta", "Narrative"})
_RESOURCE: Final = "Resource"


def write_words(values: IndexValues, kind: str, resource: JsonObject) -> None:
    """Add the words of `resource`, a `kind`."""
    narrative = _narrative(resource)
    found: list[str] = []
    _collect(found, resource, _table(kind))
    content = dict.fromkeys(words(" ".join(found)[:MOST_CHARACTERS]))
    content.update(dict.fromkeys(narrative))
    values.words += [_TEXT_KEY + word for word in narrative[:MOST_WORDS]]
    values.words += [_CONTENT_KEY + word for word in islice(content, MOST_WORDS)]


def _narrative(resource: JsonObject) -> list[str]:
    div = resource.get("text", {}).get("div", "")
    text = unescape(_TAG.sub(" ", div[:MOST_CHARACTERS])) if div else ""
    return list(dict.fromkeys(words(text)))


class _Table(dict[str, "_Table | None"]):
    """JSON name -> where to go on, None to read its text; names not worth a look are absent."""


def _collect(found: list[str], node: JsonObject, table: _Table) -> None:
    for name, value in node.items():
        if name not in table:
            continue
        step = table[name]
        if step is None:
            found += [text for text in value if text] if type(value) is list else (value,)
        else:
            for each in value if type(value) is list else (value,):
                below = _table(each["resourceType"]) if step is _ANY_RESOURCE else step
                _collect(found, each, below)


_TABLES: Final[dict[str, _Table]] = {}
_ANY_RESOURCE: Final = _Table()


def _table(kind: str) -> _Table:
    """The table of `kind`, with the tables it leads to; made once."""
    found = _TABLES.get(kind)
    if found is None:
        # Given out when all of it is whole: threads may be at the first use of a type.
        making = dict(_TABLES)
        found = _made(kind, making)
        _TABLES.update(making)
    return found


def _made(kind: str, making: dict[str, _Table]) -> _Table:
    if kind not in making:
        # Known before it is filled: types lead to themselves (Questionnaire.item).
        making[kind] = _Table()
        making[kind].update(_steps(kind, making))
    return making[kind]


def _steps(kind: str, making: dict[str, _Table]) -> Iterator[tuple[str, _Table | None]]:
    for name, found in TYPES[kind].properties.items():
        code = found.type.code
        if ("*", name) in _SILENT or (kind, name) in _SILENT:
            continue
        if code in _TEXTS:
            yield name, None
        elif code in _SPEAKING:
            yield name, _ANY_RESOURCE if code == _RESOURCE else _made(code, making)


_NODES: Final = tuple(name for name, found in TYPES.items() if found.kind != "primitive")


def _speaking() -> frozenset[str]:
    """The types with a text in them, that of extensions on their own elements left out."""
    found = {"Extension", _RESOURCE}
    size = 0
    while size != len(found):
        size = len(found)
        found.update(name for name in _NODES if _speaks(name, found))
    return frozenset(found - _SILENT_TYPES)


def _speaks(kind: str, known: set[str]) -> bool:
    return any(
        found.type.code in _TEXTS or found.type.code in known
        for name, found in TYPES[kind].properties.items()
        if name != "extension" and ("*", name) not in _SILENT and (kind, name) not in _SILENT
    )


_SPEAKING: Final = _speaking()
