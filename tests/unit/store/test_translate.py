"""Plan nodes as MongoDB filters, a row a node; what they find is held in tests/store."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest

from fhir_server.core.errors import TooCostly
from fhir_server.search.plan import (
    And,
    Chain,
    Compare,
    Compartment,
    Containing,
    Everything,
    Has,
    Ids,
    Keys,
    Listed,
    Near,
    Node,
    Not,
    Nothing,
    Or,
    Patient,
    Prefix,
    Present,
    Range,
    Together,
    Updated,
    ValueField,
)
from fhir_server.search.prefixes import DATE_ARMS, NUMBER_ARMS
from fhir_server.search.values import Interval
from fhir_server.store.mongo.translate import HISTORY, Filter, UnresolvedError, to_filter

LAST = "\U0010ffff"
DAY = 86_400_000
WHEN = Interval(10 * DAY, 11 * DAY)
ABOVE = ((Compare("hi", ">", "hi"),),)


def starting(prefix: str) -> Filter:
    return {"$elemMatch": {"$gte": prefix, "$lt": prefix + LAST}}


ROWS: list[tuple[Node, Filter]] = [
    (Everything(), {}),
    (Nothing(), {"_id": {"$in": []}}),
    (Ids(("a",)), {"_id": "a"}),
    (Ids(("a", "b")), {"_id": {"$in": ["a", "b"]}}),
    (Keys("tokens", ("code|~|1",)), {"tok": "code|~|1"}),
    (Keys("tokens", ("code|u|1",)), {"tok": "code|~|1", "tokx": "code|u|1"}),
    (Keys("tokens", ("code||1",)), {"tok": "code|~|1", "tokx": "code||1"}),
    # A system alone, and a value with bars of its own, lead nowhere else.
    (Keys("tokens", ("code|u|",)), {"tok": "code|u|"}),
    (Keys("tokens", ("i:of-type|u|c|1",)), {"tok": "i:of-type|u|c|1"}),
    (
        Keys("tokens", ("code|~|1", "code|u|2", "code|w|2")),
        {
            "$or": [
                {"tok": "code|~|1"},
                {"tok": "code|~|2", "tokx": {"$in": ["code|u|2", "code|w|2"]}},
            ]
        },
    ),
    (Keys("references", ("r|Patient/1",)), {"ref": "r|Patient/1"}),
    (Keys("uris", ("url|a", "url|b")), {"uri": {"$in": ["url|a", "url|b"]}}),
    (Keys("words", ("_text|a",)), {"txt": "_text|a"}),
    (Keys("strings", ("name|иван",)), {"str": "name|иван"}),
    (
        Keys("strings", ("name=|Иван",)),
        {
            "str": {"$in": ["name|иван", "name=|Иван"]},
            "$or": [{"strx": "name=|Иван"}, {"str": "name=|Иван"}],
        },
    ),
    (Prefix("strings", "name|ив"), {"str": starting("name|ив")}),
    (
        Prefix("strings", "code:text|body hei"),
        {
            "$and": [
                {"strx": starting("code:text|body hei")},
                {"txt": {"$in": [":text|body", "_content|body"]}},
            ]
        },
    ),
    (
        Prefix("strings", "code:text|bod"),
        {
            "$and": [
                {"strx": starting("code:text|bod")},
                {"$or": [{"txt": starting(":text|bod")}, {"txt": starting("_content|bod")}]},
            ]
        },
    ),
    (
        Prefix("tokens", "code|u|"),
        {
            "tok": starting("code|"),
            "$or": [{"tok": starting("code|u|")}, {"tokx": starting("code|u|")}],
        },
    ),
    (Prefix("tokens", "code|~|a"), {"tok": starting("code|~|a")}),
    (
        Containing("strings", "name|", "a.*(b"),
        {
            "str": {
                "$elemMatch": {
                    "$gte": "name|",
                    "$lt": f"name|{LAST}",
                    "$regex": r"^name\|(?s:.*)a\.\*\(b",
                }
            }
        },
    ),
    (Present("tokens", "code|"), {"tok": starting("code|")}),
    (Present("dates", "date"), {"date.k": {"$in": ["date", "|date"]}}),
    (Present("quantities", "value"), {"qty.k": {"$in": ["value|", "|value|"]}}),
    (Present("combined", "c"), {"cmp.p": "c"}),
    (Compartment(("Patient/1",)), {"in": "Patient/1"}),
    (Patient("1"), {"pt": "1"}),
    (
        Near(1.0, 2.0, 6_378_100.0),
        {"geo": {"$geoWithin": {"$centerSphere": [[1.0, 2.0], 1.0]}}},
    ),
    # Half of the Earth's circumference reaches everywhere.
    (Near(1.0, 2.0, 2.1e7), {"geo": {"$exists": True}}),
    (Not(Patient("1")), {"$nor": [{"pt": "1"}]}),
    (Not(Everything()), {"$nor": [{}]}),
    (And(()), {}),
    (And((Everything(), Patient("1"))), {"pt": "1"}),
    (And((Patient("1"), Patient("2"))), {"$and": [{"pt": "1"}, {"pt": "2"}]}),
    (Or(()), {"_id": {"$in": []}}),
    (Or((Patient("1"), Everything())), {}),
    # Keys of one field are one scan, however many alternatives there are.
    (
        Or((Keys("uris", ("a",)), Patient("1"), Keys("uris", ("b", "a")))),
        {"$or": [{"pt": "1"}, {"uri": {"$in": ["a", "b"]}}]},
    ),
]


@pytest.mark.parametrize(("node", "expected"), ROWS, ids=[repr(node)[:60] for node, _ in ROWS])
def test_a_node_is_this_filter(node: Node, expected: Filter) -> None:
    assert to_filter(node) == expected


BOTH: Any = {"$in": ["date", "|date"]}


def clause(key: Any, **bounds: Any) -> Filter:
    return {"k": key, **bounds}


@pytest.mark.parametrize(
    ("prefix", "clauses"),
    [
        # Within [10, 11): `hi <= 11` bounds `lo` too, and `lo >= 10` bounds `hi`.
        (
            "eq",
            [
                clause(
                    BOTH,
                    lo={"$gte": 10 * DAY, "$lte": 11 * DAY},
                    hi={"$gte": 10 * DAY, "$lte": 11 * DAY},
                )
            ],
        ),
        # `hi > 11`: of a narrow value `lo` is at most a day before.
        (
            "gt",
            [
                clause("date", lo={"$gt": 10 * DAY}, hi={"$gt": 11 * DAY}),
                clause("|date", hi={"$gt": 11 * DAY}),
            ],
        ),
        ("lt", [clause(BOTH, lo={"$lt": 10 * DAY})]),
        ("sa", [clause(BOTH, lo={"$gte": 11 * DAY}, hi={"$gte": 11 * DAY})]),
        ("eb", [clause(BOTH, lo={"$lte": 10 * DAY}, hi={"$lte": 10 * DAY})]),
        (
            "ap",
            [
                clause("date", lo={"$lt": 11 * DAY, "$gt": 9 * DAY}, hi={"$gt": 10 * DAY}),
                clause("|date", lo={"$lt": 11 * DAY}, hi={"$gt": 10 * DAY}),
            ],
        ),
    ],
)
def test_a_range_has_both_ends_where_it_can(prefix: Any, clauses: list[Filter]) -> None:
    found = to_filter(Range("dates", "date", WHEN, DATE_ARMS[prefix]))
    several = [{"date": {"$elemMatch": each}} for each in clauses]
    assert found == (several[0] if len(several) == 1 else {"$or": several})


def test_a_quantity_in_a_unit_is_asked_for_in_any_unit() -> None:
    point = Interval(5.0, 5.0)
    found = to_filter(Range("quantities", "value|http://u|mg", point, NUMBER_ARMS["lt"]))
    bounds = {"lo": {"$lt": 5.0}}
    assert found == {
        "qty": {"$elemMatch": {"k": {"$in": ["value|", "|value|"]}, **bounds}},
        "qtyx": {
            "$elemMatch": {
                "k": {"$in": ["value|http://u|mg", "|value|http://u|mg"]},
                **bounds,
            }
        },
    }


@pytest.mark.parametrize("key", ["value|", "value|=|g"])
def test_any_unit_and_base_units_are_indexed_themselves(key: str) -> None:
    point = Interval(5.0, 5.0)
    found = to_filter(Range("quantities", key, point, NUMBER_ARMS["gt"]))
    narrow, wide = found["$or"]
    assert narrow == {"qty": {"$elemMatch": {"k": key, "lo": {"$gt": 5.0}, "hi": {"$gt": 5.0}}}}
    assert wide == {"qty": {"$elemMatch": {"k": f"|{key}", "hi": {"$gt": 5.0}}}}


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        # An instant is [at, at + 1).
        (
            "ge",
            {
                "$or": [
                    {"at": {"$gt": 19}},
                    {"$and": [{"at": {"$gte": 10}}, {"at": {"$lte": 19}}]},
                ]
            },
        ),
        ("gt", {"at": {"$gt": 19}}),
        ("lt", {"at": {"$lt": 10}}),
        ("eb", {"at": {"$lte": 9}}),
        ("sa", {"at": {"$gte": 20}}),
    ],
)
def test_last_updated_is_an_instant(prefix: Any, expected: Filter) -> None:
    assert to_filter(Updated(Interval(10, 20), DATE_ARMS[prefix])) == expected


def test_parts_of_a_composite_hold_on_one_value_and_lead_to_a_token() -> None:
    parts = (
        Keys("tokens", ("0|code|u|1",)),
        Or((Prefix("strings", "1|s|a"), Containing("strings", "1|s|", "b"))),
        Range("quantities", "2|v|", Interval(1.0, 1.0), ABOVE),
    )
    found = to_filter(Together("c", parts))
    value, lead = found["$and"]
    inside = value["cmp"]["$elemMatch"]
    assert inside["p"] == "c"
    keys, either, ranged = inside["$and"]
    assert keys == {"k": "0|code|u|1"}
    assert either["$or"][0] == {"k": starting("1|s|a")}
    assert ranged == {"r": {"$elemMatch": {"k": "2|v|", "hi": {"$gt": 1.0}}}}
    assert lead == {"tok": {"$in": ["code|~|1", "0|code|u|1"]}}


def test_the_history_knows_the_id_elsewhere() -> None:
    node = And((Ids(("a",)), Not(Ids(("b",))), Or((Ids(("c",)), Patient("1")))))
    assert to_filter(node, HISTORY) == {
        "$and": [
            {"_id.id": "a"},
            {"$nor": [{"_id.id": "b"}]},
            {"$or": [{"_id.id": "c"}, {"pt": "1"}]},
        ]
    }


@pytest.mark.parametrize(
    "node", [Chain("r", "Patient", Everything()), Has("List", "r", Everything()), Listed("a")]
)
def test_a_node_that_leads_elsewhere_must_be_resolved_before(node: Node) -> None:
    with pytest.raises(UnresolvedError):
        to_filter(Not(node))


FIELDS: tuple[ValueField, ...] = get_args(ValueField)


def over_fields() -> Iterator[tuple[Node, bool]]:
    for field in FIELDS:
        keyed = field not in ("dates", "quantities", "combined")
        yield Keys(field, ("a|b",)), keyed
        yield Prefix(field, "a|b"), keyed
        yield Containing(field, "a|", "b"), keyed
        yield Present(field, "a|"), True


@pytest.mark.parametrize(("node", "possible"), list(over_fields()), ids=repr)
def test_every_field_has_a_meaning_or_is_refused(node: Node, possible: bool) -> None:
    if possible:
        assert to_filter(node)
    else:
        with pytest.raises(UnresolvedError):
            to_filter(node)


@pytest.mark.parametrize("text", ["\0", "a\0b", "\\", "[", "$", "^", "\n", "é", "💥", "#", " "])
def test_a_text_to_be_contained_stands_for_itself(text: str) -> None:
    found = to_filter(Containing("strings", "s|", text))["str"]["$elemMatch"]["$regex"]
    assert "\0" not in found
    assert found.startswith(r"^s\|(?s:.*)")


def test_a_text_too_long_for_a_pattern_is_too_costly() -> None:
    to_filter(Containing("strings", "s|", "a" * 1_000))
    with pytest.raises(TooCostly):
        to_filter(Containing("strings", "s|", "a" * 1_001))
