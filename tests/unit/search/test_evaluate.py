"""Plans over index values in memory: the oracle of the store's tests, held to rows itself.

https://hl7.org/fhir/R4/search.html
"""

import pytest

from fhir_server.search import plan
from fhir_server.search.evaluate import Record, Resources, ordered, page, satisfies
from fhir_server.search.plan import After, Compare, Node, Restriction, Search, SortKey
from fhir_server.search.values import Combined, IndexValues, Interval, Ranged

EQ = ((Compare("lo", ">=", "lo"), Compare("hi", "<=", "hi")),)
ABOVE = ((Compare("hi", ">", "hi"),),)

EVE = Record(
    "Patient",
    "eve",
    100,
    IndexValues(
        compartments=["Patient/eve"],
        patient="eve",
        tokens=["gender|~|female", "identifier|urn:a|1", "identifier|~|1"],
        strings=["name|eve ek", "name=|Eve Ek"],
        references=["organization|Organization/o"],
        uris=["_profile|http://p"],
        words=["_text|pain"],
        dates=[Ranged("birthdate", 10, 20)],
        sort_date=10,
        sort_text="ek",
        sort_text_last="eve",
    ),
)
ADAM = Record("Patient", "adam", 200, IndexValues(strings=["name|adam"], sort_text="adam"))
NOBODY = Record("Patient", "nobody", 200, IndexValues())
OBSERVATION = Record(
    "Observation",
    "x",
    300,
    IndexValues(
        references=["subject|Patient/eve"],
        quantities=[Ranged("value|", 5, 5), Ranged("value||mg", 5, 5)],
        combined=[
            Combined("code-value", ("0|code|~|a",), (Ranged("1|value|", 5, 5),)),
            Combined("code-value", ("0|code|~|b",), (Ranged("1|value|", 9, 9),)),
        ],
    ),
)
ORGANIZATION = Record("Organization", "o", 1, IndexValues(strings=["name|org"]))
LIST = Record("List", "l", 1, IndexValues(references=["item|Patient/eve"]))
PLACE = Record("Location", "here", 1, IndexValues(position=(30.0, 50.0)))
ALL = (EVE, ADAM, NOBODY, OBSERVATION, ORGANIZATION, LIST, PLACE)
EVERYBODY = Resources.of(ALL, plan.UNRESTRICTED)


def together(code: str, lo: float, hi: float) -> plan.Together:
    number = plan.Range("quantities", "1|value|", Interval(lo, hi), EQ)
    return plan.Together("code-value", (plan.Keys("combined", (f"0|code|~|{code}",)), number))


def by_code(code: str) -> plan.Keys:
    return plan.Keys("tokens", (code,))


@pytest.mark.parametrize(
    ("record", "node", "expected"),
    [
        (EVE, plan.Everything(), True),
        (EVE, plan.Nothing(), False),
        (EVE, plan.Ids(("adam", "eve")), True),
        (EVE, plan.Ids(("ev",)), False),
        (EVE, by_code("gender|~|female"), True),
        (EVE, by_code("gender|~|femal"), False),
        (EVE, plan.Keys("uris", ("_profile|http://q", "_profile|http://p")), True),
        (EVE, plan.Prefix("strings", "name|ev"), True),
        (EVE, plan.Prefix("strings", "name|ek"), False),
        (EVE, plan.Containing("strings", "name|", "e e"), True),
        (EVE, plan.Containing("strings", "name|", "name"), False),
        (EVE, plan.Range("dates", "birthdate", Interval(10, 20), EQ), True),
        (EVE, plan.Range("dates", "birthdate", Interval(11, 20), EQ), False),
        (EVE, plan.Range("dates", "death-date", Interval(10, 20), EQ), False),
        (EVE, plan.Range("dates", "birthdate", Interval(0, 19), ABOVE), True),
        (EVE, plan.Range("dates", "birthdate", Interval(0, 20), ABOVE), False),
        # lastUpdated is the interval of its millisecond
        (EVE, plan.Updated(Interval(100, 101), EQ), True),
        (EVE, plan.Updated(Interval(100, 100), EQ), False),
        # parts of a composite hold on one value
        (OBSERVATION, together("a", 5, 5), True),
        (OBSERVATION, together("a", 9, 9), False),
        (OBSERVATION, plan.Together("code-value", (plan.Or((by_code("0|code|~|b"),)),)), True),
        (
            OBSERVATION,
            plan.Together("code-value", (plan.Prefix("combined", "0|code|~"),)),
            True,
        ),
        (OBSERVATION, plan.Together("other", (plan.Prefix("combined", "0|code|~"),)), False),
        (EVE, plan.Present("strings", "name|"), True),
        (NOBODY, plan.Present("strings", "name|"), False),
        (EVE, plan.Present("dates", "birthdate"), True),
        (EVE, plan.Present("dates", "birth"), False),
        (OBSERVATION, plan.Present("quantities", "value"), True),
        (OBSERVATION, plan.Present("quantities", "val"), False),
        (OBSERVATION, plan.Present("combined", "code-value"), True),
        (EVE, plan.Present("combined", "code-value"), False),
        # one degree of latitude is 111.3 km on MongoDB's sphere
        (PLACE, plan.Near(30.0, 51.0, 111_400), True),
        (PLACE, plan.Near(30.0, 51.0, 111_200), False),
        (EVE, plan.Near(30.0, 51.0, 111_400), False),
        (EVE, plan.Only("organization|", ("organization|Organization/o", "x")), True),
        (EVE, plan.Only("organization|", ("organization|Organization/x",)), False),
        (EVE, plan.Only("organization|", ()), False),
        (EVE, plan.Only("subject|", ()), True),
        (NOBODY, plan.Only("organization|", ()), True),
        (EVE, plan.Compartment(("Patient/adam", "Patient/eve")), True),
        (ADAM, plan.Compartment(("Patient/eve",)), False),
        (EVE, plan.Patient("eve"), True),
        (ADAM, plan.Patient("eve"), False),
        (
            EVE,
            plan.Chain("organization", "Organization", plan.Prefix("strings", "name|o")),
            True,
        ),
        (EVE, plan.Chain("organization", "Organization", plan.Nothing()), False),
        (EVE, plan.Chain("link", "Organization", plan.Everything()), False),
        (EVE, plan.Has("Observation", "subject", plan.Ids(("x",))), True),
        (EVE, plan.Has("Observation", "subject", plan.Ids(("y",))), False),
        (ADAM, plan.Has("Observation", "subject", plan.Everything()), False),
        (EVE, plan.Listed("l"), True),
        (ADAM, plan.Listed("l"), False),
        (EVE, plan.Listed("m"), False),
        (EVE, plan.Not(plan.Ids(("eve",))), False),
        (EVE, plan.And((plan.Everything(), plan.Ids(("eve",)))), True),
        (EVE, plan.And((plan.Everything(), plan.Nothing())), False),
        (EVE, plan.Or((plan.Nothing(), plan.Ids(("eve",)))), True),
        (EVE, plan.And(()), True),
        (EVE, plan.Or(()), False),
    ],
)
def test_node(record: Record, node: Node, expected: bool) -> None:
    assert satisfies(EVERYBODY, record, node) is expected


