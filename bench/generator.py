"""The load generator: wrk, one thread, with the scripts of `wrk/`.

https://github.com/wg/wrk
"""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.operations import Script

SCRIPTS: Final = Path(__file__).with_name("wrk")
MISSING: Final = (
    "The load generator wrk is missing. Install it: apt-get install wrk (Debian, Ubuntu), "
    "brew install wrk (macOS)."
)
_MARK: Final = "RESULT "


class GeneratorError(Exception):
    """wrk is missing, or its script failed."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of wrk gave."""

    requests: int
    seconds: float
    p50: float
    """Milliseconds."""
    p99: float
    refused: int
    """Answers of 400 and more."""
    broken: int
    """Connections that failed, and requests that were not answered in time."""
    cpu: float
    """Seconds of processor time of wrk itself."""

    @property
    def rate(self) -> float:
        return self.requests / self.seconds

    @property
    def share(self) -> float:
        """Of one processor, that wrk used."""
        return self.cpu / self.seconds


def find() -> str:
    """Where wrk is.

    Raises:
        GeneratorError: nowhere.
    """
    found = shutil.which("wrk")
    if found is None:
        raise GeneratorError(MISSING)
    return found


def run(
    url: str, script: Script, arguments: list[str], *, connections: int, seconds: int
) -> Run:
    """Ask `url` for `seconds`.

    Raises:
        GeneratorError: the script failed.
    """
    command = [
        *(find(), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"),
        *("-s", f"{script}.lua", url, "--", *arguments),
    ]
    process = subprocess.Popen(command, cwd=SCRIPTS, stdout=subprocess.PIPE, text=True)
    output = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    lines = [line for line in output.splitlines() if line.startswith(_MARK)]
    if not lines:
        raise GeneratorError(f"wrk ended with {process.returncode}: {output}")
    found = json.loads(lines[0].removeprefix(_MARK))
    return Run(**found, cpu=usage.ru_utime + usage.ru_stime)
