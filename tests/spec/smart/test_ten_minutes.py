"""The ten minutes of docs/smart.md: what an app's developer pastes is answered as it says.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from fhir_server.settings import Settings
from tests.support.browsing import Visitor
from tests.support.demo_app import prepared
from tests.support.fhir import JsonObject
from tests.support.readme import ROOT, blocks
from tests.support.running import Running
from tests.support.terminal import Terminal, missing

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())

EMAIL = "anna@demo.example"
ANNA = "anna-ivanova-ru"
LABORATORY = "http://terminology.hl7.org/CodeSystem/observation-category"


def patient(id_: str) -> JsonObject:
    return {"resourceType": "Patient", "id": id_, "name": [{"family": id_}]}


def result(id_: str, of: str) -> JsonObject:
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "category": [{"coding": [{"system": LABORATORY, "code": "laboratory"}]}],
        "code": {"text": "TSH"},
        "subject": {"reference": f"Patient/{of}"},
        "effectiveDateTime": "2026-11-01",
        "valueQuantity": {"value": 2.5},
    }


class Reader:
    """Somebody who follows the page; what of it names the usual address means this server."""

    def __init__(self, base: str, password: str, terminal: Terminal) -> None:
        self._base = base
        self._password = password
        self._terminal = terminal

    def paste(self, block: str) -> str:
        """What the block answers."""
        meant = block.replace("http://127.0.0.1:8000/fhir", self._base)
        command = f"{sys.executable} -m fhir_server"
        return self._terminal.paste(meant.replace(".venv/bin/fhir-server", command))

    def allowed(self, authorize: str) -> str:
        """The code, after the person signed in at the address and allowed everything."""
        root = self._base.removesuffix("/fhir")
        visitor = Visitor(root)
        visitor.go(authorize.removeprefix(root))
        assert visitor.submit(email=EMAIL, password=self._password) == 200, visitor.page
        visitor.submit(answer="allow")
        visitor.close()
        assert visitor.left_for.startswith("http://localhost:3000/?"), visitor.left_for
        return visitor.answer["code"]


@pytest.fixture
def reader(mongodb_uri: str, tmp_path: Path) -> Iterator[Reader]:
    settings = Settings(
        mongodb_uri=mongodb_uri,
        database=f"minutes_{uuid4().hex[:12]}",
        seed=False,
        log_level="WARNING",
    )
    mine, others = (patient(each) for each in (ANNA, "another"))
    told = [mine, others, result("r1", ANNA), result("r2", "another")]
    passwords = asyncio.run(prepared(settings, told))
    environment = {
        "FHIR_MONGODB_URI": mongodb_uri,
        "FHIR_DATABASE": settings.database,
        "PYTHONPATH": str(ROOT),
    }
    with Running(settings) as running, Terminal(tmp_path, environment) as terminal:
        yield Reader(running.base_url, passwords[EMAIL], terminal)


def test_what_is_pasted_leads_from_registration_to_data(reader: Reader) -> None:
    register, find, send, redeem, read, see, refresh, end = blocks(
        "docs/smart.md", "Ten minutes from registration to data"
    )
    assert "diary  Diary" in reader.paste(register)
    assert not reader.paste(find).strip()
    code = reader.allowed(reader.paste(send).strip())

    copied = redeem.replace("'…'", f"'{code}'")
    assert copied != redeem
    tokens = json.loads(reader.paste(copied))
    assert tokens["patient"] == ANNA
    assert tokens["scope"] == "openid fhirUser launch/patient offline_access patient/*.rs"

    seen = reader.paste(read)
    assert '"id": "anna-ivanova-ru"' in seen
    assert '"id": "r1"' in seen
    assert '"id": "r2"' not in seen
    assert '"total":1' in seen

    seen = reader.paste(see)
    assert '"valueCode": "open"' in seen
    assert '"display": "Diary"' in seen
    assert reader.paste(refresh).strip() == "200"
    answers = reader.paste(end)
    assert answers.startswith("200\n")
    assert '"code":"login"' in answers
