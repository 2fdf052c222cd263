"""Chromium, driven by a scenario in JavaScript."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NODE = shutil.which("node")


def missing() -> str:
    """Why there can be no browser; empty where there can."""
    if CHROMIUM is None:
        return "no Chromium: apt-get install chromium"
    if NODE is None:
        return "no node: apt-get install nodejs npm"
    folder = Path(__file__).parent
    found = has_package(folder, "playwright-core")
    return "" if found else "no playwright-core: npm ci --prefix tests/browser"


def has_package(folder: Path, name: str) -> bool:
    """Whether `npm ci` has put this package where scripts in `folder` find it."""
    return (folder / "node_modules" / name).is_dir()


def driven(script: Path, order: Mapping[str, Any]) -> dict[str, Any]:
    """What the scenario that `order` names saw in the browser."""
    given = json.dumps({"chromium": CHROMIUM, **order})
    ran = subprocess.run(
        [str(NODE), script.name, given],
        cwd=script.parent,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    seen: dict[str, Any] = json.loads(ran.stdout)
    return seen
