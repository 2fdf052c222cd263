"""JSON files of the operator's that say how access works."""

import json
from pathlib import Path
from typing import Any


class AccessFileError(Exception):
    """A file of the operator's about access cannot be followed; the text says why."""


def json_of(path: Path) -> Any:
    """What the file says.

    Raises:
        AccessFileError: it cannot be read, or is no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AccessFileError(f"{path}: {error}") from error
