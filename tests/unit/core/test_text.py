"""Folding: https://hl7.org/fhir/R4/search.html#string."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.core.text import MAX_TEXT, fold, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # "insensitive to casing and included combining characters, like accents"
        ("Eve", "EVE"),
        ("José", "jose"),
        ("Jose\u0301", "José"),
        ("Straße", "STRASSE"),
        ("Łódź", "lodz"),
        ("Æsop", "aesop"),
        ("İstanbul", "istanbul"),
        ("ﬁsh", "fish"),
        # Cyrillic: case, ё and й
        ("Семён", "СЕМЕН"),
        ("Фёдор", "Федор"),
        ("Андрей", "Андреи"),
        # Ukrainian letters meet the Russian spelling
        ("Марія", "Мария"),
        ("Їжакевич", "Ижакевич"),
        ("Євген", "Евген"),
        ("Ґалаґан", "Галаган"),
        ("Київ", "киив"),
        # apostrophes of every kind, and none
        ("Мар'яна", "Мар’яна"),
        ("Марʼяна", "Маряна"),
        ("O`Connor", "OConnor"),
        # "Punctuation … should also be ignored": it parts words, as white space does
        ("Anne-Marie", "Anne Marie"),
        ("12 Main St., apt. 5", "12 main st apt 5"),
        ("Нечуй–Левицький", "Нечуй Левицький"),
        ("...", "..."),
        # white space, and what cannot be seen
        ("  van  der\tBerg\n", "van der berg"),
        ("Anna\u00a0Maria", "anna maria"),
        ("An\u00adna", "anna"),
        ("a\x00b", "ab"),
        ("a\ud800b", "ab"),
    ],
)
def test_two_spellings_of_one_text(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Anna", "Anne"), ("Anne-Marie", "AnneMarie"), ("Ин", "Ын"), ("Шилов", "Щилов")],
)
def test_two_texts(one: str, other: str) -> None:
    assert fold(one) != fold(other)


def test_punctuation_alone_is_kept() -> None:
    assert (fold(".*"), fold("?"), fold(" - ")) == (".*", "?", "-")


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(min_size=MAX_TEXT - 2, max_size=MAX_TEXT + 20))
def test_a_folded_text_has_an_end(text: str) -> None:
    assert len(fold(text)) <= MAX_TEXT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Diabetes mellitus, type 2.", ["diabetes", "mellitus", "type", "2"]),
        ("Острый Аппендицит", ["острыи", "аппендицит"]),
        ("a b 7", ["7"]),
        ("x" * 70, ["x" * 64]),
        ("Мар’яна/Ёлка_1", ["маряна", "елка", "1"]),
        ("", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected
