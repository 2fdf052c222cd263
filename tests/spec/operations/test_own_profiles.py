"""Profiles in the operator's folder, over HTTP: https://hl7.org/fhir/R4/profiling.html"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from fhir_server.settings import Settings
from tests.support.fhir import patient
from tests.support.running import Running

URL = "http://example.org/fhir/dated"
DATED: dict[str, Any] = {
    "resourceType": "StructureDefinition",
    "url": URL,
    "name": "Dated",
    "status": "active",
    "kind": "resource",
    "abstract": False,
    "type": "Patient",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
    "derivation": "constraint",
    "differential": {
        "element": [
            {"id": "Patient", "path": "Patient"},
            {"id": "Patient.birthDate", "path": "Patient.birthDate", "min": 1},
        ]
    },
}
NEWBORN: dict[str, Any] = {"resourceType": "Patient", "meta": {"profile": [URL]}}


@pytest.fixture(scope="module")
def dated(mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A server whose operator has a profile of his own."""
    folder: Path = tmp_path_factory.mktemp("profiles") / "ours"
    folder.mkdir()
    (folder / "dated.json").write_text(json.dumps(DATED), encoding="utf-8")
    settings = Settings(
        insecure_no_auth=True,
        mongodb_uri=mongodb_uri,
        database=f"own_{uuid4().hex[:12]}",
        seed=False,
        profiles=folder.parent,
        log_level="WARNING",
    )
    with (
        Running(settings) as running,
        httpx.Client(base_url=running.base_url, timeout=60) as client,
    ):
        yield client


def test_a_write_that_claims_it_is_held_to_it(dated: httpx.Client) -> None:
    answer = dated.post("/Patient", json=NEWBORN)
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == ["Patient.birthDate"]
    assert dated.post("/Patient", json=NEWBORN | {"birthDate": "2024"}).status_code == 201


def test_validate_knows_it(dated: httpx.Client) -> None:
    answer = dated.post("/Patient/$validate", params={"profile": URL}, json=patient())
    errors = [e for e in answer.json()["issue"] if e["severity"] == "error"]
    assert [each["expression"] for each in errors] == [["Patient.birthDate"]]


def test_metadata_lists_it(dated: httpx.Client) -> None:
    rows = dated.get("/metadata").json()["rest"][0]["resource"]
    (row,) = (each for each in rows if each["type"] == "Patient")
    assert URL in row["supportedProfile"]
    assert all(URL not in each.get("supportedProfile", ()) for each in rows if each is not row)
