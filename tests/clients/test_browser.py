"""npm `fhirclient` in Chromium, as anybody's app on another origin: launch, narrow, read,
refresh, and the end of it.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.browser.driving import driven, missing
from tests.clients.serving import ANNA, EMAIL, HERE, Apps, Demo, page
from tests.clients.talking import no_node
from tests.support.readme import blocks

REASON = missing() or no_node("fhirclient")
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)

LOOKS = [{"size": "desktop", "locale": "en"}, {"size": "phone", "locale": "ru"}]
CHILD = "sofia-ivanova-ru"
"""Whom the demo patient represents."""
LABORATORY = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"


def opened(scenario: str, demo: Demo, at: str, shots: Path, **more: str) -> dict[str, Any]:
    """What the browser saw of the app served `at`, and the app of the server."""
    order = {
        "scenario": scenario,
        "shots": str(shots),
        "base": demo.base,
        "root": demo.root,
        "page": at,
        "email": EMAIL,
        "password": demo.password,
        **more,
    }
    return driven(HERE / "cabinet.cjs", order)


@pytest.fixture(params=LOOKS, ids=lambda each: each["size"], scope="module")
def seen(request: pytest.FixtureRequest, demo: Demo, apps: Apps, shots: Path) -> dict[str, Any]:
    return opened("cabinet", demo, apps.page, shots, **request.param)


def test_sa_01_05_cors_01_03_a_launch_from_another_origin(seen: dict[str, Any]) -> None:
    assert (seen["before"], seen["widths"]) == ([], [])
    assert seen["opened"]["patient"] == ANNA


def test_oidc_07_08_cors_04_the_app_reads_who_signed_in(seen: dict[str, Any]) -> None:
    user = seen["opened"]["user"]
    kind, _, id_ = seen["opened"]["fhirUser"].rpartition("/")
    assert kind.endswith(user["resourceType"])
    assert user["id"] == id_


def test_sa_12_13_scp_13_the_app_gets_what_was_kept(seen: dict[str, Any]) -> None:
    scopes = seen["opened"]["scope"].split()
    assert f"patient/Observation.rs?category={LABORATORY}" in scopes
    assert not [each for each in scopes if each.startswith("patient/Appointment.c")]
    assert "laboratory" in seen["opened"]["categories"]
    assert "vital-signs" not in seen["opened"]["categories"]
    assert seen["searches"] == -(-seen["opened"]["observations"] // 5) > 1


def test_cors_07_08_the_app_reads_refusals_and_headers(seen: dict[str, Any]) -> None:
    assert seen["refused"]["status"] == 400
    assert "nonsense" in seen["refused"]["message"]
    assert seen["headers"]["status"] == 200
    assert {"etag", "last-modified", "x-request-id"} <= set(seen["headers"]["seen"])


def test_cors_06_09_10_other_pages_read_what_is_nobodys(seen: dict[str, Any]) -> None:
    found = seen["stranger"]
    assert [found[each] for each in ("metadata", "discovery", "keys")] == [200, 200, 200]
    for each in ("record", "token", "pages"):
        assert found[each] == "TypeError: Failed to fetch"


def test_cli_20_a_refresh_needs_no_client_id(seen: dict[str, Any]) -> None:
    refresh = next(each for each in seen["posted"] if each["grant_type"] == "refresh_token")
    assert "client_id" not in refresh
    assert seen["refreshed"] == {"patient": ANNA, "isNew": True}


def test_revo_01_02_06_the_patient_ends_it(seen: dict[str, Any]) -> None:
    assert len([each for each in seen["grants"] if "Another cabinet" in each]) == 1
    assert seen["after"]["read"] == 401
    assert 'error="invalid_token"' in seen["after"]["told"]
    assert "invalid_grant" in seen["after"]["refreshed"]["message"]


def test_ehr_01_to_05_a_portal_opens_the_app(demo: Demo, apps: Apps, shots: Path) -> None:
    answer = httpx.post(
        f"{demo.root}/auth/launch",
        json={"client_id": "cabinet", "patient": CHILD, "need_patient_banner": False},
        auth=("confidential", apps.secrets["confidential"]),
        timeout=60,
    )
    assert answer.status_code == 201, answer.text
    launch = answer.json()["launch_url"]
    seen = opened("portal", demo, apps.page, shots, launch=launch, size="phone", locale="uk")
    assert (seen["errors"], seen["widths"], seen["choices"]) == ([], [], 0)
    assert seen["opened"]["patient"] == CHILD
    assert seen["opened"]["banner"] is False
    assert {"launch", "patient/Observation.rs"} < set(seen["opened"]["scope"].split())


def test_the_page_of_the_ten_minutes_shows_results(
    demo: Demo, shots: Path, tmp_path: Path
) -> None:
    heading = "Ten minutes from registration to data"
    (html,) = blocks("docs/smart.md", heading, "html")
    (metadata,) = re.findall(
        r"<<'APP'\n(.*?)APP\n", blocks("docs/smart.md", heading)[0], re.DOTALL
    )
    with page(tmp_path) as at:
        for name, text in (("index.html", html), ("diary.json", metadata)):
            here = text.replace("http://127.0.0.1:8000/fhir", demo.base)
            meant = here.replace("http://localhost:3000", at)
            (tmp_path / name).write_text(meant, encoding="utf-8")
        demo.apps("add", str(tmp_path / "diary.json"))
        seen = opened("minutes", demo, at, shots, size="phone", locale="en")
    assert (seen["errors"], seen["widths"]) == ([], [])
    assert seen["name"] == "Иванова Анна Сергеевна"
    assert len(seen["results"]) == 20
