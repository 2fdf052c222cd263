"""read, vread: https://hl7.org/fhir/R4/http.html#read."""

import httpx
import pytest

from tests.support.fhir import create, patient


def test_the_resource_comes_with_its_version(fhir: httpx.Client) -> None:
    made = create(fhir, patient(family="Read"))
    answer = fhir.get(f"/Patient/{made['id']}")
    assert answer.status_code == 200
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.headers["content-type"] == "application/fhir+json; charset=utf-8"
    assert "last-modified" in answer.headers
    assert answer.json() == made
    assert answer.json()["meta"]["versionId"] == "1"


def test_head_is_get_without_the_body(fhir: httpx.Client) -> None:
    made = create(fhir, patient())
    get, head = (fhir.request(m, f"/Patient/{made['id']}") for m in ("GET", "HEAD"))
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == str(len(get.content))
    assert head.headers["etag"] == get.headers["etag"]


@pytest.mark.parametrize("id_", ["nobody", "a" * 65, "has%20space", "%00", "$", "é"])
def test_what_does_not_exist_is_404(fhir: httpx.Client, id_: str) -> None:
    answer = fhir.get(f"/Patient/{id_}")
    assert answer.status_code == 404
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_an_unknown_type_is_404_not_supported(fhir: httpx.Client) -> None:
    answer = fhir.get("/Foo/1")
    assert answer.status_code == 404
    assert answer.json()["issue"][0]["code"] == "not-supported"


def test_what_was_deleted_is_410(fhir: httpx.Client) -> None:
    made = create(fhir, patient())
    fhir.delete(f"/Patient/{made['id']}")
    answer = fhir.get(f"/Patient/{made['id']}")
    assert answer.status_code == 410
    assert answer.json()["issue"][0]["code"] == "deleted"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-None-Match": 'W/"1"'}, 304),
        ({"If-None-Match": '"1"'}, 304),
        ({"If-None-Match": 'W/"9", W/"1"'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": 'W/"2"'}, 200),
        ({"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}, 304),
        ({"If-Modified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
        # "A recipient MUST ignore If-Modified-Since if the request contains If-None-Match"
        (
            {
                "If-None-Match": 'W/"2"',
                "If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT",
            },
            200,
        ),
    ],
)
def test_a_conditional_read(fhir: httpx.Client, headers: dict[str, str], status: int) -> None:
    made = create(fhir, patient())
    answer = fhir.get(f"/Patient/{made['id']}", headers=headers)
    assert answer.status_code == status
    assert (answer.content == b"") is (status == 304)
    assert answer.headers["etag"] == 'W/"1"'


@pytest.mark.parametrize(
    ("headers", "status"), [({"If-None-Match": 'W/"1"'}, 304), ({"If-None-Match": '"2"'}, 200)]
)
def test_a_conditional_vread(fhir: httpx.Client, headers: dict[str, str], status: int) -> None:
    made = create(fhir, patient())
    answer = fhir.get(f"/Patient/{made['id']}/_history/1", headers=headers)
    assert answer.status_code == status
    assert (answer.content == b"") is (status == 304)


def test_vread_gives_the_version_asked_for(fhir: httpx.Client) -> None:
    made = create(fhir, patient(family="Old"))
    fhir.put(f"/Patient/{made['id']}", json=made | {"gender": "other"})
    old = fhir.get(f"/Patient/{made['id']}/_history/1")
    new = fhir.get(f"/Patient/{made['id']}/_history/2")
    assert old.json() == made
    assert old.headers["etag"] == 'W/"1"'
    assert new.json()["gender"] == "other"


@pytest.mark.parametrize("version", ["0", "9", "x", "1.5", "-1", "9" * 30, "%D9%A1"])
def test_a_version_that_never_was_is_404(fhir: httpx.Client, version: str) -> None:
    made = create(fhir, patient())
    assert fhir.get(f"/Patient/{made['id']}/_history/{version}").status_code == 404


def test_the_version_that_is_the_deletion_is_410(fhir: httpx.Client) -> None:
    made = create(fhir, patient())
    fhir.delete(f"/Patient/{made['id']}")
    assert fhir.get(f"/Patient/{made['id']}/_history/2").status_code == 410
    assert fhir.get(f"/Patient/{made['id']}/_history/1").status_code == 200


def test_summary_of_a_read_is_marked_subsetted(fhir: httpx.Client) -> None:
    made = create(fhir, patient(family="Short") | {"photo": [{"title": "x"}]})
    body = fhir.get(f"/Patient/{made['id']}", params={"_summary": "true"}).json()
    assert "photo" not in body
    assert body["name"] == made["name"]
    assert body["meta"]["tag"][0]["code"] == "SUBSETTED"


def test_elements_of_a_read_are_those_asked_for_and_the_mandatory(fhir: httpx.Client) -> None:
    made = create(fhir, patient(family="Part") | {"gender": "male"})
    body = fhir.get(f"/Patient/{made['id']}", params={"_elements": "gender"}).json()
    assert set(body) == {"resourceType", "id", "meta", "gender"}
