"""Reads the generated tables of `spec/r4/`.

This is the package's only reading of files; everything above works on the values it returns.
"""

import json
import lzma
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def load(name: str) -> Any:
    """The table `name`, e.g. `structures`; read once, never to be changed.

    Raises:
        FileNotFoundError: `scripts/build_spec.py` writes no such table.
    """
    data = files("fhir_server.spec.r4").joinpath(f"{name}.json.xz").read_bytes()
    return json.loads(lzma.decompress(data))
