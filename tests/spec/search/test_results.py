"""What a page holds besides its matches: includes, parts, outcomes; and refusals.

https://hl7.org/fhir/R4/search.html#return
"""

from typing import Any

import httpx
import pytest

from tests.spec.search.conftest import TAG

JsonObject = dict[str, Any]
LENIENT = {"Prefer": "handling=lenient"}


def modes(clinic: httpx.Client, query: str) -> dict[str, list[str]]:
    answer = clinic.get(f"/{query}&_count=100")
    assert answer.status_code == 200, answer.text
    found: dict[str, list[str]] = {}
    for entry in answer.json().get("entry", ()):
        found.setdefault(entry["search"]["mode"], []).append(entry["resource"].get("id"))
    return {mode: sorted(ids) for mode, ids in found.items()}


@pytest.mark.parametrize(
    ("query", "included"),
    [
        ("Observation?_id=s-w1&_include=Observation:subject", ["s-p1"]),
        ("Observation?_id=s-w1,s-w2&_include=Observation:patient", ["s-p1"]),
        ("Observation?_id=s-w1&_include=Observation:subject:Group", []),
        ("Observation?_id=s-w1&_include=Observation:*", ["s-d1", "s-p1"]),
        ("Observation?_id=s-w1&_include=*", ["s-d1", "s-p1"]),
        # Without :iterate, of the matches alone.
        (
            "Observation?_id=s-w1&_include=Observation:subject&_include=Patient:organization",
            ["s-p1"],
        ),
        (
            (
                "Observation?_id=s-w1&_include=Observation:subject"
                "&_include:iterate=Patient:organization"
            ),
            ["s-o2", "s-p1"],
        ),
        (
            (
                "Observation?_id=s-w1&_include=Observation:subject"
                "&_include:iterate=Patient:organization&_include:iterate=Organization:partof"
            ),
            ["s-o1", "s-o2", "s-p1"],
        ),
        ("Patient?_id=s-p2&_revinclude=Observation:patient", ["s-b2", "s-w3"]),
        (
            (
                "Patient?_id=s-p1&_revinclude=Observation:patient"
                "&_revinclude:iterate=Provenance:target"
            ),
            ["s-b1", "s-pr1", "s-w1", "s-w2"],
        ),
        ("Observation?_id=s-w1&_revinclude=*", ["s-pr1"]),
        ("Location?_id=s-l2&_include:iterate=Location:partof", ["s-l1"]),
        (
            "QuestionnaireResponse?_id=s-qr1&_include=QuestionnaireResponse:questionnaire",
            ["s-q1"],
        ),
        ("Questionnaire?_id=s-q1&_revinclude=QuestionnaireResponse:questionnaire", ["s-qr1"]),
        ("Questionnaire?_id=s-q1&_revinclude=*", ["s-qr1"]),
        ("Encounter?_id=s-e1&_include=Encounter:subject", []),
    ],
)
def test_what_is_related_comes_along(
    clinic: httpx.Client, query: str, included: list[str]
) -> None:
    assert modes(clinic, query).get("include", []) == included


def test_what_matches_is_not_included_again(clinic: httpx.Client) -> None:
    query = f"Location?_tag={TAG}&_include=Location:partof"
    assert modes(clinic, query) == {"match": ["s-l1", "s-l2"]}


def test_every_page_brings_its_own_includes(clinic: httpx.Client) -> None:
    url = f"/Observation?_tag={TAG}&status=final&_count=1&_include=Observation:subject"
    seen = []
    while url:
        bundle = clinic.get(url).json()
        seen.append([each["search"]["mode"] for each in bundle["entry"]])
        url = {e["relation"]: e["url"] for e in bundle["link"]}.get("next", "")
    assert seen == [["match", "include"]] * 3


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("_summary=true", {"active", "name", "gender", "birthDate", "identifier",
                           "generalPractitioner", "managingOrganization"}),
        ("_summary=text", set()),
        ("_summary=false", {"active", "name", "gender", "birthDate", "identifier",
                            "generalPractitioner", "managingOrganization"}),
        ("_elements=name,gender", {"name", "gender"}),
    ],
)  # fmt: skip
def test_parts_are_tagged(clinic: httpx.Client, query: str, names: set[str]) -> None:
    (entry,) = clinic.get(f"/Patient?_id=s-p1&{query}").json()["entry"]
    resource = entry["resource"]
    tags = {tag["code"] for tag in resource["meta"]["tag"]}
    if query == "_summary=true":
        assert set(resource) <= names | {"resourceType", "id", "meta"}
    else:
        assert set(resource) == names | {"resourceType", "id", "meta"}
    assert ("SUBSETTED" in tags) is (query != "_summary=false")


def test_elements_do_not_apply_to_includes(clinic: httpx.Client) -> None:
    query = "_id=s-w1&_elements=status&_include=Observation:subject"
    match, include = clinic.get(f"/Observation?{query}").json()["entry"]
    assert set(match["resource"]) == {"resourceType", "id", "meta", "status", "code"}
    assert "name" in include["resource"]


