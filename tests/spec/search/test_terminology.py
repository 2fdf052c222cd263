"""`:in`, `:not-in`, `:above` and `:below` by value sets and code systems of this server.

https://hl7.org/fhir/R4/search.html#modifiers
"""

from collections.abc import Callable

import httpx
import pytest

from tests.support.fhir import create, ids, new_id
from tests.support.polling import until

Found = Callable[[str], list[str]]
"""The codes of the Conditions that `code:…` finds."""


@pytest.fixture(scope="module")
def system(fhir: httpx.Client) -> str:
    """A code system `a > b > c`, `d`, a value set of `b` and `d`; a Condition of each code,
    one of another system and one without a code."""
    url = f"http://test.example/{new_id()}"
    b = {"code": "b", "concept": [{"code": "c"}]}
    definitions = {"status": "active", "url": url}
    concepts = [{"code": "a", "concept": [b]}, {"code": "d"}]
    create(
        fhir,
        {"resourceType": "CodeSystem", "content": "complete", "concept": concepts}
        | definitions,
    )
    include = [{"system": url, "concept": [{"code": "b"}, {"code": "d"}]}]
    value_set = {"resourceType": "ValueSet", "compose": {"include": include}}
    tag = {"tag": [{"system": "urn:test", "code": url}]}
    create(fhir, value_set | definitions | {"url": f"{url}/vs", "meta": tag})
    for code in ("a", "b", "c", "d", "other", None):
        condition = {"resourceType": "Condition", "subject": {"display": code or "none"}}
        coding = {"system": url if code != "other" else "urn:other", "code": code}
        if code == "other":
            coding["code"] = "b"
        concept = {"code": {"coding": [coding]}} if code else {}
        create(fhir, condition | concept | {"meta": tag})
    until(lambda: fhir.get(f"/Condition?code:in={url}/vs").status_code == 200)
    return url


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("code:in={url}/vs", ["b", "d"]),
        ("code:in=ValueSet/{id}", ["b", "d"]),
        ("code:in={base}/ValueSet/{id}", ["b", "d"]),
        ("code:not-in={url}/vs", ["a", "c", "none", "other"]),
        ("code:below={url}|b", ["b", "c"]),
        ("code:below={url}|a", ["a", "b", "c"]),
        ("code:above={url}|c", ["a", "b", "c"]),
        ("code:above={url}|d", ["d"]),
    ],
)
def test_what_is_stored_here_is_asked(
    fhir: httpx.Client, system: str, query: str, codes: list[str]
) -> None:
    (id_,) = ids(fhir.get("/ValueSet", params={"_tag": system}).json())
    asked = query.format(url=system, id=id_, base=str(fhir.base_url).rstrip("/"))
    answer = fhir.get(f"/Condition?{asked}&_tag={system}")
    assert answer.status_code == 200, answer.text
    found = [each["resource"]["subject"]["display"] for each in answer.json()["entry"]]
    assert sorted(found) == codes


def test_a_value_set_that_is_not_there_is_refused(fhir: httpx.Client) -> None:
    answer = fhir.get("/Condition?code:in=ValueSet/nowhere")
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["code"] == "not-supported"
