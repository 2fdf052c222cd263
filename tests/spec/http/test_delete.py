"""delete: https://hl7.org/fhir/R4/http.html#delete."""

import httpx
import pytest

from tests.support.fhir import create, identifier, ids, new_id, patient


def test_a_delete_leaves_a_tombstone(fhir: httpx.Client) -> None:
    made = create(fhir, patient())
    answer = fhir.delete(f"/Patient/{made['id']}")
    assert answer.status_code == 204
    assert answer.headers["etag"] == 'W/"2"'
    assert fhir.get(f"/Patient/{made['id']}").status_code == 410


def test_an_outcome_is_given_where_it_is_preferred(fhir: httpx.Client) -> None:
    # "200 OK if the response contains a payload, or a 204 No Content with no response payload"
    made = create(fhir, patient())
    preferred = {"Prefer": "return=OperationOutcome"}
    answer = fhir.delete(f"/Patient/{made['id']}", headers=preferred)
    assert answer.status_code == 200
    assert answer.json()["issue"][0]["severity"] == "information"


def test_a_second_delete_changes_nothing(fhir: httpx.Client) -> None:
    made = create(fhir, patient())
    fhir.delete(f"/Patient/{made['id']}")
    answer = fhir.delete(f"/Patient/{made['id']}")
    assert answer.status_code == 204
    assert answer.headers["etag"] == 'W/"2"'


def test_what_never_was_is_deleted_as_well(fhir: httpx.Client) -> None:
    assert fhir.delete(f"/Patient/{new_id()}").status_code == 204


def test_a_search_does_not_find_it_any_more(fhir: httpx.Client) -> None:
    mrn = identifier()
    made = create(fhir, patient(identifier=mrn))
    fhir.delete(f"/Patient/{made['id']}")
    found = fhir.get("/Patient", params={"identifier": mrn["value"]}).json()
    assert ids(found) == []


@pytest.mark.parametrize(("if_match", "status"), [('W/"1"', 204), ('W/"2"', 412)])
def test_if_match(fhir: httpx.Client, if_match: str, status: int) -> None:
    made = create(fhir, patient())
    answer = fhir.delete(f"/Patient/{made['id']}", headers={"If-Match": if_match})
    assert answer.status_code == status


@pytest.mark.parametrize("matches", [0, 1, 3])
def test_a_conditional_delete_removes_all_that_match(fhir: httpx.Client, matches: int) -> None:
    mrn = identifier()
    for _ in range(matches):
        create(fhir, patient(identifier=mrn))
    answer = fhir.delete("/Patient", params={"identifier": mrn["value"]})
    assert answer.status_code == 204
    found = fhir.get("/Patient", params={"identifier": mrn["value"]}).json()
    assert ids(found) == []


@pytest.mark.parametrize("params", [{}, {"foo": "bar"}, {"identifier": ""}])
def test_a_conditional_delete_never_matches_everything(
    fhir: httpx.Client, params: dict[str, str]
) -> None:
    assert fhir.delete("/Patient", params=params).status_code in (400, 412)


@pytest.mark.parametrize(
    ("versions", "if_match", "status"),
    [((1,), 'W/"1"', 204), ((1,), 'W/"2"', 412), ((1, 2), 'W/"1"', 412), ((), 'W/"1"', 412)],
    ids=["the version", "another", "one of two is another", "nothing matches"],
)
@pytest.mark.parametrize("door", ["http", "transaction"])
def test_a_conditional_delete_obeys_if_match(
    fhir: httpx.Client, door: str, versions: tuple[int, ...], if_match: str, status: int
) -> None:
    mrn = new_id()
    for version in versions:
        made = create(fhir, patient(identifier=identifier(mrn)))
        if version == 2:
            fhir.put(f"/Patient/{made['id']}", json=made | {"active": True})
    path = f"Patient?identifier={mrn}"
    if door == "http":
        assert fhir.delete(f"/{path}", headers={"If-Match": if_match}).status_code == status
    else:
        request = {"method": "DELETE", "url": path, "ifMatch": if_match}
        bundle = {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [{"request": request}],
        }
        assert fhir.post("", json=bundle).status_code == {204: 200}.get(status, status)
    left = len(ids(fhir.get(f"/{path}").json()))
    assert left == (0 if status == 204 else len(versions))
