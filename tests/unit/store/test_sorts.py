"""The queries behind a sort: how many, in which order, from where on.

That their rows are right is held in tests/store/test_plans.py.
"""

from typing import Any

import pytest

from fhir_server.search.plan import After, SortKey
from fhir_server.store.mongo.sorts import computed, indexed_field, phases

ID_UP, ID_DOWN = SortKey("id", "asc"), SortKey("id", "desc")
DATE_UP, DATE_DOWN = SortKey("chief-date", "asc"), SortKey("chief-date", "desc")
NAME_UP, NAME_DOWN = SortKey("chief-string", "asc"), SortKey("chief-string", "desc")
UPDATED = SortKey("updated", "desc")
OTHER = SortKey("values", "asc", "tokens", "code|~|")


@pytest.mark.parametrize(
    ("sort", "field"),
    [
        ((), "_id"),
        ((ID_UP,), "_id"),
        ((ID_DOWN,), "_id"),
        ((UPDATED,), "at"),
        ((DATE_UP,), "sd"),
        ((NAME_UP,), "ss"),
        ((NAME_DOWN,), "sx"),
        ((OTHER,), None),
        ((DATE_UP, NAME_UP), None),
    ],
)
def test_the_field_whose_index_gives_the_order(
    sort: tuple[SortKey, ...], field: str | None
) -> None:
    assert indexed_field(sort) == field


def after(value: Any, *, backward: bool = False) -> After:
    return After((value,), "i", backward)


UP, DOWN = 1, -1


@pytest.mark.parametrize(
    ("key", "place", "expected"),
    [
        # (which rows: v those with a value, n those without, * both; the direction walked)
        (DATE_UP, None, [("v", UP), ("n", UP)]),
        (DATE_UP, after(5), [("v", UP), ("n", UP)]),
        (DATE_UP, after(None), [("n", UP)]),
        (DATE_UP, after(5, backward=True), [("v", DOWN)]),
        (DATE_UP, after(None, backward=True), [("n", DOWN), ("v", DOWN)]),
        (DATE_DOWN, None, [("*", DOWN)]),
        (DATE_DOWN, after(5), [("*", DOWN)]),
        (DATE_DOWN, after(None), [("n", DOWN)]),
        (DATE_DOWN, after(5, backward=True), [("v", UP)]),
        (DATE_DOWN, after(None, backward=True), [("n", UP), ("v", UP)]),
    ],
)
def test_rows_without_a_value_come_last_in_either_direction(
    key: SortKey, place: After | None, expected: list[tuple[str, int]]
) -> None:
    found = [(which(each.filter), each.order[-1][1]) for each in phases("sd", (key,), place)]
    assert found == expected


def which(filter_: dict[str, Any]) -> str:
    if not filter_ or "$not" in (filter_["sd"] or {}):
        return "*"
    return "n" if filter_["sd"] is None else "v"


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("key", [ID_UP, ID_DOWN])
def test_by_id_a_page_begins_behind_the_last_id(key: SortKey, backward: bool) -> None:
    (only,) = phases("_id", (key,), After(("i",), "i", backward))
    up = (key.direction == "asc") != backward
    assert only.filter == {"_id": {"$gt" if up else "$lt": "i"}}
    assert only.order == [("_id", UP if up else DOWN)]


def test_rows_of_one_instant_are_told_apart_by_id() -> None:
    (only,) = phases("at", (UPDATED,), after(7))
    assert only.filter == {
        "at": {"$lte": 7},
        "$or": [{"at": {"$lt": 7}}, {"_id": {"$lt": "i"}}],
    }
    assert only.order == [("at", DOWN), ("_id", DOWN)]


def test_a_computed_order_ends_with_the_id_in_the_direction_of_the_first_key() -> None:
    *_, sort = computed((SortKey("values", "desc", "tokens", "a|"), NAME_UP), None)
    assert sort == {"$sort": {"n0": 1, "k0": -1, "n1": 1, "k1": 1, "_id": -1}}
    *_, sort = computed((OTHER,), after("x", backward=True))
    assert sort == {"$sort": {"n0": -1, "k0": -1, "_id": -1}}


def test_a_prefix_is_never_read_as_a_path() -> None:
    fields, *_ = computed((SortKey("values", "asc", "strings", "$x|"),), None)
    cond = fields["$addFields"]["k0"]["$min"]["$filter"]["cond"]["$and"]
    assert cond[0] == {"$gte": ["$$e", {"$literal": "$x|"}]}
