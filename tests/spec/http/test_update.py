"""update: https://hl7.org/fhir/R4/http.html#update."""

from typing import Any

import httpx
import pytest
from pymongo import MongoClient

from tests.support.fhir import create, identifier, new_id, patient
from tests.support.running import Running


def test_an_update_is_a_new_version(fhir: httpx.Client) -> None:
    made = create(fhir, patient())
    answer = fhir.put(f"/Patient/{made['id']}", json=made | {"gender": "female"})
    assert answer.status_code == 200
    assert answer.headers["etag"] == 'W/"2"'
    assert answer.json()["meta"]["versionId"] == "2"
    assert fhir.get(f"/Patient/{made['id']}").json() == answer.json()


def test_what_the_client_leaves_out_is_gone(fhir: httpx.Client) -> None:
    made = create(fhir, patient() | {"gender": "female"})
    without = {k: v for k, v in made.items() if k != "gender"}
    fhir.put(f"/Patient/{made['id']}", json=without)
    assert "gender" not in fhir.get(f"/Patient/{made['id']}").json()


def test_an_equal_body_makes_no_version(fhir: httpx.Client) -> None:
    made = create(fhir, patient(family="Same"))
    answer = fhir.put(f"/Patient/{made['id']}", json=made)
    assert answer.status_code == 200
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.json() == made


def test_an_equal_body_with_if_match_makes_no_version(fhir: httpx.Client) -> None:
    made = create(fhir, patient(family="Same"))
    path = f"/Patient/{made['id']}"
    answer = fhir.put(path, json=made, headers={"If-Match": 'W/"1"'})
    assert answer.status_code == 200
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.json() == fhir.get(path).json() == made
    assert fhir.get(f"{path}/_history").json()["total"] == 1


def test_an_update_of_an_unknown_id_creates(fhir: httpx.Client) -> None:
    id_ = new_id()
    answer = fhir.put(f"/Patient/{id_}", json=patient() | {"id": id_})
    assert answer.status_code == 201
    assert answer.headers["location"].endswith(f"/Patient/{id_}/_history/1")


def test_an_update_after_a_delete_goes_on_counting(fhir: httpx.Client) -> None:
    made = create(fhir, patient())
    fhir.delete(f"/Patient/{made['id']}")
    answer = fhir.put(f"/Patient/{made['id']}", json=made)
    assert answer.status_code == 201
    assert answer.headers["etag"] == 'W/"3"'


@pytest.mark.parametrize(
    "body",
    [
        {"resourceType": "Patient"},
        {"resourceType": "Patient", "id": "other"},
        {"resourceType": "Basic", "id": "same", "code": {"text": "x"}},
    ],
)
def test_the_body_must_be_the_resource_that_the_url_names(
    fhir: httpx.Client, body: dict[str, object]
) -> None:
    assert fhir.put("/Patient/same", json=body).status_code == 400


@pytest.mark.parametrize("id_", ["a" * 65, "under_score", "ä"])
def test_an_id_outside_the_grammar_is_refused(fhir: httpx.Client, id_: str) -> None:
    answer = fhir.put(f"/Patient/{id_}", json=patient() | {"id": id_})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("if_match", "status"),
    [
        ('W/"1"', 200),
        ('"1"', 200),
        ("*", 200),
        ('W/"1", W/"7"', 200),
        ('W/"2"', 412),
        ('W/"0"', 412),
        ('W/"01"', 412),
        (f'W/"{2**64}"', 412),
        ('W/"x"', 412),
        ("", 412),
    ],
)
def test_if_match(fhir: httpx.Client, if_match: str, status: int) -> None:
    made = create(fhir, patient())
    answer = fhir.put(
        f"/Patient/{made['id']}",
        json=made | {"gender": "unknown"},
        headers={"If-Match": if_match},
    )
    assert answer.status_code == status


