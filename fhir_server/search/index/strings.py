"""Index values of string parameters: folded for the default search, as written for `:exact`.

"A server SHOULD search any of the string fields" of a HumanName and of an Address: each part
is a value of its own, so that a search finds a resource from the beginning of any part.

https://hl7.org/fhir/R4/search.html#string
"""

from collections.abc import Sequence
from typing import Final

from fhir_server.core.text import fold
from fhir_server.core.types import JsonObject
from fhir_server.search import keys
from fhir_server.search.index.rows import Row, ValueWriter, Writer, by_type
from fhir_server.search.values import IndexValues

_FAMILY: Final = "family"
"""Of a HumanName, and the parameter that searches it."""
_MOST_PARTS: Final = 8  # of a family name that are found by themselves


def _string(values: IndexValues, row: Row, value: str) -> None:
    folded = fold(value)
    if folded:
        values.strings += (row.lead + folded, row.exact + keys.composed(value))


def _family(values: IndexValues, row: Row, value: str) -> None:
    """Found by each part: "servers should search the parts of a family name independently"."""
    _string(values, row, value)
    folded = fold(value)
    words = folded.split(" ")
    later = range(1, min(len(words), _MOST_PARTS))
    values.strings += [row.lead + " ".join(words[start:]) for start in later]


def _plain(values: IndexValues, row: Row, value: str) -> None:
    (_family if row.code == _FAMILY else _string)(values, row, value)


def _parts(names: Sequence[str]) -> ValueWriter:
    def write(values: IndexValues, row: Row, value: JsonObject) -> None:
        for name in names:
            put = _family if name == _FAMILY else _string
            part = value.get(name)
            if part is None:
                continue
            for each in part if isinstance(part, list) else (part,):
                if each is not None:
                    put(values, row, each)

    return write


write_strings: Final[Writer] = by_type(
    {
        "string": _plain,
        "HumanName": _parts(("text", "family", "given", "prefix", "suffix")),
        "Address": _parts(
            ("text", "line", "city", "district", "state", "postalCode", "country")
        ),
        "CodeableConcept": _parts(("text",)),
        "Coding": _parts(("display",)),
        "Annotation": _parts(("text",)),
        "uri": _string,
    }
)
