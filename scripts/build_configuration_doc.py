"""Write docs/configuration.md from fhir_server/settings.py; `--check` compares instead."""

import argparse
import inspect
import re
import sys
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from fhir_server.settings import Settings

TARGET: Final = Path(__file__).parents[1] / "docs" / "configuration.md"

HEAD: Final = """\
# Configuration

<!-- Made by scripts/build_configuration_doc.py from fhir_server/settings.py: edit there. -->

Every setting is an environment variable; a file `.env` in the working directory is read too,
and an option of `fhir-server serve` (`fhir-server serve --help`) wins over both. Times are in
seconds, sizes in bytes, unless the row says otherwise.

| Variable | Default | Meaning |
|---|---|---|
"""


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true")
    text = page()
    if arguments.parse_args().check:
        current = TARGET.exists() and TARGET.read_text(encoding="utf-8") == text
        print("docs/configuration.md is " + ("current" if current else "stale"))
        return 0 if current else 1
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(text, encoding="utf-8")
    return 0


def page() -> str:
    rows = (row(name, field) for name, field in Settings.model_fields.items())
    return HEAD + "".join(rows)


def row(name: str, field: FieldInfo) -> str:
    meaning = re.sub(r"\s+", " ", inspect.cleandoc(field.description or ""))
    choices = " One of " + ", ".join(f"`{each}`" for each in words(field)) + "."
    if words(field):
        meaning += choices
    return f"| `FHIR_{name.upper()}` | {default(field.default)} | {meaning} |\n"


def words(field: FieldInfo) -> tuple[str, ...]:
    """The closed vocabulary of a Literal."""
    found = get_args(field.annotation)
    return found if found and all(isinstance(each, str) for each in found) else ()


def default(value: Any) -> str:
    if value is None or isinstance(value, SecretStr) or value == ():
        return "–"
    if isinstance(value, tuple):
        return f"`{','.join(value)}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    sys.exit(main())
