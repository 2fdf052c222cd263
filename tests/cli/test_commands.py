"""The short commands: seed, index, capability, doctor."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bson.binary import Binary
from typer.testing import CliRunner, Result

from fhir_server.access.audit_log import AuditRow
from fhir_server.access.audit_rows import Deed, Who, entry_bytes
from fhir_server.cli.main import APP
from fhir_server.store.mongo import audit_log, embedded
from fhir_server.store.mongo.client import connect


def run(*arguments: str) -> Result:
    return CliRunner().invoke(APP, arguments, env={"COLUMNS": "200"})


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    started = embedded.start(tmp_path_factory.mktemp("mongodb"), cache_gb=0.25)
    yield started.uri
    started.stop()


def bundle(*entries: dict[str, Any]) -> str:
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": list(entries)})


def put(resource: dict[str, Any]) -> dict[str, Any]:
    url = f"{resource['resourceType']}/{resource['id']}"
    return {
        "fullUrl": f"https://example.org/{url}",
        "resource": resource,
        "request": {"method": "PUT", "url": url},
    }


NOWHERE = "mongodb://127.0.0.1:9/"
PATIENT = {"resourceType": "Patient", "id": "p1", "name": [{"family": "Kovalenko"}]}


def test_seed_loads_a_folder_and_may_be_repeated(uri: str, tmp_path: Path) -> None:
    (tmp_path / "1.json").write_text(bundle(put(PATIENT)))
    for _ in range(2):
        result = run("seed", str(tmp_path), "--mongodb-uri", uri)
        assert result.exit_code == 0, result.output
        assert "Loaded 1 resources" in result.output


def test_seed_says_what_is_wrong_with_a_bundle(uri: str, tmp_path: Path) -> None:
    (tmp_path / "1.json").write_text(bundle(put({**PATIENT, "gender": "foo"})))
    result = run("seed", str(tmp_path), "--mongodb-uri", uri)
    assert result.exit_code == 1
    assert "Bundle.entry[0].resource.gender" in result.output


def test_seed_of_nothing_says_so(uri: str, tmp_path: Path) -> None:
    assert "holds no bundles" in run("seed", str(tmp_path), "--mongodb-uri", uri).output


def test_index_prepares_a_type(uri: str) -> None:
    result = run("index", "Schedule", "--mongodb-uri", uri)
    assert result.exit_code == 0, result.output
    assert "indexes of 1 resource types" in result.output


def test_index_of_no_type_is_refused(uri: str) -> None:
    result = run("index", "Pacient", "--mongodb-uri", uri)
    assert result.exit_code == 2
    assert "Pacient" in result.output


def test_the_capability_statement_is_written_and_compared(tmp_path: Path) -> None:
    path = tmp_path / "statement.json"
    assert run("capability", "--output", str(path), "--check").exit_code == 1
    assert run("capability", "--output", str(path)).exit_code == 0
    assert run("capability", "--output", str(path), "--check").exit_code == 0
    assert json.loads(path.read_text())["fhirVersion"] == "4.0.1"
    path.write_text(path.read_text().replace("4.0.1", "5.0.0"))
    assert run("capability", "--output", str(path), "--check").exit_code == 1


def test_the_doctor_knows_a_replica_set(uri: str) -> None:
    assert "a replica set or cluster" in run("doctor", "--mongodb-uri", uri).output


def test_the_doctor_knows_definitions_that_cannot_be_used(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FHIR_PROFILES", str(tmp_path))
    assert f"0 in {tmp_path}" in run("doctor", "--mongodb-uri", uri).output.replace("\n", "")
    (tmp_path / "own.json").write_text("{}", encoding="utf-8")
    told = run("doctor", "--mongodb-uri", uri)
    assert told.exit_code == 1
    assert "is none of StructureDefinition" in " ".join(told.output.split())


@pytest.mark.parametrize(
    ("command", "said"), [("doctor", "does not answer"), ("index", "cannot be reached")]
)
def test_a_database_out_of_reach_is_a_sentence(command: str, said: str) -> None:
    """In a process of its own: the driver leaves sockets to the collector when it gives up."""
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "fhir_server",
            command,
            "--mongodb-uri",
            "mongodb://127.0.0.1:9",
        ],
        env=os.environ | {"FHIR_MONGODB_TIMEOUT_SECONDS": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 1
    assert said in ended.stderr


def test_audit_verify_names_the_broken_link(uri: str) -> None:
    async def write() -> None:
        client = await connect(uri)
        log = audit_log.MongoAuditLog(client["fhir"], lambda: "w")
        row = AuditRow("r", 1, entry_bytes(Who(), 1, [Deed("read")], "", ""), ())
        for _ in range(2):
            await log.keep(row)
        await client.close()

    async def plant() -> None:
        client = await connect(uri)
        table = client["fhir"][audit_log.LOG]
        await table.update_one({"n": 2}, {"$set": {"body": Binary(b"{}")}})
        await client.close()

    asyncio.run(write())
    whole = run("audit", "verify", "--mongodb-uri", uri)
    assert whole.exit_code == 0, whole.output
    assert "w: 1 to 2, ends in" in whole.output
    asyncio.run(plant())
    broken = run("audit", "verify", "--mongodb-uri", uri)
    assert broken.exit_code == 1
    assert "w/0000000002" in broken.output
