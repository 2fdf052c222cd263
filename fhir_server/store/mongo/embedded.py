"""The embedded MongoDB: a `mongod` of our own as a child process.

A replica set of one, since transactions need one; loopback only, with authentication by a
generated password; zlib wire compression off (CVE-2025-14847 is read through it). It keeps
its port from start to start, so a client's address outlives a crash.

Measured on 2 cores: writable 0.8 s after a first start, 0.9 s after a kill -9.

https://www.mongodb.com/docs/manual/reference/program/mongod/
"""

import asyncio
import contextlib
import socket
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from fhir_server.store.mongo import mongod_binary
from fhir_server.store.mongo.data_folder import Credentials, DataFolder, written_credentials
from fhir_server.store.mongo.mongod_binary import EmbeddedFailure, Mongod

REPLICA_SET: Final = "fhir"
HOST: Final = "127.0.0.1"
DEFAULT_CACHE_GB: Final = 0.5
"""WiredTiger's own default is half of the memory: too much for a guest on a desktop."""

_EVICTION: Final = (
    "eviction_dirty_target=30,eviction_dirty_trigger=70,"
    "eviction_updates_target=30,eviction_updates_trigger=60"
)
"""An open transaction has its writes in the cache. By default a tenth of the cache may hold
such: 50 MB, which 4,800 Patients written at once exceed, and MongoDB gives up on them."""

START_PATIENCE: Final = 90.0
"""Seconds to a writable primary; recovery of a large journal takes the longest."""
STOP_PATIENCE: Final = 60.0
WATCH_INTERVAL: Final = 0.25

_ALREADY_INITIALIZED: Final = 23
_AUTHENTICATION_FAILED: Final = 18
_NOT_YET_INITIALIZED: Final = 94

Client = MongoClient[dict[str, Any]]


