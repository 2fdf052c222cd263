"""Pages: links, totals, stability while others write.

https://hl7.org/fhir/R4/http.html#paging
https://hl7.org/fhir/R4/search.html#total
"""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.spec.search.conftest import TAG
from tests.support.fhir import create, ids, new_id, patient

JsonObject = dict[str, Any]

SORTS = [
    "",
    "_sort=family",
    "_sort=-family",
    "_sort=birthdate",
    "_sort=-birthdate,family",
    "_sort=gender,-_id",
    "_sort=-_lastUpdated",
    "_sort=given",
    "_sort=-given,gender",
]


def get(fhir: httpx.Client, url: str) -> JsonObject:
    answer = fhir.get(url)
    assert answer.status_code == 200, answer.text
    bundle: JsonObject = answer.json()
    assert bundle["type"] == "searchset"
    return bundle


def links(bundle: JsonObject) -> dict[str, str]:
    return {each["relation"]: each["url"] for each in bundle["link"]}


@pytest.fixture(scope="module")
def crowd(fhir: httpx.Client) -> str:
    """The tag of eleven patients; some lack what others are sorted by."""
    code = new_id()
    genders = ("male", "female", None)
    for number in range(11):
        one = patient(family=f"Crowd {number % 4}")
        one["name"][0]["given"] = [f"G{number % 5}", f"H{number % 3}"]
        one["meta"] = {"tag": [{"system": "urn:test", "code": code}]}
        one |= {"birthDate": f"19{50 + number % 6}"} if number % 5 else {}
        gender = genders[number % 3]
        one |= {"gender": gender} if gender else {}
        create(fhir, one)
    return code


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("size", [1, 3, 5])
def test_pages_forth_and_back_are_the_whole_result(
    fhir: httpx.Client, crowd: str, sort: str, size: int
) -> None:
    base = f"/Patient?_tag={crowd}&{sort}"
    whole = ids(get(fhir, f"{base}&_count=100"))
    assert len(set(whole)) == 11
    pages = [get(fhir, f"{base}&_count={size}")]
    while "next" in links(pages[-1]):
        pages.append(get(fhir, links(pages[-1])["next"]))
    assert [each for bundle in pages for each in ids(bundle)] == whole
    assert "previous" not in links(pages[0])
    back = pages[-1]
    for expected in reversed(pages[:-1]):
        back = get(fhir, links(back)["previous"])
        assert ids(back) == ids(expected)
    assert links(back)["first"] == links(pages[0])["first"]


def test_writes_between_pages_shift_nothing(fhir: httpx.Client) -> None:
    code = new_id()

    def add(family: str) -> str:
        one = patient(family=family)
        one["meta"] = {"tag": [{"system": "urn:test", "code": code}]}
        made: str = create(fhir, one)["id"]
        return made

    b, d, f, h = (add(family) for family in "bdfh")
    first = get(fhir, f"/Patient?_tag={code}&_sort=family&_count=2")
    assert ids(first) == [b, d]
    add("a")
    e = add("e")
    assert fhir.delete(f"/Patient/{d}").status_code in (200, 204)
    second = get(fhir, links(first)["next"])
    assert ids(second) == [e, f]
    assert ids(get(fhir, links(second)["next"])) == [h]


@pytest.mark.parametrize("gone", ["previous", "next"])
@pytest.mark.parametrize(
    "url",
    [
        *(f"/Patient?{sort}" for sort in (*SORTS, "_sort=_id", "_sort=-_id")),
        *(
            f"/?_type=Basic,Patient&{sort}"
            for sort in ("", "_sort=-_lastUpdated", "_sort=-_id")
        ),
    ],
)
def test_a_page_that_became_empty_leads_back(fhir: httpx.Client, url: str, gone: str) -> None:
    tag = new_id()
    for number in range(6):
        is_basic = "Basic" in url and number % 2
        basic = {"resourceType": "Basic", "code": {"text": "b"}}
        one = basic if is_basic else patient(family=f"Gone {number % 3}")
        create(fhir, {**one, "meta": {"tag": [{"code": tag}]}})
    first = get(fhir, f"{url}&_tag={tag}&_count=3")
    second = get(fhir, links(first)["next"])
    stays, goes, back = (
        (first, second, "previous") if gone == "next" else (second, first, "next")
    )
    for each in goes["entry"]:
        assert fhir.delete(each["fullUrl"]).is_success
    empty = get(fhir, links(stays)[gone])
    assert ids(empty) == []
    assert gone not in links(empty)
    assert ids(get(fhir, links(empty)[back])) == ids(stays)


def test_the_links_keep_all_parameters(clinic: httpx.Client) -> None:
    query = f"_tag={TAG}&name=королев&name=ко&_sort=-family&_count=1&_elements=name"
    bundle = get(clinic, f"/Patient?{query}")
    asked = parse_qs(query)
    assert parse_qs(urlsplit(links(bundle)["self"]).query) == asked
    following = parse_qs(urlsplit(links(bundle)["next"]).query)
    assert following.pop("_cursor")
    assert following == asked


