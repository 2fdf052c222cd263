"""Server and ceiling as processes, and the processor time that each has used."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.load import BASE_URL, DATABASE

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PATIENCE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that are compared."""

    name: str
    port: int
    pid: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu(self) -> float:
        """Seconds of processor time, of its workers too."""
        return sum(cpu(pid) for pid in _family(self.pid))


def cpu(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _family(pid: int) -> Iterator[int]:
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from _family(int(child))


@contextmanager
def server(uri: str, workers: int) -> Iterator[Side]:
    """The server as an operator starts it, its log thrown away."""
    port = _free_port()
    command = [
        *(str(Path(sys.executable).with_name("fhir-server")), "serve"),
        *("--insecure-no-auth", "--no-seed", "--port", str(port), "--workers", str(workers)),
    ]
    own = {"FHIR_DATABASE": DATABASE, "FHIR_BASE_URL": BASE_URL}
    with _running("server", command, uri, port, own) as side:
        yield side


def ceiling(uri: str, workers: int) -> AbstractContextManager[Side]:
    """`bench.ceiling` on the server's uvicorn."""
    return uvicorn("ceiling:app", uri, workers)


def nothing() -> AbstractContextManager[Side]:
    """`bench.nothing` on the same."""
    return uvicorn("nothing:app", "", 1)


@contextmanager
def uvicorn(target: str, uri: str, workers: int, *, factory: bool = False) -> Iterator[Side]:
    """`target`, an application (with `factory` what makes it) of a module of `bench`."""
    port = _free_port()
    command = [
        *(sys.executable, "-m", "uvicorn", f"bench.{target}", "--port", str(port)),
        *("--http", "httptools", "--loop", "uvloop", "--ws", "none", "--no-access-log"),
        *("--log-level", "error", "--workers", str(workers)),
        *(("--factory",) if factory else ()),
    ]
    with _running(target.partition(":")[0], command, uri, port, {}) as side:
        yield side


@contextmanager
def _running(
    name: str, command: list[str], uri: str, port: int, own: Mapping[str, str]
) -> Iterator[Side]:
    environment = {**os.environ, "FHIR_MONGODB_URI": uri, **own}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=log
        )
        try:
            if not _is_listening(process, port):
                log.seek(0)
                raise RuntimeError(f"The {name} does not start:\n{log.read().decode()}")
            yield Side(name, port, process.pid)
        finally:
            process.terminate()
            process.wait()


def _is_listening(process: subprocess.Popen[bytes], port: int) -> bool:
    """Whether it does so in time; uvicorn listens when the application is ready."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.1)
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
