"""The pages in Chromium: sign in, narrow, consent, get a code; end an app; forms; passkeys.

Needs Debian's `chromium`, node and `npm ci --prefix tests/browser` (`make test-browser` does
the last). Screenshots go to the folder that `FHIR_TEST_SCREENSHOTS` names, or a temporary one.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import httpx
import pytest

from tests.browser.driving import driven, missing
from tests.browser.serving import APP, EMAIL, PASSWORD, REDIRECT, Served
from tests.support.smart import CHALLENGE, VERIFIER

HERE = Path(__file__).parent
SCOPE = (
    "openid fhirUser launch/patient offline_access "
    "patient/Observation.cruds patient/Condition.rs patient/Appointment.cruds patient/Patient.r"
)
REASON = missing()
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)


@pytest.fixture(scope="module")
def served(mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    mails = tmp_path_factory.mktemp("mails")
    with Served(mongodb_uri, f"browser_{uuid4().hex[:12]}", mails) as found:
        yield found


def authorize(served: Served, scope: str = SCOPE) -> str:
    asked = {
        "response_type": "code",
        "client_id": APP,
        "redirect_uri": REDIRECT,
        "scope": scope,
        "state": "s",
        "aud": f"{served.base}/fhir",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return f"{served.base}/auth/authorize?{urlencode(asked)}"


def drive(served: Served, shots: Path, scenario: str, **given: Any) -> dict[str, Any]:
    """What the browser saw; without errors, and no page wider than its window."""
    order = {
        "scenario": scenario,
        "size": "desktop",
        "locale": "en",
        "shots": str(shots),
        "base": served.base,
        "authorize": authorize(served),
        "email": EMAIL,
        "password": PASSWORD,
        **given,
    }
    seen = driven(HERE / "drive.cjs", order)
    serious = [each for each in seen["errors"] if "status of 400" not in each]
    assert (serious, seen["widths"]) == ([], [])
    return seen


def tokens(served: Served, seen: dict[str, Any]) -> dict[str, Any]:
    code = parse_qs(urlsplit(seen["back"]).query)["code"][0]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
        "client_id": APP,
        "code_verifier": VERIFIER,
    }
    answer = httpx.post(f"{served.base}/auth/token", data=form)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


LOOKS = [
    {"size": "desktop", "locale": "en"},
    {"size": "phone", "locale": "ru"},
    {"size": "phone", "locale": "uk", "scripts": False},
]


@pytest.mark.parametrize("look", LOOKS, ids=lambda each: f"{each['size']}-{each['locale']}")
def test_sa_12_14_16_a_launch_that_is_narrowed(
    served: Served, shots: Path, look: dict[str, Any]
) -> None:
    seen = drive(served, shots, "launch", **look)
    assert seen["refused"]
    body = tokens(served, seen)
    assert body["patient"] == "ben"
    scopes = body["scope"].split()
    category = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
    assert f"patient/Observation.rs?category={category}" in scopes
    assert not [each for each in scopes if each.startswith("patient/Observation.c")]


@pytest.mark.parametrize("look", LOOKS, ids=lambda each: f"{each['size']}-{each['locale']}")
def test_ctx_11_a_visit_is_chosen(served: Served, shots: Path, look: dict[str, Any]) -> None:
    url = authorize(served, "launch/patient launch/encounter patient/Observation.rs")
    seen = drive(served, shots, "visit", authorize=url, **look)
    assert seen["hidden"] == [False, True]  # Anna's visits are shown until Ben is chosen
    body = tokens(served, seen)
    assert (body["patient"], body["encounter"]) == ("anna", "v2")


@pytest.mark.parametrize("look", LOOKS, ids=lambda each: f"{each['size']}-{each['locale']}")
def test_revo_01_06_an_app_is_ended(served: Served, shots: Path, look: dict[str, Any]) -> None:
    body = tokens(served, drive(served, shots, "keyboard", size="desktop"))
    seen = drive(served, shots, "revoke", **look)
    assert seen["after"] == seen["before"] - 1
    form = {
        "grant_type": "refresh_token",
        "refresh_token": body["refresh_token"],
        "client_id": APP,
    }
    assert httpx.post(f"{served.base}/auth/token", data=form).status_code == 400


def test_a_keyboard_is_enough(served: Served, shots: Path) -> None:
    seen = drive(served, shots, "keyboard")
    assert seen["outline"] == "solid"
    assert tokens(served, seen)["access_token"]


@pytest.mark.parametrize("look", LOOKS, ids=lambda each: f"{each['size']}-{each['locale']}")
def test_forms_of_registration_and_recovery(
    served: Served, shots: Path, look: dict[str, Any]
) -> None:
    drive(served, shots, "forms", **look)


def test_a_passkey_is_added_and_signs_in(served: Served, shots: Path) -> None:
    seen = drive(served, shots, "passkey", locale="en")
    assert (seen["heading"], seen["keys"]) == ("Your account", 1)