def test_a_cursor_belongs_to_its_search(clinic: httpx.Client) -> None:
    following = links(get(clinic, f"/Patient?_tag={TAG}&_count=1"))["next"]
    cursor = parse_qs(urlsplit(following).query)["_cursor"][0]
    for url in (
        following[:-2] + ("AA" if following[-2:] != "AA" else "BB"),
        f"/Patient?_cursor={cursor}",
        f"/Patient?_tag={TAG}&gender=male&_cursor={cursor}",
        f"/Observation?_tag={TAG}&_cursor={cursor}",
        f"/Patient?_tag={TAG}&_sort=family&_cursor={cursor}",
        f"/Patient?_tag={TAG}&_cursor=x",
    ):
        answer = clinic.get(url)
        assert answer.status_code == 400, url
        assert answer.json()["issue"][0]["code"] == "value"


@pytest.mark.parametrize(
    ("query", "total", "entries"),
    [
        ("_total=accurate&_count=1", 3, 1),
        ("_summary=count", 3, 0),
        ("_count=0", 3, 0),
        ("_count=1", None, 1),
        ("_count=1&_total=none", None, 1),
        ("_total=none", None, 3),
        ("", 3, 3),
        ("gender=male&_total=accurate", 1, 1),
        ("gender=other", 0, 0),
    ],
)
def test_a_total_counts_all_matches(
    clinic: httpx.Client, query: str, total: int | None, entries: int
) -> None:
    bundle = get(clinic, f"/Patient?_tag={TAG}&{query}")
    assert bundle.get("total") == total
    assert len(bundle.get("entry", ())) == entries
    assert ("entry" in bundle) is bool(entries)


def test_a_count_alone_has_no_page_links(clinic: httpx.Client) -> None:
    assert list(links(get(clinic, f"/Patient?_tag={TAG}&_count=0"))) == ["self"]


def test_a_huge_count_is_reduced(clinic: httpx.Client) -> None:
    assert len(ids(get(clinic, f"/Patient?_tag={TAG}&_count=99999999999"))) == 3


@pytest.mark.parametrize("size", [1, 4, 7])
@pytest.mark.parametrize("sort", ["", "_sort=-_lastUpdated", "_sort=_id"])
def test_several_types_have_pages_too(clinic: httpx.Client, size: int, sort: str) -> None:
    base = f"?_type=Patient,Observation,Location,List&_tag={TAG}&{sort}"
    whole = ids(get(clinic, f"{base}&_count=100"))
    assert len(whole) == 11
    pages = [get(clinic, f"{base}&_count={size}&_total=accurate")]
    while "next" in links(pages[-1]):
        pages.append(get(clinic, links(pages[-1])["next"]))
    assert [each for bundle in pages for each in ids(bundle)] == whole
    assert {bundle["total"] for bundle in pages} == {11}
    back = pages[-1]
    for expected in reversed(pages[:-1]):
        back = get(clinic, links(back)["previous"])
        assert ids(back) == ids(expected)


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("_sort=birthdate", ["s-p1", "s-p2", "s-p3"]),
        ("_sort=-birthdate", ["s-p3", "s-p2", "s-p1"]),
        ("_sort=family,-given", ["s-p3", "s-p1", "s-p2"]),
        ("_sort=-family", ["s-p2", "s-p1", "s-p3"]),
        # Without a value: last, in either direction.
        ("_sort=gender", ["s-p2", "s-p1", "s-p3"]),
        ("_sort=-gender", ["s-p1", "s-p2", "s-p3"]),
    ],
)
def test_a_sort_decides_the_order(clinic: httpx.Client, query: str, order: list[str]) -> None:
    assert ids(get(clinic, f"/Patient?_tag={TAG}&{query}")) == order


def test_each_entry_has_its_address_and_mode(clinic: httpx.Client) -> None:
    (entry,) = get(clinic, "/Patient?_id=s-p1")["entry"]
    assert entry["fullUrl"].endswith("/fhir/Patient/s-p1")
    assert entry["search"] == {"mode": "match"}
    assert entry["resource"] == clinic.get("/Patient/s-p1").json()


def test_post_search_is_the_same_search(clinic: httpx.Client) -> None:
    form = {"name": "королев", "_tag": TAG}
    posted = clinic.post("/Patient/_search?_sort=birthdate", data=form)
    assert posted.status_code == 200
    assert ids(posted.json()) == ["s-p1", "s-p2"]
    self_link = links(posted.json())["self"]
    assert ids(get(clinic, self_link)) == ["s-p1", "s-p2"]
    assert "/Patient?" in self_link
