"""`fhir-server users`: invitations, staff, locked accounts."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fhir_server.assembly.database import opened_store
from fhir_server.cli.main import APP
from fhir_server.settings import Settings
from fhir_server.store.mongo import embedded


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    started = embedded.start(tmp_path_factory.mktemp("mongodb"), cache_gb=0.25)
    yield started.uri
    started.stop()


def run(uri: str, mails: Path, *arguments: str) -> Result:
    env = {"COLUMNS": "200", "FHIR_MAIL_DIR": str(mails)}
    return CliRunner().invoke(APP, [*arguments, "--mongodb-uri", uri], env=env)


def test_people_are_invited_added_locked_and_unlocked(uri: str, tmp_path: Path) -> None:
    patient = {
        "resourceType": "Patient",
        "id": "p",
        "telecom": [{"system": "email", "value": "p@mail.example"}],
    }
    request = {"method": "PUT", "url": "Patient/p"}
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"resource": patient, "request": request}],
    }
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "1.json").write_text(json.dumps(bundle))
    mails = tmp_path / "mails"
    seeded = run(uri, mails, "seed", str(tmp_path / "seeds"))
    assert seeded.exit_code == 0, seeded.output
    invited = run(uri, mails, "users", "invite", "p", "--language", "uk")
    assert invited.exit_code == 0, invited.output
    assert len(list(mails.iterdir())) == 1
    assert run(uri, mails, "users", "invite", "nobody").exit_code == 1
    doctor = ("users", "staff", "d@mail.example", "Doctor", "Practitioner/d")
    added = run(uri, mails, *doctor)
    assert added.exit_code == 0, added.output
    assert len(list(mails.iterdir())) == 2
    assert "has an account." in run(uri, mails, *doctor).output
    assert run(uri, mails, "users", "staff", "e@mail.example", "E", "Patient/p").exit_code == 1
    assert "is locked" in run(uri, mails, "users", "lock", "D@mail.example").output
    assert asyncio.run(standing_of(uri)) == "locked"
    assert "is unlocked" in run(uri, mails, "users", "unlock", "d@mail.example").output
    assert run(uri, mails, "users", "lock", "nobody@mail.example").exit_code == 1


async def standing_of(uri: str) -> str:
    async with opened_store(Settings(mongodb_uri=uri)) as store:
        found = await store.database["accounts"].find_one({"email": "d@mail.example"})
        assert found is not None
        return str(found["standing"])
