"""Index values of token parameters.

A value stands under its system (no system: the empty one) and under any system. Codes and
identifiers are compared to the character: a conditional update that overlooks the case of an
identifier would write into another patient's record. Contacts are not (`contact_forms`). What
`:text` searches goes to the strings, what `:of-type` searches to the tokens under
`identifier:of-type`. A national number stands under its scheme's own system and spelling too
(`core.national_ids`), by which any alias and any spelling finds it.

https://hl7.org/fhir/R4/search.html#token
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from fhir_server.core.national_ids import normal, scheme_of
from fhir_server.core.text import fold
from fhir_server.core.types import JsonObject
from fhir_server.search.index.rows import Row, Writer, by_type
from fhir_server.search.values import IndexValues

#: "true" and "false" have this system, which clients rarely write.
#: https://hl7.org/fhir/R4/codesystem-special-values.html
SPECIAL_VALUES: Final = "http://terminology.hl7.org/CodeSystem/special-values"

_MOST_STARTS: Final = 8
_SHORTEST_WORD: Final = 3


@lru_cache(maxsize=4096)  # the displays of a clinic's codes
def _starts(text: str) -> tuple[str, ...]:
    """`text`, folded, and what is left of it from each of its next words on."""
    folded = fold(text)
    if not folded:
        return ()
    found, place = [folded], folded.find(" ")
    while place >= 0 and len(found) < _MOST_STARTS:
        following = folded.find(" ", place + 1)
        if (len(folded) if following < 0 else following) - place > _SHORTEST_WORD:
            found.append(folded[place + 1 :])
        place = following
    return tuple(found)


def write_text(values: IndexValues, row: Row, text: str) -> None:
    """`:text` finds a text from the beginning of any of its first words on.

    Each start costs an index key, so only the first eight, and no `of` and `in`.
    """
    values.strings += [row.text + start for start in _starts(text)]


def _plain(values: IndexValues, row: Row, value: str) -> None:
    values.tokens += (f"{row.lead}|{value}", row.any_system + value)


def _string(values: IndexValues, row: Row, value: str) -> None:
    """Also in lower case: "if the underlying data type is string then the search is not
    case sensitive"."""
    for form in dict.fromkeys((value, value.lower())):
        _plain(values, row, form)


def _code(values: IndexValues, row: Row, value: str) -> None:
    """The system of a `code` is implicit; `|male` and the system in full both find it."""
    _plain(values, row, value)
    if row.system is not None:
        values.tokens.append(f"{row.lead}{row.system}|{value}")


def _boolean(values: IndexValues, row: Row, value: bool) -> None:
    text = "true" if value else "false"
    _plain(values, row, text)
    values.tokens.append(f"{row.lead}{SPECIAL_VALUES}|{text}")


def _coding(values: IndexValues, row: Row, value: JsonObject) -> None:
    code = value.get("code")
    if code is not None:
        values.tokens += (f"{row.lead}{value.get('system', '')}|{code}", row.any_system + code)
    elif "system" in value:
        values.tokens.append(f"{row.lead}{value['system']}|")
    if "display" in value and row.has_text:
        write_text(values, row, value["display"])


def _concept(values: IndexValues, row: Row, value: JsonObject) -> None:
    for coding in value.get("coding", ()):
        _coding(values, row, coding)
    if "text" in value and row.has_text:
        write_text(values, row, value["text"])


def _identifier(values: IndexValues, row: Row, value: JsonObject) -> None:
    number, system = value.get("value"), value.get("system", "")
    if number is not None:
        values.tokens += (f"{row.lead}{system}|{number}", row.any_system + number)
    elif system:
        values.tokens.append(f"{row.lead}{system}|")
    scheme = scheme_of(system)
    plain = None if scheme is None or number is None else normal(number)
    if scheme is not None:
        values.tokens.append(f"{row.lead}{scheme.system}|{plain or ''}")
    if plain is not None:
        values.tokens.append(row.any_system + plain)
    kind = value.get("type")
    if kind is None:
        return
    if "text" in kind and row.has_text:
        write_text(values, row, kind["text"])
    spelled = [each for each in dict.fromkeys((number, plain)) if each is not None]
    for coding in kind.get("coding", ()) if spelled else ():
        of_type = f"{coding.get('system', '')}|{coding.get('code', '')}"
        values.tokens += [f"{row.code}:of-type|{of_type}|{each}" for each in spelled]


#: What people group the digits of a telephone number by; a `+` is lost in many a URL.
_GROUPING: Final = {ord(each): None for each in " \t()-–./+\u00a0"}


def contact_forms(text: str) -> Iterable[str]:
    """A contact as it is written, and as it is compared: a telephone number by its digits,
    anything else in lower case."""
    digits = text.translate(_GROUPING)
    return dict.fromkeys((text, digits if digits.isdigit() else text.lower()))


def _contact(values: IndexValues, row: Row, value: JsonObject) -> None:
    """A contact's `system` and `use` are no code systems, so its value has none."""
    for form in contact_forms(value["value"]) if "value" in value else ():
        _plain(values, row, form)


write_tokens: Final[Writer] = by_type(
    {
        "code": _code,
        "string": _string,
        "uri": _plain,
        "boolean": _boolean,
        "Coding": _coding,
        "CodeableConcept": _concept,
        "Identifier": _identifier,
        "ContactPoint": _contact,
    }
)
