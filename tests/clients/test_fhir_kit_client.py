"""npm `fhir-kit-client`: discovery in three places, and every interaction with a token.

https://hl7.org/fhir/R4/http.html
"""

from typing import Any

import pytest

from tests.clients import backend
from tests.clients.serving import ANNA, Apps, Demo
from tests.clients.talking import no_node, told

REASON = no_node("fhir-kit-client")
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)


@pytest.fixture(scope="module")
def seen(demo: Demo, apps: Apps) -> dict[str, Any]:
    token = backend.token(demo, "everything", apps.keys.rsa, "system/*.cruds")
    return told(demo, "fhir_kit_client.mjs", token=token, patient=ANNA)


def test_disc_14_19_caps_03_it_finds_the_endpoints(demo: Demo, seen: dict[str, Any]) -> None:
    found = seen["discovery"]["found"]
    assert found["authorizeUrl"] == f"{demo.root}/auth/authorize"
    assert found["tokenUrl"] == f"{demo.root}/auth/token"
    assert seen["discovery"]["version"] == "4.0.1"


@pytest.mark.parametrize(
    "place",
    [
        "/fhir/.well-known/openid-configuration",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
    ],
)
def test_disc_19_21_one_document_everywhere(demo: Demo, place: str) -> None:
    own = demo.get("/.well-known/smart-configuration").json()
    path = place.removeprefix("/fhir") if place.startswith("/fhir") else f"/..{place}"
    answer = demo.get(path)
    assert (answer.status_code, answer.json()) == (200, own)


def test_a_resource_lives_and_dies(demo: Demo, seen: dict[str, Any]) -> None:
    life = seen["lifetime"]
    assert life["location"] == f"{demo.base}/Observation/{life['id']}/_history/1"
    assert life["etag"] == 'W/"1"'
    assert life["statuses"] == ["preliminary", "amended", "preliminary"]
    assert life["gone"] == {"status": 410, "issue": "deleted"}
    assert life["methods"] == ["DELETE", "PATCH", "PUT", "POST"]


def test_a_search_has_pages(seen: dict[str, Any]) -> None:
    pages = seen["pages"]
    assert pages["found"] == pages["total"] == pages["posted"]
    assert pages["count"] == -(-pages["total"] // 20) > 1
    assert pages["compartment"] > 0


def test_bundles_and_operations(seen: dict[str, Any]) -> None:
    assert seen["bundles"] == {"batch": [200, 404], "transaction": [201]}
    assert seen["operations"]["everything"] > 1
    assert seen["operations"]["resolved"] == ANNA


def test_sa_10_nobody_reads_without_a_token(seen: dict[str, Any]) -> None:
    assert seen["stranger"] == {"status": 401, "issue": "login"}
