"""create: https://hl7.org/fhir/R4/http.html#create."""

import httpx
import pytest

from tests.support.fhir import create, identifier, patient


def test_a_create_says_where_the_resource_is(fhir: httpx.Client) -> None:
    answer = fhir.post("/Patient", json=patient(family="Made"))
    assert answer.status_code == 201
    id_ = answer.json()["id"]
    assert answer.headers["location"].endswith(f"/fhir/Patient/{id_}/_history/1")
    assert answer.headers["etag"] == 'W/"1"'
    assert fhir.get(answer.headers["location"]).json() == answer.json()


def test_the_id_and_version_sent_are_ignored(fhir: httpx.Client) -> None:
    sent = patient() | {"id": "mine", "meta": {"versionId": "7", "tag": [{"code": "kept"}]}}
    body = fhir.post("/Patient", json=sent).json()
    assert body["id"] != "mine"
    assert body["meta"]["versionId"] == "1"
    assert body["meta"]["tag"] == [{"code": "kept"}]


@pytest.mark.parametrize(
    ("prefer", "type_", "length"),
    [
        ("return=minimal", None, 0),
        ("return=representation", "Patient", None),
        ("return=OperationOutcome", "OperationOutcome", None),
        ("", "Patient", None),
    ],
)
def test_prefer_decides_the_body(
    fhir: httpx.Client, prefer: str, type_: str | None, length: int | None
) -> None:
    answer = fhir.post("/Patient", json=patient(), headers={"Prefer": prefer})
    assert answer.status_code == 201
    if length == 0:
        assert answer.content == b""
    else:
        assert answer.json()["resourceType"] == type_


def test_a_body_of_another_type_is_refused(fhir: httpx.Client) -> None:
    answer = fhir.post("/Patient", json={"resourceType": "Basic", "code": {"text": "x"}})
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == ["resourceType"]


def test_all_issues_are_told_at_once(fhir: httpx.Client) -> None:
    wrong = {"resourceType": "Patient", "gender": "foo", "birthDate": "2021-02-30", "xx": 1}
    answer = fhir.post("/Patient", json=wrong)
    assert answer.status_code in (400, 422)
    found = {e for issue in answer.json()["issue"] for e in issue["expression"]}
    assert {"Patient.gender", "Patient.birthDate", "Patient.xx"} <= found


@pytest.mark.parametrize(("language", "word"), [("ru", "нет"), ("uk", "немає"), ("fr", "no")])
def test_issues_speak_the_language_of_the_user(
    fhir: httpx.Client, language: str, word: str
) -> None:
    answer = fhir.get("/Patient/nobody", headers={"Accept-Language": language})
    assert word in answer.json()["issue"][0]["details"]["text"]


def test_a_conditional_create_without_a_match_creates(fhir: httpx.Client) -> None:
    mrn = identifier()
    answer = fhir.post(
        "/Patient",
        json=patient(identifier=mrn),
        headers={"If-None-Exist": f"identifier={mrn['system']}|{mrn['value']}"},
    )
    assert answer.status_code == 201


def test_a_conditional_create_with_one_match_gives_that(fhir: httpx.Client) -> None:
    mrn = identifier()
    made = create(fhir, patient(identifier=mrn))
    answer = fhir.post(
        "/Patient",
        json=patient(identifier=mrn),
        headers={"If-None-Exist": f"identifier={mrn['system']}|{mrn['value']}"},
    )
    assert answer.status_code == 200
    assert answer.json()["id"] == made["id"]
    assert fhir.get("/Patient", params={"identifier": mrn["value"]}).json()["entry"][1:] == []


def test_a_conditional_create_says_where_the_match_is(fhir: httpx.Client) -> None:
    mrn = identifier()
    made = create(fhir, patient(identifier=mrn))
    condition = {"If-None-Exist": f"identifier={mrn['value']}"}
    answer = fhir.post("/Patient", json=patient(identifier=mrn), headers=condition)
    assert answer.headers["location"].endswith(f"/Patient/{made['id']}/_history/1")


def test_a_conditional_create_with_two_matches_is_412(fhir: httpx.Client) -> None:
    mrn = identifier()
    create(fhir, patient(identifier=mrn))
    create(fhir, patient(identifier=mrn))
    answer = fhir.post(
        "/Patient",
        json=patient(identifier=mrn),
        headers={"If-None-Exist": f"identifier={mrn['value']}"},
    )
    assert answer.status_code == 412
    assert answer.json()["issue"][0]["code"] == "multiple-matches"


@pytest.mark.parametrize("criteria", ["", "?", "foo=bar", "identifier=1&foo=bar"])
def test_criteria_that_say_nothing_sure_are_refused(fhir: httpx.Client, criteria: str) -> None:
    answer = fhir.post("/Patient", json=patient(), headers={"If-None-Exist": criteria})
    assert answer.status_code in (400, 412)


def test_criteria_in_the_url_make_no_duplicate(fhir: httpx.Client) -> None:
    # Some clients write a conditional create so. R4 has If-None-Exist: to pass over what they
    # ask would make the second resource that they want to avoid.
    mrn = identifier()
    asked = {"identifier": f"{mrn['system']}|{mrn['value']}"}
    resource = patient(identifier=mrn)
    for headers in ({}, {"Prefer": "handling=lenient"}):
        answer = fhir.post("/Patient", params=asked, json=resource, headers=headers)
        assert answer.status_code == 400
        (issue,) = answer.json()["issue"]
        assert (issue["code"], issue["expression"]) == ("not-supported", ["identifier"])
    request = {"method": "POST", "url": f"Patient?identifier={asked['identifier']}"}
    for kind in ("batch", "transaction"):
        entry = {"request": request, "resource": resource}
        bundle = {"resourceType": "Bundle", "type": kind, "entry": [entry]}
        assert "Bundle.entry[0].request.identifier" in fhir.post("/", json=bundle).text
    assert fhir.get("/Patient", params=asked | {"_summary": "count"}).json()["total"] == 0
    shown = {"_pretty": "true", "_format": "json"}
    assert fhir.post("/Patient", params=shown, json=resource).status_code == 201
