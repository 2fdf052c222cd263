"""Clients as processes: scripts that ask, over a pipe, for a person with a browser.

A script gets its order, JSON, as its only argument. It prints a line `{"authorize": URL}` and
reads where the browser was sent; at last it prints a line of what it saw.
"""

import json
import os
import subprocess
from collections.abc import Mapping
from typing import IO, Any, Final

from tests.arch.checkers import ROOT
from tests.browser.driving import NODE, has_package
from tests.clients.serving import HERE, Demo

PYTHON: Final = ROOT / os.environ.get("CLIENTS_VENV", ".venv-clients") / "bin/python"


def no_node(*packages: str) -> str:
    """Why scripts for node cannot run; empty where they can."""
    if NODE is None:
        return "no node: apt-get install nodejs npm"
    lacking = [each for each in packages if not has_package(HERE, each)]
    return f"no {', '.join(lacking)}: make test-clients" if lacking else ""


def no_python() -> str:
    """Why clients in Python cannot run; empty where they can."""
    return "" if PYTHON.exists() else f"no {PYTHON.parent.parent.name}: make test-clients"


def told(demo: Demo, script: str, **order: Any) -> dict[str, Any]:
    """What the script saw of the server."""
    program = str(PYTHON) if script.endswith(".py") else str(NODE)
    given = json.dumps({"base": demo.base, "root": demo.root, **order})
    with subprocess.Popen(
        [program, str(HERE / script), given],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        said = _talk(demo, process.stdin, process.stdout)
        errors = process.stderr.read()
    assert process.returncode == 0, errors
    assert said is not None, errors
    return said


def _talk(demo: Demo, mouth: IO[str], ear: IO[str]) -> dict[str, Any] | None:
    said: dict[str, Any] | None = None
    for line in ear:
        said = json.loads(line)
        if isinstance(said, Mapping) and "authorize" in said:
            mouth.write(demo.allowed(said["authorize"]) + "\n")
            mouth.flush()
    return said
