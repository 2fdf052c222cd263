"""$reindex: who may be asked for it, what it answers, and that it changes no version.

https://hl7.org/fhir/R4/operations.html
"""

from typing import Any

import httpx
import pymongo
import pytest

from tests.support.fhir import JsonObject, create, identifier, new_id, patient
from tests.support.polling import finished
from tests.support.running import Running

GENDER = "http://hl7.org/fhir/SearchParameter/individual-gender"


def parameters(**values: str | list[str]) -> JsonObject:
    rows = [
        {"name": name, "valueString": value}
        for name, given in values.items()
        for value in ([given] if isinstance(given, str) else given)
    ]
    return {"resourceType": "Parameters", "parameter": rows}


def counts(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return {row["name"]: row["valueInteger"] for row in answer.json()["parameter"]}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/$reindex", None),
        ("/$reindex", parameters(type=["Patient", "Observation"])),
        ("/$reindex?type=Patient,Observation", None),
        ("/Patient/$reindex", None),
        ("/$reindex", parameters(url=GENDER)),
        ("/Patient/$reindex", parameters(searchParameter=GENDER)),
    ],
)
def test_it_always_runs_as_a_job(
    fhir: httpx.Client, path: str, body: JsonObject | None
) -> None:
    create(fhir, patient())
    done = counts(finished(fhir, fhir.post(path, json=body)))
    assert done["versions"] >= 1
    assert done["failed"] == 0


def test_one_resource_with_its_past(fhir: httpx.Client) -> None:
    made = create(fhir, patient())
    fhir.put(f"/Patient/{made['id']}", json=made | {"gender": "male"})
    fhir.delete(f"/Patient/{made['id']}")
    fhir.put(f"/Patient/{made['id']}", json=made | {"gender": "female"})
    answer = finished(fhir, fhir.post(f"/Patient/{made['id']}/$reindex"))
    assert counts(answer) == {"versions": 4, "failed": 0}


def test_no_version_is_made_and_no_byte_changed(fhir: httpx.Client) -> None:
    made = create(fhir, patient(identifier=identifier()))
    before = fhir.get(f"/Patient/{made['id']}/_history")
    finished(fhir, fhir.post(f"/Patient/{made['id']}/$reindex"))
    after = fhir.get(f"/Patient/{made['id']}/_history")
    assert before.json()["entry"] == after.json()["entry"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/Patient/none/$reindex", 404),
        ("/Nothing/$reindex", 404),
        ("/$reindex?type=Nothing", 400),
        ("/$reindex?url=http://example.org/none", 400),
        (f"/Observation/$reindex?url={GENDER}", 400),
        ("/$reindex?foo=bar", 400),
    ],
)
def test_what_it_cannot_do_is_refused_at_once(
    fhir: httpx.Client, path: str, status: int
) -> None:
    answer = fhir.post(path)
    assert answer.status_code == status, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_a_deleted_resource_is_gone(fhir: httpx.Client) -> None:
    made = create(fhir, patient())
    fhir.delete(f"/Patient/{made['id']}")
    assert fhir.post(f"/Patient/{made['id']}/$reindex").status_code == 410


def test_get_is_not_allowed(fhir: httpx.Client) -> None:
    assert fhir.get("/$reindex").status_code == 405


INDEX = ("tok", "str", "strx", "txt")


def test_lost_values_come_back_in_every_version(
    fhir: httpx.Client, server: Running, mongodb_uri: str
) -> None:
    """Live ones, past ones and deletions: a history is judged by the values of each."""
    made = create(fhir, patient(family=f"A{new_id()}"))
    place = f"/Patient/{made['id']}"
    fhir.put(place, json=made | {"gender": "male"})
    fhir.delete(place)
    fhir.put(place, json=made | {"gender": "female"})
    other = create(fhir, patient(family=f"B{new_id()}"))
    fhir.delete(f"/Patient/{other['id']}")
    ids = [made["id"], other["id"]]
    with pymongo.MongoClient[JsonObject](mongodb_uri) as client:
        database = client[server.database]
        asked = {"Patient": {"_id": {"$in": ids}}, "Patient_history": {"_id.id": {"$in": ids}}}

        def rows() -> list[JsonObject]:
            return [row for name, where in asked.items() for row in database[name].find(where)]

        before = rows()
        assert len(before) == 6
        for name, where in asked.items():
            wrong = {"$unset": dict.fromkeys(INDEX, ""), "$set": {"uri": ["wrong|x"]}}
            database[name].update_many(where, wrong)
        assert rows() != before
        finished(fhir, fhir.post("/Patient/$reindex"))
        assert rows() == before


def test_updates_meanwhile_win(fhir: httpx.Client) -> None:
    old, new = f"Old{new_id()}", f"New{new_id()}"
    request = {"method": "POST", "url": "Patient"}
    entries = [{"resource": patient(family=old), "request": request}] * 150
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    wish = {"Prefer": "return=representation"}
    made = [
        each["resource"] for each in fhir.post("/", json=bundle, headers=wish).json()["entry"]
    ]
    jobs = [fhir.post("/Patient/$reindex") for _ in range(2)]
    for each in made:
        changed = each | {"name": [{"family": new}]}
        assert fhir.put(f"/Patient/{each['id']}", json=changed).status_code == 200
    for job in jobs:
        assert counts(finished(fhir, job))["failed"] == 0

    def total(family: str) -> int:
        asked = {"family": family, "_summary": "count"}
        found: int = fhir.get("/Patient", params=asked).json()["total"]
        return found

    assert (total(old), total(new)) == (0, 150)
    versions = {fhir.get(f"/Patient/{each['id']}").headers["etag"] for each in made}
    assert versions == {'W/"2"'}


def test_it_is_listed(fhir: httpx.Client) -> None:
    rest = fhir.get("/metadata").json()["rest"][0]
    assert "reindex" in {each["name"] for each in rest["operation"]}
    assert all(
        "reindex" in {each["name"] for each in row["operation"]} for row in rest["resource"]
    )
