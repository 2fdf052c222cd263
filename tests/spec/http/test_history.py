"""history: https://hl7.org/fhir/R4/http.html#history."""

from itertools import pairwise
from typing import Any

import httpx
import pytest

from tests.support.fhir import create, new_id, patient


@pytest.fixture
def lived(fhir: httpx.Client) -> str:
    """A patient created, changed, deleted and made again."""
    made = create(fhir, patient(family="First"))
    url = f"/Patient/{made['id']}"
    fhir.put(url, json=made | {"gender": "male"})
    fhir.delete(url)
    fhir.put(url, json=made | {"gender": "other"})
    return url


def test_versions_come_newest_first(fhir: httpx.Client, lived: str) -> None:
    bundle = fhir.get(f"{lived}/_history").json()
    assert bundle["type"] == "history"
    assert bundle["total"] == 4
    assert [e["response"]["etag"] for e in bundle["entry"]] == [
        'W/"4"',
        'W/"3"',
        'W/"2"',
        'W/"1"',
    ]
    assert [e["request"]["method"] for e in bundle["entry"]] == ["PUT", "DELETE", "PUT", "POST"]
    assert bundle["entry"][1].get("resource") is None
    assert bundle["entry"][2]["resource"]["gender"] == "male"


def test_a_history_may_be_that_of_the_items_of_a_list(fhir: httpx.Client, lived: str) -> None:
    items = [{"item": {"reference": lived.strip("/")}}]
    mine = {"resourceType": "List", "status": "current", "mode": "working", "entry": items}
    ours = create(fhir, mine)["id"]
    for url in ("/Patient/_history", "/_history"):
        bundle = fhir.get(f"{url}?_list={ours}").json()
        assert {each["fullUrl"].rpartition("/fhir")[2] for each in bundle["entry"]} == {lived}
        assert len(bundle["entry"]) == 4
    first = fhir.get(f"/Patient/_history?_list={ours}&_count=3").json()
    (url,) = (each["url"] for each in first["link"] if each["relation"] == "next")
    assert len(fhir.get(url).json()["entry"]) == 1
    assert fhir.get(f"{lived}/_history?_list=none").json()["total"] == 0


def test_a_version_says_how_it_was_answered(fhir: httpx.Client) -> None:
    made = patient() | {"id": new_id()}
    url = f"/Patient/{made['id']}"
    fhir.put(url, json=made)
    fhir.put(url, json=made | {"gender": "male"})
    fhir.delete(url)
    rows = fhir.get(f"{url}/_history").json()["entry"]
    assert [row["response"]["status"] for row in rows] == [
        "204 No Content",
        "200 OK",
        "201 Created",
    ]


def test_pages_join_without_gaps(fhir: httpx.Client, lived: str) -> None:
    seen: list[str] = []
    url: str | None = f"{lived}/_history?_count=1"
    while url is not None:
        bundle = fhir.get(url).json()
        seen += [e["response"]["etag"] for e in bundle.get("entry", ())]
        url = next((x["url"] for x in bundle["link"] if x["relation"] == "next"), None)
    assert seen == ['W/"4"', 'W/"3"', 'W/"2"', 'W/"1"']


@pytest.mark.parametrize("count", ["0", "2", "100000"])
def test_count(fhir: httpx.Client, lived: str, count: str) -> None:
    bundle = fhir.get(f"{lived}/_history", params={"_count": count}).json()
    assert len(bundle.get("entry", ())) == min(int(count), 4)


@pytest.mark.parametrize(
    "params",
    [
        {"_count": "-1"},
        {"_count": "x"},
        {"_since": "soon"},
        {"foo": "1"},
        {"_cursor": "abc"},
        {"_list": "$current-problems"},
    ],
)
def test_a_wrong_parameter_is_400(
    fhir: httpx.Client, lived: str, params: dict[str, str]
) -> None:
    assert fhir.get(f"{lived}/_history", params=params).status_code == 400


def test_since_and_at(fhir: httpx.Client, lived: str) -> None:
    versions = fhir.get(f"{lived}/_history").json()["entry"]
    moment = versions[2]["response"]["lastModified"]
    since = fhir.get(f"{lived}/_history", params={"_since": moment}).json()
    assert len(since["entry"]) == 3
    at = fhir.get(f"{lived}/_history", params={"_at": moment}).json()
    assert 'W/"2"' in [e["response"]["etag"] for e in at["entry"]]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("_elements=gender", {"gender"}),
        ("_summary=text", set()),
        ("_summary=data", {"gender", "name"}),
    ],
)
def test_versions_are_cut_to_what_is_asked(
    fhir: httpx.Client, lived: str, query: str, names: set[str]
) -> None:
    newest, deletion, *_ = fhir.get(f"{lived}/_history?{query}").json()["entry"]
    assert set(newest["resource"]) == names | {"resourceType", "id", "meta"}
    assert newest["resource"]["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert "resource" not in deletion


def test_what_never_was_has_no_history(fhir: httpx.Client) -> None:
    assert fhir.get(f"/Patient/{new_id()}/_history").status_code == 404


@pytest.mark.parametrize("url", ["/Patient/_history", "/_history"])
def test_of_a_type_and_of_the_system(fhir: httpx.Client, lived: str, url: str) -> None:
    bundle: dict[str, Any] = fhir.get(url, params={"_count": "10"}).json()
    mine = [e for e in bundle["entry"] if e["fullUrl"].endswith(lived)]
    assert [e["response"]["etag"] for e in mine] == ['W/"4"', 'W/"3"', 'W/"2"', 'W/"1"']
    times = [e["response"]["lastModified"] for e in bundle["entry"]]
    assert all(a >= b for a, b in pairwise(times))