def test_a_part_of_another_kind_is_a_defect() -> None:
    with pytest.raises(TypeError):
        satisfies(EVERYBODY, OBSERVATION, plan.Together("code-value", (plan.Everything(),)))


@pytest.mark.parametrize(
    ("hidden", "node"),
    [
        ("Organization", plan.Chain("organization", "Organization", plan.Everything())),
        ("Observation", plan.Has("Observation", "subject", plan.Everything())),
        ("List", plan.Listed("l")),
        ("Patient", plan.Everything()),
    ],
)
def test_nothing_leads_through_what_may_not_be_seen(hidden: str, node: Node) -> None:
    within = Restriction({hidden: plan.Nothing()}, otherwise=plan.Everything())
    search = Search("Patient", plan.And((node, plan.Ids(("eve",)))))
    assert ordered(EVERYBODY, search) == [EVE]
    assert ordered(Resources.of(ALL, within), search) == []


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ((), ["adam", "eve", "nobody"]),
        ((SortKey("id", "desc"),), ["nobody", "eve", "adam"]),
        # equal ones by id, in the direction of the first key
        ((SortKey("updated", "asc"),), ["eve", "adam", "nobody"]),
        ((SortKey("updated", "desc"),), ["nobody", "adam", "eve"]),
        # without a value: last in either direction
        ((SortKey("chief-string", "asc"),), ["adam", "eve", "nobody"]),
        ((SortKey("chief-string", "desc"),), ["eve", "nobody", "adam"]),
        ((SortKey("chief-date", "asc"),), ["eve", "adam", "nobody"]),
        ((SortKey("chief-date", "desc"),), ["eve", "nobody", "adam"]),
        ((SortKey("values", "asc", "strings", "name|"),), ["adam", "eve", "nobody"]),
        ((SortKey("values", "desc", "strings", "name|"),), ["eve", "adam", "nobody"]),
        ((SortKey("values", "asc", "dates", "birthdate"),), ["eve", "adam", "nobody"]),
        (
            (SortKey("updated", "desc"), SortKey("values", "asc", "strings", "name|")),
            ["adam", "nobody", "eve"],
        ),
    ],
)
def test_sort(sort: tuple[SortKey, ...], expected: list[str]) -> None:
    found = ordered(EVERYBODY, Search("Patient", plan.Everything(), sort))
    assert [each.id for each in found] == expected


@pytest.mark.parametrize(
    ("after", "expected", "more"),
    [
        (None, ["adam", "eve"], True),
        (After(("adam",), "adam"), ["eve", "nobody"], False),
        (After(("ek",), "eve"), ["nobody"], False),
        (After((None,), "nobody"), [], False),
        (After((None,), "nobody", backward=True), ["adam", "eve"], False),
        (After(("ek",), "eve", backward=True), ["adam"], False),
    ],
)
def test_page(after: After | None, expected: list[str], more: bool) -> None:
    sort = (SortKey("chief-string", "asc"),)
    search = Search("Patient", plan.Everything(), sort, count=2, after=after)
    rows, has_more, total = page(EVERYBODY, search)
    assert ([each.id for each in rows], has_more, total) == (expected, more, 3)