class Embedded:
    """A running mongod on a claimed data folder."""

    def __init__(self, folder: DataFolder, mongod: Mongod, *, cache_gb: float) -> None:
        """Start it and wait until it is a writable primary.

        Raises:
            EmbeddedFailure: it ends at once, or is not ready in time.
        """
        self.version = mongod.version
        self._folder = folder
        self._mongod = mongod
        self._cache_gb = cache_gb
        self._credentials = folder.credentials(_free_port())
        self._process = self._launch()

    @property
    def uri(self) -> str:
        """How to connect, secrets included; the same after every restart."""
        return _uri(self._credentials)

    @property
    def pid(self) -> int:
        """The number of the mongod process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Ask it to end, wait until it has, and release the folder."""
        try:
            _end(self._process)
        finally:
            self._folder.release()

    def kill(self) -> None:
        """End it as a power cut would, and release the folder."""
        self._process.kill()
        self._process.wait()
        self._folder.release()

    def restart(self) -> None:
        """Start it again on the same folder and port after it has ended by itself."""
        self._process = self._launch()

    def _launch(self) -> subprocess.Popen[bytes]:
        self._folder.ensure_key()
        self._folder.rotate_log()
        if not _is_free(self._credentials.port):
            moved = replace(self._credentials, port=_free_port())
            self._credentials = self._folder.remember(moved)
        # A session of its own: Ctrl-C in the terminal must reach the server alone, which
        # stops the database when its last request is done.
        process = subprocess.Popen(  # noqa: S603  # found by mongod_binary, no user text
            [str(self._mongod.path), *self._arguments()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self._wait_ready(process)
        except PyMongoError as error:
            _end(process)
            raise EmbeddedFailure(
                f"mongod started but does not answer as it should ({error}); "
                f"see {self._folder.log}"
            ) from error
        except BaseException:
            _end(process)
            raise
        return process

    def _arguments(self) -> list[str]:
        return [
            *("--dbpath", str(self._folder.database)),
            *("--bind_ip", HOST, "--port", str(self._credentials.port), "--nounixsocket"),
            *("--replSet", REPLICA_SET, "--oplogSize", "1024"),
            *("--auth", "--keyFile", str(self._folder.key_file)),
            *("--networkMessageCompressors", "snappy,zstd"),
            *("--wiredTigerCacheSizeGB", str(self._cache_gb)),
            *("--wiredTigerEngineConfigString", _EVICTION),
            "--noscripting",
            *("--logpath", str(self._folder.log), "--logappend", "--quiet"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"),
        ]

    def _wait_ready(self, process: subprocess.Popen[bytes]) -> None:
        """Until it is a writable primary that knows our user."""
        port = self._credentials.port
        address = f"{HOST}:{port}"
        patience = time.monotonic() + START_PATIENCE
        while _is_free(port):
            self._still_starting(process, patience)
        options: dict[str, Any] = {"directConnection": True, "timeoutMS": 20_000}
        with (
            Client(HOST, port, **options) as anyone,
            Client(
                HOST,
                port,
                username=self._credentials.user,
                password=self._credentials.password,
                **options,
            ) as owner,
        ):
            known = _is_known(owner)
            if known:
                while not _is_at(owner, address):
                    self._still_starting(process, patience)
            else:
                _form_replica_set(anyone, address)
            while not anyone.admin.command("hello")["isWritablePrimary"]:
                self._still_starting(process, patience)
            if not known:
                # mongod allows this one command from this host while it has no user.
                user, password = self._credentials.user, self._credentials.password
                anyone.admin.command("createUser", user, pwd=password, roles=["root"])

    def _still_starting(self, process: subprocess.Popen[bytes], patience: float) -> None:
        if process.poll() is not None:
            why = self._folder.last_words() or f"see {self._folder.log}"
            raise EmbeddedFailure(f"mongod ended with status {process.returncode}: {why}")
        if time.monotonic() > patience:
            raise EmbeddedFailure(
                f"mongod is not ready after {START_PATIENCE:.0f} s; see {self._folder.log}"
            )
        time.sleep(0.01)


def start(data_dir: Path, *, cache_gb: float = DEFAULT_CACHE_GB) -> Embedded:
    """Start a database on `data_dir`, made if needed; ready when this returns.

    A mongod that a killed server left behind on the folder is stopped first.

    Raises:
        EmbeddedFailure: there is no mongod, the folder is in use, or it does not start.
    """
    mongod = mongod_binary.find()
    folder = DataFolder(data_dir)
    try:
        folder.end_orphan()
        return Embedded(folder, mongod, cache_gb=cache_gb)
    except BaseException:
        folder.release()
        raise


class EmbeddedMongo:
    """An embedded database for the life of a server: started again if it dies.

    async with EmbeddedMongo(path) as database: connect(database.uri)
    """

    def __init__(self, data_dir: Path, *, cache_gb: float = DEFAULT_CACHE_GB) -> None:
        """Nothing runs before the context is entered."""
        self._data_dir = data_dir
        self._cache_gb = cache_gb

    async def __aenter__(self) -> Self:
        """Start.

        Raises:
            EmbeddedFailure: as `start`.
        """
        self._embedded = await asyncio.to_thread(start, self._data_dir, cache_gb=self._cache_gb)
        self._watch = asyncio.create_task(self._keep_alive())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, with a checkpoint."""
        self._watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._watch
        await asyncio.to_thread(self._embedded.stop)

    @property
    def uri(self) -> str:
        """How to connect; holds through restarts."""
        return self._embedded.uri

    @property
    def pid(self) -> int:
        """The number of the mongod process."""
        return self._embedded.pid

    @property
    def version(self) -> tuple[int, int, int]:
        """Of the mongod that runs."""
        return self._embedded.version

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(WATCH_INTERVAL)
            if not self._embedded.alive:
                # A start that fails is tried again: requests meet 503 until one succeeds.
                with contextlib.suppress(EmbeddedFailure):
                    await asyncio.to_thread(self._embedded.restart)


def neighbour(data_dir: Path) -> str | None:
    """How to connect to the database that another server runs on this folder, secrets
    included; None while that server is before its first start of one.
    """
    known = written_credentials(data_dir.expanduser().absolute())
    return None if known is None else _uri(known)


def _uri(known: Credentials) -> str:
    user, password = quote(known.user), quote(known.password)
    address = f"{HOST}:{known.port}"
    return f"mongodb://{user}:{password}@{address}/?authSource=admin&replicaSet={REPLICA_SET}"


def _is_known(owner: Client) -> bool:
    """Whether an earlier start has made our user, which is its last step."""
    try:
        owner.admin.command("ping")
    except OperationFailure as error:
        if error.code != _AUTHENTICATION_FAILED:
            raise
        return False
    return True


def _form_replica_set(anyone: Client, address: str) -> None:
    config = {"_id": REPLICA_SET, "members": [{"_id": 0, "host": address}]}
    try:
        anyone.admin.command("replSetInitiate", config)
    except OperationFailure as error:
        if error.code != _ALREADY_INITIALIZED:
            raise


def _is_at(owner: Client, address: str) -> bool:
    """Whether the set has loaded its configuration; one that moved is told its address."""
    try:
        config = owner.admin.command("replSetGetConfig")["config"]
    except OperationFailure as error:
        if error.code != _NOT_YET_INITIALIZED:
            raise
        return False
    (member,) = config["members"]
    if member["host"] != address:
        members = [{**member, "host": address}]
        moved = {**config, "members": members, "version": config["version"] + 1}
        owner.admin.command("replSetReconfig", moved, force=True)
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to stop; kill it when it does not (its journal keeps what was committed)."""
    process.terminate()
    try:
        process.wait(STOP_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) != 0
