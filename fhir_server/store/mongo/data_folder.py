"""The folder of an embedded database: its files, its secrets, and who may use it.

    mongo/            the database files; mongod keeps its own lock on mongo/mongod.lock
    mongod.key        what members of the replica set show each other       0600
    credentials.json  user, password and port                              0600
    mongod.log        what mongod says
    server.lock       held by the server that uses the folder, with its process number

Both locks belong to the kernel: they end with their process, however it ends, so nothing
here has to be cleaned up after a kill -9.
"""

import base64
import fcntl
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from fhir_server.store.mongo.mongod_binary import EmbeddedFailure

LOG_LIMIT: Final = 16 * 1024 * 1024
"""Bytes of mongod.log after which the next start begins a new one, keeping the last."""

_CREDENTIALS: Final = "credentials.json"

ORPHAN_PATIENCE: Final = 60.0
"""Seconds for a mongod left behind to write its checkpoint and end."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """How the server signs in to its own database."""

    user: str
    password: str
    port: int


class FolderInUse(EmbeddedFailure):
    """Another server has the folder, and its database runs."""


class DataFolder:
    """A data folder claimed by this process until `release`."""

    def __init__(self, path: Path) -> None:
        """Claim the folder, making it if needed.

        Raises:
            FolderInUse: another server uses it.
            EmbeddedFailure: it cannot be written.
        """
        self.path = path.expanduser().absolute()
        self.database = self.path / "mongo"
        self.key_file = self.path / "mongod.key"
        self.log = self.path / "mongod.log"
        try:
            self.database.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _claim(self.path / "server.lock")
        except PermissionError as error:
            raise EmbeddedFailure(
                f"The data folder {self.path} cannot be written; choose another --data-dir."
            ) from error

    def release(self) -> None:
        """Let another server use the folder."""
        self._lock.close()

    def credentials(self, free_port: int) -> Credentials:
        """What an earlier start wrote down, else new ones with `free_port`."""
        known = written_credentials(self.path)
        if known is None:
            return self.remember(Credentials("fhir", secrets.token_urlsafe(32), free_port))
        return known

    def remember(self, credentials: Credentials) -> Credentials:
        """Write them down, and give them back."""
        text = json.dumps(
            {
                "user": credentials.user,
                "password": credentials.password,
                "port": credentials.port,
            }
        )
        write_secret(self._credentials, text)
        return credentials

    def ensure_key(self) -> None:
        """The key file, made once."""
        if not self.key_file.exists():
            text = base64.b64encode(secrets.token_bytes(192)).decode()
            write_secret(self.key_file, text)

    def rotate_log(self) -> None:
        """Begin a new log when the old one has grown; one old one is kept."""
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))

    def last_words(self) -> str:
        """The fatal or error lines at the end of the log, for a message to the operator."""
        if not self.log.exists():
            return ""
        said = []
        for line in self.log.read_text(errors="replace").splitlines()[-40:]:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if row.get("s") in {"F", "E"}:
                detail = row.get("attr", {}).get("error", "")
                said.append(f"{row.get('msg', '')} {detail or ''}".strip())
        return "; ".join(said[-3:])

    def end_orphan(self) -> bool:
        """Stop a mongod that a killed server left on this folder; whether there was one.

        It is asked to stop (a checkpoint, a clean end), never killed: its lock says that it
        is alive, its command line that it is ours and not another process of that number.

        Raises:
            EmbeddedFailure: it is not ours to stop, or does not stop in time.
        """
        lock = self.database / "mongod.lock"
        if not _held(lock):
            return False
        number = lock.read_text().strip()
        if not number.isdigit() or str(self.database) not in _command_line(int(number)):
            raise EmbeddedFailure(
                f"The data folder {self.path} is in use by a mongod that this server did not "
                "start (another container or user?). Stop it, or choose another --data-dir."
            )
        os.kill(int(number), signal.SIGTERM)
        patience = time.monotonic() + ORPHAN_PATIENCE
        while _held(lock):
            if time.monotonic() > patience:
                raise EmbeddedFailure(
                    f"The mongod left behind on {self.path} (process {number}) does not stop."
                )
            time.sleep(0.05)
        return True

    @property
    def _credentials(self) -> Path:
        return self.path / _CREDENTIALS


def written_credentials(path: Path) -> Credentials | None:
    """What a server wrote down in the folder; None where none has been."""
    try:
        known = json.loads((path / _CREDENTIALS).read_bytes())
    except FileNotFoundError:
        return None
    return Credentials(known["user"], known["password"], known["port"])


def _claim(lock: Path) -> IO[str]:
    file = lock.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise FolderInUse(
            f"The data folder {lock.parent} is in use by another fhir-server (process "
            f"{holder}). Stop it, or choose another --data-dir."
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _held(lock: Path) -> bool:
    """Whether a living process holds mongod's own lock."""
    if not lock.exists():
        return False
    with lock.open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _command_line(number: int) -> str:
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{number}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except FileNotFoundError:
            return ""
    run = subprocess.run(  # noqa: S603  # a number and fixed words
        ["/bin/ps", "-o", "command=", "-p", str(number)],
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stdout


def write_secret(path: Path, text: str) -> None:
    """Readable by the owner alone, and whole or not there at all."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
