"""$meta, $meta-add, $meta-delete: https://hl7.org/fhir/R4/resource-operations.html."""

from typing import Any

import httpx
import pytest

from tests.support.fhir import create, new_id, patient

SECRET = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}


def labels(name: str, *values: Any) -> dict[str, Any]:
    row = {"name": "meta", "valueMeta": {name: list(values)}}
    return {"resourceType": "Parameters", "parameter": [row]}


def meta_of(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["parameter"][0]["valueMeta"]
    return found


def test_labels_come_and_go(fhir: httpx.Client) -> None:
    url = f"/Patient/{create(fhir, patient())['id']}"
    added = meta_of(fhir.post(f"{url}/$meta-add", json=labels("security", SECRET)))
    assert added["security"] == [SECRET]
    assert added["versionId"] == "2"
    assert meta_of(fhir.get(f"{url}/$meta"))["security"] == [SECRET]
    gone = meta_of(fhir.post(f"{url}/$meta-delete", json=labels("security", SECRET)))
    assert "security" not in gone
    assert "security" not in fhir.get(url).json()["meta"]


def test_a_label_that_is_there_makes_no_version(fhir: httpx.Client) -> None:
    url = f"/Patient/{create(fhir, patient())['id']}"
    fhir.post(f"{url}/$meta-add", json=labels("tag", SECRET))
    again = meta_of(fhir.post(f"{url}/$meta-add", json=labels("tag", SECRET)))
    assert again["versionId"] == "2"


def test_the_history_can_be_repeated(fhir: httpx.Client) -> None:
    # POST to the type would be another create.
    url = f"/Patient/{create(fhir, patient())['id']}"
    fhir.post(f"{url}/$meta-add", json=labels("tag", SECRET))
    newest = fhir.get(f"{url}/_history").json()["entry"][0]
    assert newest["request"] == {"method": "PUT", "url": url[1:]}
    assert newest["response"]["status"] == "200 OK"


def test_a_label_is_searched_for(fhir: httpx.Client) -> None:
    made = create(fhir, patient())
    tag = {"system": "urn:test", "code": made["id"]}
    fhir.post(f"/Patient/{made['id']}/$meta-add", json=labels("tag", tag))
    found = fhir.get("/Patient", params={"_tag": f"urn:test|{made['id']}"}).json()
    assert len(found["entry"]) == 1


def test_the_labels_of_a_past_version(fhir: httpx.Client) -> None:
    url = f"/Patient/{create(fhir, patient())['id']}"
    fhir.post(f"{url}/$meta-add", json=labels("tag", SECRET))
    assert "tag" not in meta_of(fhir.get(f"{url}/_history/1/$meta"))
    assert meta_of(fhir.get(f"{url}/_history/2/$meta"))["tag"] == [SECRET]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/$meta-add", None, 405),
        ("POST", "/$meta-add", {"resourceType": "Parameters"}, 400),
        ("POST", "/$meta-add", labels("tag", {"code": 5}), 400),
        ("POST", "/_history/1/$meta-add", labels("tag", SECRET), 400),
    ],
)
def test_a_wrong_call_is_refused(
    fhir: httpx.Client, method: str, path: str, body: dict[str, Any] | None, status: int
) -> None:
    url = f"/Patient/{create(fhir, patient())['id']}{path}"
    assert fhir.request(method, url, json=body).status_code == status


def test_the_labels_in_use(fhir: httpx.Client) -> None:
    # "a list of all profiles, tags, and security labels for the resource type"
    code = new_id()
    tag, bare = {"system": "urn:test", "code": code}, {"code": code}
    profile = f"http://example.org/{code}"
    labelled = {"tag": [tag, bare], "security": [SECRET], "profile": [profile]}
    create(fhir, patient() | {"meta": labelled})
    create(fhir, patient() | {"meta": labelled})
    gone = create(fhir, patient() | {"meta": {"tag": [{"code": f"{code}-gone"}]}})
    fhir.delete(f"/Patient/{gone['id']}")
    for path in ("/Patient/$meta", "/$meta"):
        found = meta_of(fhir.get(path))
        assert [t for t in found["tag"] if t["code"] == code] == [tag, bare]
        assert found["security"].count(SECRET) == 1
        assert found["profile"].count(profile) == 1
        assert f"{code}-gone" not in str(found)
        assert "versionId" not in found
    assert code not in fhir.get("/Basic/$meta").text


def test_a_type_without_labels(fhir: httpx.Client) -> None:
    answer = fhir.get("/SubstancePolymer/$meta")
    assert answer.json() == {"resourceType": "Parameters"}
