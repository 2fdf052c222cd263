"""https://hl7.org/fhir/R4/search.html#string"""

import pytest

from fhir_server.search.values import IndexValues
from tests.support.searching import matches, refusals, stored


def name(**parts: object) -> IndexValues:
    return stored("Patient", "name", "HumanName", parts)


@pytest.mark.parametrize(
    ("query", "given", "found"),
    [
        # "any patients with a name containing a given part with "eve" at the start"
        ("given=eve", "Eve", True),
        ("given=eve", "Evelyn", True),
        ("given=eve", "Severine", False),
        ("given=EVE", "Éve", True),
        ("given:contains=eve", "Severine", True),
        ("given:contains=EVÉ", "severine", True),
        ("given:exact=Eve", "Eve", True),
        ("given:exact=Eve", "eve", False),
        ("given:exact=Eve", "Evelyn", False),
        ("given:exact=Eve", "Éve", False),
        # One letter, composed or not: http://www.unicode.org/reports/tr15/
        ("given:exact=Zo\u00eb", "Zoe\u0308", True),
        ("given:exact=Zoe\u0308", "Zo\u00eb", True),
        ("given:exact=Zoe", "Zoe\u0308", False),
        ("given=артем", "Артём", True),
        ("given=АРТЁМ", "артем", True),
        ("given=ганна", "Ґанна", True),
        ("given=марьяна,мар'яна", "Мар’яна", True),
        ("given=a\\,b", "A,B c", True),
        ("given=a\\,b", "a", False),
        ("given=anna, eve", "Eve", True),
        # Text of the client is text, not a pattern.
        ("given=.*", "Eve", False),
        ("given:contains=.", "Eve", False),
        ("given=$ne", "Eve", False),
        ("given=^Eve", "Eve", False),
    ],
)
def test_a_string_is_compared_without_case_and_accents(
    query: str, given: str, *, found: bool
) -> None:
    assert matches("Patient", query, stored("Patient", "given", "string", given)) is found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("name=chalm", True),
        ("name=peter", True),
        ("name=james", True),
        ("name=mr", True),
        # Several words, each begins a part: "a server defined search that may match any of
        # the string fields in the HumanName".
        ("name=peter james", True),
        ("name=chalmers peter", True),
        ("name=CHALM  JAM", True),
        ("name=peter eve", False),
        ("name=peter eve,chalmers james", True),
        ("given=peter james", False),
        ("name=a b c d e f g h i", False),
        ("name:exact=Peter Chalmers", False),
        ("name:contains=peter chal", False),
        ("name=chalmers&name=jam", True),
        ("name=chalmers&name=eve", False),
        ("name=eve,chalmers", True),
        ("name:contains=alm", True),
        ("name:exact=Peter", True),
    ],
)
def test_a_name_is_found_by_each_part(query: str, *, found: bool) -> None:
    value = name(family="Chalmers", given=["Peter", "James"], prefix=["Mr"])
    assert matches("Patient", query, value) is found


@pytest.mark.parametrize(
    "query", ["given=%CC%81", "given:contains=%20", "given=a,%20", "name='", "name:contains='"]
)
def test_a_text_of_which_nothing_is_left_never_matches_all(query: str) -> None:
    assert refusals("Patient", query) == [("value", query.partition("=")[0])]


# "searching either "Carreno" or "Quinones" should match a family name of "Carreno Quinones""
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("name=carreno", True),
        ("name=Quiñones", True),
        ("name=carreno quinones", True),
        ("name=quinones, carreno", True),
        ("name=quinones ana", True),
        ("name=uinones", False),
        ("name=maria", False),
        ("name:exact=Quinones", False),
        ("name:exact=Carreno Quinones", True),
    ],
)
def test_a_family_name_is_found_by_each_of_its_parts(query: str, *, found: bool) -> None:
    value = name(family="Carreno Quinones", given=["Ana Maria"])
    assert matches("Patient", query, value) is found


@pytest.mark.parametrize("asked", ["нечуй", "левицький", "Нечуй-Левицький"])
def test_a_family_name_with_a_hyphen_has_parts_too(asked: str) -> None:
    value = stored("Patient", "family", "string", "Нечуй-Левицький")
    assert matches("Patient", f"family={asked}", value)
    assert not matches("Patient", f"family=x{asked}", value)


@pytest.mark.parametrize("asked", ["xx\\xx", "xx\\", "\\x"])
def test_an_escape_of_what_needs_none_is_illegal(asked: str) -> None:
    assert refusals("Patient", f"given={asked}") == [("value", "given")]


def test_a_backslash_is_written_twice() -> None:
    value = stored("Patient", "given", "string", "xx\\xx")
    assert matches("Patient", "given=xx\\\\xx", value)
    assert matches("Patient", "given:exact=xx\\\\xx", value)


# "every word": _text and _content
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("_text=pain", True),
        ("_text=Pain chest", True),
        ("_text=chest, pain", True),
        ("_text=chest foot", False),
        ("_text=foot,chest", True),
        ("_content=pain", False),
        ("_text=(bone OR chest) and pain", True),
        ("_text=(bone OR foot) and pain", False),
        ("_text=foot or pain", True),
        ("_text=foot and pain or chest", True),
        ("_text=pain not foot", True),
        ("_text=pain and not (chest or foot)", False),
        ("_text=((pain))", True),
    ],
)
def test_text_is_searched_by_its_words(query: str, *, found: bool) -> None:
    values = IndexValues(words=["_text|pain", "_text|chest"])
    assert matches("Condition", query, values) is found


def test_text_without_a_word_is_refused() -> None:
    assert refusals("Condition", "_text=...&_content=-") == [
        ("value", "_text"),
        ("value", "_content"),
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("(pain", "value"),
        ("pain)", "value"),
        ("or pain", "value"),
        ("pain or", "value"),
        ("pain and", "value"),
        ("not", "value"),
        ("not not", "value"),
        ("()", "value"),
        (" ".join(f"w{n}" for n in range(101)), "too-costly"),
    ],
)
def test_operators_stand_around_words(text: str, code: str) -> None:
    assert refusals("Condition", f"_text={text}") == [(code, "_text")]