def test_an_update_with_if_match_is_a_version_like_any(fhir: httpx.Client) -> None:
    made = create(fhir, patient())
    path = f"/Patient/{made['id']}"
    changed = made | {"gender": "unknown"}
    answer = fhir.put(path, json=changed, headers={"If-Match": 'W/"1"'})
    assert answer.headers["etag"] == 'W/"2"'
    assert fhir.get(path).json() == answer.json()
    history = fhir.get(f"{path}/_history").json()["entry"]
    assert [each["request"]["method"] for each in history] == ["PUT", "POST"]
    assert [each["resource"] for each in history] == [answer.json(), made]


def test_if_match_of_a_deleted_resource_is_412(fhir: httpx.Client) -> None:
    made = create(fhir, patient())
    path = f"/Patient/{made['id']}"
    fhir.delete(path)
    for number in (1, 2):
        answer = fhir.put(path, json=made, headers={"If-Match": f'W/"{number}"'})
        assert answer.status_code == 412
    assert fhir.get(path).status_code == 410


def test_if_none_match_star_is_heard_beside_if_match(fhir: httpx.Client) -> None:
    made = create(fhir, patient())
    both = {"If-Match": 'W/"1"', "If-None-Match": "*"}
    changed = made | {"gender": "unknown"}
    assert fhir.put(f"/Patient/{made['id']}", json=changed, headers=both).status_code == 412


def test_a_clock_that_steps_back_does_not_turn_a_history_round(
    fhir: httpx.Client, server: Running, mongodb_uri: str
) -> None:
    made = create(fhir, patient())
    ahead = 4_102_444_800_000
    with MongoClient[dict[str, Any]](mongodb_uri) as mongo:
        table = mongo[server.database]["Patient"]
        table.update_one({"_id": made["id"]}, {"$set": {"at": ahead}})
    answer = fhir.put(
        f"/Patient/{made['id']}",
        json=made | {"gender": "unknown"},
        headers={"If-Match": 'W/"1"'},
    )
    assert answer.status_code == 200
    assert answer.json()["meta"]["lastUpdated"] == "2100-01-01T00:00:00.000Z"


def test_if_match_of_what_does_not_exist_is_412(fhir: httpx.Client) -> None:
    id_ = new_id()
    answer = fhir.put(
        f"/Patient/{id_}", json=patient() | {"id": id_}, headers={"If-Match": 'W/"1"'}
    )
    assert answer.status_code == 412
    assert fhir.get(f"/Patient/{id_}").status_code == 404


def test_if_none_match_star_never_overwrites(fhir: httpx.Client) -> None:
    made = create(fhir, patient())
    answer = fhir.put(
        f"/Patient/{made['id']}",
        json=made | {"gender": "other"},
        headers={"If-None-Match": "*"},
    )
    assert answer.status_code == 412


@pytest.mark.parametrize(("matches", "status"), [(0, 201), (1, 200), (2, 412)])
def test_a_conditional_update(fhir: httpx.Client, matches: int, status: int) -> None:
    mrn = identifier()
    made = [create(fhir, patient(identifier=mrn)) for _ in range(matches)]
    answer = fhir.put(
        "/Patient",
        params={"identifier": f"{mrn['system']}|{mrn['value']}"},
        json=patient(identifier=mrn, family="New"),
    )
    assert answer.status_code == status
    if status == 200:
        assert answer.json()["id"] == made[0]["id"]
        assert answer.headers["etag"] == 'W/"2"'


def test_a_conditional_update_with_another_id_is_400(fhir: httpx.Client) -> None:
    mrn = identifier()
    create(fhir, patient(identifier=mrn))
    answer = fhir.put(
        "/Patient",
        params={"identifier": mrn["value"]},
        json=patient(identifier=mrn) | {"id": "other"},
    )
    assert answer.status_code == 400


def test_a_conditional_update_without_criteria_is_refused(fhir: httpx.Client) -> None:
    assert fhir.put("/Patient", json=patient()).status_code == 412
