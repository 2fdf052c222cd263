"""Binary as a resource and as its content: https://hl7.org/fhir/R4/binary.html#rest."""

from base64 import b64encode

import httpx
import pytest

from tests.support.fhir import create, new_id

CONTENT = b"\x89PNG\r\n\x1a\n\x00\xff"
PNG = {"Content-Type": "image/png"}
JSON = {"Accept": "application/fhir+json"}


def made(fhir: httpx.Client, content_type: str = "image/png") -> str:
    data = b64encode(CONTENT).decode()
    body = {"resourceType": "Binary", "contentType": content_type, "data": data}
    return f"/Binary/{create(fhir, body)['id']}"


def test_content_is_posted_and_read_as_a_resource(fhir: httpx.Client) -> None:
    headers = PNG | {"X-Security-Context": "Patient/1"}
    answer = fhir.post("/Binary", content=CONTENT, headers=headers)
    assert answer.status_code == 201
    found = fhir.get(answer.headers["location"], headers=JSON).json()
    assert found["contentType"] == "image/png"
    assert found["data"] == b64encode(CONTENT).decode()
    assert found["securityContext"] == {"reference": "Patient/1"}


def test_content_is_put(fhir: httpx.Client) -> None:
    url = f"/Binary/{new_id()}"
    assert fhir.put(url, content=b"1", headers=PNG).status_code == 201
    assert fhir.put(url, content=CONTENT, headers=PNG).status_code == 200
    answer = fhir.get(url, headers={"Accept": "image/png"})
    assert answer.content == CONTENT
    assert answer.headers["etag"] == 'W/"2"'


def test_empty_content_is_content(fhir: httpx.Client) -> None:
    answer = fhir.post("/Binary", content=b"", headers=PNG)
    assert answer.status_code == 201
    url = answer.headers["location"]
    assert fhir.get(url, headers={"Accept": "image/png"}).content == b""


@pytest.mark.parametrize(
    ("accept", "status", "content_type"),
    [
        ("image/png", 200, "image/png"),
        ("image/*", 200, "image/png"),
        ("image/gif, image/png;q=0.5", 200, "image/png"),
        ("application/fhir+json", 200, "application/fhir+json; charset=utf-8"),
        ("application/fhir+xml", 200, "application/fhir+xml; charset=utf-8"),
        # "when a read request … doesn't explicitly specify the FHIR content types …, then the
        # content should be returned using the content type stated in the resource"
        ("*/*", 200, "image/png"),
        ("", 200, "image/png"),
        ("text/html,application/xhtml+xml,application/xml;q=0,*/*;q=0.8", 200, "image/png"),
        ("image/png, application/fhir+json;q=0.1", 200, "application/fhir+json; charset=utf-8"),
        ("application/fhir+json;q=0, */*", 200, "image/png"),
        ("application/*", 200, "application/fhir+json; charset=utf-8"),
        ("image/gif", 406, "application/fhir+json; charset=utf-8"),
        ("image/png;q=0", 406, "application/fhir+json; charset=utf-8"),
    ],
)
def test_accept_decides(
    fhir: httpx.Client, accept: str, status: int, content_type: str
) -> None:
    answer = fhir.get(made(fhir), headers={"Accept": accept})
    assert answer.status_code == status
    assert answer.headers["content-type"] == content_type
    if content_type == "image/png":
        assert answer.content == CONTENT
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]


def test_a_version_has_its_content(fhir: httpx.Client) -> None:
    url = made(fhir)
    answer = fhir.get(f"{url}/_history/1", headers={"Accept": "image/png"})
    assert answer.content == CONTENT
    known = {"Accept": "image/png", "If-None-Match": 'W/"1"'}
    assert fhir.get(url, headers=known).status_code == 304
    assert fhir.head(url, headers={"Accept": "image/png"}).headers["content-length"] == "10"


@pytest.mark.parametrize(
    ("reference", "sent"),
    [("Patient/1", "Patient/1"), ("http://x/é", None), ("urn:a\nb", None)],
)
def test_what_no_header_can_hold_is_not_sent(
    fhir: httpx.Client, reference: str, sent: str | None
) -> None:
    body = {
        "resourceType": "Binary",
        "contentType": "image/png",
        "securityContext": {"reference": reference},
    }
    url = f"/Binary/{create(fhir, body)['id']}"
    answer = fhir.get(url, headers={"Accept": "image/png"})
    assert answer.status_code == 200
    assert answer.headers.get("x-security-context") == sent


@pytest.mark.parametrize("query", ["_format=json", "_pretty=true", "_elements=contentType"])
def test_a_parameter_about_the_resource_asks_for_the_resource(
    fhir: httpx.Client, query: str
) -> None:
    answer = fhir.get(f"{made(fhir)}?{query}")
    assert answer.json()["contentType"] == "image/png"


@pytest.mark.parametrize("path", ["/Patient", "/DocumentReference"])
def test_no_other_type_is_content(fhir: httpx.Client, path: str) -> None:
    assert fhir.post(path, content=CONTENT, headers=PNG).status_code == 415
    assert fhir.get(path, headers={"Accept": "image/png"}).status_code == 406