@pytest.mark.parametrize(
    ("query", "urls"),
    [
        ("code=asa", ["Medication/s-m1"]),
        ("code=asa&_contained=true", ["MedicationRequest/s-mr1"]),
        ("code=asa&_contained=both", ["Medication/s-m1", "MedicationRequest/s-mr1"]),
        ("code=asa&_contained=true&_containedType=contained", ["MedicationRequest/s-mr1#m"]),
        ("code=asa&_contained=true&_count=0", []),
    ],
)
def test_contained_resources_are_searched_on_request(
    clinic: httpx.Client, query: str, urls: list[str]
) -> None:
    bundle = clinic.get(f"/Medication?{query}").json()
    entries = bundle.get("entry", ())
    assert [each["fullUrl"].partition("/fhir/")[2] for each in entries] == urls
    assert {each["search"]["mode"] for each in entries} <= {"match"}
    if query.endswith("_count=0"):
        assert bundle["total"] == 1


@pytest.mark.parametrize(
    ("query", "urls"),
    [
        ("_contained=true", ["MedicationRequest/s-mr1"]),
        ("_contained=both", ["Medication/s-m1", "MedicationRequest/s-mr1"]),
        ("_contained=true&_containedType=contained", ["MedicationRequest/s-mr1#m"]),
    ],
)
def test_contained_resources_of_several_types_are_searched(
    clinic: httpx.Client, query: str, urls: list[str]
) -> None:
    found = clinic.get(f"/?_type=Substance,Medication&code=asa&{query}").json()
    assert [each["fullUrl"].partition("/fhir/")[2] for each in found["entry"]] == urls


def problems(answer: httpx.Response) -> list[str]:
    outcome: JsonObject = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    return [issue["code"] for issue in outcome["issue"]]


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("Patient?foo=1", ["not-supported"]),
        ("Patient?name:foo=1", ["not-supported"]),
        ("Patient?foo=1&name:foo=1&birthdate=x", ["not-supported", "not-supported", "value"]),
        ("Patient?_count=-1", ["value"]),
        ("Patient?_count=ten", ["value"]),
        ("Patient?birthdate=2020-13-45", ["value"]),
        ("Patient?_sort=foo", ["not-supported"]),
        ("Patient?_include=Patient:foo", ["not-supported"]),
        ("Patient?_filter=name eq", ["value"]),
        ("Patient?_has:Observation:foo:code=1", ["not-supported"]),
        ("Patient?identifier=" + "a," * 3_000 + "a", ["too-costly"]),
        ("?name=x", ["not-supported"]),
        ("?_type=Foo", ["value"]),
        ("Patient?name=%00", ["value"]),
        ("Patient?_contained=true&_sort=name", ["not-supported"]),
    ],
)
def test_what_is_not_understood_is_refused(
    clinic: httpx.Client, query: str, codes: list[str]
) -> None:
    answer = clinic.get(f"/{query}")
    assert answer.status_code == 400
    assert problems(answer) == codes


def test_a_type_outside_its_compartment_is_not_there(clinic: httpx.Client) -> None:
    assert clinic.get("/Patient/s-p1/Location").status_code == 404
    assert clinic.get("/Patient/nobody/Observation").json().get("entry") is None


def test_lenient_handling_reports_what_it_ignored(clinic: httpx.Client) -> None:
    answer = clinic.get(f"/Patient?_tag={TAG}&foo=1&gender=male", headers=LENIENT)
    assert answer.status_code == 200
    *matches, last = answer.json()["entry"]
    assert [each["resource"]["id"] for each in matches] == ["s-p1"]
    assert last["search"] == {"mode": "outcome"}
    (issue,) = last["resource"]["issue"]
    assert (issue["severity"], issue["code"]) == ("warning", "not-supported")
    assert "foo" in issue["diagnostics"]
    (self_link,) = [e["url"] for e in answer.json()["link"] if e["relation"] == "self"]
    assert "foo" not in self_link


def test_lenient_handling_refuses_bad_values(clinic: httpx.Client) -> None:
    answer = clinic.get("/Patient?birthdate=x&foo=1", headers=LENIENT)
    assert answer.status_code == 400
    assert problems(answer) == ["value"]


@pytest.mark.parametrize("language", ["ru", "uk"])
def test_refusals_speak_the_language_asked_for(clinic: httpx.Client, language: str) -> None:
    answer = clinic.get("/Patient?foo=1", headers={"Accept-Language": language})
    text = answer.json()["issue"][0]["details"]["text"]
    assert "параметр" in text


def test_operators_may_ask_for_the_plan(clinic: httpx.Client) -> None:
    query = "patient=s-p1&code=29463-7&_sort=-date&_explain=true"
    answer = clinic.get(f"/Observation?{query}").json()
    assert answer["resourceType"] == "Parameters"
    (said,) = answer["parameter"]
    names = {part["name"] for part in said["part"]}
    assert {"plan", "filter", "indexes", "stages"} <= names
