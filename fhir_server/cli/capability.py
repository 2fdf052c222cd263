"""`fhir-server capability`: write the CapabilityStatement of everything the server can do."""

import json
from pathlib import Path
from typing import Annotated, Final

import typer

from fhir_server.cli.console import fail, say
from fhir_server.operations.table import OPERATIONS
from fhir_server.rest.capability import full

_DEFAULT: Final = Path("capability_statement.json")


def capability(
    output: Annotated[Path, typer.Option(help="The file to write.")] = _DEFAULT,
    check: Annotated[bool, typer.Option("--check", help="Compare instead of writing.")] = False,
) -> None:
    """Write what the server can do; strike out in the file what it should not offer."""
    text = json.dumps(full(OPERATIONS), indent=2, ensure_ascii=False) + "\n"
    if check:
        if not output.exists() or output.read_text(encoding="utf-8") != text:
            fail(f"{output} is stale; write it anew with `fhir-server capability`")
        say(f"{output} is current")
        return
    output.write_text(text, encoding="utf-8")
    say(f"{output} is written")
