"""Versions as documents: which field has what, and what is left out."""

import pytest
from bson.objectid import ObjectId

from fhir_server.search.values import MAX_TIME, MIN_TIME, Combined, Ranged
from fhir_server.store.mongo.documents import (
    GridBody,
    document,
    stored,
    superseded,
    tombstone,
)
from fhir_server.store.mongo.leads import exact_lead, quantity_lead, token_lead
from tests.support.versions import version

DAY = 86_400_000


def test_a_version_without_values_has_no_index_fields() -> None:
    row = document(version("a", 3, at=7, method="PUT"))
    assert set(row) == {"_id", "v", "at", "m", "json"}
    assert (row["_id"], row["v"], row["at"], row["m"]) == ("a", 3, 7, "PUT")


def test_a_zero_is_a_value() -> None:
    assert document(version("a", sort_date=0, sort_text=""))["sd"] == 0
    assert document(version("a", sort_text=""))["ss"] == ""


def test_a_coding_is_indexed_once() -> None:
    tokens = ["code|~|1", "code|u|1", "code||1", "code|u|", "a:of-type|u|c|1"]
    row = document(version("a", tokens=tokens))
    assert row["tok"] == ["code|~|1", "code|u|", "a:of-type|u|c|1"]
    assert row["tokx"] == ["code|u|1", "code||1"]


def test_an_exact_string_is_indexed_where_its_folded_form_is_not() -> None:
    strings = ["name|иван", "name=|Иван", "name=|'"]
    row = document(version("a", strings=strings))
    assert row["str"] == ["name|иван", "name=|'"]
    assert row["strx"] == ["name=|Иван", "name=|'"]


def test_texts_are_found_by_their_words_once() -> None:
    strings = ["code:text|body height", "code:text|height", "combo-code:text|body height"]
    row = document(version("a", strings=strings, words=["_content|height", "_text|body"]))
    assert "str" not in row
    assert row["strx"] == strings
    assert row["txt"] == ["_content|height", "_text|body", ":text|body"]


@pytest.mark.parametrize(
    ("lo", "hi", "key"),
    [
        (0, DAY, "date"),
        (0, DAY + 1, "|date"),
        (MIN_TIME, 0, "|date"),
        (0, MAX_TIME, "|date"),
        (5, 5, "date"),
    ],
)
def test_a_wide_date_has_a_key_of_its_own(lo: int, hi: int, key: str) -> None:
    row = document(version("a", dates=[Ranged("date", lo, hi)]))
    assert row["date"] == [{"k": key, "lo": lo, "hi": hi}]


def test_a_quantity_is_indexed_in_any_and_in_base_units() -> None:
    inf = float("inf")
    quantities = [Ranged(f"v|{unit}", 1.0, 1.0) for unit in ("", "u|mg", "|mg")]
    quantities += [Ranged("v|=|g", 0.001, 0.001), Ranged("v|", 1.0, inf)]
    row = document(version("a", quantities=quantities))
    assert [each["k"] for each in row["qty"]] == ["v|", "v|=|g", "|v|"]
    assert [each["k"] for each in row["qtyx"]] == ["v|u|mg", "v||mg"]


def test_a_composite_is_found_by_a_token_that_is_there() -> None:
    value = Combined("c", ("0|code|u|1", "0|other|u|2"), (Ranged("1|v|", 1.0, 2.0),))
    row = document(version("a", tokens=["code|u|1", "code|~|1"], combined=[value]))
    assert row["tok"] == ["code|~|1", "0|other|u|2"]
    assert row["cmp"] == [
        {"p": "c", "k": list(value.keys), "r": [{"k": "1|v|", "lo": 1.0, "hi": 2.0}]}
    ]


@pytest.mark.parametrize(
    ("position", "kept"),
    [
        ((180.0, 90.0), True),
        ((-180.0, -90.0), True),
        ((180.1, 0.0), False),
        ((0.0, -90.1), False),
    ],
)
def test_a_place_off_the_globe_is_no_position(
    position: tuple[float, float], kept: bool
) -> None:
    assert ("geo" in document(version("a", position=position))) is kept


def test_a_superseded_version_keeps_everything_and_knows_its_end() -> None:
    current = document(version("a", 2, at=5, tokens=["x|~|1"]))
    assert superseded(current, 9) == {**current, "_id": {"id": "a", "v": 2}, "until": 9}
    assert current["_id"] == "a"


def test_a_tombstone_keeps_the_values_and_not_the_body() -> None:
    current = document(version("a", 2, at=5, tokens=["x|~|1"], patient="p"))
    assert tombstone(current, 9) == {
        "_id": {"id": "a", "v": 3},
        "v": 3,
        "at": 9,
        "m": "DELETE",
        "tok": ["x|~|1"],
        "pt": "p",
    }


def test_a_row_of_either_collection_is_a_version() -> None:
    row = document(version("a", 2, at=5))
    live, past = stored("Patient", row), stored("Patient", superseded(row, 9))
    assert live == past
    assert (live.id, live.number, live.at, live.body) == ("a", 2, 5, row["json"])
    gone = stored("Patient", tombstone(row, 9))
    assert (gone.number, gone.deleted, gone.body) == (3, True, b"")


def test_a_large_body_is_a_pointer() -> None:
    file = ObjectId()
    row = document(version("a"), GridBody(file))
    assert row["f"] == file
    assert "json" not in row


@pytest.mark.parametrize(
    ("lead", "key", "expected"),
    [
        (token_lead, "code|u|1", "code|~|1"),
        (token_lead, "code|~|1", "code|~|1"),
        (token_lead, "code|u|", "code|u|"),
        (token_lead, "code|u|a|b", "code|u|a|b"),
        (token_lead, "code", "code"),
        (token_lead, "code|u|" + "x" * 1200, "code|u|" + "x" * 1200),
        (exact_lead, "name=|Ёлка", "name|елка"),
        (exact_lead, "name|елка", "name|елка"),
        (exact_lead, "name|a=|B", "name|a=|B"),
        (quantity_lead, "v|u|mg", "v|"),
        (quantity_lead, "v||mg", "v|"),
        (quantity_lead, "v|", "v|"),
        (quantity_lead, "v|=|g", "v|=|g"),
    ],
)
def test_the_lead_of_a_key(lead: object, key: str, expected: str) -> None:
    assert callable(lead)
    assert lead(key) == expected
    assert lead(expected) == expected
