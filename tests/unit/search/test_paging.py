"""Cursors, links, and one order over several types.

https://hl7.org/fhir/R4/http.html#paging
"""

from dataclasses import dataclass
from itertools import pairwise

import pytest

from fhir_server.core.errors import BadValue
from fhir_server.search.cursor import Cursors, Place, read_place, write_place
from fhir_server.search.evaluate import Record, Resources, page, sort_values
from fhir_server.search.links import link
from fhir_server.search.merge import first_rows, start
from fhir_server.search.plan import UNRESTRICTED, After, Everything, Search, SortKey
from fhir_server.search.values import IndexValues

CURSORS = Cursors(b"k" * 32)
QUERY = ("Patient", ("name", "x"))


@pytest.mark.parametrize(
    "place",
    [
        Place("Patient", After((), "a")),
        Place("Patient", After((), "a", backward=True)),
        Place("Patient", After(('Юрий|"', None, -5, 1.5), "a-b.c")),
        Place("Observation", After((1_700_000_000_000,), "x", backward=True)),
    ],
)
def test_a_cursor_brings_its_place_back(place: Place) -> None:
    text = write_place(CURSORS, place, QUERY)
    assert text.isascii()
    assert read_place(CURSORS, text, QUERY) == place


WRITTEN = write_place(CURSORS, Place("Patient", After(("x",), "a")), QUERY)


@pytest.mark.parametrize(
    ("text", "query", "cursors"),
    [
        (WRITTEN, (*QUERY, ("gender", "male")), CURSORS),
        (WRITTEN, ("Patient", ("name", "y")), CURSORS),
        (WRITTEN, ("Patientname", "x"), CURSORS),
        (WRITTEN, QUERY, Cursors(b"other")),
        (WRITTEN[:-1] + ("A" if WRITTEN[-1] != "A" else "B"), QUERY, CURSORS),
        ("A" + WRITTEN[1:] if WRITTEN[0] != "A" else "B" + WRITTEN[1:], QUERY, CURSORS),
        (WRITTEN[:-4], QUERY, CURSORS),
        (WRITTEN + "AAAA", QUERY, CURSORS),
        ("", QUERY, CURSORS),
        ("x", QUERY, CURSORS),
        ("%%%%", QUERY, CURSORS),
        ("ю", QUERY, CURSORS),
        ("A" * 10_000, QUERY, CURSORS),
    ],
)
def test_a_tampered_or_foreign_cursor_is_refused(
    text: str, query: tuple[object, ...], cursors: Cursors
) -> None:
    with pytest.raises(BadValue):
        read_place(cursors, text, query)


@pytest.mark.parametrize(
    ("pairs", "cursor", "expected"),
    [
        ([], None, "http://h/Patient"),
        ([("name", "a")], None, "http://h/Patient?name=a"),
        ([("name", "a"), ("name", "b,c")], None, "http://h/Patient?name=a&name=b,c"),
        ([("code", "http://x|1&2")], None, "http://h/Patient?code=http://x|1%262"),
        ([("name", "é+ %")], None, "http://h/Patient?name=%C3%A9%2B%20%25"),
        ([("name", "a")], "Xy", "http://h/Patient?name=a&_cursor=Xy"),
        ([], "Xy", "http://h/Patient?_cursor=Xy"),
    ],
)
def test_links_keep_every_parameter_in_order(
    pairs: list[tuple[str, str]], cursor: str | None, expected: str
) -> None:
    assert link("http://h/Patient", pairs, cursor) == expected


@dataclass(frozen=True)
class _Row:
    type: str
    id: str
    sort_values: tuple[str | float | None, ...]


RECORDS = [
    Record(kind, f"{number}", at, IndexValues(sort_date=date))
    for kind in ("Encounter", "Observation", "Procedure")
    for number, (at, date) in enumerate([(5, 1), (5, None), (3, 2), (9, 1), (3, None)])
]
ALL = Resources.of(RECORDS, UNRESTRICTED)
KINDS = ("Encounter", "Observation", "Procedure")
SORTS = [
    (SortKey("id", "asc"),),
    (SortKey("id", "desc"),),
    (SortKey("updated", "desc"), SortKey("id", "asc")),
    (SortKey("updated", "asc"),),
    (SortKey("updated", "desc"),),
    (SortKey("chief-date", "asc"),),
    (SortKey("chief-date", "desc"), SortKey("updated", "asc")),
]


def _page(sort: tuple[SortKey, ...], place: Place | None, size: int) -> list[_Row]:
    rows = [
        _Row(each.type, each.id, sort_values(each, sort))
        for kind in KINDS
        for each in page(ALL, Search(kind, Everything(), sort, size, start(place, kind, sort)))[
            0
        ]
    ]
    ordered = first_rows(rows, sort)
    return ordered[-size:] if place and place.after.backward else ordered[:size]


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("size", [1, 2, 4, 7, 20])
def test_pages_over_types_have_no_gap_and_no_repeat(
    sort: tuple[SortKey, ...], size: int
) -> None:
    whole = _page(sort, None, 100)
    assert len({(row.type, row.id) for row in whole}) == len(RECORDS)
    pages = [_page(sort, None, size)]
    while pages[-1]:
        last = pages[-1][-1]
        place = Place(last.type, After(last.sort_values, last.id))
        pages.append(_page(sort, place, size))
    assert [row for each in pages for row in each] == whole
    for before, behind in pairwise(pages[:-1]):
        first = behind[0]
        place = Place(first.type, After(first.sort_values, first.id, backward=True))
        assert _page(sort, place, size) == before
