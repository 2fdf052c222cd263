"""`fhir-server outbox`: what waits, what is dead, and what an operator does about it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

import pytest
from typer.testing import CliRunner, Result

from fhir_server.assembly.database import opened_store
from fhir_server.assembly.delivery import outbox_of
from fhir_server.cli.main import APP
from fhir_server.delivery.carriers import reference
from fhir_server.settings import Settings
from fhir_server.store.outgoing import Outbox, Outcome
from tests.support.telling import NOW, delivery

Work = Callable[[Outbox], Awaitable[None]]


class Run:
    """Commands against one database, and what is in it before."""

    def __init__(self, uri: str, database: str) -> None:
        self._env = {
            "COLUMNS": "240",
            "FHIR_DATABASE": database,
            "FHIR_MONGODB_URI": uri,
            "FHIR_SECRET_KEY": "of the test",
        }
        self._settings = Settings.model_validate(
            {"mongodb_uri": uri, "database": database, "secret_key": "of the test"}
        )

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(APP, ["outbox", *arguments], env=self._env)

    def do(self, work: Work) -> None:
        async def within() -> None:
            async with opened_store(self._settings) as store:
                await work(outbox_of(self._settings, store.database))

        asyncio.run(within())

    def put(self, key: str, outcome: Outcome | None = None) -> str:
        """A message that waits, or ended so; its key."""
        one = replace(delivery(key), due=NOW)

        async def work(outbox: Outbox) -> None:
            await outbox.put(one, "visit-booked", None)
            if outcome is not None:
                held = await outbox.lease("test", ["email"], NOW, 30)
                assert held is not None
                assert await outbox.settle(held, outcome, "smtp 550", NOW)

        self.do(work)
        return one.key


@pytest.fixture
def run(mongodb_uri: str, database_name: str) -> Iterator[Run]:
    run = Run(mongodb_uri, database_name)
    yield run

    async def clear(outbox: Outbox) -> None:
        await outbox.expire(NOW * 2)
        for each in await outbox.entries(None, limit=100):
            await outbox.drop(each.key, NOW)
        await outbox.expire(NOW * 2)

    run.do(clear)


def test_lists(run: Run) -> None:
    dead, waiting = run.put("gone", "dead"), run.put("soon")
    shown = run("list", "--state", "dead").stderr
    assert dead in shown
    assert "smtp 550" in shown
    assert waiting not in shown
    shown = run("list").stderr
    assert waiting in shown
    assert dead not in shown


def test_neither_address_nor_content_is_shown(run: Run) -> None:
    key = run.put("gone", "dead")
    for shown in (run("list", "--state", "dead"), run("show", key)):
        assert shown.exit_code == 0
        assert "anna" not in shown.output
        assert "10:30" not in shown.output


def test_one_with_its_reference(run: Run) -> None:
    key = run.put("gone", "dead")
    shown = run("show", key).stderr
    assert reference(key) in shown
    assert "dead (smtp 550)" in shown
    assert run("show", "none").exit_code == 1


def test_a_dead_one_is_sent_again_or_dropped(run: Run) -> None:
    key = run.put("gone", "dead")
    assert run("resend", key).exit_code == 0
    assert key in run("list").stderr
    assert run("drop", key).exit_code == 0
    assert key in run("list", "--state", "dropped").stderr
    assert run("drop", key).exit_code == 1
    assert run("resend", key).exit_code == 1


def test_all_that_are_dead(run: Run) -> None:
    for each in ("one", "two"):
        run.put(each, "dead")
    sent = run.put("three", "sent")
    assert "2 messages" in run("resend", "--all-dead").stderr
    assert run("show", sent).stderr.count("sent (")
    assert "0 messages" in run("resend", "--all-dead").stderr


@pytest.mark.parametrize("arguments", [(), ("a", "--all-dead")])
def test_either_one_or_all(run: Run, arguments: tuple[str, ...]) -> None:
    assert run("resend", *arguments).exit_code == 1
