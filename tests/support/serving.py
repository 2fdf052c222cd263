"""A `fhir-server serve` of its own process, as an operator starts it."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

PATIENCE = 120.0


@dataclass
class Serving:
    """`with Serving(folder) as server:` ready, its address in `base`."""

    folder: Path
    options: tuple[str, ...] = ("--no-seed",)
    access: str = "--insecure-no-auth"
    """The option that says so; empty: none."""
    environment: Mapping[str, str] = field(default_factory=dict)
    base: str = field(default="", init=False)
    errors: IO[str] = field(init=False)
    process: subprocess.Popen[bytes] = field(init=False)

    def __enter__(self) -> Self:
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "fhir_server", "serve"),
                *([self.access] if self.access else []),
                *("--port", "0", "--data-dir", str(self.folder), *self.options),
            ],
            stdout=subprocess.DEVNULL,
            stderr=self.errors,
            env=os.environ | self.environment,
        )
        try:
            self.base = self._await(r"FHIR base: (\S+)")
            self._await("Stop with")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.stop()
        self.errors.close()

    @property
    def root(self) -> str:
        return self.base.removesuffix("/fhir")

    @property
    def examples(self) -> list[str]:
        """The curl lines that it printed."""
        return re.findall(r"^  (curl .*)$", self.said, re.MULTILINE)

    @property
    def said(self) -> str:
        self.errors.seek(0)
        return self.errors.read()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its exit status after a signal."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def _await(self, pattern: str) -> str:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = re.search(pattern, self.said)
            if found:
                return found[found.lastindex or 0]
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        message = f"not said: {pattern}\n{self.said}"
        raise RuntimeError(message)
