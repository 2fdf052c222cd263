"""A real replica set of three mongod processes, whose members can be killed and restarted.

Without authentication, on loopback, with an election timeout of one second: a failover takes
two to three seconds instead of twelve.
"""

import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from fhir_server.store.mongo import mongod_binary

NAME = "failover"
HOST = "127.0.0.1"
PATIENCE = 60.0


@dataclass
class Member:
    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def alive(self) -> bool:
        return self.process.poll() is None


class ReplicaSet:
    """`with ReplicaSet(tmp_path) as replica_set:` three members, one of them primary."""

    def __init__(self, folder: Path, *, size: int = 3) -> None:
        self._program = mongod_binary.find().path
        self._folder = folder
        self._size = size
        self.members: list[Member] = []

    @property
    def uri(self) -> str:
        addresses = ",".join(each.address for each in self.members)
        return f"mongodb://{addresses}/?replicaSet={NAME}"

    def __enter__(self) -> Self:
        try:
            for port in _free_ports(self._size):
                folder = self._folder / str(port)
                folder.mkdir(parents=True)
                process = self._spawn(folder, port)
                self.members.append(Member(folder, port, process))
            self._initiate()
            self.primary()
            self._wait_secondaries()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def primary(self) -> Member:
        """The member that is a writable primary, waiting for an election if need be."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for member in self.members:
                if member.alive and _hello(member).get("isWritablePrimary"):
                    return member
            time.sleep(0.05)
        message = f"no primary after {PATIENCE} s"
        raise TimeoutError(message)

    def secondaries(self) -> list[Member]:
        return [each for each in self.members if each.alive and _hello(each).get("secondary")]

    def kill(self, member: Member) -> None:
        """As a power cut: no step-down, no checkpoint."""
        member.process.send_signal(signal.SIGKILL)
        member.process.wait()

    def restart(self, member: Member) -> None:
        """Start a killed member again and wait until it follows or leads."""
        member.process = self._spawn(member.folder, member.port)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            hello = _hello(member)
            if hello.get("secondary") or hello.get("isWritablePrimary"):
                return
            time.sleep(0.05)
        message = f"{member.address} did not come back"
        raise TimeoutError(message)

    def stop(self) -> None:
        for member in self.members:
            member.process.kill()
        for member in self.members:
            member.process.wait()

    def _spawn(self, folder: Path, port: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                str(self._program),
                *("--dbpath", str(folder), "--bind_ip", HOST, "--port", str(port)),
                *("--nounixsocket", "--replSet", NAME, "--oplogSize", "64"),
                *("--wiredTigerCacheSizeGB", "0.25", "--logpath", str(folder / "log")),
                *("--networkMessageCompressors", "snappy,zstd"),
                *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            ],
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _initiate(self) -> None:
        members = [{"_id": i, "host": each.address} for i, each in enumerate(self.members)]
        settings = {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 300}
        config = {"_id": NAME, "members": members, "settings": settings}
        for member in self.members:
            _wait_listening(member)
        with _client(self.members[0]) as client:
            client.admin.command("replSetInitiate", config)

    def _wait_secondaries(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while len(self.secondaries()) < self._size - 1:
            if time.monotonic() > deadline:
                message = f"the secondaries did not follow in {PATIENCE} s"
                raise TimeoutError(message)
            time.sleep(0.05)


def _client(member: Member) -> MongoClient[dict[str, Any]]:
    return MongoClient(HOST, member.port, directConnection=True, timeoutMS=3000)


def _hello(member: Member) -> dict[str, Any]:
    try:
        with _client(member) as client:
            return client.admin.command("hello")
    except PyMongoError:
        return {}


def _wait_listening(member: Member) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if not member.alive:
            log = (member.folder / "log").read_text(errors="replace")
            raise RuntimeError(log[-2000:])
        with socket.socket() as probe:
            if probe.connect_ex((HOST, member.port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(member.address)


def _free_ports(count: int) -> list[int]:
    """Held together while they are drawn, so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
