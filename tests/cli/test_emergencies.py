"""`fhir-server emergencies` and who may declare one: `users permit`, `users forbid`."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fhir_server.access.emergencies import Declaration
from fhir_server.assembly.database import opened_store
from fhir_server.cli.main import APP
from fhir_server.settings import Settings
from fhir_server.store.mongo import embedded
from fhir_server.store.mongo.emergencies import MongoEmergencies
from tests.support.emergencies import permit

DATABASE = Settings().database


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    started = embedded.start(tmp_path_factory.mktemp("mongodb"), cache_gb=0.25)
    yield started.uri
    started.stop()


@pytest.fixture
def run(uri: str, tmp_path: Path) -> "Run":
    return Run(uri, tmp_path)


class Run:
    """Commands against one database."""

    def __init__(self, uri: str, folder: Path) -> None:
        self.uri = uri
        self._env = {"COLUMNS": "240", "FHIR_MAIL_DIR": str(folder)}

    def __call__(self, *arguments: str) -> Result:
        given = [*arguments, "--mongodb-uri", self.uri]
        return CliRunner().invoke(APP, given, env=self._env)

    def declare(self, id_: str, account: str = "house") -> None:
        now = time.time_ns() // 1_000_000

        async def work() -> None:
            settings = Settings.model_validate({"mongodb_uri": self.uri})
            async with opened_store(settings) as store:
                await MongoEmergencies(store.database).prepare()
                declaration = Declaration(
                    id_, "p", account, "ward", f"Practitioner/{account}", "Communication/n",
                    now, now + 60_000,
                )  # fmt: skip
                kinds = ["Communication"]
                assert await store.run(kinds, lambda unit: unit.declare(declaration, 9))

        asyncio.run(work())

    def may_declare(self, account: str) -> bool:
        async def work() -> bool:
            settings = Settings.model_validate({"mongodb_uri": self.uri})
            async with opened_store(settings) as store:
                return await MongoEmergencies(store.database).may_declare(account, "ward")

        return asyncio.run(work())


def test_what_holds_is_listed_and_ended(run: Run) -> None:
    run.declare("e-1")
    shown = run("emergencies", "list")
    assert shown.exit_code == 0, shown.output
    for each in ("e-1", "Practitioner/house", "ward", "Communication/n"):
        assert each in shown.output
    assert "e-1 is over" in run("emergencies", "end", "e-1").output
    assert "e-1" not in run("emergencies", "list").output
    assert run("emergencies", "end", "e-1").exit_code == 1
    assert run("emergencies", "end", "never-was").exit_code == 1


@pytest.mark.parametrize("command", ["forbid", "lock"])
def test_who_may_not_any_more_has_none_that_hold(run: Run, command: str) -> None:
    name = f"doctor-{command}"
    permit(run.uri, DATABASE, name, "ward")
    run.declare(f"e-{command}", name)
    assert run.may_declare(name)
    done = run("users", command, f"{name}@mail.example")
    assert done.exit_code == 0, done.output
    assert not run.may_declare(name)
    assert f"e-{command}" not in run("emergencies", "list").output


def test_staff_alone_are_permitted(run: Run) -> None:
    permit(run.uri, DATABASE, "anyone", "ward")
    assert run("users", "forbid", "anyone@mail.example").exit_code == 0
    assert not run.may_declare("anyone")
    assert run("users", "permit", "anyone@mail.example").exit_code == 0
    assert run.may_declare("anyone")
    assert run("users", "permit", "nobody@mail.example").exit_code == 1
