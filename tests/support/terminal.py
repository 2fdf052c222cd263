"""A shell into which blocks are pasted, as a reader of a page does."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import Final, Self
from uuid import uuid4

_NEEDED: Final = ("bash", "curl", "openssl")
_PATIENCE: Final = 120.0
"""Seconds until the shell is ended, whatever it does."""


def missing() -> str:
    """Why nothing can be pasted; empty where it can."""
    lacking = [each for each in _NEEDED if shutil.which(each) is None]
    return f"no {', '.join(lacking)}" if lacking else ""


class Terminal:
    """A context with a shell of its own in `folder`; what one paste sets the next one finds."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            ["bash"],
            cwd=folder,
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._alarm = Timer(_PATIENCE, self._process.kill)
        self._alarm.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()
        self._alarm.cancel()

    def paste(self, block: str) -> str:
        """What is seen below it."""
        mouth, ear = self._process.stdin, self._process.stdout
        assert mouth
        assert ear
        end = uuid4().hex
        mouth.write(f"{block}\necho; echo {end}\n")
        mouth.flush()
        seen: list[str] = []
        for line in ear:
            if line.strip() == end:
                return "".join(seen)
            seen.append(line)
        raise AssertionError("".join(seen))
