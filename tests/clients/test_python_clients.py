"""PyPI `fhirclient`, Authlib and `smart-fetch`, each in a process of their own environment.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html
"""

import json
import subprocess
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from tests.clients import backend
from tests.clients.serving import ANNA, FEW_TYPES, Apps, Demo
from tests.clients.talking import PYTHON, no_python, told

REASON = no_python()
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)

SCOPES = [
    "launch/patient patient/*.read openid fhirUser offline_access",
    "patient/*.rs patient/*.rs offline_access",
]


@pytest.mark.parametrize("scope", SCOPES)
def test_caps_02_04_sa_24_25_fhirclient(demo: Demo, apps: Apps, scope: str) -> None:
    del apps  # registered
    seen = told(demo, "with_fhirclient.py", scope=scope)
    assert seen["patient"] == seen["context"]["patient"] == seen["restored"] == ANNA
    assert seen["name"] == "Анна Сергеевна Иванова"
    assert seen["observations"] > 5  # it follows the pages
    assert "state" in parse_qs(seen["posted"])
    assert seen["refreshed"]
    granted = seen["context"]["scope"].split()
    assert len(granted) == len(set(granted))


def test_caps_04_scp_25_fhirclient_with_its_own_scopes(demo: Demo, apps: Apps) -> None:
    """`user/*.*` and `profile` are among them, offline_access is not: nothing to refresh."""
    del apps
    seen = told(demo, "with_fhirclient.py", scope=None)
    assert (seen["patient"], seen["refreshed"]) == (ANNA, None)
    granted = seen["context"]["scope"].split()
    assert "patient/*.read" in granted
    assert not [each for each in granted if each.startswith("user/")]


def test_cli_02_revo_03_authlib_for_a_person(demo: Demo, apps: Apps) -> None:
    seen = told(demo, "with_authlib.py", what="code", secret=apps.secrets["confidential"])
    assert seen["patient"] == ANNA
    assert seen["isNew"]
    assert (seen["revoked"], seen["after"]) == (200, 401)


@pytest.mark.parametrize(
    ("client", "alg"), [("everything", "RS384"), ("few-types", "ES384")], ids=["RS384", "ES384"]
)
def test_bs_int_authlib_as_a_service(demo: Demo, apps: Apps, client: str, alg: str) -> None:
    key = str(apps.keys.rsa if alg == "RS384" else apps.keys.ec)
    seen = told(demo, "with_authlib.py", what="backend", client=client, key=key)
    assert (seen["scope"], seen["total"] > 1) == ("system/Patient.rs", True)
    assert seen["active"]["active"]
    assert seen["active"]["scope"] == "system/Patient.rs"
    assert (seen["revoked"], seen["over"]) == (200, {"active": False})


def test_bs_scp_25_smart_fetch_crawls_what_it_may(
    demo: Demo, apps: Apps, tmp_path: Path
) -> None:
    """It asks for twenty types; the registry may see five, and is refused the others."""
    token = backend.token(demo, "few-types", apps.keys.ec, "system/*.rs")
    patients = demo.get("/Patient?_count=1000&_elements=id", token).json()["entry"]
    ids = ",".join(each["resource"]["id"] for each in patients)
    types = ",".join((*FEW_TYPES, "Device"))
    folder = tmp_path / "found"
    ran = subprocess.run(
        [
            *(PYTHON.parent / "smart-fetch", "crawl", folder, "--fhir-url", demo.base),
            *("--smart-client-id", "few-types", "--smart-key", apps.keys.ec),
            *("--type", types, "--id-list", ids, "--no-default-filters", "--no-compression"),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = Counter(
        json.loads(line)["resourceType"]
        for each in FEW_TYPES
        for file in folder.glob(f"{each}*.ndjson")
        for line in file.read_text().splitlines()
    )
    held = {
        each: demo.get(f"/{each}?_summary=count{of}", token).json()["total"]
        for each in FEW_TYPES
        for of in ["" if each == "Patient" else "&patient:missing=false"]
    }
    assert found == held
    assert found["Observation"] > 1000
    refusals = (folder / "error" / "OperationOutcome.ndjson").read_text().splitlines()
    assert {json.loads(each)["issue"][0]["code"] for each in refusals} == {"forbidden"}
    assert len(refusals) == len(patients)
