"""Write `postman/`: a collection of requests with assertions, and an environment for it.

What is in it follows the CapabilityStatement: every search parameter that it lists for a core
type has a request that finds something.

    python -m scripts.build_postman [--check]
"""

import argparse
from pathlib import Path
from typing import Any, Final

from fhir_server.cli.demo_environment import environment, text
from scripts.postman import booking, folders, scopes, signing_in

ROOT: Final = Path(__file__).resolve().parents[1]
TARGET: Final = ROOT / "postman"
SCHEMA: Final = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"


def main() -> int:
    """Write, or with `--check` compare; the exit status says whether all is current."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true")
    files = {"collection.json": collection(), "environment.json": here()}
    if arguments.parse_args().check:
        stale = [name for name, body in files.items() if current(name) != text(body)]
        print("stale: " + ", ".join(stale) if stale else "the Postman collection is current")
        return 1 if stale else 0
    TARGET.mkdir(exist_ok=True)
    for name, body in files.items():
        (TARGET / name).write_text(text(body), encoding="utf-8")
    return 0


def collection() -> dict[str, Any]:
    """The collection, folder by folder."""
    return {
        "info": {"name": "FHIR server", "schema": SCHEMA},
        "auth": signing_in.by_hand(),
        "item": [
            signing_in.signing_in(),
            folders.start(),
            *folders.core_types(),
            folders.bundles(),
            folders.operations(),
            booking.booking(),
            folders.errors(),
            scopes.scopes(),
            signing_in.reuse(),
        ],
        "variable": [
            {"key": key, "value": value} for key, value in signing_in.VARIABLES.items()
        ],
    }


def here() -> dict[str, Any]:
    """An environment for a server on this machine; who may sign in is to be filled in."""
    origin = "http://127.0.0.1:8000"
    return environment("FHIR server on this machine", f"{origin}/fhir", origin)


def current(name: str) -> str:
    path = TARGET / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    raise SystemExit(main())
