"""What stands around the entries: https://hl7.org/fhir/R4/bundle.html#resource."""

from typing import Any

import httpx
import pytest

from tests.support.fhir import create, identifier, new_id, patient

JsonObject = dict[str, Any]
POST = {"method": "POST", "url": "Patient"}
ENTRY = {"request": POST, "resource": patient()}


def bundle(kind: str, *entries: JsonObject, **more: Any) -> JsonObject:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)} | more


WRONG = [
    ({**ENTRY, "foo": 1}, "structure", "Bundle.entry[0].foo"),
    # One letter too many, and the condition would be gone.
    (
        {**ENTRY, "request": POST | {"ifNoneExists": "identifier=1"}},
        "structure",
        "Bundle.entry[0].request.ifNoneExists",
    ),
    ({**ENTRY, "search": {"mode": "match"}}, "invariant", "Bundle.entry[0].search"),
    ({**ENTRY, "response": {"status": "200"}}, "invariant", "Bundle.entry[0].response"),
]


@pytest.mark.parametrize(("entry", "code", "place"), WRONG)
def test_an_entry_says_nothing_that_is_passed_over(
    fhir: httpx.Client, entry: JsonObject, code: str, place: str
) -> None:
    answer = fhir.post("/", json=bundle("transaction", entry))
    assert answer.status_code == 400
    (issue,) = answer.json()["issue"]
    assert (issue["code"], issue["expression"]) == (code, [place])
    alone = fhir.post("/", json=bundle("batch", entry, ENTRY)).json()["entry"]
    statuses = [each["response"]["status"] for each in alone]
    assert statuses == ["400 Bad Request", "201 Created"]


@pytest.mark.parametrize("kind", ["batch", "transaction"])
@pytest.mark.parametrize(
    ("more", "code", "place"),
    [({"foo": 1}, "structure", "Bundle.foo"), ({"total": 1}, "invariant", "Bundle.total")],
)
def test_nor_does_the_bundle(
    fhir: httpx.Client, kind: str, more: JsonObject, code: str, place: str
) -> None:
    answer = fhir.post("/", json=bundle(kind, ENTRY, **more))
    assert answer.status_code == 400
    (issue,) = answer.json()["issue"]
    assert (issue["code"], issue["expression"]) == (code, [place])


def test_what_belongs_there_may_be_said(fhir: httpx.Client) -> None:
    entry = ENTRY | {"id": "a", "fullUrl": f"urn:uuid:{new_id()}", "_fullUrl": {"id": "b"}}
    more = {"id": "x", "meta": {"tag": [{"code": "x"}]}, "timestamp": "2026-11-22T08:00:00Z"}
    link = [{"relation": "self", "url": "http://example.org"}]
    answer = fhir.post("/", json=bundle("transaction", entry, link=link, **more))
    assert answer.status_code == 200


def test_a_patch_refers_to_another_entry(fhir: httpx.Client) -> None:
    made = create(fhir, patient())
    url = f"urn:uuid:{new_id()}"
    parts = [
        {"name": "type", "valueCode": "add"},
        {"name": "path", "valueString": "Patient"},
        {"name": "name", "valueString": "managingOrganization"},
        {"name": "value", "valueReference": {"reference": url}},
    ]
    change = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}
    patch = {"method": "PATCH", "url": f"Patient/{made['id']}"}
    answer = fhir.post(
        "/",
        json=bundle(
            "transaction",
            {"request": patch, "resource": change},
            {
                "fullUrl": url,
                "request": {"method": "POST", "url": "Organization"},
                "resource": {"resourceType": "Organization", "name": "x"},
            },
        ),
    )
    assert answer.status_code == 200, answer.text
    place = answer.json()["entry"][1]["response"]["location"]
    found = fhir.get(f"/Patient/{made['id']}").json()["managingOrganization"]["reference"]
    assert found == place.partition("/fhir/")[2].partition("/_history")[0]


@pytest.mark.parametrize("first", ["PUT", "POST"])
def test_equal_criteria_that_find_nothing_overlap(fhir: httpx.Client, first: str) -> None:
    # "including resolved identities from conditional update": the second finds the first.
    mrn = identifier()
    criteria = f"identifier={mrn['system']}|{mrn['value']}"
    resource = patient(identifier=mrn)
    put = {"method": "PUT", "url": f"Patient?{criteria}"}
    post = POST | {"ifNoneExist": criteria}
    one = {"request": put if first == "PUT" else post, "resource": resource}
    two = {"request": put, "resource": resource | {"gender": "other"}}
    for entries in ((one, two), (two, one)):
        answer = fhir.post("/", json=bundle("transaction", *entries))
        assert answer.status_code == 400
        assert answer.json()["issue"][0]["code"] == "duplicate"
