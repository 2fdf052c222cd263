"""update: https://hl7.org/fhir/R4/http.html#update."""

import httpx
import pytest

from tests.support.fhir import create, identifier, new_id, patient


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
    [('W/"1"', 200), ('"1"', 200), ("*", 200), ('W/"2"', 412), ('W/"x"', 412), ("", 412)],
)
def test_if_match(fhir: httpx.Client, if_match: str, status: int) -> None:
    made = create(fhir, patient())
    answer = fhir.put(
        f"/Patient/{made['id']}",
        json=made | {"gender": "unknown"},
        headers={"If-Match": if_match},
    )
    assert answer.status_code == status


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
